#pragma once
// Builds the schema in messages from a table map.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/binlog/charset.hpp"
#include "agents/binlog/table_map.hpp"
#include "agents/message/schema.hpp"

namespace datasync::binlog {

/// A row of information_schema.collations.
struct Collation {
  std::string name;     ///< "utf8mb4_general_ci"
  std::string charset;  ///< "utf8mb4"
};
using CollationOf = std::function<std::optional<Collation>(std::uint32_t id)>;

/// The properties of a column that are in the server's information_schema but not in a table map.
struct Refinement {
  std::uint16_t column = 0;                 ///< index in the table map
  std::optional<message::ColumnType> type;  ///< Uuid, Inet4 or Inet6: BINARY in the table map
  bool generated = false;                   ///< virtual or stored: full row images contain both
  bool hidden = false;  ///< created by the server: it is in row images, but not in the definition that users see
  std::optional<std::uint8_t>
      fractional_digits;  ///< of TIME, DATETIME, TIMESTAMP created with mysql56_temporal_format=OFF

  bool operator==(const Refinement&) const = default;
};

/// The input of schema_of besides the table map.
struct SchemaOptions {
  CollationOf collation_of;
  ToUtf8 to_utf8;  ///< may be empty: then labels in character sets that charset.hpp does not support are unsupported
  std::vector<Refinement> refinements;
  std::vector<std::string> excluded;      ///< column names, not case-sensitive
  std::vector<std::string> declared_key;  ///< used when the table has no primary key, not case-sensitive
};

/// A column of the table map and its index in the schema.
struct PlacedColumn {
  WireType type = WireType::Null;
  std::uint32_t length = 0;            ///< as in WireColumn
  std::uint8_t scale = 0;              ///< as in WireColumn, refined
  std::optional<std::uint16_t> place;  ///< index in the schema's columns; nullopt when excluded or hidden
};

/// The schema of a table, and how the columns of its table map correspond to it.
struct TableLayout {
  message::TableSchema schema;
  std::vector<PlacedColumn> columns;            ///< one for each column of the table map
  std::vector<std::string> missing_exclusions;  ///< excluded names that the table does not have
};

/// Returns true when the column has the name and type that MariaDB gives the column it adds for a UNIQUE key that is
/// too long for an index (10.4 and later): DB_ROW_HASH_1, a BIGINT that no statement shows. Users can give a column
/// such a name too.
bool named_as_hidden(const WireColumn& column) noexcept;

/// Builds the schema and layout of a table. Errors: MetadataMissing (names, character sets or labels are missing),
/// UnsupportedType, KeyMissing (no primary key and no declared key, or a key column is excluded or does not exist),
/// SchemaUnknown (a refinement or collation does not match), BinlogCorrupt (an impossible size); all name the table.
base::Result<TableLayout> schema_of(const TableMap& map, const SchemaOptions& options);

}  // namespace datasync::binlog
