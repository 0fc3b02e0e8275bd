#include "agents/client/mysql/row_decode.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/client/mysql/time_value.hpp"

namespace datasync::sql {
namespace {

using message::Column;
using message::ColumnType;

/// Reads a length-encoded string (https://mariadb.com/kb/en/protocol-data-types/#length-encoded-strings).
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

/// ZEROFILL columns have leading zeros, which are not part of the value; zeros beyond `scale` are not either.
base::Bytes plain_decimal(base::Bytes text, std::size_t scale) noexcept {
  std::size_t skip = 0;
  while (skip + 1 < text.size() && text[skip] == std::byte{'0'} && text[skip + 1] != std::byte{'.'}) ++skip;
  text = text.subspan(skip);
  const auto point = static_cast<std::size_t>(std::ranges::find(text, std::byte{'.'}) - text.begin());
  const auto end = scale == 0 ? point : point + 1 + scale;
  const bool only_zeros = end < text.size() && std::ranges::all_of(text.subspan(end), [](std::byte b) {
                            return b == std::byte{'0'} || b == std::byte{'.'};
                          });
  return only_zeros ? text.first(end) : text;
}

bool is_integer(const Column& column) noexcept {
  return column.type <= ColumnType::BigInt;
}
bool is_integer(Wire wire) noexcept {
  return wire <= Wire::Int8;
}

std::uint64_t take_integer(const Kept& kept, base::Cursor& c) noexcept {
  const auto widened = [&](auto value) {
    return kept.is_unsigned ? std::uint64_t{static_cast<std::make_unsigned_t<decltype(value)>>(value)}
                            : static_cast<std::uint64_t>(std::int64_t{value});
  };
  switch (kept.wire) {
    case Wire::Int1:
      return widened(c.get<std::int8_t>());
    case Wire::Int2:
      return widened(c.get<std::int16_t>());
    case Wire::Int4:
      return widened(c.get<std::int32_t>());
    default:
      return c.get<std::uint64_t>();
  }
}

template <class T>
void put_narrowed(std::uint64_t value, bool is_signed, message::ImageWriter& image) {
  const auto narrow = static_cast<T>(value);
  const bool fits =
      is_signed ? std::cmp_equal(narrow, static_cast<std::int64_t>(value)) : std::cmp_equal(narrow, value);
  fits ? image.fixed(narrow) : image.fixed(value);
}

/// Writes an integer of a wider column. A column that the server stores as unsigned is accepted only when it is
/// unsigned at the source too.
void put_integer(const Column& column, const Kept& kept, base::Cursor& c, message::ImageWriter& image) {
  const auto value = take_integer(kept, c);
  const bool is_signed = !kept.is_unsigned;
  switch (wire_of(column)) {
    case Wire::Int1:
      return column.is_unsigned ? put_narrowed<std::uint8_t>(value, is_signed, image)
                                : put_narrowed<std::int8_t>(value, is_signed, image);
    case Wire::Int2:
      return column.is_unsigned ? put_narrowed<std::uint16_t>(value, is_signed, image)
                                : put_narrowed<std::int16_t>(value, is_signed, image);
    case Wire::Int4:
      return column.is_unsigned ? put_narrowed<std::uint32_t>(value, is_signed, image)
                                : put_narrowed<std::int32_t>(value, is_signed, image);
    default:
      return image.fixed(value);
  }
}

void put_float(base::Cursor& c, message::ImageWriter& image) {
  const auto value = c.get<double>();
  const auto narrow = static_cast<float>(value);
  static_cast<double>(narrow) == value ? image.fixed(narrow) : image.fixed(value);
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
      return image.bytes(plain_decimal(value, column.scale));
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

void put_value(const Column& column, const Kept& kept, base::Cursor& c, message::ImageWriter& image) {
  if (kept.wire != wire_of(column) || (is_integer(column) && kept.is_unsigned != column.is_unsigned))
    return kept.wire == Wire::Double ? put_float(c, image) : put_integer(column, kept, c, image);
  switch (wire_of(column)) {
    case Wire::Int1:
      return image.fixed(c.get<std::uint8_t>());
    case Wire::Int2:
      return image.fixed(c.get<std::uint16_t>());
    case Wire::Int4:
      return image.fixed(c.get<std::uint32_t>());
    case Wire::Int8:
      if (column.type == ColumnType::Enum || column.type == ColumnType::Year)
        return image.fixed(static_cast<std::uint16_t>(c.get<std::uint64_t>()));
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
      // "|0" makes it BIGINT: the width of the cast alone is the length of the labels.
      return "CAST(" + name + " AS UNSIGNED)|0";
    case ColumnType::Year:
      // The server returns two digits for a YEAR(2), and its definition is not available here.
      return fmt::format("IF(LENGTH({0})=2,{0}+IF({0}<70,2000,1900),{0}+0)|0", name);
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
      return Wire::Int2;
    case ColumnType::MediumInt:
    case ColumnType::Int:
      return Wire::Int4;
    case ColumnType::BigInt:
    case ColumnType::Year:
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

bool is_wider(const Column& column, const Kept& kept) noexcept {
  if (column.type == ColumnType::Float) return kept.wire == Wire::Double;
  if (!is_integer(column) || !is_integer(kept.wire)) return false;
  if (column.is_unsigned == kept.is_unsigned) return kept.wire >= wire_of(column);
  // MEDIUMINT UNSIGNED in INT: both have four bytes.
  return column.is_unsigned && (kept.wire > wire_of(column) || column.type == ColumnType::MediumInt) &&
         kept.wire >= wire_of(column);
}

bool append_image(const std::vector<Column>& columns, const std::vector<Kept>& kept, base::Bytes packet,
                  base::Buffer& out) {
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
      put_value(columns[i], kept[i], c, image);
    }
  }
  return c.ok() && c.empty();
}

}  // namespace datasync::sql
