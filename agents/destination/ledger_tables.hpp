#pragma once
// What the ledger's tables have in common: each is in the ledger's database and has a column `task`.

#include <string>
#include <string_view>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/destination/dialect.hpp"

namespace datasync::apply {

/// Whether the ledger's database has the table. Errors: those of the connection.
base::Result<bool> ledger_table_exists(sql::Connection& connection, const std::string& database,
                                       std::string_view table);

/// Deletes the rows of a task; no error when there is no such table. Errors: those of the connection.
base::Result<void> forget_task(sql::Connection& connection, const Dialect& dialect, const std::string& database,
                               std::string_view table, const std::string& task);

/// Deletes the rows that `where` (" WHERE ...") names; no error when there is no such table, and none for a user who
/// may not delete when there is no such row. Errors: those of the connection.
base::Result<void> forget_rows(sql::Connection& connection, const Dialect& dialect, const std::string& database,
                               std::string_view table, const std::string& where);

}  // namespace datasync::apply
