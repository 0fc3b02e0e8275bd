// A lock that is not free at the destination, or a deadlock: the session begins again from its last commit, on the same
// connection.

#include <algorithm>
#include <utility>

#include "agents/apply/session.hpp"
#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

constexpr unsigned kMostRetries = 20;    ///< without a commit; then another session tries
constexpr unsigned kCommitsPerStep = 8;  ///< so many commits without a failure before batches may grow

}  // namespace

/// After `error` of anything but opening. The server has rolled back or does so now; the connection is as good as a new
/// one. Rows that were not committed are read again from the topic, in smaller batches when it happens again and again.
/// Errors: `error` when another session is to try; Superseded; Stopping; those of the connection and the topic.
base::Result<void> Session::begin_again(const Error& error) {
  const bool deadlock = connection_->last_failure() == Failure::Deadlock;
  context_.calm_commits = 0;
  known_due_ = {};  // what was altered is checked before rows are stored again
  if (retries_ >= kMostRetries) return error;
  ++context_.busy;
  ++retries_;
  context_.report.retried();
  writer_->rollback();
  // One deadlock is nothing that a user has to know of; a lock that was not free for long is.
  if (!deadlock || retries_ > 1) {
    context_.blocked = true;
    context_.status.set(health::State::Retrying, error.reason, error.what);
  }
  base::log::info("a batch is tried again", {{"stream", context_.stream},
                                             {"offset", writer_->ledger().next_offset},
                                             {"try", retries_},
                                             {"deadlock", deadlock},
                                             {"message", std::string_view(error.what)}});
  context_.status.beat();
  if (!base::sleep_for(stop_, retry_wait_.next())) return Error(Reason::Stopping, "stopped");
  const auto& committed = writer_->ledger();
  DS_ASSIGN(const auto stored, ledger_->next_offset(*connection_));
  if (stored != committed.next_offset) return error;  // the server did commit: another session reads the ledger
  DS_TRY(forget_uncommitted());
  return begin_copies();
}

/// Everything here is as after the last commit.
base::Result<void> Session::forget_uncommitted() {
  auto start = writer_->ledger();
  start.next_offset = std::max<std::int64_t>(0, start.next_offset);
  if (stream_ledger_ != nullptr) stream_ledger_->forget_from(start.next_offset);
  replay_.reset();
  refusals_.clear();
  waits_for_held_ = sink_failed_ = completed_ = false;
  streamed_rows_ = 0;
  batch_since_.reset();
  last_record_ = base::steady_now();
  verify_failures_.clear();
  verify_differ_.clear();
  DS_TRY(known_->read(*connection_));
  DS_TRY(load_held());
  DS_TRY(consumer_->seek(start.next_offset));
  gaps_.start(start.next_offset);
  assembler_->begin_again(std::move(start), limits_of(context_));
  return {};
}

/// After a commit. Batches grow slowly: whatever made them small may still be there.
void Session::grow_batches(std::size_t rows) {
  context_.blocked = false;
  retries_ = 0;
  retry_wait_.reset();
  if (context_.busy == 0 && context_.rows_alone == 0) return;
  context_.rows_alone -= std::min<std::uint64_t>(context_.rows_alone, std::max<std::size_t>(1, rows));
  if (context_.busy > 0 && rows > 0 && ++context_.calm_commits >= kCommitsPerStep) {
    --context_.busy;
    context_.calm_commits = 0;
  }
  assembler_->set_limits(limits_of(context_));
}

}  // namespace datasync::apply
