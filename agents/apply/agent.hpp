#pragma once
// The apply agent: one worker a stream, their states told as one.

#include <stop_token>

#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/destination.hpp"
#include "agents/health/metrics.hpp"
#include "agents/health/status.hpp"

namespace datasync::apply {

/// What a process must remember between two runs.
struct Process {
  std::string instance;  ///< see config::instance_of
  bool claimed = false;  ///< this process may have claimed the streams
};

/// Checks the destination, waits for the topic, claims all its streams at once and applies them until `stop`, until a
/// newer instance has taken over, or until all is copied and verified (mode Once: success). A process that finds at its
/// start that a newer instance has claimed changes nothing and waits here, in state Stalled with reason Superseded,
/// until `stop`. For health::supervise. Blocks; runs a thread per stream meanwhile. Errors: those of
/// DestinationServer::preflight and of Kafka; Superseded; Stopping. What goes wrong in one stream is tried again there
/// and does not stop the others.
base::Result<void> run_agent(const config::Apply& config, const DestinationEngine& engine, Process& process,
                             health::Status& status, health::Metrics& metrics, std::stop_token stop);

}  // namespace datasync::apply
