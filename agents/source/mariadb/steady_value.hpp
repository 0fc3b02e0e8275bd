#pragma once
// What kinds of values generated columns are computed from, and which conversions between them give the same result in
// every session. Pure.

#include <span>
#include <string>
#include <string_view>

#include "agents/message/schema.hpp"

namespace datasync::source::mariadb {

/// The result of a part of an expression.
struct SteadyValue {
  enum class Kind : std::uint8_t {
    Null,
    Number,
    Text,       ///< also bytes, ENUM, SET, JSON, UUID and INET
    OwnText,    ///< made from numbers or dates only, in the character set of the session
    Char,       ///< trailing spaces depend on sql_mode PAD_CHAR_TO_FULL_LENGTH
    Date,       ///< DATE or DATETIME that is computed: NULL when it is no date
    RawDate,    ///< DATE or DATETIME as stored, with zeros or a day that the month lacks: sql_mode decides
    Time,       ///< as a date it has the day of today
    Timestamp,  ///< converted by the time zone of the session
    Opaque,
  };
  Kind kind = Kind::Null;
  const message::Column* column = nullptr;  ///< where it comes from, for messages and its collation
  bool no_pad = false;                      ///< compared with its trailing spaces
  bool date_literal = false;                ///< a text that is a valid date in every sql_mode

  [[nodiscard]] bool is_date() const noexcept { return kind == Kind::Date || kind == Kind::RawDate; }
};

SteadyValue value_of(const message::Column& column) noexcept;
/// "column t of type TIME", or what it is when it comes from no column.
std::string named(const SteadyValue& value);
/// 'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM:SS' of a day that the month has in every year; with its quotes.
bool is_date_literal(std::string_view raw) noexcept;

// Each returns what is wrong; empty: nothing.

std::string as_number(const SteadyValue& value);
std::string as_text(const SteadyValue& value);
std::string as_date(const SteadyValue& value);
std::string comparable(const SteadyValue& a, const SteadyValue& b);
/// A column of the type takes the value over.
std::string stored_in(const SteadyValue& value, const message::Column& column);
/// One of `values` is the result; it goes to `out`.
std::string choice_of(std::span<const SteadyValue> values, SteadyValue& out);

}  // namespace datasync::source::mariadb
