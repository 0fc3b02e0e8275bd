#pragma once
// Single values of a row image (https://mariadb.com/kb/en/rows_event_v1v2/#column-data-formats): converts the server's
// bytes to the numbers of message/row.hpp. There are no bounds checks here: the caller ensures that the bytes exist.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "agents/message/row.hpp"

namespace datasync::binlog::values {

/// Reads a little-endian integer of `n` bytes.
inline std::uint64_t load(const std::byte* p, std::size_t n) noexcept {
  std::uint64_t v = 0;
  std::memcpy(&v, p, n);
  return v;
}
/// Reads a big-endian integer of `n` bytes.
inline std::uint64_t load_be(const std::byte* p, std::size_t n) noexcept {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < n; ++i) v = v << 8U | std::to_integer<std::uint64_t>(p[i]);
  return v;
}
/// Writes `value` at `w` and returns the end of it.
template <class T>
std::byte* put(std::byte* w, T value) noexcept {
  std::memcpy(w, &value, sizeof value);
  return w + sizeof value;
}
inline std::byte* put_varint(std::byte* w, std::uint64_t value) noexcept {
  while (value >= 0x80U) {
    *w++ = static_cast<std::byte>(value | 0x80U);
    value >>= 7U;
  }
  *w++ = static_cast<std::byte>(value);
  return w;
}

inline constexpr std::array<std::uint32_t, 10> kPowersOfTen{1,      10,      100,      1000,      10000,
                                                            100000, 1000000, 10000000, 100000000, 1000000000};
/// Returns the number of microseconds in one unit of a value with `digits` fractional digits.
constexpr std::uint32_t unit_of(unsigned digits) noexcept {
  return kPowersOfTen[6 - digits];
}

/// Returns the number of bytes of the fraction in TIME2, DATETIME2 and TIMESTAMP2, which store an even number of
/// digits.
constexpr std::size_t fraction_bytes(unsigned digits) noexcept {
  return (digits + 1U) / 2U;
}
inline std::uint32_t fraction(const std::byte* p, unsigned digits) noexcept {
  const auto n = fraction_bytes(digits);
  return static_cast<std::uint32_t>(load_be(p, n)) * unit_of(static_cast<unsigned>(n) * 2U);
}

constexpr std::int64_t kSecond = 1'000'000;

constexpr std::int64_t time_us(bool negative, std::uint64_t hour, std::uint64_t minute, std::uint64_t second,
                               std::uint64_t us) noexcept {
  const auto v =
      static_cast<std::int64_t>((hour * 60 + minute) * 60 + second) * kSecond + static_cast<std::int64_t>(us);
  return negative ? -v : v;
}

/// Reads three big-endian bytes plus fraction, offset as one number so that the bytes sort in the order of the times.
inline std::int64_t time2(const std::byte* p, unsigned digits) noexcept {
  const auto n = fraction_bytes(digits);
  const auto shift = static_cast<unsigned>(8 * n);
  // The whole and the fraction are one number, two's complement around the offset.
  const auto raw = static_cast<std::int64_t>(load_be(p, 3 + n)) - (std::int64_t{0x800000} << shift);
  const bool negative = raw < 0;
  const auto magnitude = static_cast<std::uint64_t>(negative ? -raw : raw);
  const auto whole = magnitude >> shift;
  const auto part = (magnitude & ((std::uint64_t{1} << shift) - 1)) * unit_of(static_cast<unsigned>(n) * 2U);
  return time_us(negative, whole >> 12U & 0x3FFU, whole >> 6U & 0x3FU, whole & 0x3FU, part);
}

inline constexpr std::uint64_t kInvalidDateTime = ~std::uint64_t{0};

/// Reads five big-endian bytes: sign, year * 13 + month, day, hour, minute, second; then the fraction. Returns
/// kInvalidDateTime when the sign is negative, which the server never writes.
inline std::uint64_t datetime2(const std::byte* p, unsigned digits) noexcept {
  const auto v = load_be(p, 5);
  if ((v >> 39U & 1U) == 0) return kInvalidDateTime;
  const auto year_month = static_cast<std::uint32_t>(v >> 22U & 0x1FFFFU);
  return message::pack_datetime({year_month / 13, year_month % 13, static_cast<std::uint32_t>(v >> 17U & 0x1FU),
                                 static_cast<std::uint32_t>(v >> 12U & 0x1FU),
                                 static_cast<std::uint32_t>(v >> 6U & 0x3FU), static_cast<std::uint32_t>(v & 0x3FU),
                                 fraction(p + 5, digits)});
}

inline std::int64_t timestamp2(const std::byte* p, unsigned digits) noexcept {
  return static_cast<std::int64_t>(load_be(p, 4)) * kSecond + fraction(p + 4, digits);
}

inline std::int32_t int24(const std::byte* p) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(load(p, 3)) << 8U) >> 8;
}
/// Reads the years since 1900; 0 is the year 0000.
inline std::uint16_t year(const std::byte* p) noexcept {
  const auto v = std::to_integer<unsigned>(*p);
  return static_cast<std::uint16_t>(v == 0 ? 0 : 1900 + v);
}

/// Reads three bytes: day, month << 5, year << 9. Messages have the same layout.
inline std::uint32_t date(const std::byte* p) noexcept {
  return static_cast<std::uint32_t>(load(p, 3));
}

// The types created with mysql56_temporal_format=OFF (sql/field.cc, Field_*_hires): without a fraction they are decimal
// numbers, with one they are big-endian counts of the smallest unit.

inline constexpr std::array<std::uint8_t, 7> kOldTimeBytes{3, 4, 4, 5, 5, 5, 6};
inline constexpr std::array<std::uint8_t, 7> kOldDateTimeBytes{8, 6, 6, 7, 7, 7, 8};
inline constexpr std::array<std::uint8_t, 7> kOldTimestampBytes{4, 5, 5, 6, 6, 7, 7};

