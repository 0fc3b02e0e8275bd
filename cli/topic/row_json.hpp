#pragma once
// Formats rows as JSON, for users and for scripts.

#include <nlohmann/json.hpp>

#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace datasync::cli {

/// Returns an object with a member for each column, in the table's order: numbers as numbers, everything else as text.
nlohmann::ordered_json image_json(const message::TableSchema& schema, const message::ImageView& image);

}  // namespace datasync::cli
