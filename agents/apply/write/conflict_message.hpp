#pragma once
// What a message says of a row that was refused.

#include <string>

#include "agents/apply/read/row_buffer.hpp"
#include "agents/apply/write/catalog.hpp"

namespace datasync::apply {

/// "update of dr.orders (key id)": without values, which are nobody's business but the destination's.
std::string describe_change(const TargetTable& table, const RowChange& change);

}  // namespace datasync::apply
