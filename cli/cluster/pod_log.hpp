#pragma once

#include <string>

#include "operator/kube/api.hpp"

namespace datasync::cli {

/// The settings with which kubectl reaches the cluster; empty: its own defaults.
struct KubectlAccess {
  std::string kubeconfig;
  std::string context;
};

/// Returns the last lines of a pod's log from kubectl, including those of the container before a restart, or kubectl's
/// error message. Bounded in time and size. Call it on the main thread (see Child).
std::string pod_log(const KubectlAccess& access, const kube::ObjectKey& pod);

}  // namespace datasync::cli
