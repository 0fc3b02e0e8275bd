#include "operator/kube/api.hpp"

namespace datasync::kube {

std::string_view to_string(Code code) noexcept {
  switch (code) {
    case Code::NotFound:
      return "NotFound";
    case Code::Conflict:
      return "Conflict";
    case Code::AlreadyExists:
      return "AlreadyExists";
    case Code::Gone:
      return "Gone";
    case Code::Unauthorized:
      return "Unauthorized";
    case Code::Forbidden:
      return "Forbidden";
    case Code::Invalid:
      return "Invalid";
    case Code::TooManyRequests:
      return "TooManyRequests";
    case Code::ServerError:
      return "ServerError";
    case Code::Timeout:
      return "Timeout";
    case Code::Transport:
      return "Transport";
    case Code::Malformed:
      return "Malformed";
    case Code::Stopped:
      return "Stopped";
  }
  return "Unknown";
}

ApiResult<List> Api::list_trimmed(const Resource& kind, const Selector& selector,
                                  const std::function<void(Json&)>& trim) {
  auto found = list(kind, selector);
  if (found) {
    for (auto& item : found->items) trim(item);
  }
  return found;
}

}  // namespace datasync::kube
