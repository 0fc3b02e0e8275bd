#pragma once
// Decides which records are passed to librdkafka, and when: one round of records per partition at a time, and the next
// one when the last record of the round is acknowledged. There are two reasons.
// - A broker refuses a batch whose sequence number leaves a gap, but only if it has the state of the producer on that
//   partition. If it does not have that state, or has removed it after producer.id.expiration.ms (a day) of silence, it
//   accepts any number as the first. So the first record is sent alone, and no record can be stored after one that was
//   not.
// - An idempotent librdkafka (2.0.2 to 2.12) sends the next batch of a partition only when fewer than five records of
//   it are in flight. While a batch waits for that, its broker thread polls without sleeping and uses a whole core.

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

/// A record that is queued or in flight for a partition.
struct Outgoing {
  message::Headers headers;
  std::string key;
  base::Buffer value;
  std::uint64_t token = 0;
  [[nodiscard]] std::size_t size() const noexcept { return key.size() + value.size(); }
};

/// The queues before librdkafka. Pure: the caller passes the time. Thread-safe.
class Rounds {
 public:
  static constexpr std::chrono::hours kRemembered{1};  ///< much shorter than the broker's day

  /// A round ends with the record with which it has `full` bytes or more.
  explicit Rounds(std::size_t full) : full_(full) {}

  /// Queues a record.
  void add(std::int32_t partition, Outgoing record);
  /// Returns the records to pass to librdkafka now, in order: none while a round is in flight or nothing is queued.
  /// They count as in flight from here on.
  std::vector<Outgoing> next(std::int32_t partition, base::SteadyTime now);
  /// Reports that one record of the round was acknowledged. A round with a lost record never ends: nothing follows a
  /// loss.
  void acknowledged(std::int32_t partition, base::SteadyTime now);
  /// Discards the queued records.
  void clear();

  /// The number of records of each partition that were added so far.
  using Mark = std::map<std::int32_t, std::uint64_t>;
  [[nodiscard]] Mark added() const;
  /// Returns true when all records added before the mark are acknowledged, even if more have been added since.
  [[nodiscard]] bool acknowledged(const Mark& mark) const;

 private:
  struct Partition {
    std::deque<Outgoing> queue;
    std::uint64_t added = 0, acknowledged_count = 0;  ///< a partition's records are acknowledged in order
    std::size_t on_their_way = 0;
    std::optional<base::SteadyTime> acknowledged;
  };

  const std::size_t full_;
  mutable std::mutex mutex_;
  std::map<std::int32_t, Partition> partitions_;
};

}  // namespace datasync::kafka
