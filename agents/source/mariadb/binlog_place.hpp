#pragma once
// Which binlog a connection sees, and where it stands.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"

namespace datasync::sql {

/// Comparable only among connections that are told the same history.
struct BinlogPlace {
  std::string file;
  std::uint64_t position = 0;
};

// None needs a privilege. Errors: PreflightFailed when the server writes no binlog; those of the connection.

/// Names one run of one server, between two RESET MASTER; for comparing, and for people to read.
base::Result<std::string> binlog_history(Connection& connection);
/// Of a history the part that names the server: host, port and server id.
std::string_view server_of(std::string_view history);
/// Of the open consistent snapshot, else where the binlog ends now.
base::Result<BinlogPlace> binlog_place(Connection& connection);

// The same for the dump connection, which is no Connection.
extern const std::string_view kBinlogHistory, kBinlogPlace;
base::Result<std::string> read_binlog_history(const std::vector<Row>& rows);
base::Result<BinlogPlace> read_binlog_place(const std::vector<Row>& rows);

}  // namespace datasync::sql
