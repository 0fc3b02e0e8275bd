#include "agents/capture/stream/gate.hpp"

#include <algorithm>
#include <utility>

namespace datasync::capture {
namespace {

/// XA ids that are remembered. A commit is complete long before so many others are logged.
constexpr std::size_t kMostCommitted = 4096;

}  // namespace

/// The same name does not make the same binlog, and neither does the same server: its binlog may have been begun anew.
void ChunkGate::begin_anew(const source::Place& at) {
  ++origin_.generation;
  read_ = ended_ = at;
}

void ChunkGate::connected(const std::string& replica, const std::string& history, const source::Place& end) {
  const std::scoped_lock lock(mutex_);
  if (replica != origin_.replica || history != origin_.history || end.before(ended_)) {
    begin_anew({});
    prepared_commit_ = {};
  }
  origin_.replica = replica;
  origin_.history = history;
  doubted_.store(false, std::memory_order_relaxed);
  in_transaction_ = false;
  settle();
  changed_.notify_all();
}

void ChunkGate::moved_to(const source::Place& point) {
  const std::scoped_lock lock(mutex_);
  if (read_.before(point)) read_ = point;
  if (places_.empty()) return;
  settle();
  changed_.notify_all();
}

void ChunkGate::prepared(std::string_view xid) {
  const std::scoped_lock lock(mutex_);
  const auto at = committed_by_id_.find(std::string(xid));
  if (at == committed_by_id_.end()) return;
  committed_.erase(at->second);
  committed_by_id_.erase(at);
}

void ChunkGate::prepared_committed(std::string_view xid, const source::Place& end) {
  const std::scoped_lock lock(mutex_);
  prepared_commit_ = end;
  const auto [at, added] = committed_by_id_.try_emplace(std::string(xid));
  if (!added) committed_.erase(at->second);
  at->second = committed_.insert(committed_.end(), at->first);
  if (committed_.size() <= kMostCommitted) return;
  committed_by_id_.erase(committed_.front());
  committed_.pop_front();
}

/// The dump is at the place: whether the rows have all that was committed before it.
ChunkGate::State ChunkGate::arrived(const Place& place) const {
  if (!place.prepared) return State::Reached;
  const bool lacks =
      place.prepared->log_end.before(prepared_commit_) ||
      std::ranges::any_of(place.prepared->ids, [&](const auto& id) { return committed_by_id_.contains(id); });
  return lacks ? State::InDoubt : State::Reached;
}

void ChunkGate::transaction_ended(const source::Place& end) {
  const std::scoped_lock lock(mutex_);
  in_transaction_ = false;
  if (end.before(ended_)) begin_anew(end);
  if (ended_.before(end)) ended_ = end;
  if (read_.before(end)) read_ = end;
  if (places_.empty() && holds_ == 0) return;
  settle();
  changed_.notify_all();
}

base::Result<void> ChunkGate::before_transaction(const source::Place& first_event_end, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (holds_ != 0 || !places_.empty()) {
    const auto free = [&] {
      if (holds_ != 0) return false;
      // Everything before this transaction has been read: a place before its first event is reached.
      for (auto& place : places_)
        if (place.state == State::Waiting && place.generation == origin_.generation && !place.point.before(ended_) &&
            place.point.before(first_event_end))
          place.state = arrived(place);
      changed_.notify_all();
      return std::ranges::none_of(places_, [](const Place& p) { return p.state == State::Reached; });
    };
    if (!changed_.wait(lock, stop, free)) return base::Error(base::Reason::Stopping, "stopped before a transaction");
  }
  in_transaction_ = true;
  return {};
}

void ChunkGate::settle() {
  for (auto& place : places_) {
    if (place.state != State::Waiting) continue;
    if (place.generation != origin_.generation || place.point.before(ended_))
      place.state = State::Passed;
    else if (!in_transaction_ && !read_.before(place.point))
      place.state = arrived(place);
  }
}

ChunkGate::Hold::Hold(ChunkGate& gate) : gate_(&gate) {
  const std::scoped_lock lock(gate_->mutex_);
  ++gate_->holds_;
}

ChunkGate::Hold::~Hold() {
  if (gate_ == nullptr) return;
  const std::scoped_lock lock(gate_->mutex_);
  --gate_->holds_;
  gate_->changed_.notify_all();
}

base::Result<void> ChunkGate::wait_outside(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (changed_.wait(lock, stop, [this] { return !in_transaction_; })) return {};
  return base::Error(base::Reason::Stopping, "stopped while waiting for the end of a transaction");
}

Origin ChunkGate::origin() const {
  const std::scoped_lock lock(mutex_);
  return origin_;
}

ChunkGate::Ticket ChunkGate::take_place(const source::Place& point, std::uint64_t generation,
                                        std::optional<source::PreparedBefore> prepared) {
  const std::scoped_lock lock(mutex_);
  places_.push_back({point, generation, State::Waiting, std::move(prepared)});
  settle();
  changed_.notify_all();
  return std::prev(places_.end());
}

base::Result<ChunkGate::State> ChunkGate::wait(Ticket ticket, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [&] { return ticket->state != State::Waiting; }))
    return base::Error(base::Reason::Stopping, "stopped while a chunk waits for the binlog");
  return ticket->state;
}

void ChunkGate::done(Ticket ticket) {
  const std::scoped_lock lock(mutex_);
  places_.erase(ticket);
  changed_.notify_all();
}

}  // namespace datasync::capture
