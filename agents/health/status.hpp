#pragma once
// The reported status of an agent: state, reason and message, and whether it makes progress. Health is based on
// observed progress, not on the process running.

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "agents/base/clock.hpp"
#include "agents/base/reason.hpp"
#include "agents/health/metrics.hpp"

namespace datasync::health {

/// The state of an agent, as /status reports it.
enum class State : std::uint8_t {
  Starting,
  WaitingForReplica,  ///< every reachable replica is behind the published position
  Snapshotting,
  Streaming,
  Retrying,   ///< recovers automatically; the reason is the cause
  Stalled,    ///< needs manual action; the reason is the cause
  Completed,  ///< mode Once: everything is copied and verified
  Stopping,
};
std::string_view to_string(State state) noexcept;

/// The agent, or the part of it, that reports the status.
struct Identity {
  std::string agent;     ///< "capture" or "apply"
  std::string task;      ///< "namespace/name" of the resource
  std::string instance;  ///< this process
  std::string part;      ///< a part of the agent, e.g. "stream 2"; empty: the whole agent
};

/// One agent's status. Thread-safe; `beat` and `advance` are a clock read and an atomic store.
class Status {
 public:
  using Clock = std::function<base::SteadyTime()>;
  static constexpr base::Millis kPatience{60'000};

  /// The status is not live when the last beat is older than `patience`. Creation counts as a beat.
  explicit Status(Identity identity, base::Millis patience = kPatience, Clock now = base::steady_now);

  /// Sets a state without a failure. Starting does not replace Retrying or Stalled: a failure is reported until the
  /// work continues, so that the status does not change at every attempt. A change of state or reason is logged once.
  void set(State state);
  /// Sets a state with its reason: Retrying, Stalled, WaitingForReplica.
  void set(State state, base::Reason reason, const std::string& message);
  /// As set, without logging: a part of the agent has logged it.
  void follow(State state, std::optional<base::Reason> reason, const std::string& message);
  /// Disables the logging of changes: another status reports and logs the same changes.
  void be_quiet() noexcept { quiet_ = true; }
  void set_epoch(std::uint64_t epoch) noexcept { epoch_.store(epoch, std::memory_order_relaxed); }

  /// Call it when the main loop made a step, or is known to wait for a valid reason.
  void beat() noexcept;
  /// Call it when data made progress (acknowledged, committed, a chunk copied): this also resets the back-off of
  /// `supervise`. Implies a beat.
  void advance() noexcept {
    advances_.fetch_add(1, std::memory_order_relaxed);
    beat();
  }
  [[nodiscard]] std::uint64_t advances() const noexcept { return advances_.load(std::memory_order_relaxed); }

  /// Sets the provider of the agent's own keys of /status: `object` returns a JSON object as text. It is called on the
  /// HTTP thread, one call at a time, and must not call `set_detail` or `drop_detail`.
  void set_detail(std::function<std::string()> object);
  /// Calls the provider one last time, keeps its result, and returns when it will not be called again. Call it before
  /// the objects that the provider reads are destroyed.
  void drop_detail();

  [[nodiscard]] State state() const;
  [[nodiscard]] std::optional<base::Reason> reason() const;
  [[nodiscard]] std::string message() const;
  /// For /livez: the last beat is not older than the patience, or the state is Completed (no loop is left that could
  /// hang).
  [[nodiscard]] bool live() const;
  /// For /readyz: Streaming, Snapshotting or Completed, and live.
  [[nodiscard]] bool ready() const;
  /// For /status: one JSON object with agent, task, state, reason (empty: none), message, since (unix seconds),
  /// instance, epoch, version, live, ready, and the agent's own keys.
  [[nodiscard]] std::string json() const;
  /// Exports `datasync_agent_state{agent,state}`, one sample per state, 1 for the current one, and
  /// `datasync_agent_ready{agent}`. This status must outlive the last `metrics.text()`.
  void publish(Metrics& metrics) const;

 private:
  struct Told {
    State state = State::Starting;
    std::optional<base::Reason> reason;
    std::string message;
    std::int64_t since = 0;  ///< unix seconds of the last change of state or reason
  };
  [[nodiscard]] Told told() const;
  /// Returns true when state or reason changed.
  bool tell(State state, std::optional<base::Reason> reason, const std::string& message);
  void log_change(State state, std::optional<base::Reason> reason, const std::string& message) const;
  [[nodiscard]] std::string detail() const;
  [[nodiscard]] bool moving() const;

  Identity identity_;
  base::Millis patience_;
  Clock now_;
  std::atomic<bool> quiet_ = false;
  std::atomic<std::int64_t> beat_;  ///< in ticks of the steady clock
  std::atomic<std::uint64_t> advances_ = 0;
  std::atomic<std::uint64_t> epoch_ = 0;
  mutable std::mutex mutex_;  ///< protects told_
  Told told_;
  mutable std::mutex detail_mutex_;  ///< held while the provider runs
  std::function<std::string()> detail_;
  std::string last_detail_ = "{}";
};

}  // namespace datasync::health
