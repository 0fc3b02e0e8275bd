#pragma once
// Columns whose values are computed from other columns.

#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/source/selection.hpp"

namespace datasync::source::mariadb {

/// A column that is generated, or has a default: DEFAULT (expr) may copy another column, also into rows that are there.
struct Computed {
  std::string column;
  std::string expression;   ///< as information_schema.columns has it
  bool is_virtual = false;  ///< computed whenever it is read
  bool is_stored = false;   ///< computed when the row is written
};

/// The generated columns of a table and those with a default. Errors: those of the connection.
base::Result<std::vector<Computed>> computed_columns(sql::Connection& connection, const TableChoice& table);

/// Columns that would be carried and are computed, directly or through others, from an excluded column.
/// "total (from secret)"
std::vector<std::string> computed_from_excluded(const TableChoice& table, const std::vector<Computed>& computed);

}  // namespace datasync::source::mariadb
