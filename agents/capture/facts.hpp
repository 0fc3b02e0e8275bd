#pragma once
// Asks a server for what the preflight and the choice of a replica need to know.

#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/preflight.hpp"
#include "agents/capture/replica_picker.hpp"
#include "agents/sql/connection.hpp"

namespace datasync::capture {

// Errors of all: those of the connection. What the server refuses to tell becomes a fact, not an error.
base::Result<ServerFacts> gather_server(sql::Connection& connection);
base::Result<TableFacts> gather_table(sql::Connection& connection, const TableChoice& choice);
base::Result<std::vector<TableFacts>> gather_tables(sql::Connection& connection, const Selection& selection);
base::Result<HistoryFacts> gather_history(sql::Connection& connection);
/// Needs SLAVE MONITOR; without it, unknown.
base::Result<Lateness> gather_lateness(sql::Connection& connection);
/// From the rows of SHOW ALL SLAVES STATUS, one for each primary.
Lateness lateness_of(const std::vector<sql::Row>& status);

}  // namespace datasync::capture
