#pragma once
// `datasync cleanup`: the part of deletionPolicy: Delete that is outside of Kubernetes.

#include <filesystem>
#include <ostream>
#include <vector>

namespace datasync::cli {

/// Deletes what the agents with these configuration files created for themselves: the topic and the state topic of a
/// capture, the ledger rows of an apply. Rows at the destination are kept. It is not an error when something no longer
/// exists. A topic that another task has claimed too, or that no DataSync capture has claimed, is not deleted. Returns
/// the exit code: 0, 1 when something is left, 2 for a file that cannot be read.
int cleanup(const std::vector<std::filesystem::path>& configs, std::ostream& out);

}  // namespace datasync::cli
