#include "agents/capture/stream/definitions.hpp"

namespace datasync::capture {

std::optional<message::Definition> newest_at(const std::vector<message::Definition>& known,
                                             const message::GtidSet& place) {
  const message::Definition* best = nullptr;
  for (const auto& d : known) {
    if (!place.contains(d.position)) continue;
    if (best == nullptr) {
      best = &d;
      continue;
    }
    const bool after = d.position.contains(best->position), before = best->position.contains(d.position);
    if (after == before ? d.sequence > best->sequence : after) best = &d;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

}  // namespace datasync::capture
