#include "agents/capture/monitor.hpp"

#include <charconv>
#include <utility>

#include "agents/base/backoff.hpp"
#include "agents/base/log.hpp"
#include "agents/capture/facts.hpp"

namespace datasync::capture {
namespace {

constexpr base::Millis kEvery{5000}, kAtFirst{200};
constexpr std::uint64_t kMicros = 1'000'000;
constexpr double kSecondsOfHour = 3600.0;
constexpr std::string_view kClock =
    "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED), @@GLOBAL.binlog_expire_logs_seconds";

std::uint64_t number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

}  // namespace

std::optional<double> hours_left(std::uint64_t expire_seconds, std::uint64_t source_now_s, std::uint64_t read_time_s) {
  if (expire_seconds == 0) return std::nullopt;
  const auto behind = read_time_s == 0 || read_time_s > source_now_s ? 0 : source_now_s - read_time_s;
  if (behind >= expire_seconds) return 0.0;
  return static_cast<double>(expire_seconds - behind) / kSecondsOfHour;
}

Monitor::Monitor(const ChunkGate& gate, ConnectTo connect, SourceClock& clock,
                 std::function<std::uint64_t()> read_time_us)
    : gate_(gate),
      connect_(std::move(connect)),
      clock_(clock),
      read_time_us_(std::move(read_time_us)),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

ReplicaFigures Monitor::figures() const {
  const std::scoped_lock lock(mutex_);
  return figures_;
}

void Monitor::run(std::stop_token stop) {
  auto wait = kAtFirst;
  while (base::sleep_for(stop, wait)) {
    const auto replica = gate_.replica();
    if (replica.empty()) continue;
    wait = kEvery;
    if (auto asked = ask(replica); !asked) {
      connection_.reset();
      base::log::debug("the replica could not be asked for its figures", {{"error", asked.error().what}});
      const std::scoped_lock lock(mutex_);
      figures_ = {};
    }
  }
}

base::Result<void> Monitor::ask(const std::string& replica) {
  if (!connection_ || connected_to_ != replica) {
    connection_.reset();
    DS_ASSIGN(connection_, connect_(replica));
    connected_to_ = replica;
  }
  DS_ASSIGN(const auto rows, connection_->query(kClock));
  if (rows.empty() || rows.front().size() < 2) return base::Error(base::Reason::Internal, "no answer to a clock query");
  const auto now_us = number(rows.front()[0]);
  clock_.set(now_us);
  ReplicaFigures figures;
  figures.binlog_hours_left = hours_left(number(rows.front()[1]), now_us / kMicros, read_time_us_() / kMicros);
  DS_ASSIGN(const auto lateness, gather_lateness(*connection_));
  figures.lag_seconds = lateness.seconds;
  const std::scoped_lock lock(mutex_);
  figures_ = figures;
  return {};
}

}  // namespace datasync::capture
