// What a controller says of its own progress, for probes and metrics.

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "operator/runtime/controller.hpp"

namespace datasync::runtime {

bool Controller::live() const {
  return silent_about().empty();
}

std::string Controller::silent_about() const {
  if (const auto stuck = queue_.stuck_for(); stuck > options_.silence) {
    return fmt::format("the work queue has made no progress for {} s", stuck.count() / 1000);
  }
  const std::lock_guard lock(mutex_);
  const auto now = options_.now();
  for (const auto& [key, known] : known_) {
    if (known.running_since) {
      if (now - *known.running_since > options_.object_timeout + options_.silence) {
        return fmt::format("the reconcile of {} does not return", key.text());
      }
    } else if (now - known.next > options_.silence && !queue_.holds(key)) {
      // One that is still in line is not forgotten: the line moves, or it would be told above.
      return fmt::format("{} was not reconciled when it was due", key.text());
    }
  }
  return {};
}

std::optional<base::Millis> Controller::last_success_age(const ObjectKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(key);
  if (known == known_.end()) return {};
  return std::chrono::duration_cast<base::Millis>(options_.now() - known->second.success);
}

base::Millis Controller::oldest_success_age() const {
  const std::lock_guard lock(mutex_);
  base::Millis oldest{0};
  for (const auto& [key, known] : known_)
    oldest = std::max(oldest, std::chrono::duration_cast<base::Millis>(options_.now() - known.success));
  return oldest;
}

std::size_t Controller::objects() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

}  // namespace datasync::runtime
