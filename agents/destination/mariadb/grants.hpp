#pragma once
// What the agent's user may do at the destination, and the statement that lets it.

#include <string>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/destination/dialect.hpp"

namespace datasync::apply {

/// An account as CURRENT_USER() tells it, as GRANT wants it: 'app'@'%'.
std::string grantee(const std::string& current_user);

/// `error`, and when it is PermissionDenied what grants `privileges` on `object` (quoted, or `db`.*).
base::Error with_grant(sql::Connection& connection, base::Error error, std::string_view privileges,
                       std::string_view object);

/// Asks the server, changing nothing, whether the user may read and write the table. Errors: PermissionDenied naming
/// all that is missing and the statement that mends it; those of the connection.
base::Result<void> check_table_grants(sql::Connection& connection, const StatementTable& table);

/// Asks whether this connection may write at all. Errors: DestinationReadOnly with the mend.
base::Result<void> check_writable(sql::Connection& connection);

}  // namespace datasync::apply
