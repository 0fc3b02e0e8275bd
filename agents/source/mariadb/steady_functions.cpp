#include "agents/source/mariadb/steady_functions.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace datasync::source::mariadb {
namespace {

using Value = SteadyValue;
using Kind = SteadyValue::Kind;

/// What a function takes and gives.
enum class Shape : std::uint8_t {
  Numbers,    ///< numbers, a number
  Text,       ///< texts and numbers, a text
  Search,     ///< texts and numbers, a number
  Bytes,      ///< the bytes of a text, a text
  ByteCount,  ///< the bytes of a text, a number
  Padded,     ///< a text whose trailing spaces stay at its end, and numbers; such a text
  Trimmed,    ///< a text whose trailing spaces do not matter, a text
  Choice,     ///< values, one of them
  Extremum,   ///< values that are compared, one of them
  Parts,      ///< dates, a number
  Clock,      ///< a date or a time, a number
};

struct Group {
  Shape shape;
  std::size_t least, most;  ///< arguments
  std::string_view names;   ///< with a space before and after each
};

constexpr std::size_t kMany = 1000;
/// As the server prints them, and under their other names. Not here, because they depend on the session: REGEXP_REPLACE
/// (default_regex_flags), FORMAT and DAYNAME (lc_time_names), AES_ENCRYPT (block_encryption_mode), STR_TO_DATE
/// (sql_mode), and everything of the time, of chance, of the user and of the server's state.
constexpr auto kGroups =
    std::to_array<Group>({{Shape::Numbers, 1, 1,
                           " ABS FLOOR CEILING CEIL SIGN SQRT EXP LN LOG2 LOG10 SIN COS TAN ASIN ACOS RADIANS"
                           " DEGREES BIT_COUNT "},
                          {Shape::Numbers, 1, 2, " ROUND LOG ATAN ATAN2 "},
                          {Shape::Numbers, 2, 2, " TRUNCATE MOD POW POWER "},
                          {Shape::Numbers, 0, 0, " PI "},
                          {Shape::Text, 1, kMany, " CONCAT "},
                          {Shape::Text, 2, kMany, " CONCAT_WS ELT JSON_EXTRACT "},
                          {Shape::Text, 3, 3, " REPLACE SUBSTRING_INDEX CONV "},
                          {Shape::Text, 2, 2, " RIGHT JSON_VALUE JSON_QUERY "},
                          {Shape::Text, 1, 1, " REVERSE JSON_UNQUOTE JSON_TYPE JSON_COMPACT "},
                          {Shape::Text, 4, 4, " INSERT "},
                          {Shape::Text, 2, 3, " LPAD RPAD SUBSTR SUBSTRING "},
                          {Shape::Text, 1, 2, " JSON_KEYS "},
                          {Shape::Search, 1, 2, " JSON_LENGTH "},
                          {Shape::Search, 1, 1, " JSON_DEPTH JSON_VALID CHAR_LENGTH CHARACTER_LENGTH INET_ATON "},
                          {Shape::Search, 2, 2, " JSON_EXISTS INSTR FIND_IN_SET STRCMP "},
                          {Shape::Search, 2, 3, " JSON_CONTAINS LOCATE "},
                          {Shape::Search, 2, kMany, " FIELD "},
                          {Shape::Bytes, 1, 1, " HEX UNHEX MD5 SHA SHA1 TO_BASE64 FROM_BASE64 INET6_ATON INET6_NTOA "},
                          {Shape::Bytes, 2, 2, " SHA2 "},
                          {Shape::ByteCount, 1, 2, " CRC32 "},
                          {Shape::ByteCount, 1, 1, " LENGTH OCTET_LENGTH BIT_LENGTH ASCII ORD "},
                          {Shape::Padded, 1, 1, " UCASE UPPER LCASE LOWER LTRIM "},
                          {Shape::Padded, 2, 2, " LEFT "},
                          {Shape::Trimmed, 1, 1, " RTRIM "},
                          {Shape::Trimmed, 1, 2, " TRIM "},
                          {Shape::Choice, 3, 3, " IF "},
                          {Shape::Choice, 2, 2, " IFNULL NVL NULLIF "},
                          {Shape::Choice, 1, kMany, " COALESCE "},
                          {Shape::Extremum, 2, kMany, " GREATEST LEAST "},
                          {Shape::Parts, 1, 1,
                           " YEAR QUARTER MONTH DAY DAYOFMONTH DAYOFWEEK DAYOFYEAR WEEKDAY WEEKOFYEAR TO_DAYS"
                           " TO_SECONDS EXTRACT "},
                          {Shape::Parts, 2, 2, " DATEDIFF TIMESTAMPDIFF "},
                          {Shape::Clock, 1, 1, " HOUR MINUTE SECOND MICROSECOND TIME_TO_SEC "}});

const Group* group_of(std::string_view function) {
  const auto wanted = " " + std::string(function) + " ";
  const auto at =
      std::ranges::find_if(kGroups, [&](const Group& g) { return g.names.find(wanted) != std::string_view::npos; });
  return at == kGroups.end() ? nullptr : &*at;
}

std::string all_text(std::span<const Value> values) {
  for (const auto& v : values)
    if (auto bad = as_text(v); !bad.empty()) return bad;
  return "";
}

bool has(std::span<const Value> values, Kind kind) {
  return std::ranges::find(values, kind, &Value::kind) != values.end();
}

/// A text of texts, or one whose character set is the session's because no text is in it.
Value text_of(std::span<const Value> values) {
  return {has(values, Kind::Text) || has(values, Kind::Char) ? Kind::Text : Kind::OwnText};
}

std::string choice(std::string_view name, std::span<const Value> values, Value& out) {
  if (name == "IF") {
    if (auto bad = as_number(values[0]); !bad.empty()) return bad;
    return choice_of(values.subspan(1), out);
  }
  if (name != "NULLIF") return choice_of(values, out);
  if (auto bad = comparable(values[0], values[1]); !bad.empty()) return bad;
  return choice_of(values.first(1), out);
}

std::string extremum(std::span<const Value> values, Value& out) {
  for (const auto& v : values) {
    if (auto bad = as_number(v); !bad.empty()) return bad;
    if (auto bad = comparable(values.front(), v); !bad.empty()) return bad;
  }
  return choice_of(values, out);
}

std::string parts(std::span<const Value> values, bool clock, Value& out) {
  out = {Kind::Number};
  for (const auto& v : values) {
    if (clock && v.kind == Kind::Time) continue;
    if (auto bad = as_date(v); !bad.empty() && !v.date_literal) return bad;
  }
  return "";
}

std::string padded(std::span<const Value> values, Value& out) {
  if (values.front().kind != Kind::Char) {
    out = text_of(values.first(1));
    return all_text(values);
  }
  out = values.front();
  return all_text(values.subspan(1));
}

std::string trimmed(std::span<const Value> values, Value& out) {
  const bool plain = values.size() == 1;
  out = text_of(values);
  return plain && values.front().kind == Kind::Char ? std::string() : all_text(values);
}

/// Functions that stand for a special case.
std::optional<std::string> special(std::string_view name, std::span<const Value> values, Value& out) {
  if (name == "WEEK" || name == "YEARWEEK") {
    if (name == "WEEK" && values.size() == 1) return "WEEK() without a mode";
    if (values.empty() || values.size() > 2) return std::string(name) + "()";
    if (values.size() == 2 && !as_number(values[1]).empty()) return as_number(values[1]);
    return parts(values.first(1), false, out);
  }
  if (name == "DATE_FORMAT") {
    auto bad = parts(values.first(1), false, out);
    out = {Kind::OwnText};
    return bad;
  }
  if (name == "LAST_DAY" && values.size() == 1) {
    auto bad = parts(values, false, out);
    out = {Kind::Date};
    return bad;
  }
  // Of a point: the coordinates that it has.
  if ((name == "ST_X" || name == "ST_Y") && values.size() == 1) {
    out = {Kind::Number};
    return values.front().kind == Kind::Opaque ? "" : std::string(name) + "()";
  }
  return std::nullopt;
}

}  // namespace

