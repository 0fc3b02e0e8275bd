#pragma once
// The definitions of captured tables that capture has read, stored on the state topic: the binlog does not contain the
// full definition, and the server has only the current one. Readers take from it which foreign keys of the source
// change rows.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/message/record.hpp"

namespace datasync::message {

/// A foreign key with CASCADE, SET NULL or SET DEFAULT: no row event shows the rows that it changes.
struct ActingKey {
  std::string name;
  std::vector<std::string> columns;
  std::string parent_database, parent_table;
  std::vector<std::string> parent_columns;
  std::string on_update, on_delete;
  bool operator==(const ActingKey&) const = default;
};

/// ON UPDATE or ON DELETE with this action changes rows: not RESTRICT and not NO ACTION.
bool acts(std::string_view action);

/// A column that has values of an excluded one: it was renamed from it, or filled by an expression with it.
struct MovedColumn {
  std::string was;  ///< the excluded name
  std::string is;   ///< the name of the column with its values from this position on
  bool operator==(const MovedColumn&) const = default;
};

/// The definition of a table from a position in the source's history until the next definition.
struct Definition {
  std::string database, table;  ///< as spelled in the resource
  std::uint64_t sequence = 0;   ///< of two records of one table, the one with the higher number is newer
  GtidSet position;             ///< all transactions in it are earlier than this definition
  bool exists = true;           ///< false: from this position on, no table has this name
  /// The columns as the server had them, including excluded columns, without columns whose definition is not known from
  /// this position on.
  TableSchema schema;
  /// No part of the table's definition is missing; false in records of versions without this field.
  bool complete = false;
  /// Those of the table when it was read last; nothing: not known, as in records of versions without this field.
  std::optional<std::vector<ActingKey>> acting_keys;
  std::vector<MovedColumn> moved = {};      ///< by however many statements
  std::vector<std::uint32_t> domains = {};  ///< GTID domains in which rows of the table were published
  [[nodiscard]] std::string qualified() const { return database + "." + table; }
};

/// Encodes a definition record; see record.hpp for decoding.
std::string encode(const Definition&);
template <>
base::Result<Definition> decode(base::Bytes value);

inline constexpr std::uint64_t kDefinitionSlots = 8;  ///< this many records of a table are kept
/// Returns the key on the state topic: a ring by `sequence`.
std::string definition_key(const Definition& d);

}  // namespace datasync::message
