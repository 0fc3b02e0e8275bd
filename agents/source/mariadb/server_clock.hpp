#pragma once
// What time it is at a server, and how long it keeps its binlogs.

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/source/source.hpp"

namespace datasync::source::mariadb {

/// Errors: those of the connection.
base::Result<Clock> server_clock(sql::Connection& connection);

}  // namespace datasync::source::mariadb
