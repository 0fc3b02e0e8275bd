#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "agents/base/backoff.hpp"
#include "agents/base/clock.hpp"
#include "operator/runtime/work_queue.hpp"

namespace datasync::runtime {

/// Holds a Lease, so that of several operators of one installation one acts.
///
/// Time is measured by our own steady clock alone: somebody else's lease has run out when it has not changed for its
/// duration since *we* saw it, and ours when we could not renew it for `renew_deadline`, counted from before the
/// last successful renewal was sent. As renew_deadline < duration we stop before anybody else may begin.
///
///   acquire(stop) -> keep(on_lost) -> ... -> release() as the very last act.
/// Give it an Api of its own: its calls must not wait in line behind those of the workers.
class LeaderElector {
 public:
  struct Options {
    ObjectKey lease;
    std::string identity;                            ///< of this process, unique: pod name and a random part
    std::map<std::string, std::string> annotations;  ///< of the Lease, for whoever reads it
    base::Millis duration{15'000};
    base::Millis renew_deadline{10'000};
    base::Millis retry{2'000};
    NowFn now = base::steady_now;
    std::function<base::WallTime()> wall = base::wall_now;
    std::function<bool(std::stop_token, base::Millis)> sleep = base::sleep_for;
  };
  LeaderElector(kube::Api& api, Options options);
  ~LeaderElector();  ///< stops renewing; does not release
  LeaderElector(const LeaderElector&) = delete;
  LeaderElector& operator=(const LeaderElector&) = delete;

  /// Blocks until this process holds the lease; false when stopped first. `told` is called after each try that did not
  /// get it, with the time for which the lease could neither be read nor written: 0 while somebody else holds it.
  bool acquire(std::stop_token stop, const std::function<void(base::Millis unknown)>& told = {});
  /// Renews from now on. `on_lost` is called once, on a thread of its own, at the renew deadline or when somebody else
  /// holds the lease; the process then has to exit without another write.
  void keep(std::function<void()> on_lost);
  /// Stops renewing and gives the lease away if it is still ours, so that the next one need not wait.
  void release();

  /// True while the lease is surely ours by the clock: what ConnectOptions::may_write asks.
  [[nodiscard]] bool leading() const;
  /// Who holds the lease as last seen; empty: nobody.
  [[nodiscard]] std::string holder() const;
  enum class Step : std::uint8_t {
    Held,
    Other,   ///< somebody else holds it and it has not run out
    Failed,  ///< nothing is known
  };
  /// One try to get or renew the lease. For `acquire`, the renewing thread and tests.
  Step step();

 private:
  Step try_once();
  [[nodiscard]] base::Millis unknown_for() const;
  void renew_loop(std::stop_token stop);
  void watch_loop(std::stop_token stop);
  [[nodiscard]] Json lease_of(const Json* current) const;
  void seen(const Json& lease);
  Step written(const kube::ApiResult<Json>& answer, base::SteadyTime begun);

  kube::Api& api_;
  Options options_;
  mutable std::mutex mutex_;
  std::condition_variable_any wakes_;
  std::optional<Json> observed_;                ///< the lease as last seen
  base::SteadyTime observed_at_;                ///< when it was last seen to change
  base::SteadyTime known_at_;                   ///< when a try last told who holds it, or `acquire` began
  std::optional<base::SteadyTime> renewed_at_;  ///< ours: right before the last successful renewal was sent
  bool lost_ = false;
  bool look_first_ = true;  ///< what was last seen may not be what is there
  std::function<void()> on_lost_;
  std::jthread renewer_;
  std::jthread watchdog_;
};

}  // namespace datasync::runtime
