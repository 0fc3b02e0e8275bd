#pragma once

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/ledger_store.hpp"

namespace datasync::apply {

/// Checks what the destination must have, and makes the ledger if it is missing. Errors: PreflightFailed listing all
/// that is wrong, each with the statement that mends it; DestinationReadOnly; those of the connection.
base::Result<void> check_destination(sql::Connection& connection, LedgerStore& ledger, const config::Apply& config);

}  // namespace datasync::apply
