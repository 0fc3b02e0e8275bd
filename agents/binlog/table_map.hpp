#pragma once
// TABLE_MAP: the columns of the rows events after it (https://mariadb.com/kb/en/table_map_event/), with the optional
// metadata that binlog_row_metadata=FULL adds (MySQL WL#4618, MariaDB MDEV-20477).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/named.hpp"
#include "agents/base/result.hpp"
#include "agents/binlog/event.hpp"

namespace datasync::binlog {

using TableId = base::Named<std::uint64_t, struct TableIdTag>;

/// Returns true for the id that ends a statement without naming a table; its rows events contain no rows.
inline bool is_dummy(TableId id) noexcept {
  return id.value() == 0x00FFFFFF || id.value() == 0xFFFFFFFFFFFF;
}

/// The column types of the binlog. The metadata of a STRING column can mean ENUM, SET or a long CHAR; parse_table_map
/// sets the real type.
enum class WireType : std::uint8_t {
  Decimal = 0,
  Tiny = 1,
  Short = 2,
  Long = 3,
  Float = 4,
  Double = 5,
  Null = 6,
  Timestamp = 7,
  LongLong = 8,
  Int24 = 9,
  Date = 10,
  Time = 11,
  DateTime = 12,
  Year = 13,
  NewDate = 14,
  VarChar = 15,
  Bit = 16,
  Timestamp2 = 17,
  DateTime2 = 18,
  Time2 = 19,
  BlobCompressed = 140,
  VarCharCompressed = 141,
  Json = 245,  // MySQL only
  NewDecimal = 246,
  Enum = 247,
  Set = 248,
  TinyBlob = 249,
  MediumBlob = 250,
  LongBlob = 251,
  Blob = 252,
  VarString = 253,
  String = 254,
  Geometry = 255,
};
/// Returns e.g. "NEWDECIMAL"; "column type 77" for a number that this version does not support.
std::string to_string(WireType type);

/// A column as the table map describes it.
struct WireColumn {
  WireType type = WireType::Null;
  /// Bytes of the longest value (String, VarChar and its compressed form as declared in the table map), bytes of the
  /// length prefix (blobs, Geometry), bytes of the value (Enum, Set), bits (Bit), digits (NewDecimal).
  std::uint32_t length = 0;
  std::uint8_t scale = 0;  ///< NewDecimal; fractional digits of Timestamp2, DateTime2, Time2
  bool nullable = false;
  bool is_unsigned = false;
  std::uint32_t collation = 0;  ///< id; 0 when the type has none or the metadata does not contain it
  std::string name;
  std::vector<std::string> labels;  ///< Enum, Set: in the character set of `collation`

  bool operator==(const WireColumn&) const = default;
};

/// The beginning of a table map: enough to decide whether the table is captured.
struct TableName {
  TableId id;
  std::string_view database, table;
};
/// Parses the beginning of a table map. Errors: BinlogCorrupt.
base::Result<TableName> parse_table_name(base::Bytes body, const Where& where);

/// A parsed table map.
struct TableMap {
  TableId id;
  std::string database, table;
  std::vector<WireColumn> columns;
  std::vector<std::uint16_t>
      primary_key;         ///< indexes into columns; empty when there is none or the metadata does not contain it
  bool has_names = false;  ///< the metadata is FULL

  bool operator==(const TableMap&) const = default;
  [[nodiscard]] std::string qualified() const { return database + "." + table; }
};
/// Parses a whole table map. Errors: BinlogCorrupt; UnsupportedType naming the table and the type of a column whose
/// metadata size is unknown.
base::Result<TableMap> parse_table_map(base::Bytes body, const Where& where);

/// Adds the optional metadata block to `map`. Errors: BinlogCorrupt.
base::Result<void> parse_metadata(base::Bytes block, TableMap& map, const Where& where);

/// Reads a packed length of the protocol: one byte, or 0xFC + 2, 0xFD + 3, 0xFE + 8.
std::uint64_t packed_length(base::Cursor& in) noexcept;

}  // namespace datasync::binlog
