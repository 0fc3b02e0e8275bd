#include "agents/capture/stream/xa.hpp"

#include <algorithm>
#include <utility>

namespace datasync::capture {

void PreparedTransactions::prepare(const std::string& xid, message::GtidSet floor, HeldTransaction held) {
  const std::scoped_lock lock(mutex_);
  auto& slot = open_[xid];
  bytes_ += held.bytes;
  bytes_ -= slot.held.bytes;
  slot = {std::move(floor), std::move(held)};
}

std::optional<HeldTransaction> PreparedTransactions::commit(const std::string& xid, const message::Gtid& gtid) {
  const std::scoped_lock lock(mutex_);
  const auto at = open_.find(xid);
  if (at == open_.end()) return std::nullopt;
  auto held = std::move(at->second.held);
  bytes_ -= held.bytes;
  decided_.push_back({std::move(at->second.floor), gtid});
  open_.erase(at);
  return held;
}

void PreparedTransactions::rollback(const std::string& xid) {
  const std::scoped_lock lock(mutex_);
  const auto at = open_.find(xid);
  if (at == open_.end()) return;  // prepared before the position: nothing of it was published, nothing will be
  bytes_ -= at->second.held.bytes;
  open_.erase(at);
}

void PreparedTransactions::clear() {
  const std::scoped_lock lock(mutex_);
  open_.clear();
  decided_.clear();
  bytes_ = 0;
}

message::GtidSet PreparedTransactions::dump_from(const message::GtidSet& published) {
  const std::scoped_lock lock(mutex_);
  auto from = published;
  for (const auto& [xid, open] : open_) from = message::GtidSet::intersection(from, open.floor);
  for (const auto& d : decided_)
    if (!published.contains(d.gtid)) from = message::GtidSet::intersection(from, d.floor);
  return from;
}

void PreparedTransactions::settle(const message::GtidSet& published) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(decided_, [&](const Decided& d) { return published.contains(d.gtid); });
}

std::uint64_t PreparedTransactions::bytes_left() const {
  const std::scoped_lock lock(mutex_);
  return bytes_ >= kMostHeldBytes ? 0 : kMostHeldBytes - bytes_;
}

bool PreparedTransactions::pending() const {
  const std::scoped_lock lock(mutex_);
  return !open_.empty() || !decided_.empty();
}

std::size_t PreparedTransactions::open() const {
  const std::scoped_lock lock(mutex_);
  return open_.size();
}

}  // namespace datasync::capture
