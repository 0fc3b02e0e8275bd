#pragma once
// `datasync cleanup`: what deletionPolicy: Delete leaves to do outside of Kubernetes.

#include <filesystem>
#include <ostream>
#include <vector>

namespace datasync::cli {

/// Deletes what the agents with these configuration files made for themselves: the topic and its state topic of a
/// capture, the ledger rows of an apply. Rows at the destination stay. What is gone already is no error. A topic that
/// another task has claimed too, or that no capture of ours has, is left. Returns the exit code: 0, 1 when something is
/// left, 2 for a file that cannot be read.
int cleanup(const std::vector<std::filesystem::path>& configs, std::ostream& out);

}  // namespace datasync::cli
