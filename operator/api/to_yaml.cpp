#include "operator/api/to_yaml.hpp"

#include <algorithm>
#include <string_view>

namespace datasync::api {
namespace {

using Json = nlohmann::ordered_json;

bool alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Words that YAML 1.1 readers take for booleans or null, in any case.
bool is_word_of_yaml(std::string_view s) {
  std::string lower(s);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c; });
  constexpr std::string_view kWords[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  return std::ranges::find(kWords, lower) != std::end(kWords);
}

// A text that is a plain scalar for everybody: begins with a letter, and holds nothing that begins something else.
bool is_plain(std::string_view s) {
  if (s.empty() || s.back() == ' ' || s.back() == ':' || is_word_of_yaml(s)) return false;
  if (!alnum(s.front()) || (s.front() >= '0' && s.front() <= '9')) return false;
  if (s.find(": ") != s.npos || s.find(" #") != s.npos) return false;
  return std::ranges::all_of(
      s, [](char c) { return alnum(c) || std::string_view(" _-./:,;()'+=<>@$").find(c) != std::string_view::npos; });
}

std::string scalar(const Json& v) {
  const auto quoted = v.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!v.is_string()) return quoted;
  const auto& text = v.get_ref<const std::string&>();
  return is_plain(text) ? text : quoted;  // a JSON text is a double quoted scalar of YAML
}

void write(const Json& v, std::size_t indent, std::string& out);

bool is_block(const Json& v) {
  return v.is_structured() && !v.empty();
}

void write_item(const Json& item, std::size_t indent, std::string& out) {
  out += std::string(indent, ' ') + "- ";
  if (!is_block(item)) {
    out += scalar(item) + "\n";
    return;
  }
  std::string inner;
  write(item, indent + 2, inner);
  out += inner.substr(indent + 2);  // its first line goes on this one
}

void write(const Json& v, std::size_t indent, std::string& out) {
  if (v.is_array()) {
    for (const auto& item : v) write_item(item, indent, out);
    return;
  }
  for (const auto& [key, member] : v.items()) {
    out += std::string(indent, ' ') + scalar(Json(key)) + ":";
    if (!is_block(member)) {
      out += " " + scalar(member) + "\n";
      continue;
    }
    out += "\n";
    write(member, member.is_array() ? indent : indent + 2, out);
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  if (!is_block(value)) return scalar(value) + "\n";
  std::string out;
  write(value, 0, out);
  return out;
}

}  // namespace datasync::api
