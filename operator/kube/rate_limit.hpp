#pragma once

#include <functional>
#include <mutex>
#include <stop_token>

#include "agents/base/clock.hpp"

namespace datasync::kube {

/// A token bucket: `burst` calls at once, then `qps` a second, in the order they come. Thread-safe.
class RateLimit {
 public:
  using Now = std::function<base::SteadyTime()>;
  RateLimit(double qps, unsigned burst, Now now = base::steady_now);

  /// Takes a place in line; returns how long to wait for it.
  base::Millis reserve();
  /// Nobody's turn comes before `wait` has passed: what a server that is too busy asked for.
  void pause(base::Millis wait);
  /// Waits for its turn; false when stopped.
  bool wait(std::stop_token stop);

 private:
  double qps_;
  double burst_;
  Now now_;
  std::mutex mutex_;
  double tokens_;
  base::SteadyTime last_;
  base::SteadyTime not_before_;
};

}  // namespace datasync::kube
