#pragma once
// What `datasync run` shows of its agents (table.hpp), and when their work is done.

#include <cstdint>
#include <vector>

#include "operator/decide/agent_view.hpp"

namespace datasync::cli {

using decide::AgentView;
using decide::read_status;
using decide::SnapshotView;
using decide::VerifyView;

/// How a task in mode Once stands.
enum class Once : std::uint8_t { Running, Done, Failed };
/// Done: every agent of the task is Completed and what was verified is equal. Failed: a verification found a
/// difference.
Once once_state(const std::vector<const AgentView*>& agents_of_task);

}  // namespace datasync::cli
