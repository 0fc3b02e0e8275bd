#pragma once
// How a process is asked to end.

#include <functional>
#include <stop_token>

namespace datasync::base {

/// A stop token that SIGINT and SIGTERM trigger; a second signal calls `last` on a thread of its own, if there is one,
/// and exits at once with status 130. Call once, in main, before any other thread starts: the signals are blocked in
/// every thread and taken by one of its own.
std::stop_token stop_on_signals(std::function<void()> last = {});

/// Ends this process when its parent dies (PR_SET_PDEATHSIG), so that a child never outlives the command that ran it.
void die_with_parent();

}  // namespace datasync::base
