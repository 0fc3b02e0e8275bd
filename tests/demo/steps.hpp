#pragma once

#include <string>

#include "tests/demo/console.hpp"
#include "tests/demo/environment.hpp"

namespace datasync::demo {

struct Outcome {
  test::CompareResult rows;
  bool compared = false;
  int kills = 0;      ///< processes ended with -9
  int failovers = 0;  ///< takeovers by a second instance, and changes of replica
  std::string wrong;  ///< empty: all is well
};

/// Runs agents and traffic, breaks one thing after the other while both go on, stops the traffic and compares. Throws
/// Failed or what tests/support throws; `outcome` holds what is known by then.
void run_steps(Environment& environment, const Console& console, milliseconds traffic_time, Outcome& outcome);

}  // namespace datasync::demo
