#pragma once
// Words about a row for a person: what the source says and what the destination has.

#include <optional>
#include <string>

#include "agents/apply/catalog.hpp"
#include "agents/apply/rows.hpp"
#include "agents/base/result.hpp"
#include "agents/sql/connection.hpp"

namespace datasync::apply {

/// "update of dr.orders (id=7), source {id=7, ...} -> {id=7, ...}".
std::string describe_change(const TargetTable& table, const RowBuffer& buffer, const RowChange& change);

/// "{id=7, name='x'}": the row that has the key of this image now; nothing when there is none.
base::Result<std::optional<std::string>> destination_row(sql::Connection& connection, const TargetTable& table,
                                                         const RowBuffer& buffer, ImageAt image);
base::Result<bool> row_is_there(sql::Connection& connection, const TargetTable& table, const RowBuffer& buffer,
                                ImageAt image);

}  // namespace datasync::apply