std::string call_of(std::string_view function, std::span<const Value> arguments, Value& out) {
  if (auto known = special(function, arguments, out)) return *known;
  const auto* at = group_of(function);
  if (at == nullptr || arguments.size() < at->least || arguments.size() > at->most) return std::string(function) + "()";
  const bool own = has(arguments, Kind::OwnText);
  switch (at->shape) {
    case Shape::Numbers:
      out = {Kind::Number};
      return all_text(arguments);
    case Shape::Text:
      out = text_of(arguments);
      return all_text(arguments);
    case Shape::Search:
      out = {Kind::Number};
      return all_text(arguments);
    case Shape::Bytes:
    case Shape::ByteCount:
      out = {at->shape == Shape::Bytes ? Kind::Text : Kind::Number};
      return own ? "text in the session's character set" : all_text(arguments);
    case Shape::Padded:
      return padded(arguments, out);
    case Shape::Trimmed:
      return trimmed(arguments, out);
    case Shape::Choice:
      return choice(function, arguments, out);
    case Shape::Extremum:
      return extremum(arguments, out);
    case Shape::Parts:
      return parts(arguments, false, out);
    case Shape::Clock:
      return parts(arguments, true, out);
  }
  return std::string(function) + "()";
}

std::string cast_of(std::string_view type, const Value& value, Value& out) {
  constexpr std::array<std::string_view, 7> kNumbers{"SIGNED", "UNSIGNED", "DECIMAL", "DOUBLE",
                                                     "FLOAT",  "INT",      "INTEGER"};
  constexpr std::array<std::string_view, 6> kTexts{"CHAR", "VARCHAR", "BINARY", "UUID", "INET6", "INET4"};
  out = {Kind::Number};
  if (std::ranges::find(kNumbers, type) != kNumbers.end()) return as_number(value);
  out = {Kind::Text};
  if (std::ranges::find(kTexts, type) != kTexts.end()) return as_text(value);
  if (type == "TIME") {
    out = {Kind::Time};
    return value.kind == Kind::Time ? "" : as_date(value);
  }
  if (type == "DATE" || type == "DATETIME") {
    out = {type == "DATE" ? Kind::Date : value.kind};
    return as_date(value);
  }
  return "CAST() AS " + std::string(type);
}

bool is_date_unit(std::string_view word) noexcept {
  constexpr auto kUnits = std::to_array<std::string_view>({"MICROSECOND",
                                                           "SECOND",
                                                           "MINUTE",
                                                           "HOUR",
                                                           "DAY",
                                                           "WEEK",
                                                           "MONTH",
                                                           "QUARTER",
                                                           "YEAR",
                                                           "SECOND_MICROSECOND",
                                                           "MINUTE_MICROSECOND",
                                                           "MINUTE_SECOND",
                                                           "HOUR_MICROSECOND",
                                                           "HOUR_SECOND",
                                                           "HOUR_MINUTE",
                                                           "DAY_MICROSECOND",
                                                           "DAY_SECOND",
                                                           "DAY_MINUTE",
                                                           "DAY_HOUR",
                                                           "YEAR_MONTH"});
  return std::ranges::find(kUnits, word) != kUnits.end();
}

bool is_steady_format(std::string_view raw) noexcept {
  for (std::size_t c = 0; c + 1 < raw.size(); ++c) {
    if (raw[c] != '%') continue;
    if (std::string_view("abMW").find(raw[++c]) != std::string_view::npos) return false;
  }
  return !raw.empty();
}

}  // namespace datasync::source::mariadb
