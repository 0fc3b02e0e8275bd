#pragma once
// Statements of data definition, which may take as long as a table is large, or wait for a lock.

#include <functional>
#include <string>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"

namespace datasync::apply {

/// Called a few times a second while a long statement runs. An error ends the wait.
using Waiting = std::function<base::Result<void>()>;

/// Runs `work`, which uses only `connection`, in a thread of its own; the rest as `run_ddl`.
base::Result<void> run_watched(sql::Connection& connection, const std::function<base::Result<void>()>& work,
                               const Waiting& waiting);

/// Runs one statement to its end and calls `waiting` meanwhile, in the calling thread. An error of `waiting` is
/// returned at once and leaves the connection failed; the server may still finish the statement. Errors: those of the
/// connection, DestinationBusy when a lock is not free in time, and those of `waiting`.
base::Result<void> run_ddl(sql::Connection& connection, const std::string& statement, const Waiting& waiting);

/// Whether the rows that `from` ("t WHERE ...") names are any, which may take a scan of the table; the rest as
/// `run_ddl`.
base::Result<bool> has_row(sql::Connection& connection, const std::string& from, const Waiting& waiting);

}  // namespace datasync::apply
