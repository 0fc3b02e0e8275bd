#pragma once

#include <string>

#include "operator/kube/api.hpp"

namespace datasync::cli {

/// How kubectl is to reach the cluster; empty: its own defaults.
struct KubectlAccess {
  std::string kubeconfig;
  std::string context;
};

/// The last lines of a pod's log as kubectl gives them, of the container before a restart too; its words when it
/// cannot. Bounded in time and size. Call it on the main thread (see Child).
std::string pod_log(const KubectlAccess& access, const kube::ObjectKey& pod);

}  // namespace datasync::cli
