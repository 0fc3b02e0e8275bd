// The part of a session that watches the replica in use.
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/session.hpp"

namespace datasync::capture {

using base::Error;
using base::Reason;

/// Watches the replica that is read.
void Session::watch() {
  MonitorCallbacks callbacks;
  callbacks.read_time_us = [this] { return freshness_.read_time_us.load(std::memory_order_relaxed); };
  callbacks.inspect = [this](source::Server& server, const std::string& replica) {
    auto inspection = around_.replicas.inspect(server, replica, selection_);
    if (inspection && inspection->fit) inspection->fit = replicates_what_is_left_out(replica, inspection->replicated);
    return inspection;
  };
  callbacks.other_is_better = [this](const std::string& replica, std::stop_token stop) {
    const auto position = writer_->position();
    return around_.replicas.better_than(replica, selection_, {position, position}, std::move(stop));
  };
  callbacks.unfit = [this](Error error) { unfit(std::move(error)); };
  callbacks.trouble = [this](std::optional<Error> trouble) {
    {
      const std::scoped_lock lock(mutex_);
      watch_trouble_ = std::move(trouble);
    }
    show_state();
  };
  monitor_ = std::make_unique<Monitor>(gate_, connect_to(), clock_, std::move(callbacks));
}

/// A domain that was taken for one of a replica's own is the source's: it must be read as such.
base::Result<void> Session::replicates_what_is_left_out(const std::string& replica,
                                                        const message::GtidSet& replicated) const {
  const std::scoped_lock lock(mutex_);
  for (const auto domain : left_out_)
    if (replicated.domains().contains(domain))
      return Error(
          Reason::SourceRestarted,
          fmt::format("{} has begun to replicate GTID domain {}, which was not read from it", replica, domain));
  return {};
}

/// From the monitor: ends the dump; the dump thread takes another replica, or the same one again.
void Session::unfit(Error error) {
  const std::scoped_lock lock(mutex_);
  if (dumping_ == nullptr) return;
  unfit_ = std::move(error);
  dumping_->abort();
}

std::optional<Error> Session::take_unfit() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(unfit_, std::nullopt);
}

/// The dump has been silent, which a server is while it searches its binlog.
base::Result<void> Session::searching(const std::string& replica, base::Millis silent, const std::string& position) {
  around_.status.beat();
  searching_ = true;
  around_.status.set(health::State::Retrying, Reason::SourceSearching,
                     fmt::format("{} has been searching its binlog for {} for {} s", replica, position,
                                 std::chrono::ceil<std::chrono::seconds>(silent).count()));
  return {};
}

}  // namespace datasync::capture
