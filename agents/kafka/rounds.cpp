#include "agents/kafka/rounds.hpp"

#include <algorithm>
#include <utility>

namespace datasync::kafka {

void Rounds::add(std::int32_t partition, Outgoing record) {
  const std::scoped_lock lock(mutex_);
  auto& p = partitions_[partition];
  p.queue.push_back(std::move(record));
  ++p.added;
}

std::vector<Outgoing> Rounds::next(std::int32_t partition, base::SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  auto& p = partitions_[partition];
  std::vector<Outgoing> round;
  if (p.on_their_way > 0) return round;
  const bool known = p.acknowledged && now - *p.acknowledged < kRemembered;
  for (std::size_t bytes = 0; !p.queue.empty() && bytes < full_ && (known || round.empty());) {
    bytes += p.queue.front().size();
    round.push_back(std::move(p.queue.front()));
    p.queue.pop_front();
  }
  p.on_their_way = round.size();
  return round;
}

void Rounds::acknowledged(std::int32_t partition, base::SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  auto& p = partitions_[partition];
  if (p.on_their_way > 0) --p.on_their_way;
  ++p.acknowledged_count;
  p.acknowledged = now;
}

Rounds::Mark Rounds::added() const {
  const std::scoped_lock lock(mutex_);
  Mark mark;
  for (const auto& [partition, p] : partitions_) mark[partition] = p.added;
  return mark;
}

bool Rounds::acknowledged(const Mark& mark) const {
  const std::scoped_lock lock(mutex_);
  return std::ranges::all_of(
      mark, [this](const auto& entry) { return partitions_.at(entry.first).acknowledged_count >= entry.second; });
}

void Rounds::clear() {
  std::map<std::int32_t, std::deque<Outgoing>> dropped;  // freed after the lock is released
  const std::scoped_lock lock(mutex_);
  for (auto& [partition, p] : partitions_) dropped[partition] = std::exchange(p.queue, {});
}

}  // namespace datasync::kafka
