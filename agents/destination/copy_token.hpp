#pragma once
// Messages that recommend to copy tables again.

#include <string>

#include "agents/base/result.hpp"

namespace datasync::apply {

/// Each value of the annotation copy-tables is used once: what a message recommends gets `token` behind it, unless it
/// has one.
base::Error with_token(base::Error error, const std::string& token);

}  // namespace datasync::apply
