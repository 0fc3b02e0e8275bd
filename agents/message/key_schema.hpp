#pragma once

#include "agents/message/schema.hpp"

namespace datasync::message {

/// The key columns of a table as a schema of their own, in key order: images of it name rows.
TableSchema key_schema(const TableSchema& schema);

}  // namespace datasync::message
