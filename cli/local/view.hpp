#pragma once
// The data that `datasync run` shows of its agents (table.hpp), and when their work is done.

#include <cstdint>
#include <vector>

#include "operator/decide/agent_view.hpp"

namespace datasync::cli {

using decide::AgentView;
using decide::read_status;
using decide::SnapshotView;
using decide::VerifyView;

/// The state of a task in mode Once.
enum class Once : std::uint8_t { Running, Done, Failed };
/// Returns Done when every agent of the task is Completed and the verified tables are equal; Failed when a verification
/// found a difference.
Once once_state(const std::vector<const AgentView*>& agents_of_task);

}  // namespace datasync::cli
