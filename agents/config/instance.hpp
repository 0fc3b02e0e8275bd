#pragma once
// Which instance of an agent this process is. A container that is restarted in its pod, and an agent that `datasync
// run` starts again, is the same instance as before; a new pod and a new run are newer ones.

#include <string>

#include "agents/config/config.hpp"

namespace datasync::config {

/// What the operator sets in every agent's container, from the pod itself.
inline constexpr const char* kPodUid = "DATASYNC_POD_UID";
inline constexpr const char* kPodName = "DATASYNC_POD_NAME";

/// The configured name; else "UID:NAME" of the pod, from the environment; else a name that no other process has, so
/// that every start is a new instance. At most 200 characters of ASCII, without '/' and '@'.
std::string instance_of(const Common& common);

}  // namespace datasync::config
