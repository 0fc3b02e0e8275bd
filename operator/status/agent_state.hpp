#pragma once
// Between the files of this layer: one agent of a resource, for the Ready condition.

#include <optional>
#include <string>
#include <string_view>

#include "operator/decide/decide.hpp"
#include "operator/status/status.hpp"

namespace datasync::status {

/// How one agent is: at work, or why not.
struct AgentState {
  std::optional<Finding> trouble;
  std::string good;     ///< Streaming, Snapshotting, Completed, AgentsReady
  std::string message;  ///< what it does
};

/// By the pods of its newest template. `plan` is what this look has just done.
AgentState look_at(const decide::Observed& seen, const decide::Plan& plan, std::string_view agent);

}  // namespace datasync::status
