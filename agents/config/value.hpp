#pragma once
// A tree for the content of a JSON or YAML document, so that one reader serves both formats.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agents/base/result.hpp"

namespace datasync::config {

struct Member;

/// null, true/false, a whole number, a fraction, text, a list, or a map in the order of the document (keys are unique).
struct Value {
  using List = std::vector<Value>;
  using Map = std::vector<Member>;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data;

  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    return std::get_if<T>(&data);
  }
  [[nodiscard]] bool is_null() const noexcept { return std::holds_alternative<std::monostate>(data); }
  /// Returns the member of a map; nullptr when there is none or this is not a map. The value of the member may be null.
  [[nodiscard]] const Value* find(std::string_view key) const noexcept;
  /// Returns the type of the value for a message: "a list", "text".
  [[nodiscard]] std::string_view kind() const noexcept;
  /// Returns the value as a message shows it: "shop" in quotes, 12, true, a list.
  [[nodiscard]] std::string shown() const;

  bool operator==(const Value&) const noexcept;
};

struct Member {
  std::string key;
  Value value;
  bool operator==(const Member&) const noexcept = default;
};

/// Parses JSON. Errors: ConfigInvalid with the position in the text. The depth is limited; a repeated key is an error.
base::Result<Value> parse_json(std::string_view text);
/// Returns pretty-printed JSON with two spaces; bytes that are not UTF-8 become replacement characters.
std::string to_json(const Value& value);

}  // namespace datasync::config
