#pragma once
// VIRTUAL columns are computed whenever a row is read. One whose value depends on the time or on the session that reads
// it is another one in a copy than in the binlog.

#include <string>
#include <vector>

#include "agents/message/schema.hpp"
#include "agents/source/mariadb/computed_columns.hpp"
#include "agents/source/mariadb/replication_filters.hpp"

namespace datasync::source::mariadb {

/// What in the expression of a VIRTUAL column depends on the time, on chance or on the session: "CURDATE()", "column
/// created_at of type TIMESTAMP". Empty: nothing, or the column is not VIRTUAL. Pure.
std::string unsteady(const Computed& column, const message::TableSchema& table);

/// The VIRTUAL columns of the table that would be carried although they are unsteady.
std::vector<FilterFinding> check_virtual_columns(const TableChoice& choice, const std::vector<Computed>& computed,
                                                 const message::TableSchema& table);

}  // namespace datasync::source::mariadb
