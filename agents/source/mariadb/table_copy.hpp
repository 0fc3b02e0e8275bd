#pragma once
// Rows of tables at one place of the binlog.

#include <memory>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/source/source.hpp"

namespace datasync::source::mariadb {

// Server's calls of the same names. Errors: those of the connection and what source.hpp says.

base::Result<void> prepare_copy(sql::Connection& connection);
base::Result<SnapshotPlace> open_snapshot(sql::Connection& connection);
base::Result<void> check_key(sql::Connection& connection, const message::TableSchema& schema);
base::Result<std::unique_ptr<RowReader>> read_rows(sql::Connection& connection, const message::TableSchema& schema,
                                                   const KeyRange& range);
base::Result<std::unique_ptr<RowReader>> scan_rows(sql::Connection& connection, const message::TableSchema& schema);
base::Result<bool> repeats_a_key(sql::Connection& connection, const message::TableSchema& schema,
                                 const KeyRange& range);

}  // namespace datasync::source::mariadb
