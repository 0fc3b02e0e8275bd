#pragma once
// What the findings about a replica and its tables mean for capture. Pure.

#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/source/table.hpp"

namespace datasync::capture {

using source::Finding;
using source::TableFacts;

/// All findings in one error, a line each. Its reason is theirs when they agree, else PreflightFailed.
base::Result<void> verdict(const std::string& server, const std::vector<Finding>& findings);

}  // namespace datasync::capture
