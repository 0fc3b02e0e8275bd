#include "agents/source/mariadb/steady_value.hpp"

#include <algorithm>

namespace datasync::source::mariadb {
namespace {

using Kind = SteadyValue::Kind;
using message::ColumnType;

Kind kind_of(ColumnType type) noexcept {
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
      return Kind::Number;
    case ColumnType::Char:
      return Kind::Char;
    case ColumnType::Date:
    case ColumnType::DateTime:
      return Kind::RawDate;
    case ColumnType::Time:
      return Kind::Time;
    case ColumnType::Timestamp:
      return Kind::Timestamp;
    case ColumnType::Geometry:
      return Kind::Opaque;
    default:
      return Kind::Text;
  }
}

std::string_view what(Kind kind) noexcept {
  switch (kind) {
    case Kind::Char:
      return "CHAR";
    case Kind::Time:
      return "TIME";
    case Kind::Timestamp:
      return "TIMESTAMP";
    case Kind::Date:
    case Kind::RawDate:
      return "DATE or DATETIME";
    case Kind::Opaque:
      return "GEOMETRY";
    default:
      return "text or number";
  }
}

constexpr std::string_view kToDate = "a conversion of text or a number to a date or a time, which depends on sql_mode";

}  // namespace

SteadyValue value_of(const message::Column& column) noexcept {
  SteadyValue out{kind_of(column.type), &column};
  out.no_pad = column.collation.find("nopad") != std::string::npos;
  return out;
}

std::string named(const SteadyValue& value) {
  if (value.column == nullptr) return "a value of type " + std::string(what(value.kind));
  auto type = std::string(message::to_string(value.column->type));
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return "column " + value.column->name + " of type " + type;
}

bool is_date_literal(std::string_view raw) noexcept {
  constexpr std::string_view kForm = "'dddd-dd-dd dd:dd:dd'";
  constexpr std::size_t kDate = 12, kYear = 1, kMonth = 6, kDay = 9, kHour = 12;
  const bool date = raw.size() == kDate;
  if (!date && raw.size() != kForm.size()) return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  for (std::size_t i = 0; i + 1 < raw.size(); ++i)
    if (kForm[i] == 'd' ? !digit(raw[i]) : raw[i] != kForm[i]) return false;
  const auto two = [&](std::size_t at) { return (raw[at] - '0') * 10 + (raw[at + 1] - '0'); };
  const auto month = two(kMonth), day = two(kDay);
  if (raw.substr(kYear, 4) == "0000" || month < 1 || month > 12 || day < 1) return false;
  const auto days = month == 2 ? 28 : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  if (day > days) return false;
  return date || (two(kHour) < 24 && two(kHour + 3) < 60 && two(kHour + 6) < 60);
}

std::string as_number(const SteadyValue& value) {
  switch (value.kind) {
    case Kind::Char:
    case Kind::Time:
    case Kind::Timestamp:
    case Kind::Opaque:
      return named(value);
    default:
      return "";
  }
}

std::string as_text(const SteadyValue& value) {
  return as_number(value);
}

std::string as_date(const SteadyValue& value) {
  if (value.is_date() || value.kind == Kind::Null) return "";
  if (value.kind == Kind::Text || value.kind == Kind::OwnText || value.kind == Kind::Number)
    return std::string(kToDate);
  return named(value);
}

std::string comparable(const SteadyValue& a, const SteadyValue& b) {
  for (const auto* v : {&a, &b})
    if (v->kind != Kind::Char) {
      if (auto bad = as_number(*v); !bad.empty()) return bad;
    } else if (a.no_pad || b.no_pad) {
      return named(*v);
    }
  if (a.kind == Kind::Null || b.kind == Kind::Null) return "";
  const auto character = [](const SteadyValue& v) { return v.kind == Kind::Char || v.kind == Kind::Text; };
  if (a.kind == Kind::Char && !character(b)) return named(a);
  if (b.kind == Kind::Char && !character(a)) return named(b);
  if (a.is_date() != b.is_date() && !(a.is_date() ? b : a).date_literal) return std::string(kToDate);
  return "";
}

std::string stored_in(const SteadyValue& value, const message::Column& column) {
  if (value.kind == Kind::Null) return "";
  const auto target = kind_of(column.type);
  switch (target) {
    case Kind::Timestamp:
      return "its own type TIMESTAMP";
    case Kind::Opaque:
      return named(value);
    case Kind::Char:
      return value.kind == Kind::Char ? "" : as_text(value);
    case Kind::Time:
      return value.kind == Kind::Time ? "" : as_date(value).empty() ? named(value) : as_date(value);
    case Kind::RawDate:
      if (auto bad = as_date(value); !bad.empty()) return bad;
      return value.kind == Kind::Date ? "" : named(value) + " as it is, which sql_mode may change";
    default:
      break;
  }
  if (column.type == ColumnType::Year && value.kind != Kind::Number) return "a conversion to YEAR";
  const bool bytes = column.charset.empty() || column.charset == "binary";
  if (target == Kind::Text && bytes && value.kind == Kind::OwnText) return "text in the session's character set";
  return as_text(value);
}

std::string choice_of(std::span<const SteadyValue> values, SteadyValue& out) {
  const auto has = [&](Kind kind) { return std::ranges::find(values, kind, &SteadyValue::kind) != values.end(); };
  for (const auto& v : values)
    if (v.kind != Kind::Char)
      if (auto bad = as_text(v); !bad.empty()) return bad;
  const bool numbers = has(Kind::Number) || has(Kind::OwnText);
  const auto first = [&](Kind kind) { return *std::ranges::find(values, kind, &SteadyValue::kind); };
  out = {};
  if (has(Kind::Char)) {
    out = first(Kind::Char);
    if (numbers || has(Kind::Date) || has(Kind::RawDate)) return named(out);
  } else if (has(Kind::Text)) {
    out.kind = Kind::Text;
  } else if (has(Kind::RawDate)) {
    return named(first(Kind::RawDate)) + " as it is, which sql_mode may change";
  } else if (has(Kind::Date)) {
    out.kind = Kind::Date;
    if (numbers) return std::string(kToDate);
  } else if (numbers) {
    out.kind = has(Kind::OwnText) ? Kind::OwnText : Kind::Number;
  }
  return "";
}

}  // namespace datasync::source::mariadb
