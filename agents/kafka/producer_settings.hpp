#pragma once
// librdkafka's settings for a producer.

#include <cstddef>
#include <cstdint>

#include "agents/kafka/handle.hpp"
#include "agents/kafka/producer.hpp"

namespace datasync::kafka {

/// Below the largest batch the topic takes: a round is one request, also with the framing of its records.
std::uint32_t round_bytes(const ProducerOptions& options);

/// What a record costs while it is on its way, with what librdkafka keeps beside its value.
std::uint64_t queued_bytes(std::size_t value, std::size_t key) noexcept;

/// An idempotent producer that never gives up on a record. https://kafka.apache.org/documentation/#producerconfigs
Settings producer_settings(const ProducerOptions& options);

}  // namespace datasync::kafka
