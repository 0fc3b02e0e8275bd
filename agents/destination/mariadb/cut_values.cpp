#include "agents/destination/mariadb/cut_values.hpp"

#include <cstdint>

#include <fmt/format.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/destination/dialect.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::ColumnType;

/// The least and the greatest value, which such a server stores for one beyond them.
std::string limits_of(const Column& column) {
  unsigned bits = 64;
  if (column.type == ColumnType::TinyInt) bits = 8;
  if (column.type == ColumnType::SmallInt) bits = 16;
  if (column.type == ColumnType::MediumInt) bits = 24;
  if (column.type == ColumnType::Int) bits = 32;
  const auto all = ~std::uint64_t{0} >> (64 - bits);
  return column.is_unsigned ? fmt::format("0, {}", all) : fmt::format("-{}, {}", all / 2 + 1, all / 2);
}

}  // namespace

std::string mariadb_cut_values(const Column& column) {
  constexpr std::uint64_t kLongestCharacter = 4;
  const auto name = sql::quote_identifier(column.name);
  switch (column.type) {
    case ColumnType::TinyInt:
    case ColumnType::SmallInt:
    case ColumnType::MediumInt:
    case ColumnType::Int:
    case ColumnType::BigInt:
      return fmt::format("{} IN ({})", name, limits_of(column));
    case ColumnType::VarChar:
      return fmt::format("CHAR_LENGTH({}) >= {}", name, column.length / bytes_per_character(column.charset));
    case ColumnType::Text:
      return fmt::format("LENGTH({}) + {} > {}", name, kLongestCharacter, column.length);
    case ColumnType::VarBinary:
    case ColumnType::Blob:
      return fmt::format("LENGTH({}) >= {}", name, column.length);
    default:  // CHAR loses spaces and BINARY gets zeros, which nothing shows
      return "";
  }
}

std::string mariadb_values_for_null(const Column& column) {
  const auto name = sql::quote_identifier(column.name);
  switch (column.type) {
    case ColumnType::Char:
    case ColumnType::VarChar:
    case ColumnType::Text:
    case ColumnType::Binary:
    case ColumnType::VarBinary:
    case ColumnType::Blob:
      return name + " = ''";
    default:
      return column.type <= ColumnType::Decimal || column.type == ColumnType::Bit ? name + " = 0" : "";
  }
}

}  // namespace datasync::apply
