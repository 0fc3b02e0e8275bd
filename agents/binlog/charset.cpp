#include "agents/binlog/charset.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace datasync::binlog {
namespace {

unsigned byte_at(std::string_view s, std::size_t i) noexcept {
  return static_cast<unsigned char>(s[i]);
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t b) { out.push_back(static_cast<char>(static_cast<unsigned char>(b))); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

bool is_scalar(std::uint32_t code) noexcept {
  return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

/// The server's latin1 is cp1252, with the five bytes that cp1252 does not define mapped to themselves.
constexpr std::array<std::uint16_t, 32> kCp1252{0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021,
                                                0x2C6,  0x2030, 0x160,  0x2039, 0x152,  0x8D,   0x17D,  0x8F,
                                                0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};

std::string from_latin1(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto b = byte_at(text, i);
    append_utf8(out, b >= 0x80 && b < 0xA0 ? kCp1252[b - 0x80U] : b);
  }
  return out;
}

/// Converts ucs2, utf16 and utf16le; a lone surrogate has no UTF-8 form.
std::optional<std::string> from_utf16(std::string_view text, bool little) {
  if (text.size() % 2 != 0) return std::nullopt;
  const auto unit = [&](std::size_t i) {
    return little ? byte_at(text, i) | byte_at(text, i + 1) << 8U : byte_at(text, i) << 8U | byte_at(text, i + 1);
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    std::uint32_t code = unit(i);
    if (code >= 0xD800 && code <= 0xDBFF && i + 2 < text.size()) {
      const std::uint32_t low = unit(i + 2);
      if (low < 0xDC00 || low > 0xDFFF) return std::nullopt;
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
      i += 2;
    }
    if (!is_scalar(code)) return std::nullopt;
    append_utf8(out, code);
  }
  return out;
}

std::optional<std::string> from_utf32(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::uint32_t code =
        byte_at(text, i) << 24U | byte_at(text, i + 1) << 16U | byte_at(text, i + 2) << 8U | byte_at(text, i + 3);
    if (!is_scalar(code)) return std::nullopt;
    append_utf8(out, code);
  }
  return out;
}

/// Returns how many bytes the character at `i` has, 0 when it is malformed.
std::size_t utf8_length(std::string_view s, std::size_t i) noexcept {
  const auto first = byte_at(s, i);
  const std::size_t n = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  if (n < 2) return n;
  if (i + n > s.size()) return 0;
  std::uint32_t code = first & (0xFFU >> (n + 1));
  for (std::size_t k = 1; k < n; ++k) {
    const auto b = byte_at(s, i + k);
    if ((b & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (b & 0x3FU);
  }
  const bool overlong = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
  return overlong || !is_scalar(code) ? 0 : n;
}

/// The character set by collation id, 1 to 99; an id with an empty name is not used. An id plus 1024 is the NOPAD
/// collation of the same character set.
constexpr std::array<std::string_view, 100> kOfCollation{
    "",       "big5",   "latin2",   "dec8",     "cp850",    "latin1",  "hp8",     "koi8r",   "latin1",  "latin2",
    "swe7",   "ascii",  "ujis",     "sjis",     "cp1251",   "latin1",  "hebrew",  "",        "tis620",  "euckr",
    "latin7", "latin2", "koi8u",    "cp1251",   "gb2312",   "greek",   "cp1250",  "latin2",  "gbk",     "cp1257",
    "latin5", "latin1", "armscii8", "utf8mb3",  "cp1250",   "ucs2",    "cp866",   "keybcs2", "macce",   "macroman",
    "cp852",  "latin7", "latin7",   "macce",    "cp1250",   "utf8mb4", "utf8mb4", "latin1",  "latin1",  "latin1",
    "cp1251", "cp1251", "cp1251",   "macroman", "utf16",    "utf16",   "utf16le", "cp1256",  "cp1257",  "cp1257",
    "utf32",  "utf32",  "utf16le",  "binary",   "armscii8", "ascii",   "cp1250",  "cp1256",  "cp866",   "dec8",
    "greek",  "hebrew", "hp8",      "keybcs2",  "koi8r",    "koi8u",   "",        "latin2",  "latin5",  "latin7",
    "cp850",  "cp852",  "swe7",     "utf8mb3",  "big5",     "euckr",   "gb2312",  "gbk",     "sjis",    "tis620",
    "ucs2",   "ujis",   "geostd8",  "geostd8",  "latin1",   "cp932",   "cp932",   "eucjpms", "eucjpms", "cp1250"};

struct IdRange {
  std::uint32_t first, last;
  std::string_view charset;
};
constexpr std::array<IdRange, 12> kRanges{{{101, 124, "utf16"},
                                           {128, 159, "ucs2"},
                                           {160, 183, "utf32"},
                                           {192, 223, "utf8mb3"},
                                           {224, 247, "utf8mb4"},
                                           {576, 578, "utf8mb3"},
                                           {608, 610, "utf8mb4"},
                                           {640, 642, "ucs2"},
                                           {672, 674, "utf16"},
                                           {736, 738, "utf32"},
                                           {2048, 2303, "utf8mb3"},
                                           {2304, 2559, "utf8mb4"}}};

bool between(unsigned char c, unsigned first, unsigned last) noexcept {
  return c >= first && c <= last;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto n = utf8_length(text, i);
    if (n == 0) return false;
    i += n;
  }
  return true;
}

std::optional<std::string> to_utf8(std::string_view charset, std::string_view text, const ToUtf8& other) {
  if (charset == "ucs2" || charset == "utf16") return from_utf16(text, false);
  if (charset == "utf16le") return from_utf16(text, true);
  if (charset == "utf32") return from_utf32(text);
  if (charset == "latin1") return from_latin1(text);
  if (charset.starts_with("utf8") || charset == "ascii" || charset == "binary") {
    if (is_utf8(text)) return std::string(text);
    return std::nullopt;
  }
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii && charset != "swe7") return std::string(text);  // swe7 has letters where ASCII has brackets
  return other ? other(charset, text) : std::nullopt;
}

std::string_view charset_of_collation(std::uint32_t id) noexcept {
  if (id > 1024 && id < 2048) id -= 1024;
  if (id < kOfCollation.size()) return kOfCollation[id];
  for (const auto& range : kRanges)
    if (id >= range.first && id <= range.last) return range.charset;
  return {};
}

CharacterBytes character_bytes(std::string_view charset) noexcept {
  if (charset == "gbk") return CharacterBytes::Gbk;
  if (charset == "big5") return CharacterBytes::Big5;
  if (charset == "sjis" || charset == "cp932") return CharacterBytes::Sjis;
  if (charset == "euckr") return CharacterBytes::Euckr;
  const bool foreign = charset.empty() || charset == "swe7" || charset == "ucs2" || charset.starts_with("utf16") ||
                       charset.starts_with("utf32");
  return foreign ? CharacterBytes::Foreign : CharacterBytes::Plain;
}

// These are the server's rules: is_gbk_char and similar functions in strings/ctype-*.c.
std::size_t character_length(CharacterBytes bytes, unsigned char first, unsigned char second) noexcept {
  bool two = false;
  switch (bytes) {
    case CharacterBytes::Gbk:
      two = between(first, 0x81, 0xFE) && (between(second, 0x40, 0x7E) || between(second, 0x80, 0xFE));
      break;
    case CharacterBytes::Big5:
      two = between(first, 0xA1, 0xF9) && (between(second, 0x40, 0x7E) || between(second, 0xA1, 0xFE));
      break;
    case CharacterBytes::Sjis:
      two = (between(first, 0x81, 0x9F) || between(first, 0xE0, 0xFC)) &&
            (between(second, 0x40, 0x7E) || between(second, 0x80, 0xFC));
      break;
    case CharacterBytes::Euckr:
      two = between(first, 0x81, 0xFE) &&
            (between(second, 0x41, 0x5A) || between(second, 0x61, 0x7A) || between(second, 0x81, 0xFE));
      break;
    case CharacterBytes::Plain:
    case CharacterBytes::Foreign:
      break;
  }
  return two ? 2 : 1;
}

bool has_hard_space(std::string_view charset) noexcept {
  static constexpr std::array<std::string_view, 10> kSets{"latin1", "latin2", "latin5",   "latin7",  "greek",
                                                          "hebrew", "cp1250", "armscii8", "geostd8", "dec8"};
  return std::find(kSets.begin(), kSets.end(), charset) != kSets.end();
}

}  // namespace datasync::binlog
