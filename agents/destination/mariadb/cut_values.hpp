#pragma once
// Values that a server that is not strict stores where a value does not fit a column. Pure.

#include <string>

#include "agents/message/schema.hpp"

namespace datasync::apply {

/// See Dialect::cut_values.
std::string mariadb_cut_values(const message::Column& column);
/// See Dialect::values_for_null.
std::string mariadb_values_for_null(const message::Column& column);

}  // namespace datasync::apply
