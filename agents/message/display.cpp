// Formats values for users.

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "agents/message/row.hpp"

namespace datasync::message {
namespace {

constexpr std::size_t kCut = 64;

bool valid_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    const std::size_t extra = c < 0x80                ? 0
                              : c >= 0xC2 && c < 0xE0 ? 1
                              : c >= 0xE0 && c < 0xF0 ? 2
                              : c >= 0xF0 && c < 0xF5 ? 3
                                                      : 9;
    if (extra == 9 || i + extra >= s.size()) return false;
    for (std::size_t k = 1; k <= extra; ++k)
      if ((static_cast<unsigned char>(s[i + k]) & 0xC0U) != 0x80U) return false;
    i += extra + 1;
  }
  return true;
}

std::string hex(base::Bytes value) {
  std::string out = "0x";
  for (const auto b : value) out += fmt::format("{:02X}", std::to_integer<unsigned>(b));
  return out;
}

std::string text(const Column& column, base::Bytes value) {
  const auto s = base::as_text(value);
  const bool ascii = std::ranges::all_of(s, [](char c) { return static_cast<signed char>(c) >= 0; });
  const bool wide = column.charset == "ucs2" || column.charset.starts_with("utf16") || column.charset == "utf32";
  const bool utf8 = column.charset.starts_with("utf8");
  if (wide || !(ascii || (utf8 && valid_utf8(s)))) return hex(value);
  return std::string(s);
}

std::string seconds_text(std::uint32_t micros, unsigned scale) {
  return scale == 0 ? "" : fmt::format(".{:06}", micros).substr(0, scale + 1);
}

template <class T>
T as(base::Bytes value) {
  return base::Cursor(value).get<T>();
}

template <class Signed, class Unsigned>
std::string integer(const Column& c, base::Bytes value) {
  return c.is_unsigned ? fmt::to_string(as<Unsigned>(value)) : fmt::to_string(as<Signed>(value));
}

std::string time_text(std::int64_t micros, unsigned scale) {
  const auto magnitude = micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  const auto seconds = magnitude / 1'000'000;
  return fmt::format("{}{:02}:{:02}:{:02}{}", micros < 0 ? "-" : "", seconds / 3600, seconds / 60 % 60, seconds % 60,
                     seconds_text(static_cast<std::uint32_t>(magnitude % 1'000'000), scale));
}

std::string datetime_text(const DateTimeParts& p, unsigned scale) {
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}", p.year, p.month, p.day, p.hour, p.minute, p.second,
                     seconds_text(p.microsecond, scale));
}

std::string timestamp_text(std::int64_t micros, unsigned scale) {
  if (micros == 0) return datetime_text({}, scale);
  const auto days = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(micros)));
  const std::chrono::year_month_day date(days);
  const auto in_day = micros - std::chrono::duration_cast<std::chrono::microseconds>(days.time_since_epoch()).count();
  const auto s = static_cast<std::uint32_t>(in_day / 1'000'000);
  return datetime_text({static_cast<std::uint32_t>(static_cast<int>(date.year())), static_cast<unsigned>(date.month()),
                        static_cast<unsigned>(date.day()), s / 3600, s / 60 % 60, s % 60,
                        static_cast<std::uint32_t>(in_day % 1'000'000)},
                       scale);
}

std::string labels_text(const Column& c, std::uint64_t mask) {
  std::string out;
  for (std::size_t i = 0; i < c.labels.size() && i < 64; ++i) {
    if ((mask >> i & 1U) == 0) continue;
    if (!out.empty()) out += ',';
    out += c.labels[i];
  }
  return out;
}

bool quoted(ColumnType type) {
  switch (type) {
    case ColumnType::TinyInt:
    case ColumnType::SmallInt:
    case ColumnType::MediumInt:
    case ColumnType::Int:
    case ColumnType::BigInt:
    case ColumnType::Float:
    case ColumnType::Double:
    case ColumnType::Decimal:
    case ColumnType::Year:
    case ColumnType::Bit:
      return false;
    default:
      return true;
  }
}

std::string assignment(const Column& c, const ImageView& image, std::size_t i, std::size_t cut) {
  if (image.nulls[i] != 0) return c.name + "=NULL";
  auto value = display(c, image.values[i]);
  if (value.size() > cut) value = value.substr(0, cut) + "...";
  return quoted(c.type) ? fmt::format("{}='{}'", c.name, value) : fmt::format("{}={}", c.name, value);
}

}  // namespace

std::string display(const Column& c, base::Bytes value) {
  switch (c.type) {
    case ColumnType::TinyInt:
      return integer<std::int8_t, std::uint8_t>(c, value);
    case ColumnType::SmallInt:
      return integer<std::int16_t, std::uint16_t>(c, value);
    case ColumnType::MediumInt:
    case ColumnType::Int:
      return integer<std::int32_t, std::uint32_t>(c, value);
    case ColumnType::BigInt:
      return integer<std::int64_t, std::uint64_t>(c, value);
    case ColumnType::Float:
      return fmt::format("{}", as<float>(value));
    case ColumnType::Double:
      return fmt::format("{}", as<double>(value));
    case ColumnType::Decimal:
      return std::string(base::as_text(value));
    case ColumnType::Char:
    case ColumnType::VarChar:
    case ColumnType::Text:
    case ColumnType::Json:
      return text(c, value);
    case ColumnType::Date: {
      const auto d = unpack_date(as<std::uint32_t>(value));
      return fmt::format("{:04}-{:02}-{:02}", d.year, d.month, d.day);
    }
    case ColumnType::Time:
      return time_text(as<std::int64_t>(value), c.scale);
    case ColumnType::DateTime:
      return datetime_text(unpack_datetime(as<std::uint64_t>(value)), c.scale);
    case ColumnType::Timestamp:
      return timestamp_text(as<std::int64_t>(value), c.scale);
    case ColumnType::Year:
      return fmt::format("{:04}", as<std::uint16_t>(value));
    case ColumnType::Enum: {
      const auto index = as<std::uint16_t>(value);
      return index == 0 ? "" : index <= c.labels.size() ? c.labels[index - 1U] : fmt::format("#{}", index);
    }
    case ColumnType::Set:
      return labels_text(c, as<std::uint64_t>(value));
    case ColumnType::Bit:
      return fmt::to_string(as<std::uint64_t>(value));
    case ColumnType::Uuid: {
      std::string out;
      for (std::size_t i = 0; i < value.size(); ++i)
        out += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                           std::to_integer<unsigned>(value[i]));
      return out;
    }
    case ColumnType::Inet4: {
      const auto b = [&](std::size_t i) { return i < value.size() ? std::to_integer<unsigned>(value[i]) : 0U; };
      return fmt::format("{}.{}.{}.{}", b(0), b(1), b(2), b(3));
    }
    case ColumnType::Inet6: {
      std::string out;
      for (std::size_t i = 0; i + 1 < value.size(); i += 2)
        out += fmt::format("{}{:x}", i == 0 ? "" : ":",
                           std::to_integer<unsigned>(value[i]) << 8U | std::to_integer<unsigned>(value[i + 1]));
      return out;
    }
    case ColumnType::Binary:
    case ColumnType::VarBinary:
    case ColumnType::Blob:
    case ColumnType::Geometry:
      break;
  }
  return hex(value);
}

std::string display_image(const TableSchema& schema, const ImageView& image) {
  std::string out = "{";
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    if (i != 0) out += ", ";
    out += assignment(schema.columns[i], image, i, kCut);
  }
  return out + "}";
}

}  // namespace datasync::message
