#include "agents/capture/stream/monitor.hpp"

#include <utility>

#include <fmt/format.h>

#include "agents/base/backoff.hpp"
#include "agents/base/log.hpp"

namespace datasync::capture {
namespace {

constexpr base::Millis kEvery{2000}, kAtFirst{200};
constexpr unsigned kStopped = 2;  ///< so often in a row is no short break of its connection any more
constexpr unsigned kElsewhere = 3, kUnasked = 5;
constexpr base::Millis kLookAgain{10'000};  ///< for a better replica, after none was found
constexpr std::uint64_t kMicros = 1'000'000;
constexpr double kSecondsOfHour = 3600.0;

}  // namespace

std::optional<double> hours_left(std::uint64_t expire_seconds, std::uint64_t source_now_s, std::uint64_t read_time_s) {
  if (expire_seconds == 0) return std::nullopt;
  const auto behind = read_time_s == 0 || read_time_s > source_now_s ? 0 : source_now_s - read_time_s;
  if (behind >= expire_seconds) return 0.0;
  return static_cast<double>(expire_seconds - behind) / kSecondsOfHour;
}

Monitor::Monitor(const ChunkGate& gate, ConnectTo connect, SourceClock& clock, MonitorCallbacks callbacks)
    : gate_(gate),
      connect_(std::move(connect)),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

ReplicaFigures Monitor::figures() const {
  const std::scoped_lock lock(mutex_);
  return figures_;
}

void Monitor::run(std::stop_token stop) {
  auto wait = kAtFirst;
  while (base::sleep_for(stop, wait)) {
    const auto origin = gate_.origin();
    if (origin.replica.empty()) continue;
    wait = kEvery;
    if (origin.replica != watched_.replica || origin.history != watched_.history) {
      watched_ = origin;
      stopped_ = elsewhere_ = unasked_ = 0;
      told_ = true;  // the session may show what the choice of this replica found
      look_again_ = {};
    }
    if (auto asked = ask(origin, stop); !asked) cannot_ask(asked.error());
  }
}

/// Unknown is not 0: without an answer there are no figures.
void Monitor::cannot_ask(const base::Error& error) {
  server_.reset();
  base::log::debug("the figures of the replica could not be read", {{"error", error.what}});
  {
    const std::scoped_lock lock(mutex_);
    figures_ = {};
  }
  if (++unasked_ >= kUnasked) tell(base::Error(error.reason, "the replica in use cannot be watched: " + error.what));
}

void Monitor::tell(std::optional<base::Error> trouble) {
  if (!trouble && !told_) return;
  told_ = trouble.has_value();
  callbacks_.trouble(std::move(trouble));
}

/// True when the connection's server is the one that the dump reads, in the same run and with the same binlog.
base::Result<bool> Monitor::same_server(const Origin& origin) {
  DS_ASSIGN(const auto history, server_->history());
  if (history == origin.history || gate_.origin().history != origin.history) {
    elsewhere_ = 0;
    return history == origin.history;
  }
  const bool another = !server_->same_server(history, origin.history);
  server_.reset();
  // A name may lead to several servers: the next connection may find the right one.
  if (another && ++elsewhere_ < kElsewhere) return false;
  elsewhere_ = 0;
  callbacks_.unfit(
      base::Error(base::Reason::SourceMoved,
                  another ? fmt::format("{} now resolves to another server ({}, it was {}); restarting the binlog dump",
                                        origin.replica, history, origin.history)
                          : fmt::format("the binlog of {} was reset, or the server was restarted ({}, it was "
                                        "{}); the dump begins again",
                                        origin.replica, history, origin.history)));
  return false;
}

base::Result<void> Monitor::ask(const Origin& origin, std::stop_token stop) {
  const auto& replica = origin.replica;
  if (!server_ || connected_to_ != replica) {
    server_.reset();
    DS_ASSIGN(server_, connect_(replica));
    connected_to_ = replica;
  }
  DS_ASSIGN(const bool same, same_server(origin));
  if (!same) {
    const std::scoped_lock lock(mutex_);
    figures_ = {};
    return {};
  }
  DS_ASSIGN(const auto clock, server_->clock());
  clock_.set(clock.now_us);
  ReplicaFigures figures;
  figures.binlog_hours_left =
      hours_left(clock.expire_seconds, clock.now_us / kMicros, callbacks_.read_time_us() / kMicros);
  DS_ASSIGN(const auto turned, callbacks_.inspect(*server_, replica));
  unasked_ = 0;
  figures.lag_seconds = turned.lag.seconds;
  figures.lag_unknown = turned.lag.unknown();
  {
    const std::scoped_lock lock(mutex_);
    figures_ = figures;
  }
  if (!turned.fit)
    callbacks_.unfit(turned.fit.error());
  else
    replication(origin, turned.lag, std::move(stop));
  return {};
}

void Monitor::replication(const Origin& origin, const source::ReplicationLag& lag, std::stop_token stop) {
  if (lag.replicates) {
    stopped_ = 0;
    return tell(std::nullopt);
  }
  if (++stopped_ < kStopped) return;
  const base::Error error(base::Reason::ReplicationStopped,
                          fmt::format("{} does not replicate: {}", origin.replica, lag.why));
  tell(error);
  if (base::steady_now() < look_again_) return;
  if (callbacks_.other_is_better(origin.replica, std::move(stop)))
    callbacks_.unfit(error);
  else
    look_again_ = base::steady_now() + kLookAgain;
}

}  // namespace datasync::capture
