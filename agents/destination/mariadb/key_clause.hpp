#pragma once
// The key in CREATE TABLE.

#include <string>

#include "agents/message/schema.hpp"

namespace datasync::apply {

/// ", PRIMARY KEY (...)" of a table, ", KEY (...)" when a declared key has columns that take NULL, or nothing without a
/// key. Long columns are covered by a prefix, so that the index stays within what InnoDB allows.
std::string key_clause(const message::TableSchema& schema);

}  // namespace datasync::apply
