#include "agents/capture/plan/before_start.hpp"

#include <string_view>

namespace datasync::capture {
namespace {

constexpr std::string_view kPrefix = "before/";

}  // namespace

std::string before_start_id(const std::string& text) {
  return std::string(kPrefix) + text;
}

std::vector<std::string> kept_before_start(const std::set<std::string>& served_requests) {
  std::vector<std::string> out;
  for (auto at = served_requests.lower_bound(std::string(kPrefix)); at != served_requests.end(); ++at) {
    if (!at->starts_with(kPrefix)) break;
    out.push_back(at->substr(kPrefix.size()));
  }
  return out;
}

}  // namespace datasync::capture
