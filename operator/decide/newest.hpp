#pragma once
// Whether pods of an agent's newest template can start. Pods of an earlier template may run meanwhile; they say nothing
// about the spec that is wanted now.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// The newest pod of the agent with this template hash; one that failed only when there is no other. Where there is
/// none, or the hash is empty: `current_pod`. Null when the agent has no pod.
const Json* newest_pod(const std::vector<Json>& pods, std::string_view agent, const std::string& template_hash);

/// Why this Deployment gets no pod of its newest template, in the words of its controller: pods or ReplicaSets that are
/// refused (quota, limit range, admission), a roll-out that was paused, or one that made no progress in its time.
/// Nothing while the controller has not seen the newest template: what it says is about the one before.
std::optional<Finding> no_new_pod(const Json& deployment);
/// The Deployment's controller has seen its newest template, and not every pod is of it.
bool lacks_new_pod(const Json& deployment);
/// The pods of the newest template are there and did not become ready within spec.progressDeadlineSeconds.
std::optional<Finding> timed_out(const Json& deployment);

/// The pod's containers are not started, and its status does not say why: what keeps it (volumes that cannot be
/// mounted, a network that cannot be set up) is in its events only.
bool is_silent(const Json& pod);
/// "FailedMount: MountVolume.SetUp failed ..." of the last of these events; empty: it is no warning. What was warned of
/// before another step succeeded is over.
std::string last_warning(const std::vector<Json>& events);

}  // namespace datasync::decide
