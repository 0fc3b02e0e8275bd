#include <fmt/format.h>

#include "agents/binlog/table_map.hpp"

namespace datasync::binlog {
namespace {

using base::Bytes;
using base::Cursor;

enum class Field : std::uint8_t {
  Signedness = 1,
  DefaultCharset = 2,
  ColumnCharset = 3,
  ColumnName = 4,
  SetLabels = 5,
  EnumLabels = 6,
  GeometryType = 7,
  PrimaryKey = 8,
  PrimaryKeyWithPrefix = 9,
  EnumSetDefaultCharset = 10,
  EnumSetColumnCharset = 11,
  Visibility = 12,
};

/// Selects the columns that a field describes, in table order. MariaDB counts YEAR as numeric, MySQL does not; this is
/// MariaDB's rule (Field_num::binlog_type_info).
bool is_numeric(const WireColumn& c) noexcept {
  switch (c.type) {
    case WireType::Tiny:
    case WireType::Short:
    case WireType::Int24:
    case WireType::Long:
    case WireType::LongLong:
    case WireType::NewDecimal:
    case WireType::Float:
    case WireType::Double:
    case WireType::Year:
    case WireType::Decimal:
      return true;
    default:
      return false;
  }
}
bool is_character(const WireColumn& c) noexcept {
  switch (c.type) {
    case WireType::String:
    case WireType::VarString:
    case WireType::VarChar:
    case WireType::VarCharCompressed:
    case WireType::TinyBlob:
    case WireType::MediumBlob:
    case WireType::LongBlob:
    case WireType::Blob:
    case WireType::BlobCompressed:
    case WireType::Geometry:
      return true;
    default:
      return false;
  }
}
bool is_enum(const WireColumn& c) noexcept {
  return c.type == WireType::Enum;
}
bool is_set(const WireColumn& c) noexcept {
  return c.type == WireType::Set;
}
bool is_enum_or_set(const WireColumn& c) noexcept {
  return is_enum(c) || is_set(c);
}

using Wanted = bool (*)(const WireColumn&);

std::vector<WireColumn*> select(TableMap& map, Wanted wanted) {
  std::vector<WireColumn*> out;
  for (auto& c : map.columns) {
    if (wanted(c)) out.push_back(&c);
  }
  return out;
}

/// Reads one bit for each numeric column; the first is the highest bit of the first byte.
bool read_signedness(Cursor in, TableMap& map) {
  const auto columns = select(map, is_numeric);
  const auto bits = in.take((columns.size() + 7) / 8);
  if (!in.ok()) return false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i]->is_unsigned = (std::to_integer<unsigned>(bits[i / 8]) << (i % 8) & 0x80U) != 0;
  }
  return in.empty();
}

/// Reads the collation that most columns have, then pairs of (index among the selected columns, its collation).
bool read_default_charset(Cursor in, TableMap& map, Wanted wanted) {
  const auto columns = select(map, wanted);
  const auto usual = packed_length(in);
  for (auto* c : columns) c->collation = static_cast<std::uint32_t>(usual);
  while (in.ok() && !in.empty()) {
    const auto index = packed_length(in);
    const auto collation = packed_length(in);
    if (!in.ok() || index >= columns.size()) return false;
    columns[index]->collation = static_cast<std::uint32_t>(collation);
  }
  return in.ok();
}

bool read_column_charset(Cursor in, TableMap& map, Wanted wanted) {
  for (auto* c : select(map, wanted)) c->collation = static_cast<std::uint32_t>(packed_length(in));
  return in.ok() && in.empty();
}

bool read_names(Cursor in, TableMap& map) {
  for (auto& c : map.columns) c.name = in.text(packed_length(in));
  map.has_names = in.ok() && in.empty();
  return map.has_names;
}

bool read_labels(Cursor in, TableMap& map, Wanted wanted) {
  for (auto* c : select(map, wanted)) {
    const auto count = packed_length(in);
    if (count > in.left()) return false;
    c->labels.resize(count);
    for (auto& label : c->labels) label = in.text(packed_length(in));
  }
  return in.ok() && in.empty();
}

/// `prefixed`: each column's index is followed by the length of the indexed prefix, 0 for the whole column. When the
/// prefixes are unique, the whole columns are unique too.
bool read_primary_key(Cursor in, TableMap& map, bool prefixed) {
  while (in.ok() && !in.empty()) {
    const auto column = packed_length(in);
    if (prefixed) (void)packed_length(in);
    if (!in.ok() || column >= map.columns.size()) return false;
    map.primary_key.push_back(static_cast<std::uint16_t>(column));
  }
  return in.ok();
}

bool read_field(Field field, Cursor in, TableMap& map) {
  switch (field) {
    case Field::Signedness:
      return read_signedness(in, map);
    case Field::DefaultCharset:
      return read_default_charset(in, map, is_character);
    case Field::ColumnCharset:
      return read_column_charset(in, map, is_character);
    case Field::ColumnName:
      return read_names(in, map);
    case Field::SetLabels:
      return read_labels(in, map, is_set);
    case Field::EnumLabels:
      return read_labels(in, map, is_enum);
    case Field::PrimaryKey:
      return read_primary_key(in, map, false);
    case Field::PrimaryKeyWithPrefix:
      return read_primary_key(in, map, true);
    case Field::EnumSetDefaultCharset:
      return read_default_charset(in, map, is_enum_or_set);
    case Field::EnumSetColumnCharset:
      return read_column_charset(in, map, is_enum_or_set);
    case Field::GeometryType:  // the value contains its own type
    case Field::Visibility:
      return true;
  }
  return true;  // a field of a later version: the format requires readers to skip unknown fields
}

}  // namespace

base::Result<void> parse_metadata(Bytes block, TableMap& map, const Where& where) {
  Cursor in(block);
  while (in.ok() && !in.empty()) {
    const auto field = static_cast<Field>(in.get<std::uint8_t>());
    const auto length = packed_length(in);
    const Cursor value(in.take(length));
    if (!in.ok()) break;
    if (!read_field(field, value, map)) {
      return base::Error(base::Reason::BinlogCorrupt,
                         fmt::format("metadata field {} of {} in the TABLE_MAP at {} is damaged",
                                     static_cast<unsigned>(field), map.qualified(), where.text()));
    }
  }
  if (in.ok()) return {};
  return base::Error(base::Reason::BinlogCorrupt, fmt::format("the metadata of {} in the TABLE_MAP at {} is cut off",
                                                              map.qualified(), where.text()));
}

}  // namespace datasync::binlog
