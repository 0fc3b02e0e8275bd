#pragma once

#include <map>
#include <string>

#include "agents/base/clock.hpp"

namespace datasync::cli {

/// Returns a POSIX ustar archive of regular files (mode 0600), by name. Names are at most 99 bytes.
std::string tar(const std::map<std::string, std::string>& files, base::WallTime time);

}  // namespace datasync::cli
