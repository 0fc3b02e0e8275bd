#pragma once
// The schema of a table in messages: independent of the engine, so that any destination can use it, and exact, so that
// nothing is lost.

#include <cstdint>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/named.hpp"
#include "agents/base/result.hpp"

namespace datasync::message {

/// These numbers are part of the message format (docs/messages.md): never change one, only add new ones.
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
  Binary = 12,  ///< fixed `length`, including padding zeros
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

/// A column of a table in messages.
struct Column {
  std::string name;
  ColumnType type = ColumnType::Int;
  bool is_unsigned = false;
  bool nullable = true;
  bool generated =
      false;  ///< computed by the source; a destination that computes the column too does not store the value
  std::uint64_t length = 0;         ///< bytes (text, binary) or bits (Bit); 0 for types without a length
  std::uint8_t precision = 0;       ///< Decimal digits
  std::uint8_t scale = 0;           ///< Decimal scale; fractional digits 0..6 of Time, DateTime, Timestamp
  std::string charset;              ///< text, Enum and Set: "utf8mb4"; empty for other types
  std::string collation;            ///< "utf8mb4_general_ci"
  std::vector<std::string> labels;  ///< Enum, Set: UTF-8, in order; value 1 (or bit 0) is labels[0]

  bool operator==(const Column&) const = default;
};

/// Content hash of a schema: equal schemas always have equal ids.
using SchemaId = base::Named<std::uint64_t, struct SchemaIdTag>;

/// The name, columns and key of a table in messages.
struct TableSchema {
  std::string database;
  std::string table;
  std::vector<Column> columns;     ///< in table order, without excluded columns
  std::vector<std::uint16_t> key;  ///< indexes into columns: the primary key, or the declared key columns

  bool operator==(const TableSchema&) const = default;
  [[nodiscard]] std::string qualified() const { return database + "." + table; }
  [[nodiscard]] SchemaId id() const;  ///< XXH3-64 of `serialize`
};

/// Returns the canonical bytes of a schema (docs/messages.md, "schema").
std::string serialize(const TableSchema& schema);
/// Parses the canonical bytes. Errors: ForeignMessage with the cause; every index and bound is checked.
base::Result<TableSchema> parse_schema(base::Bytes bytes);

/// Returns true for Char, VarChar, Text, Json, Enum and Set, whose values or labels have a character set.
bool is_text(ColumnType type) noexcept;
std::string_view to_string(ColumnType type) noexcept;

}  // namespace datasync::message
