#pragma once
// Which reason a server's or the client library's error number stands for.

#include <string>
#include <string_view>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"

namespace datasync::sql {

/// What a server or the client library reported about one call.
struct ServerError {
  unsigned number = 0;
  std::string_view sqlstate;  ///< five characters; empty or "HY000" when it says nothing
  std::string_view text;
};

/// The reason of an error of an ordinary statement or of connecting. A number that is not known counts by the class of
/// its SQLSTATE; what that does not say either is SourceRefused or DestinationRefused. `text` decides only where one
/// number has several meanings (1290, 1030, 1047, 2026). Numbers: https://mariadb.com/kb/en/mariadb-error-codes/ and
/// errmsg.h of Connector/C; SQLSTATE classes: ISO/IEC 9075-2, table 38.
base::Reason reason_of(Role role, const ServerError& error);

/// The reason of an error packet in a binlog dump: mostly 1236, where only the words tell what it is
/// (sql_repl.cc, mysql_binlog_send).
base::Reason dump_reason_of(const ServerError& error);

/// Words of the error of a dump that would begin in a hole: the binlog has transactions before and after the position,
/// but not the position's own (ER_GTID_START_FROM_BINLOG_HOLE).
inline constexpr std::string_view kBinlogHole = "is missing the GTID";

/// The text of a server's error without the values of rows that it quotes; names of tables, columns and keys stay.
/// Pure.
std::string without_values(unsigned number, std::string_view text);

/// "HOST:PORT: Access denied for user ... (error 1045)"; for CertificateRejected also what to do. Values of rows
/// in `text` are left out.
base::Error server_error(base::Reason reason, const config::HostPort& server, unsigned number, std::string_view text,
                         std::source_location at = std::source_location::current());

}  // namespace datasync::sql
