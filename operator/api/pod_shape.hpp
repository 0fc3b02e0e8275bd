#pragma once
// Between the files of this layer: the shape of `podTemplate` and `resources`.

#include <string>
#include <vector>

#include "agents/config/fields.hpp"
#include "operator/api/resource.hpp"

namespace datasync::api {

/// Adds a problem for everything in `agent` that the operator could not merge into a pod: a list where Kubernetes has a
/// map, a label that is no text. `path` is that of the agent. What is inside of a shape is for the API server to judge.
void check_pod_shape(const Agent& agent, const std::string& path, std::vector<config::Problem>& problems);

}  // namespace datasync::api
