#pragma once
// The functions that give the same result in every session, and what they take. Pure.

#include <span>
#include <string>
#include <string_view>

#include "agents/source/mariadb/steady_value.hpp"

namespace datasync::source::mariadb {

/// What is wrong with a call; empty: nothing, and `out` is its result. `function`: in capitals.
std::string call_of(std::string_view function, std::span<const SteadyValue> arguments, SteadyValue& out);
/// The same for CAST(value AS type).
std::string cast_of(std::string_view type, const SteadyValue& value, SteadyValue& out);
/// DAY, YEAR_MONTH, ...; in capitals.
bool is_date_unit(std::string_view word) noexcept;
/// A format, with its quotes, that writes no names of days or months. Empty: it is not known.
bool is_steady_format(std::string_view raw) noexcept;

}  // namespace datasync::source::mariadb
