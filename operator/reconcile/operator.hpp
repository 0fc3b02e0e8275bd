#pragma once
// The whole of one operator process behind its leader election: cache, reports, controller.

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/health/metrics.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace datasync::reconcile {

struct OperatorOptions {
  Settings settings;
  std::vector<std::string> namespaces;  ///< empty: all
  bool delete_disabled = true;          ///< NetworkPolicies and PodMonitors from when they were enabled
  std::string instance;                 ///< this process, for events
  unsigned workers = 4;
  base::Millis resync{600'000};
  AgentPoller::Options reports;
};

/// Not thread-safe, except `silent_about`.
class Operator {
 public:
  /// `api` and `metrics` must outlive it.
  Operator(kube::Api& api, const OperatorOptions& options, health::Metrics& metrics);
  ~Operator();
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  /// Fills the cache, so that a standby takes over without delay; false when stopped first.
  bool prepare(std::stop_token stop);
  /// Begins to write.
  void start();
  /// Ends what runs; returns when no write is under way any more.
  void stop();

  /// Why reconciling has silently stopped; empty while it moves, and in a standby.
  [[nodiscard]] std::string silent_about() const {
    return started_.load() ? controller_.silent_about() : std::string();
  }

 private:
  runtime::EventRecorder events_;
  Cache cache_;
  OrphanFinder orphans_;
  AgentPoller reports_;
  ConditionMetrics conditions_;
  Reconciler reconciler_;
  std::atomic<bool> started_ = false;
  runtime::Controller controller_;  ///< its workers end before what they use
  health::Metrics& metrics_;
};

}  // namespace datasync::reconcile
