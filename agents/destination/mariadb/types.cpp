// Column types of MariaDB, as CREATE TABLE wants them.

#include "agents/destination/mariadb/types.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/destination/dialect.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::ColumnType;

std::string sized(std::string_view kind, std::uint64_t length) {
  const auto* prefix = length <= 255 ? "TINY" : length <= 65535 ? "" : length <= 16777215 ? "MEDIUM" : "LONG";
  return fmt::format("{}{}", prefix, kind);
}

std::string with_scale(std::string_view name, std::uint8_t scale) {
  return scale == 0 ? std::string(name) : fmt::format("{}({})", name, scale);
}

std::string labels(std::string_view name, const Column& column) {
  std::string list;
  for (const auto& label : column.labels) list += (list.empty() ? "" : ",") + sql::quote_text(label);
  return fmt::format("{}({})", name, list);
}

std::string numeric(std::string_view name, const Column& column) {
  return fmt::format("{}{}", name, column.is_unsigned ? " UNSIGNED" : "");
}

std::string characters(std::string_view name, const Column& column) {
  return fmt::format("{}({})", name, column.length / bytes_per_character(column.charset));
}

std::string bare_type(const Column& column) {
  switch (column.type) {
    case ColumnType::TinyInt:
      return numeric("TINYINT", column);
    case ColumnType::SmallInt:
      return numeric("SMALLINT", column);
    case ColumnType::MediumInt:
      return numeric("MEDIUMINT", column);
    case ColumnType::Int:
      return numeric("INT", column);
    case ColumnType::BigInt:
      return numeric("BIGINT", column);
    case ColumnType::Float:
      return numeric("FLOAT", column);
    case ColumnType::Double:
      return numeric("DOUBLE", column);
    case ColumnType::Decimal:
      return numeric(fmt::format("DECIMAL({},{})", column.precision, column.scale), column);
    case ColumnType::Char:
      return characters("CHAR", column);
    case ColumnType::VarChar:
      return characters("VARCHAR", column);
    case ColumnType::Text:
      return sized("TEXT", column.length);
    case ColumnType::Binary:
      return fmt::format("BINARY({})", column.length);
    case ColumnType::VarBinary:
      return fmt::format("VARBINARY({})", column.length);
    case ColumnType::Blob:
      return sized("BLOB", column.length);
    case ColumnType::Date:
      return "DATE";
    case ColumnType::Time:
      return with_scale("TIME", column.scale);
    case ColumnType::DateTime:
      return with_scale("DATETIME", column.scale);
    case ColumnType::Timestamp:
      return with_scale("TIMESTAMP", column.scale);
    case ColumnType::Year:
      return "YEAR";
    case ColumnType::Enum:
      return labels("ENUM", column);
    case ColumnType::Set:
      return labels("SET", column);
    case ColumnType::Bit:
      return fmt::format("BIT({})", column.length);
    case ColumnType::Json:
      return "LONGTEXT";
    case ColumnType::Geometry:
      return "GEOMETRY";
    case ColumnType::Uuid:
      return "UUID";
    case ColumnType::Inet4:
      return "INET4";
    case ColumnType::Inet6:
      return "INET6";
  }
  return "";
}

}  // namespace

std::string mariadb_type(const Column& column) {
  auto type = bare_type(column);
  if (message::is_text(column.type) && !column.charset.empty()) type += " CHARACTER SET " + column.charset;
  if (message::is_text(column.type) && !column.collation.empty()) type += " COLLATE " + column.collation;
  return type;
}

std::string mariadb_column(const Column& column) {
  auto text = sql::quote_identifier(column.name) + " " + mariadb_type(column);
  if (column.nullable) return text + " NULL DEFAULT NULL";
  text += " NOT NULL";
  // Without a default of its own the first TIMESTAMP may get one that changes the value at every update.
  if (column.type == ColumnType::Timestamp) text += " DEFAULT '0000-00-00 00:00:00'";
  return text;
}

}  // namespace datasync::apply
