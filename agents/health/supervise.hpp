#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "agents/base/backoff.hpp"
#include "agents/base/result.hpp"
#include "agents/health/status.hpp"

namespace datasync::health {

/// How long to wait between tries, and how to wait.
struct Patience {
  base::Backoff retry{base::Millis(100), base::Millis(10'000)};
  base::Backoff halt{base::Millis(4'000), base::Millis(15'000)};
  base::Millis halt_at_least{2'000};
  base::Millis long_run{60'000};  ///< a run this long starts the back-off afresh even when no data moved
  /// What the tries have put on the topic so far, in bytes; empty: nothing is counted. A try that ends in a halt of the
  /// same reason as the one before it and has put `costly` bytes there only for that is made again after a wait that
  /// doubles.
  std::function<std::uint64_t()> spent;
  std::uint64_t costly = 1ULL << 20U;
  base::Millis costly_first{15'000}, costly_longest{600'000};
  std::function<bool(std::stop_token, base::Millis)> sleep = base::sleep_for;  ///< false when stopped
  /// Asked every few seconds once the work is complete: true when there is new work for `run_once`.
  std::function<bool(std::stop_token)> work_again;
};

enum class ExitCode : int { Done = 0, Superseded = 3 };

/// Runs `run_once` again and again until `stop`. What it returns decides:
///   nothing wrong, not stopped   the work is complete (mode Once): Completed; the process stays, to answer /status,
///   and runs
///                                once more when `work_again` says so
///   an error to Retry            state Retrying with the reason, jittered back-off, from the start again after
///                                progress
///   an error to Halt             state Stalled with the reason; tried again every 2 to 15 s, so that it heals by
///   itself
///                                once the cause is fixed; nothing is skipped by trying again. Tries that cost much are
///                                made less and less often, see Patience
///   an error to Exit             returns: Done for Stopping, Superseded for a newer instance
/// A change of state or reason is logged once, not at every try. `run_once` sets Streaming and so on itself, and calls
/// `status.advance()` when data moved. Blocks the caller; `run_once` runs on the caller's thread.
ExitCode supervise(std::string_view name, Status& status, std::stop_token stop,
                   const std::function<base::Result<void>(std::stop_token)>& run_once, Patience patience = {});

}  // namespace datasync::health
