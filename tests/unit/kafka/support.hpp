#pragma once
// Producing and reading in tests.

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "agents/kafka/consumer.hpp"
#include "agents/kafka/producer.hpp"

namespace datasync::kafka {

using std::chrono::milliseconds;

inline base::Buffer buffer(std::string_view text) {
  base::Buffer out;
  out.append(text);
  return out;
}

inline message::Headers change(message::End end = message::End::None) {
  return {message::Kind::Change, "orders", message::Epoch(7), end};
}

/// Collects delivery reports.
class Reports {
 public:
  OnDelivered callback() {
    return [this](std::uint64_t token, std::int64_t offset) {
      const std::scoped_lock lock(mutex_);
      offsets_[token] = offset;
    };
  }
  std::map<std::uint64_t, std::int64_t> offsets() const {
    const std::scoped_lock lock(mutex_);
    return offsets_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::int64_t> offsets_;
};

/// The values of a partition from `from` to its end now.
inline std::vector<std::string> read_all(const Access& access, const std::string& topic, std::int32_t partition = 0,
                                         std::int64_t from = Consumer::kFirst) {
  std::vector<std::string> out;
  auto consumer = Consumer::open(access, topic, partition, from);
  EXPECT_TRUE(consumer) << consumer.error().what;
  if (!consumer) return out;
  const auto high = (*consumer)->watermarks().value().high;
  while ((*consumer)->position() < high) {
    auto record = (*consumer)->next(milliseconds(1000));
    EXPECT_TRUE(record) << record.error().what;
    if (!record) break;
    if (*record) out.emplace_back(base::as_text((**record).value()));
  }
  return out;
}

/// Waits at most ten seconds for a condition that another thread brings about.
template <class Condition>
bool eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace datasync::kafka
