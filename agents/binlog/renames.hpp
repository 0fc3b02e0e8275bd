#pragma once
// The renames of one statement, which happen one after the other.

#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agents/binlog/judgement.hpp"

namespace datasync::binlog {

/// Where each table came from, after the renames so far.
class Renames {
 public:
  /// `if_exists`: a table that is missing is passed over, so that what several renames did cannot be known.
  Renames(const base::TableNames& names, bool if_exists) : names_(names), if_exists_(if_exists) {}
  void move(NamedTable from, NamedTable to);
  /// Adds what became of each table.
  void write(std::vector<TableEffect>& out) const;

 private:
  struct Table {
    NamedTable now, was;
    bool moved_on = false;
  };
  [[nodiscard]] std::string key(const NamedTable& t) const { return names_.key(t.database, t.table); }

  base::TableNames names_;
  bool if_exists_;
  bool unsure_ = false;
  std::vector<Table> tables_;
  std::unordered_map<std::string, std::size_t> now_;  ///< by key, the index in tables_
  std::unordered_set<std::string> left_;              ///< keys of names that a table was moved away from
  std::vector<NamedTable> order_;                     ///< these names
};

}  // namespace datasync::binlog
