#pragma once
// librdkafka's settings for a producer.

#include <cstddef>
#include <cstdint>

#include "agents/kafka/handle.hpp"
#include "agents/kafka/producer.hpp"

namespace datasync::kafka {

/// Returns the size of a round, below the largest batch that the topic accepts: a round is one request, including the
/// framing of its records.
std::uint32_t round_bytes(const ProducerOptions& options);

/// Returns the memory that a record in flight needs, including librdkafka's overhead.
std::uint64_t queued_bytes(std::size_t value, std::size_t key) noexcept;

/// Returns the settings of an idempotent producer that never drops a record.
/// https://kafka.apache.org/documentation/#producerconfigs
Settings producer_settings(const ProducerOptions& options);

}  // namespace datasync::kafka
