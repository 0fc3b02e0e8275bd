#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <vector>

#include "operator/api/read.hpp"

namespace datasync::cli {

/// A resource of a file that has no problems, or whose problems have been printed.
struct Loaded {
  std::vector<api::DataSync> resources;
  bool valid = true;
};

/// Reads all files; every problem goes to `out` as "FILE:DOCUMENT: path: message".
Loaded load(const std::vector<std::filesystem::path>& files, std::ostream& out);

/// `datasync validate`: as `load`, and "FILE: ok" for each file without problems. Returns the exit code, 0 or 1.
int validate(const std::vector<std::filesystem::path>& files, std::ostream& out);

}  // namespace datasync::cli
