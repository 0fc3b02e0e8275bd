#pragma once
// A neutral tree of what a JSON or YAML document holds, so that one reader serves both.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agents/base/result.hpp"

namespace datasync::config {

struct Member;

/// null, true/false, a whole number, a fraction, text, a list, or a map in the order written (keys are unique).
struct Value {
  using List = std::vector<Value>;
  using Map = std::vector<Member>;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data;

  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    return std::get_if<T>(&data);
  }
  [[nodiscard]] bool is_null() const noexcept { return std::holds_alternative<std::monostate>(data); }
  /// The member of a map; null when there is none or this is no map. The key may stand there with a null value.
  [[nodiscard]] const Value* find(std::string_view key) const noexcept;
  /// What kind of thing this is, for a message: "a list", "text".
  [[nodiscard]] std::string_view kind() const noexcept;
  /// How a message shows it: "shop" in quotes, 12, true, a list.
  [[nodiscard]] std::string shown() const;

  bool operator==(const Value&) const noexcept;
};

struct Member {
  std::string key;
  Value value;
  bool operator==(const Member&) const noexcept = default;
};

/// Errors: ConfigInvalid with the place in the text. Depth is bounded; of two equal keys the second is an error.
base::Result<Value> parse_json(std::string_view text);
/// Pretty JSON with two spaces; text that is not UTF-8 gets replacement characters.
std::string to_json(const Value& value);

}  // namespace datasync::config
