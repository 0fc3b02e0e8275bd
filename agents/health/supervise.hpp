#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "agents/base/backoff.hpp"
#include "agents/base/result.hpp"
#include "agents/health/status.hpp"

namespace datasync::health {

/// How long to wait between attempts, and how to wait.
struct Patience {
  base::Backoff retry{base::Millis(100), base::Millis(10'000)};
  base::Backoff halt{base::Millis(4'000), base::Millis(15'000)};
  base::Millis halt_at_least{2'000};
  base::Millis long_run{60'000};  ///< a run of this length resets the back-off even when no data made progress
  /// Returns how many bytes all attempts have written to the topic so far; empty: not counted. When an attempt ends in
  /// a halt with the same reason as the attempt before it and has written at least `costly` bytes, the wait before the
  /// next attempt doubles each time.
  std::function<std::uint64_t()> spent;
  std::uint64_t costly = 1ULL << 20U;
  base::Millis costly_first{15'000}, costly_longest{600'000};
  std::function<bool(std::stop_token, base::Millis)> sleep = base::sleep_for;  ///< returns false when stopped
  /// Called every few seconds after the work is complete; returns true when there is new work for `run_once`.
  std::function<bool(std::stop_token)> work_again;
};

/// The exit status of an agent.
enum class ExitCode : int { Done = 0, Superseded = 3 };

/// Calls `run_once` repeatedly until `stop`. Its result decides what happens next:
/// - Success without a stop: the work is complete (mode Once). The state is Completed; the process continues, so that
///   it serves /status, and calls `run_once` again when `work_again` returns true.
/// - An error to Retry: the state is Retrying with the reason. The next attempt follows after a jittered back-off,
///   which is reset by progress.
/// - An error to Halt: the state is Stalled with the reason. An attempt follows every 2 to 15 s, so that the agent
///   recovers automatically after the cause is fixed; a retry skips nothing. Costly attempts become less frequent, see
///   Patience.
/// - An error to Exit: returns Done for Stopping, Superseded for a newer instance.
/// A change of state or reason is logged once, not at every attempt. `run_once` sets Streaming and other states itself,
/// and calls `status.advance()` when data made progress. Blocks the caller; `run_once` runs on the caller's thread.
ExitCode supervise(std::string_view name, Status& status, std::stop_token stop,
                   const std::function<base::Result<void>(std::stop_token)>& run_once, Patience patience = {});

}  // namespace datasync::health
