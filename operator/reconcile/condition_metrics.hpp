#pragma once
// The conditions of the resources as metrics, for alerts on what only the operator knows:
//   datasync_resource_condition{namespace,name,type}   1: True, 0: not True
//   datasync_resource_reason{namespace,name,reason}    1 for the reason of Ready
// The reason is a metric of its own: a label that changes would end one alert and start another.

#include <map>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

#include "agents/health/metrics.hpp"
#include "operator/kube/api.hpp"

namespace datasync::reconcile {

/// Holds what this process has reported of each resource it manages. Only the leader reconciles, so only the leader
/// has any. Thread-safe.
class ConditionMetrics {
 public:
  /// `metrics` must outlive it.
  explicit ConditionMetrics(health::Metrics& metrics) : metrics_(metrics) {}
  ~ConditionMetrics() { clear(); }
  ConditionMetrics(const ConditionMetrics&) = delete;
  ConditionMetrics& operator=(const ConditionMetrics&) = delete;

  /// `conditions` is the list of a status. Series that it no longer has end.
  void show(const kube::ObjectKey& key, const kube::Json& conditions);
  /// The same, unless this process has shown the resource before: what its stored status says is older then.
  void show_first(const kube::ObjectKey& key, const kube::Json& conditions);
  /// The resource is deleted, or another installation manages it: its series end.
  void forget(const kube::ObjectKey& key);
  /// All series end: this process is the leader no longer.
  void clear();

 private:
  struct Shown {
    std::map<std::string, bool> conditions;  ///< by type
    std::string reason;                      ///< of Ready; empty: none
    bool operator==(const Shown&) const = default;
  };
  static Shown read(const kube::Json& conditions);
  void replace(const kube::ObjectKey& key, const Shown& now);  ///< under the lock

  health::Metrics& metrics_;
  std::mutex mutex_;
  std::map<kube::ObjectKey, Shown> shown_;
};

}  // namespace datasync::reconcile
