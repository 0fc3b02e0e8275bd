#include "agents/kafka/watchdog.hpp"

#include <algorithm>

namespace datasync::kafka {

void DeliveryWatchdog::produced(std::int32_t partition, base::SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  auto& p = partitions_[partition];
  if (p.waiting++ == 0) p.since = now;
}

void DeliveryWatchdog::withdrawn(std::int32_t partition) {
  const std::scoped_lock lock(mutex_);
  auto& p = partitions_[partition];
  if (p.waiting > 0) --p.waiting;
}

void DeliveryWatchdog::reported(std::int32_t partition, base::SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  auto& p = partitions_[partition];
  if (p.waiting > 0) --p.waiting;
  p.since = now;
}

bool DeliveryWatchdog::suspicious(base::SteadyTime now) const {
  const std::scoped_lock lock(mutex_);
  return std::ranges::any_of(partitions_, [&](const auto& entry) {
    return entry.second.waiting > 0 && now - entry.second.since >= limit_ / 2;
  });
}

std::optional<base::Millis> DeliveryWatchdog::look(bool brokers_answer, base::SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  if (!brokers_answer) {
    answering_since_.reset();
    return std::nullopt;
  }
  if (!answering_since_) answering_since_ = now;
  base::Millis longest{0};
  for (const auto& [number, p] : partitions_) {
    if (p.waiting == 0) continue;
    const auto from = std::max(p.since, *answering_since_);
    longest = std::max(longest, std::chrono::duration_cast<base::Millis>(now - from));
  }
  if (longest < limit_) return std::nullopt;
  return longest;
}

}  // namespace datasync::kafka
