#pragma once
// Messages that recommend to copy tables again.

#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"

namespace datasync::apply {

/// The annotation that has tables copied again, up to its value.
inline constexpr std::string_view kCopyTables = "datasync.dev/copy-tables=";

/// What a user does to have these tables of the source copied again.
std::string copy_hint(const std::vector<std::string>& sources);

/// Each value of the annotation copy-tables is used once: what a message recommends gets `token` behind it, unless it
/// has one.
base::Error with_token(base::Error error, const std::string& token);

}  // namespace datasync::apply
