#pragma once
// Lost delivery reports: a record that nobody answers for, while brokers do answer, will never be answered for.

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "agents/base/clock.hpp"

namespace datasync::kafka {

/// Watches each partition: with records on their way and brokers answering, a report must come within the limit. Time
/// while brokers do not answer does not count (an outage freezes, it fails nothing). Pure: the caller brings the clock
/// and asks the brokers. Thread-safe.
class DeliveryWatchdog {
 public:
  explicit DeliveryWatchdog(base::Millis limit) : limit_(limit) {}

  void produced(std::int32_t partition, base::SteadyTime now);
  void withdrawn(std::int32_t partition);  ///< it was not handed over after all
  void reported(std::int32_t partition, base::SteadyTime now);
  /// Worth asking the brokers: a partition has waited for half the limit.
  [[nodiscard]] bool suspicious(base::SteadyTime now) const;
  /// Tells whether brokers answered just now. How long a partition has waited while they did, when that is too long.
  std::optional<base::Millis> look(bool brokers_answer, base::SteadyTime now);

 private:
  struct Partition {
    std::uint64_t waiting = 0;
    base::SteadyTime since;  ///< of the last report, or of the first record after a pause
  };

  const base::Millis limit_;
  mutable std::mutex mutex_;
  std::map<std::int32_t, Partition> partitions_;
  std::optional<base::SteadyTime> answering_since_;
};

}  // namespace datasync::kafka
