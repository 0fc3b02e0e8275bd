#pragma once
// The output of `kubectl datasync status` as text: no server, no clock, no terminal.

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agents/base/clock.hpp"

namespace datasync::cli {

/// The objects of the API server about one resource.
struct StatusInput {
  nlohmann::json resource;
  std::vector<nlohmann::json> pods;    ///< of its agents
  std::vector<nlohmann::json> events;  ///< events.k8s.io/v1, about it and its pods
};

/// Returns summary, conditions, agents, lag by stage, snapshot, verification and events, as far as they exist. Members
/// of an unexpected type are ignored. With `color` the state has a color by ANSI sequences.
std::string status_text(const StatusInput& input, base::WallTime now, bool color);

/// Returns the same as one document, for -o json and yaml: resource, pods, events; without managedFields.
nlohmann::json status_document(const StatusInput& input);

}  // namespace datasync::cli
