#pragma once
// How a process is requested to stop.

#include <functional>
#include <stop_token>

namespace datasync::base {

/// Returns a stop token that SIGINT and SIGTERM trigger. A second signal calls `last`, if set, on the signal thread and
/// exits at once with status 130. Call once, in main, before any other thread starts: the signals are blocked in every
/// thread, and a dedicated thread receives them.
std::stop_token stop_on_signals(std::function<void()> last = {});

/// Terminates this process when its parent dies (PR_SET_PDEATHSIG), so that a child never outlives the command that
/// started it.
void die_with_parent();

}  // namespace datasync::base
