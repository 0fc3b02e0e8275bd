#pragma once
// The protocol's logs on real Kafka.

#include <memory>

#include "agents/kafka/client.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::kafka {

/// The state topic. Append from any thread; `read_to_end` from one.
base::Result<std::unique_ptr<protocol::StateLog>> open_state_log(const Access& access, const std::string& state_topic);
/// The streams, for claiming and recovering; the running capture uses Producer.
base::Result<std::unique_ptr<protocol::StreamLog>> open_stream_log(const Access& access, const std::string& topic);

/// Checks the topic and its state topic; with `create` makes those that never were. The state topic is compacted with
/// one partition. Warns in the log of settings that put data at risk. Errors: TopicMissing, also when only one of the
/// two was deleted; TopicMisconfigured listing every setting that would lose data; those of Admin.
base::Result<void> ensure_topics(Admin& admin, const config::Channel& channel, bool create);

}  // namespace datasync::kafka
