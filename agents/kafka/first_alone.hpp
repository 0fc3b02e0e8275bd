#pragma once
// Why no record can land behind one that did not. A broker refuses a batch whose sequence number leaves a gap, but only
// once it knows the producer on that partition: to a producer it does not know, or has forgotten after
// producer.id.expiration.ms (a day) of silence, any number is the first. So the first record goes alone.

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "agents/base/clock.hpp"

namespace datasync::kafka {

/// Tells when a record may follow another to the same partition without waiting for its acknowledgement. Thread-safe.
class FirstAlone {
 public:
  static constexpr std::chrono::hours kRemembered{1};  ///< far below the broker's day

  [[nodiscard]] bool may_go(std::int32_t partition, base::SteadyTime now) const;
  void sent(std::int32_t partition);
  void withdrawn(std::int32_t partition);  ///< it was not handed over after all
  void acknowledged(std::int32_t partition, base::SteadyTime now);

 private:
  struct Partition {
    std::uint64_t on_their_way = 0;
    std::optional<base::SteadyTime> acknowledged;
  };

  mutable std::mutex mutex_;
  std::map<std::int32_t, Partition> partitions_;
};

}  // namespace datasync::kafka
