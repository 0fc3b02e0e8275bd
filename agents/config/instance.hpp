#pragma once
// Identifies the instance of an agent. A container that is restarted in its pod, and an agent that `datasync run`
// restarts, is the same instance as before; a new pod and a new run are newer instances.

#include <string>

#include "agents/config/config.hpp"

namespace datasync::config {

/// The operator sets these variables in every agent's container, from the pod's metadata.
inline constexpr const char* kPodUid = "DATASYNC_POD_UID";
inline constexpr const char* kPodName = "DATASYNC_POD_NAME";

/// Returns the configured name; otherwise "UID:NAME" of the pod, from the environment; otherwise a name unique to this
/// process, so that every start is a new instance. At most 200 characters of ASCII, without '/' and '@'.
std::string instance_of(const Common& common);

}  // namespace datasync::config
