#pragma once
// Where a new stream begins.

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/source/history.hpp"

namespace datasync::source::mariadb {

/// Errors: WaitingForReplica while an XA transaction is prepared or the binlog holds no transaction; those of the
/// connection.
base::Result<StartPosition> start_position(sql::Connection& connection);

}  // namespace datasync::source::mariadb
