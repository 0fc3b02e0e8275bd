#pragma once
// What capture has learnt about a captured table, kept on the state topic: the binlog does not say all of it, and the
// server knows only the definition of now. Readers take from it which foreign keys of the source change rows.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/message/record.hpp"

namespace datasync::message {

/// A foreign key with CASCADE, SET NULL or SET DEFAULT: what it changes is in no row event.
struct ActingKey {
  std::string name;
  std::vector<std::string> columns;
  std::string parent_database, parent_table;
  std::vector<std::string> parent_columns;
  std::string on_update, on_delete;
  bool operator==(const ActingKey&) const = default;
};

/// A column that has the values of one that was excluded under its name of before.
struct MovedColumn {
  std::string was;  ///< the excluded name
  std::string is;   ///< its name from here on
  bool operator==(const MovedColumn&) const = default;
};

/// The definition of a table from a place in the source's history on, until the next one.
struct Definition {
  std::string database, table;  ///< as the resource writes them
  std::uint64_t sequence = 0;   ///< of the records of one table the higher is the newer
  GtidSet position;             ///< everything in it came before
  bool exists = true;           ///< false: from here on no table has the name
  /// As the server had it, excluded columns included, without columns that are not known from here on.
  TableSchema schema;
  bool complete = false;  ///< nothing of the table is missing in it; records of versions that did not say so: false
  /// Those of the table when it was read last; nothing: not known, as in records of versions that did not say it.
  std::optional<std::vector<ActingKey>> acting_keys;
  std::vector<MovedColumn> moved = {};      ///< excluded columns that were renamed, by however many statements
  std::vector<std::uint32_t> domains = {};  ///< GTID domains in which rows of the table were published
  [[nodiscard]] std::string qualified() const { return database + "." + table; }
};

std::string encode(const Definition&);
template <>
base::Result<Definition> decode(base::Bytes value);

inline constexpr std::uint64_t kDefinitionSlots = 8;  ///< so many records of a table are kept
/// Its key on the state topic: a ring by `sequence`.
std::string definition_key(const Definition& d);

}  // namespace datasync::message
