#include "agents/sql/row_decode.hpp"

#include "agents/sql/connection.hpp"
#include "agents/sql/time_value.hpp"

namespace datasync::sql {
namespace {

using message::Column;
using message::ColumnType;

/// A length-encoded string (https://mariadb.com/kb/en/protocol-data-types/#length-encoded-strings).
base::Bytes take_bytes(base::Cursor& c) noexcept {
  const auto first = c.get<std::uint8_t>();
  switch (first) {
    case 0xFC:
      return c.take(c.fixed(2));
    case 0xFD:
      return c.take(c.fixed(3));
    case 0xFE:
      return c.take(c.fixed(8));
    default:
      return c.take(first);
  }
}

/// ZEROFILL columns come with leading zeros, which are not part of the value.
base::Bytes plain_decimal(base::Bytes text) noexcept {
  std::size_t skip = 0;
  while (skip + 1 < text.size() && text[skip] == std::byte{'0'} && text[skip + 1] != std::byte{'.'}) ++skip;
  return text.subspan(skip);
}

std::uint64_t big_endian(base::Bytes bytes) noexcept {
  return base::Cursor(bytes).fixed_be(bytes.size());
}

void put_time(const Column& column, base::Cursor& c, message::ImageWriter& image) {
  if (column.type == ColumnType::Time) return image.fixed(read_time(c));
  const message::DateTimeParts parts = read_datetime(c);
  if (column.type == ColumnType::Date) return image.fixed(message::pack_date(parts.year, parts.month, parts.day));
  if (column.type == ColumnType::DateTime) return image.fixed(message::pack_datetime(parts));
  image.fixed(timestamp_micros(parts));
}

void put_bytes(const Column& column, base::Bytes value, message::ImageWriter& image) {
  switch (column.type) {
    case ColumnType::Decimal:
      return image.bytes(plain_decimal(value));
    case ColumnType::Bit:
      return image.fixed(big_endian(value));
    case ColumnType::Uuid:
    case ColumnType::Inet4:
    case ColumnType::Inet6:
      return image.fixed_bytes(value);
    default:
      return image.bytes(value);
  }
}

void put_value(const Column& column, base::Cursor& c, message::ImageWriter& image) {
  switch (wire_of(column)) {
    case Wire::Int1:
      return image.fixed(c.get<std::uint8_t>());
    case Wire::Int2:
      return image.fixed(c.get<std::uint16_t>());
    case Wire::Int4:
      return image.fixed(c.get<std::uint32_t>());
    case Wire::Int8:
      if (column.type == ColumnType::Enum) return image.fixed(static_cast<std::uint16_t>(c.get<std::uint64_t>()));
      return image.fixed(c.get<std::uint64_t>());
    case Wire::Float:
      return image.fixed(c.get<float>());
    case Wire::Double:
      return image.fixed(c.get<double>());
    case Wire::Date:
    case Wire::Time:
      return put_time(column, c, image);
    case Wire::Bytes:
      return put_bytes(column, take_bytes(c), image);
  }
}

}  // namespace

std::string select_expression(const Column& column) {
  const std::string name = quote_identifier(column.name);
  switch (column.type) {
    case ColumnType::Enum:
    case ColumnType::Set:
      // "|0" makes it BIGINT: the cast alone is as wide as the labels are long.
      return "CAST(" + name + " AS UNSIGNED)|0";
    case ColumnType::Uuid:
    case ColumnType::Inet6:
      return "CAST(" + name + " AS BINARY(16))";
    case ColumnType::Inet4:
      return "CAST(" + name + " AS BINARY(4))";
    default:
      return name;
  }
}

Wire wire_of(const Column& column) noexcept {
  switch (column.type) {
    case ColumnType::TinyInt:
      return Wire::Int1;
    case ColumnType::SmallInt:
    case ColumnType::Year:
      return Wire::Int2;
    case ColumnType::MediumInt:
    case ColumnType::Int:
      return Wire::Int4;
    case ColumnType::BigInt:
    case ColumnType::Enum:
    case ColumnType::Set:
      return Wire::Int8;
    case ColumnType::Float:
      return Wire::Float;
    case ColumnType::Double:
      return Wire::Double;
    case ColumnType::Date:
    case ColumnType::DateTime:
    case ColumnType::Timestamp:
      return Wire::Date;
    case ColumnType::Time:
      return Wire::Time;
    default:
      return Wire::Bytes;
  }
}

bool append_image(const std::vector<Column>& columns, base::Bytes packet, base::Buffer& out) {
  base::Cursor c(packet);
  c.skip(1);
  const base::Bytes nulls = c.take((columns.size() + 7 + 2) / 8);  // the first two bits are not used
  if (!c.ok()) return false;
  message::ImageWriter image(out, columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::size_t bit = i + 2;
    if ((std::to_integer<unsigned>(nulls[bit / 8]) >> (bit % 8) & 1U) != 0) {
      image.null();
    } else {
      put_value(columns[i], c, image);
    }
  }
  return c.ok() && c.empty();
}

}  // namespace datasync::sql
