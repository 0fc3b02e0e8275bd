#pragma once
// What the pods of an agent say about it.

#include <optional>
#include <string_view>
#include <vector>

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// The pod that counts for an agent: not ending, the newest. Null when there is none.
const Json* current_pod(const std::vector<Json>& pods, std::string_view agent);

/// The pod whose /status tells of the agent: the newest in which the agent has begun, before that the newest.
const Json* speaking_pod(const std::vector<Json>& pods, std::string_view agent);

/// Made by the ReplicaSet of a Deployment of this resource; anybody can put our labels onto a pod.
bool is_agents_pod(const Json& pod, const desired::Owner& owner);
/// With which the newest pod of the resource's cleanup Job that failed ended; empty: none did, or it said nothing.
std::string cleanup_words(const std::vector<Json>& pods, const desired::Owner& owner);
/// Why the newest pod of the resource's cleanup Job does not run, in the words of the kubelet or the scheduler.
std::optional<Finding> cleanup_trouble(const std::vector<Json>& pods, const desired::Owner& owner);
/// Among all pods of the namespace: those in which an agent of the resource may run, also without our labels and
/// without an owner, which a ReplicaSet gives up when the labels that it selects by are changed.
std::vector<Json> agents_left(const std::vector<Json>& pods, const desired::Owner& owner);
/// Among ReplicaSets: those that may still make an agent's pod. They live for a while after their Deployment, and for
/// ever after `kubectl delete --cascade=orphan`.
std::vector<std::string> sets_left(const std::vector<Json>& sets, const desired::Owner& owner);
/// A pod of this cleanup Job has ended its own container with success. Where a sidecar is added to pods, the pod does
/// not end with it, and the Job would run into its deadline with its work done.
bool cleanup_done(const std::vector<Json>& pods, const Json& job);
/// By its label.
bool pod_of(const Json& pod, std::string_view agent);
/// The agent runs in it, or has run.
bool pod_begun(const Json& pod);
/// Nothing runs in it any more and nothing will: evicted, or done.
bool pod_ended(const Json& pod);

/// Its kubelet says that it takes part.
bool pod_ready(const Json& pod);

/// Why a pod does not run, in the words of the kubelet or the scheduler; nothing when it runs.
std::optional<Finding> pod_trouble(const Json& pod);

/// Why a Deployment or Job has no pod, from its conditions (ReplicaFailure).
std::optional<Finding> no_pod_trouble(const Json& workload);

}  // namespace datasync::decide
