#include "agents/client/mysql/column_type.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace datasync::sql {
namespace {

using message::Column;
using message::ColumnType;

constexpr std::array<std::pair<std::string_view, ColumnType>, 43> kTypes{{
    {"tinyint", ColumnType::TinyInt},
    {"smallint", ColumnType::SmallInt},
    {"mediumint", ColumnType::MediumInt},
    {"int", ColumnType::Int},
    {"bigint", ColumnType::BigInt},
    {"float", ColumnType::Float},
    {"double", ColumnType::Double},
    {"decimal", ColumnType::Decimal},
    {"char", ColumnType::Char},
    {"varchar", ColumnType::VarChar},
    {"tinytext", ColumnType::Text},
    {"text", ColumnType::Text},
    {"mediumtext", ColumnType::Text},
    {"longtext", ColumnType::Text},
    {"binary", ColumnType::Binary},
    {"varbinary", ColumnType::VarBinary},
    {"tinyblob", ColumnType::Blob},
    {"blob", ColumnType::Blob},
    {"mediumblob", ColumnType::Blob},
    {"longblob", ColumnType::Blob},
    {"date", ColumnType::Date},
    {"time", ColumnType::Time},
    {"datetime", ColumnType::DateTime},
    {"timestamp", ColumnType::Timestamp},
    {"year", ColumnType::Year},
    {"enum", ColumnType::Enum},
    {"set", ColumnType::Set},
    {"bit", ColumnType::Bit},
    {"json", ColumnType::Json},
    {"geometry", ColumnType::Geometry},
    {"point", ColumnType::Geometry},
    {"linestring", ColumnType::Geometry},
    {"polygon", ColumnType::Geometry},
    {"multipoint", ColumnType::Geometry},
    {"multilinestring", ColumnType::Geometry},
    {"multipolygon", ColumnType::Geometry},
    {"geometrycollection", ColumnType::Geometry},
    {"geomcollection", ColumnType::Geometry},
    {"uuid", ColumnType::Uuid},
    {"inet4", ColumnType::Inet4},
    {"inet6", ColumnType::Inet6},
    {"real", ColumnType::Double},
    {"integer", ColumnType::Int},
}};

bool is_number(ColumnType type) noexcept {
  return type <= ColumnType::Decimal;
}

void set_text(Column& column, const ColumnWords& words) {
  column.charset = words.charset;
  column.collation = words.collation;
}

/// Sets the fields that depend only on the type; returns false when the description does not match the type.
bool set_details(Column& column, const ColumnWords& words) {
  switch (column.type) {
    case ColumnType::Decimal:
      column.precision = static_cast<std::uint8_t>(words.numeric_precision);
      column.scale = static_cast<std::uint8_t>(words.numeric_scale);
      return true;
    case ColumnType::Time:
    case ColumnType::DateTime:
    case ColumnType::Timestamp:
      column.scale = static_cast<std::uint8_t>(words.datetime_precision);
      return true;
    case ColumnType::Bit:
      column.length = words.numeric_precision;
      return true;
    case ColumnType::Char:
    case ColumnType::VarChar:
    case ColumnType::Text:
      set_text(column, words);
      [[fallthrough]];
    case ColumnType::Binary:
    case ColumnType::VarBinary:
    case ColumnType::Blob:
      column.length = words.octet_length;
      return true;
    case ColumnType::Json:
      set_text(column, words);
      return true;
    case ColumnType::Enum:
    case ColumnType::Set: {
      set_text(column, words);
      auto labels = parse_labels(words.column_type);
      if (labels) column.labels = std::move(*labels);
      return labels.has_value();
    }
    default:
      return true;
  }
}

char unescaped(char c) noexcept {
  switch (c) {
    case '0':
      return '\0';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    default:
      return c;
  }
}

/// Removes one quoted label from the start of `text` and returns it.
std::optional<std::string> take_label(std::string_view& text) {
  if (!text.starts_with('\'')) return std::nullopt;
  std::string label;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool more = i + 1 < text.size();
    if (text[i] == '\'' && more && text[i + 1] == '\'') {
      label += '\'';
      ++i;
    } else if (text[i] == '\'') {
      text.remove_prefix(i + 1);
      return label;
    } else if (text[i] == '\\' && more) {
      label += unescaped(text[++i]);
    } else {
      label += text[i];
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<message::Column> column_of(const ColumnWords& words) {
  const auto* known = std::ranges::find(kTypes, words.data_type, &std::pair<std::string_view, ColumnType>::first);
  if (known == kTypes.end()) return std::nullopt;
  Column column;
  column.name = words.name;
  column.type = known->second;
  column.nullable = words.nullable;
  column.generated = words.generated;
  column.is_unsigned = is_number(column.type) && words.column_type.find(" unsigned") != std::string::npos;
  if (!set_details(column, words)) return std::nullopt;
  return column;
}

std::optional<std::vector<std::string>> parse_labels(std::string_view column_type) {
  const std::size_t open = column_type.find('(');
  if (open == std::string_view::npos) return std::nullopt;
  std::string_view text = column_type.substr(open + 1);
  std::vector<std::string> labels;
  while (true) {
    auto label = take_label(text);
    if (!label) return std::nullopt;
    labels.push_back(std::move(*label));
    if (text.starts_with(')')) return labels;
    if (!text.starts_with(',')) return std::nullopt;
    text.remove_prefix(1);
  }
}

bool may_be_damaged(std::string_view label, std::string_view charset) noexcept {
  const bool wide = charset == "utf8mb4" || charset.starts_with("utf16") || charset == "utf32" || charset == "gb18030";
  return wide && label.find('?') != std::string_view::npos;
}

}  // namespace datasync::sql
