#include "agents/config/orders.hpp"

namespace datasync::config {

std::vector<std::string> names_by_comma(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  while (true) {
    const auto comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == text.npos) return out;
    text.remove_prefix(comma + 1);
  }
}

CopyOrder copy_order(std::string_view value) {
  const auto hash = value.rfind('#');
  if (hash == value.npos) return {names_by_comma(value), {}};
  return {names_by_comma(value.substr(0, hash)), std::string(value.substr(hash + 1))};
}

}  // namespace datasync::config
