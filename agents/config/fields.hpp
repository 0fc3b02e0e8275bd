#pragma once
// One description of a struct's fields is used to read, write and list them: a function `void describe(Fields&, T&)`
// names every field once with its default (the initial value in the struct), range and pattern. The agents'
// configuration and the DataSync resource are both described in this way.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/config/value.hpp"

namespace datasync::config {

/// The required form of a text: a regular expression for schemas and documentation, and the function that decides.
struct Pattern {
  std::string_view regex;
  std::string_view noun;  ///< "DATABASE.TABLE": the message says "X is not DATABASE.TABLE"
  bool (*matches)(std::string_view);
  std::size_t longest = 0;  ///< the maximum number of characters of a matching text
};

enum class Need : std::uint8_t { Optional, Required };

/// The rules of a text field.
struct TextRule {
  Need need = Need::Optional;
  const Pattern* pattern = nullptr;
};

/// The rules of a list of texts, or of the keys of a map.
struct ListRule {
  std::size_t at_least = 0;
  const Pattern* pattern = nullptr;  ///< of each item; for a map, of each key
  std::size_t at_most = std::numeric_limits<std::size_t>::max();
};

/// How many items a list of objects may have.
struct Count {
  std::size_t at_least = 0;
  std::size_t at_most = std::numeric_limits<std::size_t>::max();
};

/// The smallest and the largest valid number.
struct Range {
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

/// An invalid field. `path` is e.g. "spec.source.types[0].tables[1]".
struct Problem {
  std::string path;
  std::string message;
  [[nodiscard]] std::string text() const { return path.empty() ? message : path + ": " + message; }
  bool operator==(const Problem&) const = default;
};

/// A pass over the fields of a struct (read, write or list); a description calls it for each field.
class Fields {
 public:
  virtual ~Fields() = default;

  virtual void flag(std::string_view name, bool& value) = 0;
  virtual void text(std::string_view name, std::string& value, TextRule rule = {}) = 0;
  virtual void texts(std::string_view name, std::vector<std::string>& values, ListRule rule = {}) = 0;
  virtual void text_map(std::string_view name, std::map<std::string, std::string>& values, ListRule keys = {},
                        const Pattern* value_pattern = nullptr) = 0;
  virtual void texts_map(std::string_view name, std::map<std::string, std::vector<std::string>>& values,
                         ListRule keys = {}, ListRule items = {.at_least = 1}) = 0;
  /// Any map, kept unchanged.
  virtual void opaque(std::string_view name, Value& value) = 0;
  /// A known field whose content DataSync does not use.
  virtual void ignored(std::string_view name) = 0;

  template <std::integral T>
  void integer(std::string_view name, T& value, Range range) {
    auto wide = static_cast<std::int64_t>(value);
    number(name, wide, range);
    value = static_cast<T>(wide);
  }
  void millis(std::string_view name, std::chrono::milliseconds& value, Range range) {
    std::int64_t wide = value.count();
    number(name, wide, range);
    value = std::chrono::milliseconds(wide);
  }
  /// `names[i]` is the enumerator with value i.
  template <class Enum>
  void choice(std::string_view name, Enum& value, std::span<const std::string_view> names) {
    auto index = static_cast<std::size_t>(value);
    pick(name, index, names);
    value = static_cast<Enum>(index);
  }
  template <class T, class Describe>
  void object(std::string_view name, T& value, const Describe& describe, Need need = Need::Optional) {
    if (!enter(name, need, true)) return;
    describe(*this, value);
    leave();
  }
  template <class T, class Describe>
  void object(std::string_view name, std::optional<T>& value, const Describe& describe) {
    if (!enter(name, Need::Optional, value.has_value())) return;
    if (!value) value.emplace();
    describe(*this, *value);
    leave();
  }
  template <class T, class Describe>
  void objects(std::string_view name, std::vector<T>& values, const Describe& describe, Count allowed = {}) {
    const auto count = enter_list(name, values.size(), allowed);
    if (!count) return;
    values.resize(*count);
    for (std::size_t i = 0; i < *count; ++i) {
      if (!enter_item(i)) continue;
      describe(*this, values[i]);
      leave();
    }
    leave_list();
  }

 protected:
  virtual void number(std::string_view name, std::int64_t& value, Range range) = 0;
  virtual void pick(std::string_view name, std::size_t& index, std::span<const std::string_view> names) = 0;
  /// Returns false when there is nothing to describe; then `leave` is not called. `has_value`: the struct has a value
  /// now.
  virtual bool enter(std::string_view name, Need need, bool has_value) = 0;
  virtual void leave() = 0;
  /// Returns how many items to describe; `size` is how many the struct has now. Returns nullopt to leave the field
  /// unchanged.
  virtual std::optional<std::size_t> enter_list(std::string_view name, std::size_t size, Count allowed) = 0;
  virtual bool enter_item(std::size_t index) = 0;
  virtual void leave_list() = 0;
};

using Describe = std::function<void(Fields&)>;

/// Sets the fields that `describe` names from `value`; a missing field keeps its default. Returns every problem in the
/// order of the description: wrong type, out of range, missing, unknown (with a similar name as a hint). `path` is the
/// prefix of every path.
std::vector<Problem> read_fields(const Value& value, const Describe& describe, std::string path = {});

/// The same for what a later version may have stored: a field that is not known is no problem, but added to `unknown`.
std::vector<Problem> read_known_fields(const Value& value, const Describe& describe, std::vector<Problem>& unknown);

/// Returns a map of every field that `describe` names, including defaults.
Value write_fields(const Describe& describe);

/// One field of a description.
struct FieldInfo {
  std::string path;  ///< "spec.source.types[].tables[]"; items of a map: "spec.destination.tables.rename{}"
  std::string type;  ///< boolean, integer, string, object, array, map, any
  bool required = false;
  std::string default_text;    ///< as JSON; empty when there is none
  bool presence = false;       ///< object: its presence has a meaning, so it has no default
  Range range{};               ///< integer
  Count count{};               ///< items of an array, members of a map
  std::string_view regex;      ///< string; empty: any
  std::string_view key_regex;  ///< keys of a map; empty: any
  std::size_t longest = 0;     ///< string: maximum number of characters; 0: any
  bool may_be_empty = false;   ///< string: an empty one is equivalent to a missing field
  std::vector<std::string_view> choices;
};
/// Returns every field with its rules, in order; for schemas and documentation.
std::vector<FieldInfo> list_fields(const Describe& describe);

/// Returns one problem per line; empty when there is none.
std::string to_text(const std::vector<Problem>& problems);
/// Returns ConfigInvalid with all problems, or success when there is none.
base::Result<void> to_result(const std::vector<Problem>& problems);

/// Returns the name that `given` probably means, or an empty text.
std::string_view nearest(std::string_view given, std::span<const std::string> known);

}  // namespace datasync::config
