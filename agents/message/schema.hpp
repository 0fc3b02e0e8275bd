#pragma once
// What a table looks like in messages: engine-neutral enough for any destination, exact enough to lose nothing.

#include <cstdint>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/named.hpp"
#include "agents/base/result.hpp"

namespace datasync::message {

/// The numbers are on the wire (docs/messages.md): never change one, only add.
enum class ColumnType : std::uint8_t {
  TinyInt = 1,
  SmallInt = 2,
  MediumInt = 3,
  Int = 4,
  BigInt = 5,
  Float = 6,
  Double = 7,
  Decimal = 8,
  Char = 9,  ///< text of at most `length` bytes in `charset`
  VarChar = 10,
  Text = 11,    ///< TINYTEXT .. LONGTEXT: `length` is 255, 65535, 16777215 or 4294967295
  Binary = 12,  ///< fixed `length`, padding zeros included
  VarBinary = 13,
  Blob = 14,  ///< like Text
  Date = 15,
  Time = 16,
  DateTime = 17,
  Timestamp = 18,
  Year = 19,
  Enum = 20,
  Set = 21,
  Bit = 22,
  Json = 23,
  Geometry = 24,
  Uuid = 25,
  Inet4 = 26,
  Inet6 = 27,
};

struct Column {
  std::string name;
  ColumnType type = ColumnType::Int;
  bool is_unsigned = false;
  bool nullable = true;
  bool generated = false;           ///< computed by the source; a destination that computes it too does not store it
  std::uint64_t length = 0;         ///< bytes (text, binary) or bits (Bit); 0 where the type has none
  std::uint8_t precision = 0;       ///< Decimal digits
  std::uint8_t scale = 0;           ///< Decimal scale; fractional digits 0..6 of Time, DateTime, Timestamp
  std::string charset;              ///< text, Enum and Set: "utf8mb4"; empty elsewhere
  std::string collation;            ///< "utf8mb4_general_ci"
  std::vector<std::string> labels;  ///< Enum, Set: UTF-8, in order; value 1 (or bit 0) is labels[0]

  bool operator==(const Column&) const = default;
};

/// Content hash of a schema: equal schemas have equal ids everywhere and for ever.
using SchemaId = base::Named<std::uint64_t, struct SchemaIdTag>;

struct TableSchema {
  std::string database;
  std::string table;
  std::vector<Column> columns;     ///< in table order, without excluded ones
  std::vector<std::uint16_t> key;  ///< indexes into columns: the primary key, or the declared key columns

  bool operator==(const TableSchema&) const = default;
  [[nodiscard]] std::string qualified() const { return database + "." + table; }
  [[nodiscard]] SchemaId id() const;  ///< XXH3-64 of `serialize`
};

/// The canonical bytes of a schema (docs/messages.md, "schema").
std::string serialize(const TableSchema& schema);
/// Errors: ForeignMessage saying what is wrong; checks every index and bound.
base::Result<TableSchema> parse_schema(base::Bytes bytes);

/// True for Char, VarChar, Text, Json, Enum and Set: values or labels that have a character set.
bool is_text(ColumnType type) noexcept;
std::string_view to_string(ColumnType type) noexcept;

}  // namespace datasync::message
