#include "agents/destination/mariadb/key_clause.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/destination/dialect.hpp"
#include "agents/destination/mariadb/types.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::ColumnType;
using message::TableSchema;

constexpr std::uint64_t kMaxKeyBytes = 3072;  // of an InnoDB index, https://mariadb.com/kb/en/innodb-limitations/

bool is_long(const Column& column) {
  return column.type == ColumnType::Text || column.type == ColumnType::Blob || column.type == ColumnType::Json ||
         column.type == ColumnType::Geometry;
}

/// An index may cover only the front of such a value.
bool takes_prefix(const Column& column) {
  return is_long(column) || column.type == ColumnType::Char || column.type == ColumnType::VarChar ||
         column.type == ColumnType::Binary || column.type == ColumnType::VarBinary;
}

std::uint64_t key_bytes(const Column& column) {
  constexpr std::uint64_t kMostOfOthers = 32;  // DECIMAL(65) has 30
  if (!takes_prefix(column)) return kMostOfOthers;
  return column.length == 0 || is_long(column) ? std::max<std::uint64_t>(kMaxKeyBytes, column.length) : column.length;
}

/// How many bytes of each key column the index covers; 0: all of it. A source's key that is too long for an index is
/// unique by a shorter front already (an index of its own could not cover more).
std::vector<std::uint64_t> key_prefixes(const TableSchema& schema) {
  std::vector<std::uint64_t> out(schema.key.size(), 0);
  std::vector<std::size_t> by_size;
  std::uint64_t left = kMaxKeyBytes;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < schema.key.size(); ++i) {
    const Column& column = schema.columns[schema.key[i]];
    const auto bytes = key_bytes(column);
    total += bytes;
    if (takes_prefix(column)) {
      by_size.push_back(i);
    } else {
      left -= std::min(left, bytes);
    }
  }
  std::ranges::sort(by_size, {}, [&](auto i) { return key_bytes(schema.columns[schema.key[i]]); });
  for (std::size_t n = 0; n < by_size.size(); ++n) {
    const Column& column = schema.columns[schema.key[by_size[n]]];
    const auto share = std::min(key_bytes(column), left / (by_size.size() - n));
    left -= share;
    if (is_long(column) || (total > kMaxKeyBytes && share < key_bytes(column))) out[by_size[n]] = share;
  }
  return out;
}

}  // namespace

std::string key_clause(const TableSchema& schema) {
  if (schema.key.empty()) return "";
  std::string parts;
  const auto prefixes = key_prefixes(schema);
  for (std::size_t i = 0; i < schema.key.size(); ++i) {
    const Column& column = schema.columns[schema.key[i]];
    parts += (parts.empty() ? "" : ",") + sql::quote_identifier(column.name);
    if (prefixes[i] != 0)
      parts += fmt::format("({})", std::max<std::uint64_t>(1, prefixes[i] / bytes_per_character(column.charset)));
  }
  const bool nullable = std::ranges::any_of(schema.key, [&](auto i) { return schema.columns[i].nullable; });
  return fmt::format(", {} ({})", nullable ? "KEY" : "PRIMARY KEY", parts);
}

}  // namespace datasync::apply
