#pragma once
// Asks a MariaDB server for what the requirements and the choice of a replica need to know.

#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/source/history.hpp"
#include "agents/source/mariadb/requirements.hpp"

namespace datasync::source::mariadb {

/// A server as it is now.
struct GatheredServer {
  ServerFacts server;
  ReplicationLag lag;
  message::GtidSet replicated;
};

// Errors of all: those of the connection. What the server refuses to tell becomes a fact, not an error.

/// What may change while a server is read: settings, filters and its replication. Cheap. `allow_primary`: a server that
/// has replicated once and has no primary now is one itself.
base::Result<GatheredServer> gather_condition(sql::Connection& connection, bool allow_primary);
/// The same with grants and server ids.
base::Result<GatheredServer> gather_server(sql::Connection& connection, bool allow_primary);
/// `user`: CURRENT_USER(), for GRANT statements.
base::Result<TableDetails> gather_table(sql::Connection& connection, const TableChoice& choice,
                                        const std::string& user);
/// From the rows of SHOW ALL SLAVES STATUS, one for each primary; `must_replicate`: there must be one.
ReplicationLag replication_lag_of(const std::vector<sql::NamedRow>& status, bool must_replicate);

/// From the same rows. With MASTER_USE_GTID=slave_pos a primary sends everything of a domain of which its replica has
/// replicated nothing, or refuses; also the replica's own transactions, which it counts as replicated then. With
/// current_pos, or a position in a file, the replica itself says from where on.
bool replicates_all_domains(const std::vector<sql::NamedRow>& status);

/// What a server has executed.
struct Executed {
  message::GtidSet replicated, binlog;  ///< gtid_slave_pos, gtid_binlog_pos
  [[nodiscard]] message::GtidSet all() const;
};
base::Result<Executed> gather_executed(sql::Connection& connection);
/// `Executed::binlog` alone.
base::Result<message::GtidSet> gather_binlog_end(sql::Connection& connection);
base::Result<HistoryFacts> gather_history(sql::Connection& connection);

}  // namespace datasync::source::mariadb
