#include "agents/base/backoff.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace datasync::base {

Millis Backoff::next() {
  const auto exponent = std::min(tries_, 20U);
  ++tries_;
  const auto limit = std::min<std::int64_t>(cap_.count(), first_.count() << exponent);
  return Millis(std::uniform_int_distribution<std::int64_t>(1, std::max<std::int64_t>(1, limit))(rng_));
}

bool sleep_for(std::stop_token stop, Millis wait) {
  std::mutex mutex;
  std::condition_variable_any wakes;
  std::unique_lock lock(mutex);
  wakes.wait_for(lock, stop, wait, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace datasync::base
