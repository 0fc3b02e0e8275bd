#pragma once
// Notices records that are missing in a partition. Producers of ours leave no gaps and use no Kafka transactions, so an
// offset that does not come proves that a record was removed.

#include <cstdint>
#include <string>

#include "agents/base/result.hpp"

namespace datasync::apply {

/// Of one partition. Not thread-safe.
class GapWatch {
 public:
  GapWatch(std::string topic, std::int32_t partition) : topic_(std::move(topic)), partition_(partition) {}

  /// Reading begins here.
  void start(std::int64_t next) noexcept { next_ = next; }
  /// The next record that came stands at `offset`. Errors: OffsetExpired naming the offsets that are missing.
  base::Result<void> see(std::int64_t offset);
  /// The reader stands at `position` without a record: before the partition's end nothing is left. Errors: as `see`.
  base::Result<void> end(std::int64_t position);

 private:
  base::Result<void> missing(std::int64_t to) const;

  std::string topic_;
  std::int32_t partition_;
  std::int64_t next_ = 0;
};

}  // namespace datasync::apply
