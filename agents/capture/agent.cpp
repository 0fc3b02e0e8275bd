#include "agents/capture/agent.hpp"

#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "agents/capture/plan/route.hpp"
#include "agents/kafka/logs.hpp"
#include "agents/message/instance.hpp"

namespace datasync::capture {
namespace {

constexpr std::array kSampled{"datasync_capture_rows_total",           "datasync_capture_transactions_total",
                              "datasync_capture_filtered_total",       "datasync_capture_lag_seconds",
                              "datasync_capture_replica_lag_seconds",  "datasync_capture_in_flight_bytes",
                              "datasync_capture_produced_bytes_total", "datasync_capture_acked_records_total",
                              "datasync_capture_failovers_total",      "datasync_capture_binlog_hours_left",
                              "datasync_capture_snapshot_rows_total",  "datasync_capture_checkpoints_total"};

constexpr base::Millis kProgressEvery{5000};
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr base::Millis kOlderLook{5000};

}  // namespace

Agent::Agent(const config::Capture& config, const source::Engine& engine, health::Status& status,
             health::Metrics& metrics, const std::string& instance, Selection selection)
    : config_(config),
      status_(status),
      metrics_(metrics),
      claimant_(message::instance_of(config.common.name, instance)),
      selection_(std::move(selection)),
      server_id_(config.server_id != 0 ? config.server_id : derived_server_id(config.common.name)),
      replicas_(config, engine, server_id_),
      loss_(config) {
  status_.set_detail([this] { return detail(); });
  replicas_.on_progress([this, next = base::SteadyTime{}](std::size_t done, std::size_t of) mutable {
    status_.beat();
    if (base::steady_now() < next) return;
    if (next != base::SteadyTime{}) base::log::info("checking the tables", {{"checked", done}, {"of", of}});
    next = base::steady_now() + kProgressEvery;
  });
  publish_metrics(metrics_);
}

Agent::~Agent() {
  status_.drop_detail();
  for (const auto* name : kSampled) metrics_.forget(name);
}

base::Result<std::unique_ptr<Agent>> Agent::make(const config::Capture& config, const source::Engine& engine,
                                                 health::Status& status, health::Metrics& metrics,
                                                 const std::string& instance) {
  if (config.replicas.empty()) return base::Error(base::Reason::ConfigInvalid, "source.replicas: none is named");
  DS_ASSIGN(auto selection, Selection::make(config.types, config.common.channel.partitions));
  return std::unique_ptr<Agent>(new Agent(config, engine, status, metrics, instance, std::move(selection)));
}

base::Result<void> Agent::open_session(std::stop_token stop) {
  // What a person must mend first is told before an epoch is claimed: a broken configuration replaces no working
  // instance.
  DS_ASSIGN(auto access, kafka::access(config_.common.channel, config_.common.secrets_dir));
  DS_ASSIGN(const auto max_bytes, prepare_topics(config_, access, !topics_seen_));
  topics_seen_ = true;  // from now on a missing topic was deleted by somebody
  DS_ASSIGN(auto claims, wait_while_older(access, stop));
  for (std::int32_t stream = 0; stream < selection_.streams(); ++stream)
    if (claims.view.furthest(stream)) replicas_.stream_has_begun();
  DS_ASSIGN(const auto pick, replicas_.pick(selection_, std::nullopt, stop));
  const Context around{config_, claimant_, server_id_, replicas_, status_, loss_};
  DS_ASSIGN(auto claimed, claim(around, std::move(access), std::move(claims), max_bytes, held_, stop));
  DS_ASSIGN(auto session, Session::open(around, selection_, std::move(claimed), pick, stop));
  const std::scoped_lock lock(mutex_);
  session_ = std::move(session);
  return {};
}

/// A restart of an instance that was replaced. Ending would only make whatever restarts it do so again.
base::Result<Claims> Agent::wait_while_older(const kafka::Access& access, std::stop_token stop) {
  DS_ASSIGN(auto claims, read_claims(access, config_, stop));
  for (;;) {
    auto may = protocol::may_claim(claims.view, claimant_);
    if (may) return claims;
    if (held_) return std::move(may).error();
    status_.set(health::State::Stalled, base::Reason::Superseded, may.error().what);
    status_.beat();
    if (!base::sleep_for(stop, kOlderLook)) return base::Error(base::Reason::Stopping, "stopped");
    DS_TRY(protocol::catch_up(*claims.state, claims.view, stop));
  }
}

/// A session keeps the size it began with. As long as the topic takes no larger records, the epoch goes on: a new one
/// at every try would fill the topics with claims and starts.
base::Result<void> Agent::ask_for_size() {
  DS_ASSIGN(const auto access, kafka::access(config_.common.channel, config_.common.secrets_dir));
  DS_ASSIGN(const auto bytes, prepare_topics(config_, access, false));
  if (bytes != session_->max_message_bytes()) end_session(true);
  return {};
}

base::Result<void> Agent::run_once(std::stop_token stop) {
  if (session_ && !session_->usable()) end_session(false);
  if (session_ && row_too_large_) DS_TRY(ask_for_size());
  if (!session_) DS_TRY(open_session(stop));
  auto result = session_->run();
  row_too_large_ = !result && result.error().is(base::Reason::RowTooLarge);
  const auto snapshot = session_->figures().snapshot;
  const bool copying = snapshot && !snapshot->complete;
  if (result || result.error().is(base::Reason::Stopping))
    end_session(true);
  else if (!session_->usable() || (row_too_large_ && (copying || session_->has_pending_xa())))
    // A chunk that a row too large leaves open is voided by another epoch only, and the rows of an XA transaction that
    // could not be published are before the position of this one.
    end_session(false);
  return result;
}

bool Agent::asked_again(std::stop_token stop) {
  const auto read = [&]() -> base::Result<void> {
    if (!state_) {
      view_ = {};
      DS_ASSIGN(const auto access, kafka::access(config_.common.channel, config_.common.secrets_dir));
      DS_ASSIGN(state_, kafka::open_state_log(access, config_.common.channel.state_topic()));
    }
    return protocol::catch_up(*state_, view_, std::move(stop));
  };
  if (auto done = read(); !done) {
    base::log::debug("the state topic cannot be read", {{"message", done.error().what}});
    state_.reset();
    return false;
  }
  if (view_.requests().empty()) return false;
  state_.reset();
  return true;
}

void Agent::end_session(bool in_peace) {
  if (in_peace) session_->close();
  auto figures = this->figures();
  std::unique_ptr<Session> ended;
  {
    const std::scoped_lock lock(mutex_);
    if (figures) last_ = std::move(*figures);
    last_.in_flight_bytes = 0;
    ended = std::move(session_);
  }
}

/// Counters go on over sessions.
std::optional<SessionFigures> Agent::figures() const {
  const std::scoped_lock lock(mutex_);
  if (!session_) return last_;
  auto f = session_->figures();
  f.counts.rows += last_.counts.rows;
  f.counts.transactions += last_.counts.transactions;
  f.counts.filtered += last_.counts.filtered;
  f.failovers += last_.failovers;
  f.produced_bytes += last_.produced_bytes;
  f.acked_records += last_.acked_records;
  f.checkpoints += last_.checkpoints;
  return f;
}

std::string Agent::detail() const {
  auto f = *figures();
  f.lost_position = loss_.lost();
  f.accepted_position = loss_.accepted();
  return status_json(f);
}

void Agent::publish_metrics(health::Metrics& m) {
  const auto add = [&](const char* name, const char* help, auto value) {
    m.sampled(name, help, [this, value] { return static_cast<double>(value(*figures())); });
  };
  using F = SessionFigures;
  add("datasync_capture_rows_total", "Rows put on the streams.", [](const F& f) { return f.counts.rows; });
  add("datasync_capture_transactions_total", "Source transactions put on the streams.",
      [](const F& f) { return f.counts.transactions; });
  add("datasync_capture_filtered_total", "Source transactions without a captured row.",
      [](const F& f) { return f.counts.filtered; });
  add("datasync_capture_lag_seconds", "Age of the newest transaction read; 0 when nothing is waiting; NaN: unknown.",
      [](const F& f) { return f.capture_lag_seconds.value_or(kUnknown); });
  add("datasync_capture_replica_lag_seconds",
      "How far the replica is behind its primary; 0 for a primary; NaN: unknown.",
      [](const F& f) { return f.replica_figures.lag_seconds.value_or(f.replica_figures.lag_unknown ? kUnknown : 0); });
  add("datasync_capture_in_flight_bytes", "Produced and not yet acknowledged.",
      [](const F& f) { return f.in_flight_bytes; });
  add("datasync_capture_produced_bytes_total", "Bytes of values handed to the producer.",
      [](const F& f) { return f.produced_bytes; });
  add("datasync_capture_acked_records_total", "Records acknowledged by the brokers.",
      [](const F& f) { return f.acked_records; });
  add("datasync_capture_failovers_total", "Changes to another replica.", [](const F& f) { return f.failovers; });
  add("datasync_capture_binlog_hours_left", "Hours until binlogs still needed are purged; -1: never or unknown.",
      [](const F& f) { return f.replica_figures.binlog_hours_left.value_or(-1); });
  add("datasync_capture_snapshot_rows_total", "Rows the running snapshot has put on the streams.",
      [](const F& f) { return f.snapshot ? f.snapshot->rows : 0; });
  add("datasync_capture_checkpoints_total", "Checkpoints written to the state topic.",
      [](const F& f) { return f.checkpoints; });
}

}  // namespace datasync::capture
