#pragma once
// The apply agent: one worker a stream, their states told as one.

#include <stop_token>

#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/health/metrics.hpp"
#include "agents/health/status.hpp"

namespace datasync::apply {

/// Checks the destination, waits for the topic, applies all its streams until `stop`, until a newer instance has taken
/// over, or until all is copied and verified (mode Once: success). For health::supervise. Blocks; runs a thread per
/// stream meanwhile. Errors: those of check_destination and of Kafka; Superseded; Stopping. What goes wrong in one
/// stream is tried again there and does not stop the others.
base::Result<void> run_agent(const config::Apply& config, const std::string& instance, health::Status& status,
                             health::Metrics& metrics, std::stop_token stop);

}  // namespace datasync::apply
