#include "agents/capture/plan/before_start.hpp"

#include "agents/protocol/request_ids.hpp"

namespace datasync::capture {

using protocol::request_ids::kBefore;

std::string before_start_id(const std::string& text) {
  return std::string(kBefore) + text;
}

std::vector<std::string> kept_before_start(const std::set<std::string>& served_requests) {
  std::vector<std::string> out;
  for (auto at = served_requests.lower_bound(std::string(kBefore)); at != served_requests.end(); ++at) {
    if (!at->starts_with(kBefore)) break;
    out.push_back(at->substr(kBefore.size()));
  }
  return out;
}

}  // namespace datasync::capture
