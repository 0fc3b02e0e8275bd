#pragma once
// Asks a server for what the preflight and the choice of a replica need to know.

#include <cstddef>
#include <functional>
#include <stop_token>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/replica/preflight.hpp"
#include "agents/capture/replica/replica_picker.hpp"
#include "agents/client/mysql/connection.hpp"

namespace datasync::capture {

/// A server as it is now.
struct Condition {
  ServerFacts server;
  ReplicationLag replication_lag;
};
/// So many tables of so many are checked.
using Progress = std::function<void(std::size_t done, std::size_t of)>;

// Errors of all: those of the connection. What the server refuses to tell becomes a fact, not an error.

/// What may change while a server is read: settings, filters and its replication. Cheap. `allow_primary`: a server that
/// has replicated once and has no primary now is one itself.
base::Result<Condition> gather_condition(sql::Connection& connection, bool allow_primary);
/// The same with grants and server ids.
base::Result<Condition> gather_server(sql::Connection& connection, bool allow_primary);
/// `user`: CURRENT_USER(), for GRANT statements.
base::Result<TableFacts> gather_table(sql::Connection& connection, const TableChoice& choice,
                                      const std::string& user = "...");
/// Errors: Stopping; a stop ends the connection.
base::Result<std::vector<TableFacts>> gather_tables(sql::Connection& connection, const Selection& selection,
                                                    std::stop_token stop, const Progress& progress);
/// From the rows of SHOW ALL SLAVES STATUS, one for each primary; `must_replicate`: there must be one.
ReplicationLag replication_lag_of(const std::vector<sql::NamedRow>& status, bool must_replicate);

/// What a server has executed.
struct Executed {
  message::GtidSet replicated, binlog;  ///< gtid_slave_pos, gtid_binlog_pos
  [[nodiscard]] message::GtidSet all() const;
};
base::Result<Executed> gather_executed(sql::Connection& connection);
base::Result<HistoryFacts> gather_history(sql::Connection& connection);

}  // namespace datasync::capture
