#pragma once
// From a table map to the schema that messages carry.

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

/// What the server's information_schema knows of a column and a table map does not say.
struct Refinement {
  std::uint16_t column = 0;                 ///< index in the table map
  std::optional<message::ColumnType> type;  ///< Uuid, Inet4 or Inet6: BINARY in the table map
  bool generated = false;                   ///< virtual or stored: both stand in full row images
  bool hidden = false;                      ///< the server's own: in row images, and in no definition that users see
  std::optional<std::uint8_t>
      fractional_digits;  ///< of TIME, DATETIME, TIMESTAMP made with mysql56_temporal_format=OFF

  bool operator==(const Refinement&) const = default;
};

struct SchemaOptions {
  CollationOf collation_of;
  ToUtf8 to_utf8;  ///< may be empty: labels in character sets that charset.hpp does not know are then unsupported
  std::vector<Refinement> refinements;
  std::vector<std::string> excluded;      ///< column names, case ignored
  std::vector<std::string> declared_key;  ///< used when the table has no primary key, case ignored
};

/// Where a column of the table map goes.
struct PlacedColumn {
  WireType type = WireType::Null;
  std::uint32_t length = 0;            ///< as in WireColumn
  std::uint8_t scale = 0;              ///< as in WireColumn, refined
  std::optional<std::uint16_t> place;  ///< index in the schema's columns; nothing when excluded or hidden
};

struct TableLayout {
  message::TableSchema schema;
  std::vector<PlacedColumn> columns;            ///< one for each column of the table map
  std::vector<std::string> missing_exclusions;  ///< excluded names that the table does not have
};

/// The name that MariaDB gives the column it adds for a UNIQUE key that is too long for an index (10.4 and later):
/// DB_ROW_HASH_1. It is a BIGINT that no statement shows. Users may name a column so too.
bool named_as_hidden(const WireColumn& column) noexcept;

/// Errors: MetadataMissing (names, character sets or labels are not told), UnsupportedType, KeyMissing (no primary key
/// and no declared key, or a key column is excluded or not there), SchemaUnknown (a refinement or collation does not
/// fit); all name the table.
base::Result<TableLayout> schema_of(const TableMap& map, const SchemaOptions& options);

}  // namespace datasync::binlog
