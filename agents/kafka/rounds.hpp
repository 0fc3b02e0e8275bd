#pragma once
// What is handed to librdkafka, and when: one round of records per partition at a time, the next when the last record
// of the round is acknowledged. Two reasons.
// - A broker refuses a batch whose sequence number leaves a gap, but only once it knows the producer on that partition:
//   to a producer it does not know, or has forgotten after producer.id.expiration.ms (a day) of silence, any number is
//   the first. So the first record goes alone, and no record can land behind one that did not.
// - An idempotent librdkafka (2.0.2 to 2.12) sends the next batch of a partition only when fewer than five records of
// it
//   are in flight, and while a batch waits ready for that, its broker thread polls without sleeping: a whole core.

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/clock.hpp"
#include "agents/message/record.hpp"

namespace datasync::kafka {

/// A record on its way to a partition.
struct Outgoing {
  message::Headers headers;
  std::string key;
  base::Buffer value;
  std::uint64_t token = 0;
  [[nodiscard]] std::size_t size() const noexcept { return key.size() + value.size(); }
};

/// The queues before librdkafka. Pure: the caller brings the clock. Thread-safe.
class Rounds {
 public:
  static constexpr std::chrono::hours kRemembered{1};  ///< far below the broker's day

  /// A round ends with the record that makes it `full` bytes or more.
  explicit Rounds(std::size_t full) : full_(full) {}

  void add(std::int32_t partition, Outgoing record);
  /// The records to hand over now, in order: none while a round is on its way or nothing is queued. They count as on
  /// their way from here on.
  std::vector<Outgoing> next(std::int32_t partition, base::SteadyTime now);
  /// One record of the round. A round with a record that is given up never ends: nothing follows a loss.
  void acknowledged(std::int32_t partition, base::SteadyTime now);
  /// Drops what is queued.
  void clear();

  /// How many records of each partition were added so far.
  using Mark = std::map<std::int32_t, std::uint64_t>;
  [[nodiscard]] Mark added() const;
  /// All that had been added at the mark is acknowledged, whatever has been added since.
  [[nodiscard]] bool acknowledged(const Mark& mark) const;

 private:
  struct Partition {
    std::deque<Outgoing> queue;
    std::uint64_t added = 0, acknowledged_count = 0;  ///< a partition's records are acknowledged in their order
    std::size_t on_their_way = 0;
    std::optional<base::SteadyTime> acknowledged;
  };

  const std::size_t full_;
  mutable std::mutex mutex_;
  std::map<std::int32_t, Partition> partitions_;
};

}  // namespace datasync::kafka
