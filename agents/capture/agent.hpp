#pragma once
// The capture agent: goes from epoch to epoch and from replica to replica until it is stopped or replaced.

#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "agents/base/result.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/replica/replica_set.hpp"
#include "agents/capture/session.hpp"
#include "agents/config/config.hpp"
#include "agents/health/metrics.hpp"
#include "agents/health/status.hpp"

namespace datasync::capture {

/// Not thread-safe, except what it tells through status and metrics. `instance`: see config::instance_of.
class Agent {
 public:
  /// `config`, `engine`, `status` and `metrics` must outlive it. Errors: ConfigInvalid.
  static base::Result<std::unique_ptr<Agent>> make(const config::Capture& config, const source::Engine& engine,
                                                   health::Status& status, health::Metrics& metrics,
                                                   const std::string& instance);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Works until something is wrong, which is returned; no error: mode Once is complete. Call again after an error: an
  /// epoch that is still good goes on. A process that finds at its start that a newer instance has claimed changes
  /// nothing and waits here, in state Stalled with reason Superseded, until `stop`.
  base::Result<void> run_once(std::stop_token stop);
  /// Put on the streams so far, by all epochs of this process.
  [[nodiscard]] std::uint64_t produced_bytes() const { return figures()->produced_bytes; }

  /// After mode Once was complete: a reader asks for a copy. What cannot be read is asked again at the next call.
  bool asked_again(std::stop_token stop);

 private:
  Agent(const config::Capture& config, const source::Engine& engine, health::Status& status, health::Metrics& metrics,
        const std::string& instance, Selection selection);
  base::Result<void> open_session(std::stop_token stop);
  base::Result<void> ask_for_size();
  base::Result<Claims> wait_while_older(const kafka::Access& access, std::stop_token stop);
  void end_session(bool in_peace);
  void publish_metrics(health::Metrics& metrics);
  [[nodiscard]] std::optional<SessionFigures> figures() const;
  [[nodiscard]] std::string detail() const;

  const config::Capture& config_;
  health::Status& status_;
  health::Metrics& metrics_;
  std::string claimant_;  ///< the task and the instance
  Selection selection_;
  std::uint32_t server_id_;
  ReplicaSet replicas_;
  PositionLoss loss_;
  bool topics_seen_ = false;
  bool row_too_large_ = false;                 ///< the last run ended so
  bool held_ = false;                          ///< this process may have claimed
  std::unique_ptr<protocol::StateLog> state_;  ///< read while nothing else is left to do
  protocol::StateView view_;                   ///< of state_
  mutable std::mutex mutex_;                   ///< session_, last_
  std::unique_ptr<Session> session_;
  SessionFigures last_;  ///< sums over ended sessions, and the last that was seen
};

/// The agent's own part of /status.
std::string status_json(const SessionFigures& figures);

}  // namespace datasync::capture
