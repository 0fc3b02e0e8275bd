#pragma once
// Detects lost delivery reports: a record without a report, while brokers respond, will never get one.

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "agents/base/clock.hpp"

namespace datasync::kafka {

/// Watches each partition: while records are in flight and brokers respond, a report must arrive within the limit. Time
/// during which brokers do not respond does not count (an outage delays records and fails none). Pure: the caller
/// passes the time and probes the brokers. Thread-safe.
class DeliveryWatchdog {
 public:
  explicit DeliveryWatchdog(base::Millis limit) : limit_(limit) {}

  /// A record was queued in librdkafka.
  void produced(std::int32_t partition, base::SteadyTime now);
  void withdrawn(std::int32_t partition);  ///< it was not queued after all
  /// The delivery report of a record arrived.
  void reported(std::int32_t partition, base::SteadyTime now);
  /// Returns true when the caller should probe the brokers: a partition has waited for half the limit.
  [[nodiscard]] bool suspicious(base::SteadyTime now) const;
  /// Takes whether brokers responded just now. Returns how long a partition has waited while they did, when that is too
  /// long.
  std::optional<base::Millis> look(bool brokers_answer, base::SteadyTime now);

 private:
  struct Partition {
    std::uint64_t waiting = 0;
    base::SteadyTime since;  ///< time of the last report, or of the first record after a pause
  };

  const base::Millis limit_;
  mutable std::mutex mutex_;
  std::map<std::int32_t, Partition> partitions_;
  std::optional<base::SteadyTime> answering_since_;
};

}  // namespace datasync::kafka
