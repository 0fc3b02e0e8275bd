#include "agents/kafka/producer_settings.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include <fmt/format.h>

namespace datasync::kafka {

std::uint32_t round_bytes(const ProducerOptions& o) {
  return o.max_message_bytes / 10 * 9;
}

std::uint64_t queued_bytes(std::size_t value, std::size_t key) noexcept {
  constexpr std::uint64_t kRecordOverhead = 512;
  return value + key + kRecordOverhead;
}

Settings producer_settings(const ProducerOptions& o) {
  const auto kbytes =
      o.max_in_flight_bytes / 512 + o.max_message_bytes / 512 + 1024;  // twice our limit, so that ours is reached first
  return {{"enable.idempotence", "true"},  // this includes acks=all, unlimited retries, first in first out
          {"enable.gapless.guarantee", "true"},
          {"message.timeout.ms", "0"},  // an outage delays records and never drops them
          {"linger.ms", fmt::format("{}", std::chrono::duration<double, std::milli>(o.linger).count())},
          {"compression.type", o.compression},
          {"message.max.bytes", std::to_string(o.max_message_bytes)},
          {"batch.size", std::to_string(round_bytes(o))},  // a full round does not linger
          {"batch.num.messages", "100000"},
          {"queue.buffering.max.messages", "10000000"},
          {"queue.buffering.max.kbytes", std::to_string(std::min<std::uint64_t>(kbytes, 2147483647))},
          {"request.timeout.ms", "10000"}};
}

}  // namespace datasync::kafka
