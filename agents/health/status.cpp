#include "agents/health/status.hpp"

#include <array>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "agents/base/log.hpp"

namespace datasync::health {
namespace {

using base::log::Field;

constexpr std::array<std::string_view, 8> kStates{"Starting", "WaitingForReplica", "Snapshotting", "Streaming",
                                                  "Retrying", "Stalled",           "Completed",    "Stopping"};

bool is_failure(State s) {
  return s == State::Retrying || s == State::Stalled;
}
bool is_work(State s) {
  return s == State::Streaming || s == State::Snapshotting || s == State::Completed;
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(base::wall_now().time_since_epoch()).count();
}

}  // namespace

std::string_view to_string(State state) noexcept {
  return kStates[static_cast<std::size_t>(state)];
}

Status::Status(Identity identity, base::Millis patience, Clock now)
    : identity_(std::move(identity)),
      patience_(patience),
      now_(std::move(now)),
      beat_(now_().time_since_epoch().count()) {
  told_.since = unix_now();
}

void Status::beat() noexcept {
  beat_.store(now_().time_since_epoch().count(), std::memory_order_relaxed);
}

void Status::set(State state) {
  if (tell(state, std::nullopt, {})) log_change(state, std::nullopt, {});
}

void Status::set(State state, base::Reason reason, const std::string& message) {
  if (tell(state, reason, message)) log_change(state, reason, message);
}

void Status::follow(State state, std::optional<base::Reason> reason, const std::string& message) {
  tell(state, reason, message);
}

bool Status::tell(State state, std::optional<base::Reason> reason, const std::string& message) {
  const std::lock_guard lock(mutex_);
  if (state == State::Starting && is_failure(told_.state)) return false;
  const bool changed = told_.state != state || told_.reason != reason;
  told_.message = message;
  if (!changed) return false;
  told_.state = state;
  told_.reason = reason;
  told_.since = unix_now();
  return true;
}

void Status::log_change(State state, std::optional<base::Reason> reason, const std::string& message) const {
  if (quiet_) return;
  const auto level = state == State::Stalled ? base::log::Level::Error
                     : reason                ? base::log::Level::Warn
                                             : base::log::Level::Info;
  const Field of("state", to_string(state)), why("reason", reason ? base::to_string(*reason) : std::string_view());
  const Field what("message", std::string_view(message)), part("part", std::string_view(identity_.part));
  if (identity_.part.empty())
    reason ? base::log::write(level, "state changed", {of, why, what}) : base::log::write(level, "state changed", {of});
  else
    base::log::write(level, "state changed", {part, of, why, what});
}

Status::Told Status::told() const {
  const std::lock_guard lock(mutex_);
  return told_;
}

State Status::state() const {
  return told().state;
}
std::optional<base::Reason> Status::reason() const {
  return told().reason;
}
std::string Status::message() const {
  return told().message;
}

bool Status::moving() const {
  const auto age = now_().time_since_epoch() - base::SteadyTime::duration(beat_.load(std::memory_order_relaxed));
  return age <= patience_;
}

bool Status::live() const {
  return moving() || state() == State::Completed;
}

bool Status::ready() const {
  return is_work(state()) && live();
}

void Status::set_detail(std::function<std::string()> object) {
  const std::lock_guard lock(detail_mutex_);
  detail_ = std::move(object);
}

void Status::drop_detail() {
  const std::lock_guard lock(detail_mutex_);
  if (detail_) last_detail_ = detail_();
  detail_ = nullptr;
}

std::string Status::detail() const {
  const std::lock_guard lock(detail_mutex_);
  return detail_ ? detail_() : last_detail_;
}

std::string Status::json() const {
  const auto now = told();
  nlohmann::ordered_json out{
      {"agent", identity_.agent},
      {"task", identity_.task},
      {"state", to_string(now.state)},
      {"reason", now.reason ? base::to_string(*now.reason) : std::string_view{}},
      {"message", now.message},
      {"since", now.since},
      {"instance", identity_.instance},
      {"epoch", epoch_.load(std::memory_order_relaxed)},
      {"version", DATASYNC_VERSION},
      {"live", live()},
      {"ready", ready()},
  };
  const auto extra = nlohmann::ordered_json::parse(detail(), nullptr, false);
  if (extra.is_object()) out.update(extra);
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void Status::publish(Metrics& metrics) const {
  metrics.sampled("datasync_agent_ready", "1 while data is replicated or all is done, as /readyz reports; else 0.",
                  [this] { return ready() ? 1.0 : 0.0; }, {{"agent", identity_.agent}});
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    metrics.sampled("datasync_agent_state", "1 for the state the agent is in, 0 for the others.",
                    [this, i] { return static_cast<std::size_t>(state()) == i ? 1.0 : 0.0; },
                    {{"agent", identity_.agent}, {"state", std::string(kStates[i])}});
  }
}

}  // namespace datasync::health
