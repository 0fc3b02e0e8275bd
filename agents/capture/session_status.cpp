// What a session reports: its state, and its figures.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/session.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

constexpr double kMicros = 1e6;

double seconds_since(std::int64_t steady_us) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(base::steady_now().time_since_epoch()).count();
  return static_cast<double>(now - steady_us) / kMicros;
}

}  // namespace

void Session::state_topic_trouble(std::optional<Error> trouble) {
  {
    const std::scoped_lock lock(mutex_);
    trouble_ = std::move(trouble);
  }
  show_state();
}

void Session::show_state() {
  if (!connected_ || brokers_down_) return;
  std::optional<Error> trouble;
  {
    const std::scoped_lock lock(mutex_);
    trouble = trouble_ ? trouble_ : watch_trouble_;
  }
  if (trouble) {
    around_.status.set(health::State::Retrying, trouble->reason, trouble->what);
    return;
  }
  bool snapshotting = false;
  {
    const std::scoped_lock lock(runner_mutex_);
    snapshotting = runner_ && !runner_->figures().complete;
  }
  around_.status.set(snapshotting ? health::State::Snapshotting : health::State::Streaming);
}

/// What keeps rows of a snapshot from being read is told as long as nothing worse is: without a dump, why there is
/// none.
void Session::show_trouble(const base::Error* trouble) {
  if (trouble == nullptr) return show_state();
  if (connected_ && !brokers_down_) around_.status.set(health::State::Retrying, trouble->reason, trouble->what);
}

/// Called by the keeper, for what nobody else would notice while the dump thread waits for brokers, and by the dump
/// thread, because the keeper may wait for brokers too.
void Session::pulse() {
  const bool down = output_->brokers_down();
  const bool was_down = brokers_down_.exchange(down);
  if (down)
    around_.status.set(health::State::Retrying, Reason::BrokerUnreachable,
                       fmt::format("no broker of {} answers; the position does not advance until one does",
                                   claimed_.access.bootstrap_servers));
  else if (was_down)
    show_state();
  // A producer that waits for brokers, and a dump that waits for a chunk, are no hanging loops.
  if (down || output_->in_flight_bytes() > 0) around_.status.beat();
  const std::scoped_lock lock(runner_mutex_);
  if (runner_ && !runner_->figures().complete) around_.status.beat();  // its verification too
}

/// Acknowledged on every stream.
message::GtidSet Session::published() const {
  message::GtidSet all;
  for (std::int32_t i = 0; i < selection_.streams(); ++i) {
    const auto one = acks_->progress(i).published;
    all = i == 0 ? one : message::GtidSet::intersection(all, one);
  }
  return all;
}

SessionFigures Session::figures() const {
  SessionFigures f;
  f.counts = writer_->counts();
  f.position = published();
  const auto now = clock_.now_us();
  const auto read = freshness_.read_time_us.load(std::memory_order_relaxed);
  if (freshness_.caught_up.load(std::memory_order_relaxed)) {
    const auto silent = seconds_since(freshness_.heard_us.load(std::memory_order_relaxed));
    const std::chrono::duration<double> expected = 2 * around_.config.heartbeat;
    f.capture_lag_seconds = silent > expected.count() ? silent : 0.0;
  } else if (now != 0 && read != 0) {
    f.capture_lag_seconds = now > read ? static_cast<double>(now - read) / kMicros : 0.0;
  }
  if (monitor_) f.replica_figures = monitor_->figures();
  f.replica = gate_.replica();
  f.failovers = failovers_.load(std::memory_order_relaxed);
  f.in_flight_bytes = output_->in_flight_bytes();
  f.acked_records = output_->acked_records();
  f.produced_bytes = output_->produced_bytes();
  f.checkpoints = keeper_ ? keeper_->checkpoints() : 0;
  f.prepared_xa = prepared_.open();
  const std::scoped_lock lock(runner_mutex_);
  if (runner_) f.snapshot = runner_->figures();
  return f;
}

}  // namespace datasync::capture
