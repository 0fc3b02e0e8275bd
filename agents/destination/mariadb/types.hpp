#pragma once

#include <string>

#include "agents/message/schema.hpp"

namespace datasync::apply {

/// "VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci".
std::string mariadb_type(const message::Column& column);
/// A column of CREATE TABLE: name, type, nullability, default.
std::string mariadb_column(const message::Column& column);

}  // namespace datasync::apply
