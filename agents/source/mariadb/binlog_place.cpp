#include "agents/source/mariadb/binlog_place.hpp"

#include <charconv>

namespace datasync::sql {

// A host's name may lead to another server at every connection, and the same server may have been made anew, or have
// begun its binlog anew by RESET MASTER: its start and the count of RESETs tell. (@@server_uid is made from the network
// card and the port: a rebuilt server has the same.) UPTIME and UNIX_TIMESTAMP() count to the same start of the
// statement, so the difference never changes while the server runs. COM_RESET counts other RESETs as well; then the
// dump is begun anew once for nothing.
const std::string_view kBinlogHistory =
    "SELECT VARIABLE_NAME, IF(VARIABLE_NAME = 'UPTIME', CONCAT(@@hostname, ':', @@port, ' (server_id ', "
    "@@GLOBAL.server_id, ', started ', FROM_UNIXTIME(UNIX_TIMESTAMP() - VARIABLE_VALUE), ' UTC'), VARIABLE_VALUE) "
    "FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('UPTIME','COM_RESET')";

// https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/
const std::string_view kBinlogPlace =
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.SESSION_STATUS "
    "WHERE VARIABLE_NAME IN ('BINLOG_SNAPSHOT_FILE','BINLOG_SNAPSHOT_POSITION')";

base::Result<std::string> read_binlog_history(const std::vector<Row>& rows) {
  std::string server, resets;
  for (const auto& row : rows) (row.at(0).value_or("") == "UPTIME" ? server : resets) = row.at(1).value_or("");
  if (server.empty()) return base::Error(base::Reason::PreflightFailed, "the server does not report its uptime");
  return server + ", RESET " + resets + ")";
}

std::string_view server_of(std::string_view history) {
  return history.substr(0, history.find(", started "));
}

base::Result<BinlogPlace> read_binlog_place(const std::vector<Row>& rows) {
  BinlogPlace place;
  for (const auto& row : rows) {
    const auto value = row.at(1).value_or("");
    if (row.at(0).value_or("").ends_with("FILE"))
      place.file = value;
    else
      std::from_chars(value.data(), value.data() + value.size(), place.position);
  }
  if (place.file.empty() || place.position == 0)
    return base::Error(base::Reason::PreflightFailed, "the server does not report the position of its binlog");
  return place;
}

base::Result<std::string> binlog_history(Connection& connection) {
  DS_ASSIGN(const auto rows, connection.query(kBinlogHistory));
  return read_binlog_history(rows);
}

base::Result<BinlogPlace> binlog_place(Connection& connection) {
  DS_ASSIGN(const auto rows, connection.query(kBinlogPlace));
  return read_binlog_place(rows);
}

}  // namespace datasync::sql
