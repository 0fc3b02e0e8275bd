#pragma once
// The main function that both agents share: command line, configuration, log, HTTP port, and the call that runs the
// agent.

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/health/metrics.hpp"
#include "agents/health/status.hpp"

namespace datasync::health {

/// What the process provides to an agent while it runs.
struct Process {
  std::string instance;  ///< see config::instance_of
  Status& status;
  Metrics& metrics;
  std::stop_token stop;  ///< SIGTERM and SIGINT
};

/// The parts of agent_main that differ between the agents.
struct AgentProgram {
  std::string_view name;         ///< "capture": the name in logs and in the status
  std::string_view description;  ///< for --help
  /// Freed memory is returned to the system at once, see base::limit_freed_memory.
  bool limits_freed_memory = false;
  /// Reads the text of the configuration file and stores it; returns its common part. Errors: ConfigInvalid.
  std::function<base::Result<config::Common>(std::string_view text)> read;
  /// Runs until the agent terminates; returns the exit status. Called once, after the log is started and the HTTP port
  /// open.
  std::function<int(const Process& process)> run;
};

/// Runs `NAME --config FILE`. Returns the exit status: what `run` returns, or 2 for a command line or configuration
/// that is not usable, which is logged.
int agent_main(int argc, const char* const* argv, const AgentProgram& program);

}  // namespace datasync::health
