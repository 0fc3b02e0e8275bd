#pragma once
// The renames of one statement, which happen one after another.

#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agents/binlog/judgement.hpp"

namespace datasync::binlog {

/// Tracks the original name of each table through the renames so far.
class Renames {
 public:
  /// `if_exists`: a missing table is skipped, so the combined effect of several renames is not known.
  Renames(const base::TableNames& names, bool if_exists) : names_(names), if_exists_(if_exists) {}
  /// Records one rename.
  void move(NamedTable from, NamedTable to);
  /// Adds the effect on each table.
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
  std::unordered_map<std::string, std::size_t> now_;  ///< by key: the index in tables_
  std::unordered_set<std::string> left_;              ///< keys of names that a table was renamed from
  std::vector<NamedTable> order_;                     ///< the same names, in order
};

}  // namespace datasync::binlog
