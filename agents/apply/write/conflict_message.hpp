#pragma once
// What a message says of a row that was refused.

#include <string>

#include "agents/apply/read/row_buffer.hpp"
#include "agents/apply/write/catalog.hpp"
#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"

namespace datasync::apply {

/// "update of dr.orders (key id)": without values, which are nobody's business but the destination's.
std::string describe_change(const TargetTable& table, const RowChange& change);

/// Whether the destination has a row with the key of this image.
base::Result<bool> row_is_there(sql::Connection& connection, const TargetTable& table, const RowBuffer& buffer,
                                ImageAt image);

}  // namespace datasync::apply
