#include "agents/config/value.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace datasync::config {

const Value* Value::find(std::string_view key) const noexcept {
  const auto* map = as<Map>();
  if (map == nullptr) return nullptr;
  const auto at = std::find_if(map->begin(), map->end(), [key](const Member& m) { return m.key == key; });
  return at == map->end() ? nullptr : &at->value;
}

std::string_view Value::kind() const noexcept {
  constexpr std::string_view kKinds[] = {"null", "true or false", "a number", "a number", "text", "a list", "a map"};
  return kKinds[data.index()];
}

std::string Value::shown() const {
  constexpr std::size_t kMost = 100;
  if (const auto* text = as<std::string>()) {
    return text->size() <= kMost ? fmt::format("\"{}\"", *text) : fmt::format("\"{}...\"", text->substr(0, kMost));
  }
  if (const auto* flag = as<bool>()) return *flag ? "true" : "false";
  if (const auto* number = as<std::int64_t>()) return std::to_string(*number);
  if (const auto* fraction = as<double>()) return fmt::format("{}", *fraction);
  return std::string(kind());
}

bool Value::operator==(const Value& other) const noexcept {
  return data == other.data;
}

}  // namespace datasync::config
