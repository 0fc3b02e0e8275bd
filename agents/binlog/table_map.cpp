#include "agents/binlog/table_map.hpp"

#include <fmt/format.h>

namespace datasync::binlog {
namespace {

using base::Bytes;
using base::Cursor;
using base::Error;
using base::Reason;

constexpr std::uint64_t kMaxColumns = 4096;  // the server's limit

Error damaged(const Where& where) {
  return {Reason::BinlogCorrupt, fmt::format("TABLE_MAP event at {} is damaged", where.text())};
}

TableName read_name(Cursor& in) noexcept {
  TableName out;
  out.id = TableId(in.fixed(6));
  in.skip(2);  // flags
  out.database = in.text(in.get<std::uint8_t>());
  in.skip(1);
  out.table = in.text(in.get<std::uint8_t>());
  in.skip(1);
  return out;
}

/// Reads STRING metadata. When the value may exceed 255 bytes, two bits of the length are stored inverted in the type
/// byte (https://bugs.mysql.com/37426); otherwise the type byte is the real type. Returns false when the real type is
/// not one that is stored as STRING.
bool read_string(WireColumn& column, std::uint8_t first, std::uint8_t second) noexcept {
  if ((first & 0x30U) != 0x30U) {
    column.length = second | static_cast<std::uint32_t>((first & 0x30U) ^ 0x30U) << 4U;
    column.type = static_cast<WireType>(first | 0x30U);
  } else {
    column.length = second;
    column.type = static_cast<WireType>(first);
  }
  return column.type == WireType::String || column.type == WireType::Enum || column.type == WireType::Set;
}

/// Reads one column's metadata. Returns false for a type whose metadata size is unknown.
bool read_column(WireColumn& column, Cursor& in) noexcept {
  switch (column.type) {
    case WireType::Decimal:
    case WireType::Tiny:
    case WireType::Short:
    case WireType::Long:
    case WireType::Null:
    case WireType::Timestamp:
    case WireType::LongLong:
    case WireType::Int24:
    case WireType::Date:
    case WireType::Time:
    case WireType::DateTime:
    case WireType::Year:
    case WireType::NewDate:
      return true;
    case WireType::Float:
    case WireType::Double:
    case WireType::TinyBlob:
    case WireType::MediumBlob:
    case WireType::LongBlob:
    case WireType::Blob:
    case WireType::BlobCompressed:
    case WireType::Json:
    case WireType::Geometry:
      column.length = in.get<std::uint8_t>();
      return true;
    case WireType::Timestamp2:
    case WireType::DateTime2:
    case WireType::Time2:
      column.scale = in.get<std::uint8_t>();
      return true;
    case WireType::NewDecimal:
      column.length = in.get<std::uint8_t>();
      column.scale = in.get<std::uint8_t>();
      return true;
    case WireType::Bit: {
      const auto bits = in.get<std::uint8_t>();
      column.length = bits + 8U * in.get<std::uint8_t>();
      return true;
    }
    case WireType::VarChar:
    case WireType::VarString:
    case WireType::VarCharCompressed:
      column.length = in.get<std::uint16_t>();
      return true;
    case WireType::String:
    case WireType::Enum:
    case WireType::Set: {
      const auto first = in.get<std::uint8_t>();
      return read_string(column, first, in.get<std::uint8_t>());
    }
  }
  return false;
}

}  // namespace

std::uint64_t packed_length(Cursor& in) noexcept {
  switch (const auto first = in.get<std::uint8_t>()) {
    case 0xFC:
      return in.fixed(2);
    case 0xFD:
      return in.fixed(3);
    case 0xFE:
      return in.fixed(8);
    case 0xFB:
    case 0xFF:
      in.fail();
      return 0;
    default:
      return first;
  }
}

base::Result<TableName> parse_table_name(Bytes body, const Where& where) {
  Cursor in(body);
  auto out = read_name(in);
  if (!in.ok()) return damaged(where);
  return out;
}

base::Result<TableMap> parse_table_map(Bytes body, const Where& where) {
  Cursor in(body);
  const auto name = read_name(in);
  const auto count = packed_length(in);
  const auto types = in.take(count);
  const auto metadata_size = packed_length(in);
  Cursor metadata(in.take(metadata_size));
  const auto nullable = in.take((count + 7) / 8);
  if (!in.ok() || count == 0 || count > kMaxColumns) return damaged(where);

  TableMap map{.id = name.id, .database = std::string(name.database), .table = std::string(name.table)};
  map.columns.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& column = map.columns[i];
    column.type = static_cast<WireType>(types[i]);
    column.nullable = (std::to_integer<unsigned>(nullable[i / 8]) >> (i % 8) & 1U) != 0;
    if (!read_column(column, metadata)) {
      return Error(Reason::UnsupportedType, fmt::format("column {} of {} has {}, which this version does not read ({})",
                                                        i + 1, map.qualified(), to_string(column.type), where.text()));
    }
  }
  if (!metadata.ok() || !metadata.empty()) return damaged(where);
  DS_TRY(parse_metadata(in.rest(), map, where));
  return map;
}

}  // namespace datasync::binlog
