#include "agents/client/mysql/key_range.hpp"

#include <chrono>
#include <iterator>

#include <fmt/format.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/client/mysql/time_value.hpp"

namespace datasync::sql {
namespace {

using message::Column;
using message::ColumnType;

std::string hex(base::Bytes bytes) {
  std::string out = "X'";
  for (const std::byte b : bytes) fmt::format_to(std::back_inserter(out), "{:02X}", std::to_integer<unsigned>(b));
  return out + "'";
}

template <class T>
T get(base::Bytes value) {
  return base::Cursor(value).get<T>();
}

std::string integer(const Column& column, base::Bytes value) {
  const std::uint64_t bits = base::Cursor(value).fixed(value.size());
  if (column.is_unsigned) return fmt::format("{}", bits);
  const unsigned unused = 64U - 8U * static_cast<unsigned>(value.size());
  return fmt::format("{}", static_cast<std::int64_t>(bits << unused) >> unused);
}

std::string quoted(const message::DateTimeParts& p) {
  return fmt::format("'{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}'", p.year, p.month, p.day, p.hour, p.minute, p.second,
                     p.microsecond);
}

std::string quoted_time(std::int64_t micros) {
  const std::uint64_t m = micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  constexpr std::uint64_t kSecond = 1000000;
  return fmt::format("'{}{:02}:{:02}:{:02}.{:06}'", micros < 0 ? "-" : "", m / (3600 * kSecond),
                     m / (60 * kSecond) % 60, m / kSecond % 60, m % kSecond);
}

std::string less(const Column& c, const std::string& name, base::Bytes value, bool is_null) {
  if (is_null) return "FALSE";
  const std::string test = name + "<" + literal(c, value);
  return c.nullable ? "(" + test + " OR " + name + " IS NULL)" : test;
}
std::string greater(const Column& c, const std::string& name, base::Bytes value, bool is_null) {
  return is_null ? name + " IS NOT NULL" : name + ">" + literal(c, value);
}
std::string equal(const Column& c, const std::string& name, base::Bytes value, bool is_null) {
  return is_null ? name + " IS NULL" : name + "=" + literal(c, value);
}

/// Writes out a row comparison, from the last key column back: strict(a) OR (a=x AND (strict(b) OR (b=y AND ...))).
template <class Strict>
std::string lexicographic(const message::TableSchema& keys, const message::ImageView& image, Strict strict,
                          bool inclusive) {
  std::string out = inclusive ? "TRUE" : "FALSE";
  for (std::size_t i = keys.columns.size(); i-- > 0;) {
    const Column& c = keys.columns[i];
    const std::string name = quote_identifier(c.name);
    const bool is_null = image.nulls[i] != 0;
    const std::string same = equal(c, name, image.values[i], is_null);
    const std::string rest = out == "FALSE" ? "" : out == "TRUE" ? " OR " + same : " OR (" + same + " AND " + out + ")";
    out = "(" + strict(c, name, image.values[i], is_null) + rest + ")";
  }
  return out;
}

}  // namespace

std::string literal(const Column& column, base::Bytes value) {
  switch (column.type) {
    case ColumnType::TinyInt:
    case ColumnType::SmallInt:
    case ColumnType::MediumInt:
    case ColumnType::Int:
    case ColumnType::BigInt:
      return integer(column, value);
    case ColumnType::Year:
    case ColumnType::Enum:
    case ColumnType::Set:
    case ColumnType::Bit:
      return fmt::format("{}", base::Cursor(value).fixed(value.size()));
    case ColumnType::Float:
      return fmt::format("{:.17e}", static_cast<double>(get<float>(value)));
    case ColumnType::Double:
      return fmt::format("{:.17e}", get<double>(value));
    case ColumnType::Decimal:
      return std::string(base::as_text(value));
    case ColumnType::Char:
    case ColumnType::VarChar:
    case ColumnType::Text:
    case ColumnType::Json:
      return fmt::format("_{} {} COLLATE {}", column.charset, hex(value), column.collation);
    case ColumnType::Date:
      return quoted(message::unpack_date(get<std::uint32_t>(value))).substr(0, 11) + "'";
    case ColumnType::DateTime:
      return quoted(message::unpack_datetime(get<std::uint64_t>(value)));
    case ColumnType::Timestamp:
      return quoted(timestamp_parts(get<std::int64_t>(value)));
    case ColumnType::Time:
      return quoted_time(get<std::int64_t>(value));
    default:
      return hex(value);
  }
}

std::string after_key(const message::TableSchema& keys, const message::ImageView& image) {
  return lexicographic(keys, image, greater, false);
}

std::string up_to_key(const message::TableSchema& keys, const message::ImageView& image) {
  return lexicographic(keys, image, less, true);
}

}  // namespace datasync::sql
