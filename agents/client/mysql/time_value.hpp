#pragma once
// Converts dates and times between the message layout and the binary protocol
// (https://mariadb.com/kb/en/resultset-row/#binary-resultset-row); pure.

#include <chrono>

#include "agents/base/bytes.hpp"
#include "agents/message/row.hpp"

namespace datasync::sql {

/// Returns calendar fields in UTC; all are zero for the zero timestamp.
inline message::DateTimeParts timestamp_parts(std::int64_t micros) noexcept {
  if (micros == 0) return {};
  using namespace std::chrono;
  const sys_time<microseconds> at{microseconds(micros)};
  const sys_days day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss<microseconds> time(at - day);
  return {static_cast<std::uint32_t>(static_cast<int>(date.year())),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<std::uint32_t>(time.hours().count()),
          static_cast<std::uint32_t>(time.minutes().count()),
          static_cast<std::uint32_t>(time.seconds().count()),
          static_cast<std::uint32_t>(time.subseconds().count())};
}

/// Returns microseconds since 1970-01-01 UTC; 0 when all fields are zero.
inline std::int64_t timestamp_micros(const message::DateTimeParts& p) noexcept {
  if (p == message::DateTimeParts{}) return 0;
  using namespace std::chrono;
  const sys_days day = year(static_cast<int>(p.year)) / month(p.month) / std::chrono::day(p.day);
  const auto at = day + hours(p.hour) + minutes(p.minute) + seconds(p.second) + microseconds(p.microsecond);
  return duration_cast<microseconds>(at.time_since_epoch()).count();
}

/// Reads the length byte and the fields of a date, datetime or timestamp.
inline message::DateTimeParts read_datetime(base::Cursor& c) noexcept {
  message::DateTimeParts p;
  const auto length = c.get<std::uint8_t>();
  if (length >= 4) {
    p.year = c.get<std::uint16_t>();
    p.month = c.get<std::uint8_t>();
    p.day = c.get<std::uint8_t>();
  }
  if (length >= 7) {
    p.hour = c.get<std::uint8_t>();
    p.minute = c.get<std::uint8_t>();
    p.second = c.get<std::uint8_t>();
  }
  if (length >= 11) p.microsecond = c.get<std::uint32_t>();
  return p;
}

/// Reads the length byte and the fields of a time as signed microseconds.
inline std::int64_t read_time(base::Cursor& c) noexcept {
  const auto length = c.get<std::uint8_t>();
  if (length < 8) return 0;
  const bool negative = c.get<std::uint8_t>() != 0;
  std::int64_t seconds = std::int64_t{c.get<std::uint32_t>()} * 86400;
  seconds += std::int64_t{c.get<std::uint8_t>()} * 3600;
  seconds += std::int64_t{c.get<std::uint8_t>()} * 60;
  seconds += c.get<std::uint8_t>();
  const std::int64_t micros = seconds * 1000000 + (length >= 12 ? std::int64_t{c.get<std::uint32_t>()} : 0);
  return negative ? -micros : micros;
}

}  // namespace datasync::sql
