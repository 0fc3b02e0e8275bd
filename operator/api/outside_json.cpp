#include "operator/api/outside_json.hpp"

#include <algorithm>

namespace datasync::api {

using Json = nlohmann::json;

std::size_t depth_of(std::string_view text) noexcept {
  std::size_t depth = 0, deepest = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

Json parse_bounded(std::string_view text, std::size_t most_depth) {
  if (depth_of(text) > most_depth) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, false);
}

Json parse_pruned(std::string_view text, std::size_t most_depth) {
  if (depth_of(text) <= most_depth) return Json::parse(text, nullptr, false);
  const auto keep = [most_depth](int depth, Json::parse_event_t event, Json& /*parsed*/) {
    const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    return !opens || static_cast<std::size_t>(depth) < most_depth;
  };
  return Json::parse(text, keep, false);
}

}  // namespace datasync::api