inline std::int64_t old_time(const std::byte* p, unsigned digits) noexcept {
  if (digits != 0) {
    constexpr std::int64_t kZeroSeconds = 3'020'400;  // just above 838:59:59
    const auto unit = static_cast<std::int64_t>(unit_of(digits));
    return static_cast<std::int64_t>(load_be(p, kOldTimeBytes[digits])) * unit - kZeroSeconds * kSecond;
  }
  const auto raw = int24(p);
  const auto v = static_cast<std::uint32_t>(raw < 0 ? -raw : raw);
  return time_us(raw < 0, v / 10000, v / 100 % 100, v % 100, 0);
}

/// Returns kInvalidDateTime when a part is out of its range.
inline std::uint64_t old_datetime(const std::byte* p, unsigned digits) noexcept {
  std::uint64_t part[6];  // second, minute, hour, day, month, year
  std::uint64_t us = 0;
  auto v = digits == 0 ? load(p, 8) : load_be(p, kOldDateTimeBytes[digits]) * unit_of(digits);
  if (digits != 0) {
    us = v % 1'000'000;
    v /= 1'000'000;
  }
  constexpr std::array<std::uint64_t, 5> kDecimal{100, 100, 100, 100, 100};
  constexpr std::array<std::uint64_t, 5> kBinary{60, 60, 24, 32, 13};
  const auto& radix = digits == 0 ? kDecimal : kBinary;
  for (std::size_t i = 0; i < radix.size(); ++i) {
    part[i] = v % radix[i];
    v /= radix[i];
  }
  part[5] = v;
  if (part[5] > 9999 || part[4] > 12 || part[3] > 31 || part[2] > 23 || part[1] > 59 || part[0] > 59)
    return kInvalidDateTime;
  const auto u32 = [&](std::size_t i) { return static_cast<std::uint32_t>(part[i]); };
  return message::pack_datetime({u32(5), u32(4), u32(3), u32(2), u32(1), u32(0), static_cast<std::uint32_t>(us)});
}

inline std::int64_t old_timestamp(const std::byte* p, unsigned digits) noexcept {
  if (digits == 0) return static_cast<std::int64_t>(load(p, 4)) * kSecond;
  const auto bytes = kOldTimestampBytes[digits] - std::size_t{4};
  return static_cast<std::int64_t>(load_be(p, 4)) * kSecond +
         static_cast<std::int64_t>(load_be(p + 4, bytes)) * static_cast<std::int64_t>(unit_of(digits));
}

// NEWDECIMAL (strings/decimal.c, decimal2bin): groups of nine digits in four bytes, with a shorter group at each end,
// big-endian. The highest bit is inverted; in a negative number every bit is inverted.

constexpr std::size_t group_bytes(unsigned digits) noexcept {
  constexpr std::array<std::uint8_t, 10> kBytes{0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
  return kBytes[digits];
}
constexpr std::size_t decimal_bytes(unsigned precision, unsigned scale) noexcept {
  const unsigned whole = precision - scale;
  return whole / 9 * std::size_t{4} + group_bytes(whole % 9) + scale / 9 * std::size_t{4} + group_bytes(scale % 9);
}
inline constexpr std::size_t kMaxDecimalText = 68;  ///< 65 digits, sign, point, a zero before the point

inline char* put_digits(char* w, std::uint32_t value, unsigned digits) noexcept {
  for (unsigned i = digits; i-- > 0; value /= 10) w[i] = static_cast<char>('0' + value % 10);
  return w + digits;
}

/// Writes the number in the format of message/row.hpp, at most kMaxDecimalText characters. Returns null when a group
/// has too many digits.
inline char* write_decimal(const std::byte* p, unsigned precision, unsigned scale, char* w) noexcept {
  const unsigned whole = precision - scale;
  const bool negative = (std::to_integer<unsigned>(*p) & 0x80U) == 0;
  const std::uint32_t flip = negative ? ~std::uint32_t{0} : 0;
  std::uint32_t first_flip = 0x80;  // reverses the inverted sign bit in the first byte
  bool fits = true;
  const auto next = [&](unsigned digits) {
    const auto n = group_bytes(digits);
    auto v = static_cast<std::uint32_t>(load_be(p, n)) ^ (n == 0 ? 0 : first_flip << (8 * (n - 1)));
    v ^= n == 4 ? flip : flip & ((std::uint32_t{1} << (8 * n)) - 1);
    if (n != 0) first_flip = 0;
    fits = fits && v < kPowersOfTen[digits];
    p += n;
    return v;
  };
  if (negative) *w++ = '-';
  char* const start = w;
  const auto put_whole = [&](unsigned digits) {
    auto v = next(digits);
    if (!fits) return;
    if (w != start) {
      w = put_digits(w, v, digits);
    } else if (v != 0) {
      unsigned n = 1;
      while (n < 9 && v >= kPowersOfTen[n]) ++n;
      w = put_digits(w, v, n);
    }
  };
  if (whole % 9 != 0) put_whole(whole % 9);
  for (unsigned i = 0; i < whole / 9; ++i) put_whole(9);
  if (w == start) *w++ = '0';
  if (scale != 0) *w++ = '.';
  for (unsigned i = 0; i < scale / 9; ++i) {
    const auto v = next(9);
    if (fits) w = put_digits(w, v, 9);
  }
  if (scale % 9 != 0) {
    const auto v = next(scale % 9);
    if (fits) w = put_digits(w, v, scale % 9);
  }
  return fits ? w : nullptr;
}

}  // namespace datasync::binlog::values
