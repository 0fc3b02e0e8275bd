#pragma once
// Queues records in librdkafka; every record passes through this function.

#include <cstdint>
#include <string_view>

#include "agents/base/bytes.hpp"
#include "agents/kafka/handle.hpp"
#include "agents/message/record.hpp"

namespace datasync::kafka {

/// Who owns the value after librdkafka has accepted the record.
enum class Value : std::uint8_t {
  Copied,  ///< the caller, before and after
  Given,   ///< librdkafka, which frees it; after a failure still the caller
};

/// Queues a record for a partition; its delivery report contains `opaque`. Returns null when librdkafka has accepted
/// it, otherwise the cause. Threads: any.
ErrorPtr hand_over(rd_kafka_t* client, rd_kafka_topic_t* topic, std::int32_t partition, const message::Headers& headers,
                   std::string_view key, base::Bytes value, Value ownership, void* opaque);

}  // namespace datasync::kafka
