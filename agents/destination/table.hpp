#pragma once
// A table of the destination as its catalogue defines it.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "agents/message/definition.hpp"
#include "agents/message/schema.hpp"

namespace datasync::apply {

/// Where a table of the source is stored.
struct TargetName {
  std::string database, table;
  [[nodiscard]] std::string qualified() const { return database + "." + table; }
};

/// The definition of a table, in the form of messages. It is complete: parts that the user's privileges hide are an
/// error, never missing.
struct TableInfo {
  message::TableSchema schema;                          ///< `key` is the primary key
  std::string engine;                                   ///< what stores it: InnoDB, ...
  bool transactional = true;                            ///< what is stored in it can be rolled back
  std::vector<std::vector<std::uint16_t>> unique_keys;  ///< secondary unique keys, by column index
  bool unique_by_prefix = false;  ///< a unique key covers only a prefix of a value: different values may collide in it
  struct ForeignKey {
    std::string name;
    std::vector<std::string> columns;
    std::string parent_database, parent_table;
    std::vector<std::string> parent_columns;
    std::string on_update, on_delete;  ///< RESTRICT, CASCADE, SET NULL, SET DEFAULT, NO ACTION
    /// The server changes rows of this table when rows of the parent change.
    [[nodiscard]] bool acts() const { return message::acts(on_update) || message::acts(on_delete); }
  };
  std::vector<ForeignKey> foreign_keys;
};

/// A table as a list of tables has it.
struct ListedTable {
  TargetName name;
  std::string created;               ///< see DestinationFacts::created
  std::vector<std::string> columns;  ///< those that the user may see
};

}  // namespace datasync::apply
