#pragma once
// What of a table is carried. Pure.

#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/message/schema.hpp"

namespace datasync::capture {

/// The schema that messages of a captured table carry: without excluded columns, with the declared key.
/// Errors: KeyMissing; PreflightFailed when an excluded column is not there.
base::Result<message::TableSchema> captured_schema(const TableChoice& choice, const message::TableSchema& full,
                                                   const std::vector<std::string>& unread = {});

}  // namespace datasync::capture
