#pragma once
// Numbers in rows of DataSync's own tables.

#include <charconv>
#include <optional>
#include <string>
#include <system_error>

namespace datasync::apply {

/// A field that is a number of this type and nothing else; NULL is none. Pure.
template <class T>
std::optional<T> whole_number(const std::optional<std::string>& field) {
  if (!field) return std::nullopt;
  T value{};
  const auto [end, error] = std::from_chars(field->data(), field->data() + field->size(), value);
  return error == std::errc{} && end == field->data() + field->size() ? std::optional(value) : std::nullopt;
}

}  // namespace datasync::apply
