#pragma once
// Statements of data definition, which may take as long as a table is large, or wait for a lock.

#include <functional>
#include <string>

#include "agents/base/result.hpp"
#include "agents/destination/destination.hpp"

namespace datasync::apply {

/// Called a few times a second while a long statement runs. An error ends the wait.
using Waiting = std::function<base::Result<void>()>;

/// Runs `work`, which uses only `connection`, in a thread of its own; the rest as `run_ddl`.
base::Result<void> run_watched(DestinationServer& connection, const std::function<base::Result<void>()>& work,
                               const Waiting& waiting);

/// Runs one statement to its end and calls `waiting` meanwhile, in the calling thread. An error of `waiting` is
/// returned at once and leaves the connection failed; the server may still finish the statement. Errors: those of the
/// connection, DestinationBusy when a lock is not free in time, and those of `waiting`.
base::Result<void> run_ddl(DestinationServer& connection, const std::string& statement, const Waiting& waiting);

/// Asks `question`, which uses only `connection` and may take a scan of a table; the rest as `run_ddl`.
base::Result<bool> ask(DestinationServer& connection, const std::function<base::Result<bool>()>& question,
                       const Waiting& waiting);

}  // namespace datasync::apply
