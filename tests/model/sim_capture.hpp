#pragma once
// A capture agent on the simulated broker: the real claim, start, recovery, AckTracker and StateWriter; only the binlog
// and the producer are simulated.

#include <string>

#include "tests/model/simulation.hpp"

namespace datasync::model {

/// What became of an agent.
struct Life {
  bool finished = false;  ///< everything of the source is published and acknowledged
  bool claimed = false;   ///< an epoch
  std::string defect;     ///< an error that no fault explains
};

/// Runs until it is killed, superseded or done; call it on the process's fiber. A producer that gives up begins a new
/// epoch.
Life live(Simulation& simulation, Process& process);

/// Claims and puts a start on every stream without comparing anything, as agents of an earlier version did at every try
/// that was refused; call it on the process's fiber.
void leave_a_trace(Simulation& simulation, Process& process);

}  // namespace datasync::model
