#pragma once
// Rows in messages.

#include <string>

#include "agents/message/schema.hpp"

namespace datasync::source::mariadb {

/// What a row of the table is called in messages, which have no values of rows: the table, its key columns, and a
/// statement that finds the largest rows.
std::string row_name(const message::TableSchema& schema);

}  // namespace datasync::source::mariadb
