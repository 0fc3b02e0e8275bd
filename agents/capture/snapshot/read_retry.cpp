#include "agents/capture/snapshot/read_retry.hpp"

#include <utility>

#include "agents/base/log.hpp"

namespace datasync::capture {

using base::Error;
using base::Reason;

Error place_passed() {
  return {Reason::SourceRestarted, "the dump is past the place of the rows, or reads another server's binlog"};
}

base::Result<void> ReadRetry::failed(const std::string& table, Error error, std::stop_token stop) {
  if (error.outcome() != base::Outcome::Retry || error.is(Reason::ProducerFailed)) return error;
  base::log::warn("rows could not be read, trying again", {{"table", table}, {"error", error.what}});
  const auto now = now_();
  if (!since_) {
    since_ = now;
    doubt_at_ = now + kLasting;
  }
  if (now - *since_ >= kLasting) {
    told_ = true;
    on_trouble_(&error);
  }
  if (error.is(Reason::SourceMoved) && now >= *doubt_at_) {
    gate_.doubt();
    doubt_at_ = now + kLasting;
  }
  if (!base::sleep_for(std::move(stop), backoff_.next())) return Error(Reason::Stopping, "stopped while reading rows");
  return {};
}

base::Result<void> ReadRetry::in_doubt(std::stop_token stop) {
  const auto now = now_();
  if (!doubtful_since_) doubtful_since_ = now;
  if (now - *doubtful_since_ >= kLasting) {
    const Error error(
        Reason::SourceRestarted,
        "prepared transactions are being committed whenever rows are read, so that it is not certain that the rows "
        "have them; the rows are read again. If this does not end, one that the server lists as prepared is committed "
        "in its log: commit it at the server");
    told_ = true;
    on_trouble_(&error);
  }
  if (!base::sleep_for(std::move(stop), kInDoubt)) return Error(Reason::Stopping, "stopped while reading rows");
  return {};
}

void ReadRetry::succeeded() {
  backoff_.reset();
  since_.reset();
  doubtful_since_.reset();
  if (std::exchange(told_, false)) on_trouble_(nullptr);
}

}  // namespace datasync::capture
