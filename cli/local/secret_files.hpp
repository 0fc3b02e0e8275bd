#pragma once

#include <filesystem>
#include <vector>

#include "operator/api/resource.hpp"

namespace datasync::cli {

/// Returns the files that the agents of a resource read, as secretName/key below the folder of the secrets; each once.
std::vector<std::filesystem::path> secret_files(const api::DataSync& resource);

}  // namespace datasync::cli
