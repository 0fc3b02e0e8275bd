#pragma once
// Converts message::Headers to and from Kafka headers; for the .cpp files of this folder only.

#include "agents/kafka/handle.hpp"
#include "agents/message/record.hpp"

namespace datasync::kafka {

/// Creates the list of headers that is passed to librdkafka as a whole: when headers are passed one by one,
/// rd_kafka_produceva frees them twice if it fails for the partition (seen in 2.0.2). librdkafka owns the list only
/// after success.
HeadersPtr encode_headers(const message::Headers& headers);

/// Decodes the headers. Errors: ForeignMessage naming topic, partition and offset.
base::Result<message::Headers> decode_headers(const rd_kafka_message_t& message);

/// Returns true when the record has a header of this name.
bool has_header(const rd_kafka_message_t& message, const char* name);

}  // namespace datasync::kafka
