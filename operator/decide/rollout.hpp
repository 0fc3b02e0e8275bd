#pragma once
// Between the files of this layer: what is to be kept for the pods that run.

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// What the pods and the Deployments that are there ask of the objects that are wanted.
desired::Running running_of(const Observed& seen);
/// The texts of the resource's ConfigMap, among these children, that the pods of a workload mount.
std::vector<std::string> mounted_config(const std::vector<Json>& children, const desired::Owner& owner,
                                        const Json& workload);

}  // namespace datasync::decide
