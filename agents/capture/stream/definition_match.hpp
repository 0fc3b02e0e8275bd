#pragma once
// What two definitions of one table have in common.

#include <string_view>

#include "agents/binlog/table_map.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/message/schema.hpp"

namespace datasync::capture {

/// Takes out the labels of ENUM and SET columns that are excluded: labels are values that rows have.
void hide_excluded(const TableChoice& table, message::TableSchema& schema);
/// A column was excluded when this definition was kept, and is not any more: its labels are not known.
bool was_excluded(const TableChoice& table, const message::TableSchema& schema);

/// The column of this name, as the server compares names; null when there is none.
const message::Column* find_column(const message::TableSchema& schema, std::string_view name);

/// The columns of the table map as `first` has them, or `second` where `first` does not know one. Either may be null.
message::TableSchema merge_definitions(const binlog::TableMap& map, const message::TableSchema* first,
                                       const message::TableSchema* second);

}  // namespace datasync::capture
