#pragma once
// The one way a record goes into librdkafka's queue.

#include <cstdint>
#include <string_view>

#include "agents/base/bytes.hpp"
#include "agents/kafka/handle.hpp"
#include "agents/message/record.hpp"

namespace datasync::kafka {

/// Whose memory the value is once librdkafka has the record.
enum class Value : std::uint8_t {
  Copied,  ///< the caller's, before and after
  Given,   ///< librdkafka's, which frees it; on failure still the caller's
};

/// Queues a record for a partition; `opaque` comes back in its delivery report. Null when librdkafka has it, else why
/// it has not. Threads: any.
ErrorPtr hand_over(rd_kafka_t* client, rd_kafka_topic_t* topic, std::int32_t partition, const message::Headers& headers,
                   std::string_view key, base::Bytes value, Value ownership, void* opaque);

}  // namespace datasync::kafka
