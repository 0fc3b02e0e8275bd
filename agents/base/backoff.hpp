#pragma once

#include <cstdint>
#include <random>
#include <stop_token>

#include "agents/base/clock.hpp"

namespace datasync::base {

/// Bounded exponential back-off with full jitter: the n-th wait is uniform in (0, min(cap, first * 2^n)].
/// Not thread-safe.
class Backoff {
 public:
  Backoff(Millis first, Millis cap, std::uint64_t seed = std::random_device{}())
      : first_(first), cap_(cap), rng_(seed) {}
  /// Returns the next wait. The upper limit doubles with each call until `reset`.
  Millis next();
  /// Call this after progress; a successful connect alone is not progress.
  void reset() noexcept { tries_ = 0; }
  [[nodiscard]] unsigned tries() const noexcept { return tries_; }

 private:
  Millis first_;
  Millis cap_;
  unsigned tries_ = 0;
  std::mt19937_64 rng_;
};

/// Sleeps for `wait` or until a stop is requested. Returns false when stopped.
bool sleep_for(std::stop_token stop, Millis wait);

}  // namespace datasync::base
