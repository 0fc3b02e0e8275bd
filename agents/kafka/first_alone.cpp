#include "agents/kafka/first_alone.hpp"

namespace datasync::kafka {

bool FirstAlone::may_go(std::int32_t partition, base::SteadyTime now) const {
  const std::scoped_lock lock(mutex_);
  const auto at = partitions_.find(partition);
  if (at == partitions_.end() || at->second.on_their_way == 0) return true;
  return at->second.acknowledged && now - *at->second.acknowledged < kRemembered;
}

void FirstAlone::sent(std::int32_t partition) {
  const std::scoped_lock lock(mutex_);
  ++partitions_[partition].on_their_way;
}

void FirstAlone::withdrawn(std::int32_t partition) {
  const std::scoped_lock lock(mutex_);
  auto& p = partitions_[partition];
  if (p.on_their_way > 0) --p.on_their_way;
}

void FirstAlone::acknowledged(std::int32_t partition, base::SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  auto& p = partitions_[partition];
  if (p.on_their_way > 0) --p.on_their_way;
  p.acknowledged = now;
}

}  // namespace datasync::kafka
