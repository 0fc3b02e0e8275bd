#include "operator/decide/reasons.hpp"

#include <algorithm>

#include "agents/base/reason.hpp"

namespace datasync::decide {

EventKind event_kind(std::string_view reason) {
  const auto own = std::ranges::find(kReasons, reason, &ReasonInfo::name);
  if (own != kReasons.end()) return own->event;
  return reason == base::to_string(base::Reason::Stopping) || reason == base::to_string(base::Reason::Superseded)
             ? EventKind::Normal
             : EventKind::Warning;
}

}  // namespace datasync::decide
