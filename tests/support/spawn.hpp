#pragma once
// The one place that forks. Internal to tests/support.

#include <filesystem>
#include <vector>

#include <sys/types.h>

#include "tests/support/process.hpp"

namespace datasync::test {

struct SpawnFiles {
  std::filesystem::path in, out, err;  ///< empty: /dev/null; `out` and `err` are appended to
};

/// Forks and executes from a thread that lives as long as this program: PR_SET_PDEATHSIG fires when the *thread* that
/// forked ends, prctl(2). Throws when the program cannot be executed.
pid_t spawn(const ProcessOptions& options, const SpawnFiles& files);

/// What was spawned and has not been reaped. From any thread.
std::vector<pid_t> children();

}  // namespace datasync::test
