#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "tests/cluster/environment.hpp"
#include "tests/cluster/expected_events.hpp"
#include "tests/cluster/times.hpp"
#include "tests/cluster/watcher.hpp"

namespace datasync::test {

/// The environment as the tests share it, with a watcher of each cluster and the times of what was measured.
class Harness {
 public:
  explicit Harness(Environment& environment);

  [[nodiscard]] Environment& environment() { return environment_; }
  [[nodiscard]] Watcher& watcher(const Side& side) { return *watchers_.at(side.name); }
  [[nodiscard]] Times& times() { return times_; }

 private:
  Environment& environment_;
  std::map<std::string, std::unique_ptr<Watcher>> watchers_;
  Times times_;
};

/// One fault, from before it is made until all is well.
class Scenario {
 public:
  /// Begins: what DataSyncs show from now on belongs to it.
  Scenario(Harness& harness, std::string name);

  /// What was broken is whole again, as far as a user fixes it: the seconds count from here, else from the beginning.
  void fixed();
  /// Every DataSync is Ready and data arrives, `limit` from the fix or the beginning on; throws when it is later, also
  /// when all is well by the time it is asked. Notes the seconds.
  void recovers_within(std::chrono::seconds limit);
  /// A condition with this reason is seen within `limit`; throws else. `again` is called now and every 20 seconds, for
  /// what has an effect only after the kubelet has brought a secret into the pod.
  void shows(
      const Side& side, const std::string& resource, const std::string& reason, std::chrono::seconds limit,
      const std::function<void()>& again = [] {});
  /// Compares conditions and Events of all DataSyncs since the beginning with what shall be reported; any DataSync may
  /// report the reasons of `anywhere`. Empty when they agree, else a line for each difference. Prints what was
  /// reported.
  [[nodiscard]] std::string differs_from(const Golden& golden, const std::set<std::string>& anywhere = {}) const;

 private:
  /// By CLUSTER/NAME.
  [[nodiscard]] std::map<std::string, Observed> observed() const;

  Harness& harness_;
  std::string name_;
  std::map<std::string, std::size_t> marks_;
  std::string begun_;  ///< UTC, as an Event's time is written
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace datasync::test
