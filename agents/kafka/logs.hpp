#pragma once
// The protocol's logs, implemented with Kafka.

#include <memory>

#include "agents/kafka/client.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::kafka {

/// Opens the state topic. Append from any thread; call `read_to_end` from one thread.
base::Result<std::unique_ptr<protocol::StateLog>> open_state_log(const Access& access, const std::string& state_topic);
/// Opens the streams for claiming and recovery; the running capture uses Producer.
base::Result<std::unique_ptr<protocol::StreamLog>> open_stream_log(const Access& access, const std::string& topic);

/// Checks the topic and its state topic; with `create`, creates them if they never existed. The state topic is
/// compacted and has one partition. Settings that put data at risk are logged as warnings. Errors: TopicMissing, also
/// when only one of the two was deleted; TopicMisconfigured listing every setting that would lose data; those of Admin.
base::Result<void> ensure_topics(Admin& admin, const config::Channel& channel, bool create);

}  // namespace datasync::kafka
