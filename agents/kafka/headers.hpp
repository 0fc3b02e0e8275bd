#pragma once
// message::Headers as Kafka headers; for the .cpp files of this folder only.

#include "agents/kafka/handle.hpp"
#include "agents/message/record.hpp"

namespace datasync::kafka {

/// Made one by one and handed over whole: header by header, rd_kafka_produceva frees them twice when it fails for the
/// partition (seen in 2.0.2). A list is librdkafka's on success only.
HeadersPtr encode_headers(const message::Headers& headers);

/// Errors: ForeignMessage naming topic, partition and offset.
base::Result<message::Headers> decode_headers(const rd_kafka_message_t& message);

/// Whether the record has a header of this name.
bool has_header(const rd_kafka_message_t& message, const char* name);

}  // namespace datasync::kafka
