#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operator/api/read.hpp"

namespace datasync::cli {

/// The valid resources of the files. `valid` is false when a file has problems, which have been printed.
struct Loaded {
  std::vector<api::DataSync> resources;
  bool valid = true;
  std::set<std::string> others;  ///< kinds of objects that are not checked
};

/// Reads all files; every problem is written to `out` as "FILE:DOCUMENT: path: message". Objects of other kinds and
/// lists of objects may be in them (api::read_manifests); no DataSync at all is a problem.
Loaded load(const std::vector<std::filesystem::path>& files, std::ostream& out);

/// Runs `datasync validate`: as `load`, and prints "FILE: ok" for each file without problems. Returns the exit code, 0
/// or 1.
int validate(const std::vector<std::filesystem::path>& files, std::ostream& out);

}  // namespace datasync::cli
