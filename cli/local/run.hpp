#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace datasync::cli {

struct RunOptions {
  std::vector<std::filesystem::path> files;
  std::filesystem::path secrets_dir = "secrets";
  std::filesystem::path state_dir;   ///< configurations, logs and port files; empty: a temporary folder
  std::filesystem::path agents_dir;  ///< empty: the directory of this program
  std::string log_level = "info";
  bool plain = false;  ///< print lines even on a terminal
};

/// Runs `datasync run`: the agents of all resources are child processes, which run until `stop`, or until every
/// resource of mode Once has been copied and verified. Call it on the main thread (see Child). Returns the exit code: 0
/// stopped in order or complete; 1 the resources are not valid, nothing could be started, or a copy is not equal or was
/// stopped before it was complete.
int run(const RunOptions& options, std::stop_token stop);

}  // namespace datasync::cli
