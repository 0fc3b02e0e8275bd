#pragma once
// Generated columns whose value may be another one at another time or in another session. A VIRTUAL one is computed
// whenever a row is read, and would be another one in a copy than in the binlog. A STORED one is computed when a row is
// written, and again when an ALTER TABLE builds the table again, which writes no row events.

#include <string>
#include <vector>

#include "agents/message/schema.hpp"
#include "agents/source/mariadb/computed_columns.hpp"
#include "agents/source/mariadb/replication_filters.hpp"

namespace datasync::source::mariadb {

/// What in the expression of a generated column is not proved to be steady: "CURDATE()", "column created_at of type
/// TIMESTAMP". Empty: nothing, or the column is not generated. Pure.
std::string unsteady(const Computed& column, const message::TableSchema& table);

/// The VIRTUAL columns of the table that would be carried although they are unsteady.
std::vector<FilterFinding> check_virtual_columns(const TableChoice& choice, const std::vector<Computed>& computed,
                                                 const message::TableSchema& table);

/// A STORED column that is carried may get other values when the table is built again.
bool computes_again(const TableChoice& choice, const std::vector<Computed>& computed,
                    const message::TableSchema& table);

}  // namespace datasync::source::mariadb
