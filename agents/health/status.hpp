#pragma once
// What an agent is doing, as it tells others: state, reason and message, and whether it still moves. Health is taken
// from progress seen, never from "the process runs".

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

enum class State : std::uint8_t {
  Starting,
  WaitingForReplica,  ///< every reachable replica is behind our position
  Snapshotting,
  Streaming,
  Retrying,   ///< heals by itself; the reason says what is wrong
  Stalled,    ///< needs a person; the reason says what is wrong
  Completed,  ///< mode Once: all is copied and verified
  Stopping,
};
std::string_view to_string(State state) noexcept;

/// Who is telling.
struct Identity {
  std::string agent;     ///< "capture" or "apply"
  std::string task;      ///< "namespace/name" of the resource
  std::string instance;  ///< this process
  std::string part;      ///< of the agent, "stream 2"; empty: all of it
};

/// One agent's status. Thread-safe; `beat` and `advance` are a clock read and an atomic store.
class Status {
 public:
  using Clock = std::function<base::SteadyTime()>;
  static constexpr base::Millis kPatience{60'000};

  /// Not live when the last beat is older than `patience`. Creation counts as a beat.
  explicit Status(Identity identity, base::Millis patience = kPatience, Clock now = base::steady_now);

  /// A state in which nothing is wrong. Starting does not replace Retrying or Stalled: a failure stands until the work
  /// goes on, so that a status does not flap at every try. A change of state or reason is logged once.
  void set(State state);
  /// A state with its reason: Retrying, Stalled, WaitingForReplica.
  void set(State state, base::Reason reason, const std::string& message);
  /// The same without a line in the log: a part of the agent has logged it.
  void follow(State state, std::optional<base::Reason> reason, const std::string& message);
  /// Logs nothing from now on: whoever looks at this status tells of it.
  void be_quiet() noexcept { quiet_ = true; }
  void set_epoch(std::uint64_t epoch) noexcept { epoch_.store(epoch, std::memory_order_relaxed); }

  /// The main loop made a step, or proved that it waits for something legitimate.
  void beat() noexcept;
  /// Data moved (acknowledged, committed, a chunk done): also resets the back-off of `supervise`. Implies a beat.
  void advance() noexcept {
    advances_.fetch_add(1, std::memory_order_relaxed);
    beat();
  }
  [[nodiscard]] std::uint64_t advances() const noexcept { return advances_.load(std::memory_order_relaxed); }

  /// The agent's own keys of /status: `object` gives a JSON object as text. It is called on the HTTP thread, one call
  /// at a time, and must not call `set_detail` or `drop_detail`.
  void set_detail(std::function<std::string()> object);
  /// Calls the provider a last time, keeps what it gave, and returns when it will not be called again: call it before
  /// what the provider looks at goes away.
  void drop_detail();

  [[nodiscard]] State state() const;
  [[nodiscard]] std::optional<base::Reason> reason() const;
  [[nodiscard]] std::string message() const;
  /// /livez: a beat not older than the patience, or Completed (there is no loop any more that could hang).
  [[nodiscard]] bool live() const;
  /// /readyz: Streaming, Snapshotting or Completed, and live.
  [[nodiscard]] bool ready() const;
  /// /status: one JSON object with agent, task, state, reason (empty: none), message, since (unix seconds), instance,
  /// epoch, version, live, ready, and the agent's own keys.
  [[nodiscard]] std::string json() const;
  /// Shows `datasync_agent_state{agent,state}`, one sample a state, 1 for the one it is in, and
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
  /// True when state or reason changed.
  bool tell(State state, std::optional<base::Reason> reason, const std::string& message);
  void log_change(State state, std::optional<base::Reason> reason, const std::string& message) const;
  [[nodiscard]] std::string detail() const;
  [[nodiscard]] bool moving() const;

  Identity identity_;
  base::Millis patience_;
  Clock now_;
  std::atomic<bool> quiet_ = false;
  std::atomic<std::int64_t> beat_;  ///< steady clock, its own ticks
  std::atomic<std::uint64_t> advances_ = 0;
  std::atomic<std::uint64_t> epoch_ = 0;
  mutable std::mutex mutex_;  ///< told_
  Told told_;
  mutable std::mutex detail_mutex_;  ///< held while the provider runs
  std::function<std::string()> detail_;
  std::string last_detail_ = "{}";
};

}  // namespace datasync::health
