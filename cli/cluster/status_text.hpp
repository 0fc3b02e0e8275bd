#pragma once
// What `kubectl datasync status` shows, as text: no server, no clock, no terminal.

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agents/base/clock.hpp"

namespace datasync::cli {

/// What the API server says about one resource.
struct StatusInput {
  nlohmann::json resource;
  std::vector<nlohmann::json> pods;    ///< of its agents
  std::vector<nlohmann::json> events;  ///< events.k8s.io/v1, about it and its pods
};

/// Summary, conditions, agents, lag by stage, snapshot, verification, events: what there is of them. Members of an
/// unexpected kind are passed over. With `color` the state is coloured by ANSI sequences.
std::string status_text(const StatusInput& input, base::WallTime now, bool color);

/// The same as one document, for -o json and yaml: resource, pods, events; without managedFields.
nlohmann::json status_document(const StatusInput& input);

}  // namespace datasync::cli
