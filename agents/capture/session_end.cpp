// The part of a session that says what the end of a connection means, and ends the epoch.

#include <algorithm>
#include <thread>
#include <utility>

#include "agents/base/log.hpp"
#include "agents/capture/session.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kCloseWait{5000}, kCloseStep{20};
constexpr unsigned kMaxDuplicateIdDisconnects = 5;  ///< so often in a row is no take-over any more

/// The source failed, not the streams: another replica may do better.
bool blames_replica(const Error& e) {
  constexpr Reason kBlamed[] = {Reason::SourceUnreachable, Reason::SourceSilent, Reason::SourceRestarted,
                                Reason::BinlogCorrupt};
  return std::ranges::find(kBlamed, e.reason) != std::end(kBlamed);
}

}  // namespace

/// What the end of a connection means for the epoch.
base::Result<void> Session::outcome(base::Result<void> dumped, const ChosenReplica& pick) {
  {
    const std::scoped_lock lock(mutex_);
    if (failure_) return *failure_;
  }
  if (complete_) return {};
  if (dumped || stop_.stop_requested()) return Error(Reason::Stopping, "a stop was requested");
  auto error = std::move(dumped).error();
  if (error.is(Reason::DuplicateServerId) && ++cut_by_twin_ < kMaxDuplicateIdDisconnects)
    return Error(Reason::SourceRestarted,
                 error.what);  // an instance that is being replaced may fight back for a moment
  if (blames_replica(error) && !pick.server.host.empty()) around_.replicas.prefer_after(pick.index);
  if (position_lost(error) && !pick.server.host.empty() && around_.loss.may_give_up(published())) {
    DS_TRY(give_up_position());
    return Error(Reason::SourceRestarted, "the loss of the position was accepted: " + error.what);
  }
  return error;
}

/// Readers hold a destination's transaction open for what they have of it: no end would come before the next epoch.
void Session::void_open_transaction() {
  if (!writer_ || !output_->health()) return;
  std::stop_source limit;
  const std::jthread timer([&](const std::stop_token& over) {
    if (base::sleep_for(over, kCloseWait)) limit.request_stop();
  });
  output_->last_words(limit.get_token());
  if (auto voided = writer_->discard(); !voided)
    base::log::debug("an open transaction is not voided", {{"message", std::string_view(voided.error().what)}});
}

bool Session::usable() const {
  {
    const std::scoped_lock lock(mutex_);
    if (failure_) return false;
  }
  return !stop_.stop_requested() && !complete_ && output_->health();
}

void Session::close() {
  const auto give_up = base::steady_now() + kCloseWait;
  stop_.request_stop();
  drop_runner();
  void_open_transaction();
  while (acks_->in_flight() > 0 && output_->health() && base::steady_now() < give_up) base::sleep_for({}, kCloseStep);
  if (keeper_) keeper_->finish();
}

}  // namespace datasync::capture
