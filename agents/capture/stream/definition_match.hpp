#pragma once
// What two definitions of one table have in common.

#include <string_view>

#include "agents/binlog/table_map.hpp"
#include "agents/message/schema.hpp"

namespace datasync::capture {

/// The column of this name, as the server compares names; null when there is none.
const message::Column* find_column(const message::TableSchema& schema, std::string_view name);

/// The columns of the table map as `first` has them, or `second` where `first` does not know one. Either may be null.
message::TableSchema merge_definitions(const binlog::TableMap& map, const message::TableSchema* first,
                                       const message::TableSchema* second);

}  // namespace datasync::capture
