#pragma once
// Maps error numbers of a server or of the client library to reasons.

#include <string>
#include <string_view>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"

namespace datasync::sql {

/// The error that a server or the client library reported for one call.
struct ServerError {
  unsigned number = 0;
  std::string_view sqlstate;  ///< five characters; empty or "HY000" when it is not specific
  std::string_view text;
};

/// Returns the reason of an error of an ordinary statement or of a connection attempt. An unknown number is classified
/// by its SQLSTATE class; if that is not specific either, the reason is SourceRefused or DestinationRefused. `text`
/// decides only where one number has several meanings (1290, 1030, 1047, 2026). Numbers:
/// https://mariadb.com/kb/en/mariadb-error-codes/ and errmsg.h of Connector/C; SQLSTATE classes: ISO/IEC 9075-2, table
/// 38.
base::Reason reason_of(Role role, const ServerError& error);

/// Returns the reason of an error packet in a binlog dump: mostly 1236, where only the text distinguishes the causes
/// (sql_repl.cc, mysql_binlog_send).
base::Reason dump_reason_of(const ServerError& error);

/// A part of the error text of a dump that would begin in a hole: the binlog has transactions before and after the
/// position, but not the one of the position (ER_GTID_START_FROM_BINLOG_HOLE).
inline constexpr std::string_view kBinlogHole = "is missing the GTID";

/// Returns the text of a server's error without the row values that it quotes; names of tables, columns and keys
/// remain. Pure.
std::string without_values(unsigned number, std::string_view text);

/// Returns "HOST:PORT: Access denied for user ... (error 1045)"; for CertificateRejected also what to do. Row values in
/// `text` are omitted.
base::Error server_error(base::Reason reason, const config::HostPort& server, unsigned number, std::string_view text,
                         std::source_location at = std::source_location::current());

}  // namespace datasync::sql
