#include "operator/decide/pods.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "operator/decide/fields.hpp"

namespace datasync::decide {
namespace {

constexpr int kManyRestarts = 3;

using fields::condition;
using fields::member;
using fields::number;
using fields::text;

std::string pod_name(const Json& pod) {
  return text(member(pod, "metadata"), "name");
}

Finding finding(Level level, std::string_view reason, const std::string& pod, std::string_view what,
                const std::string& words) {
  return {level, std::string(reason),
          words.empty() ? fmt::format("pod {}: {}", pod, what) : fmt::format("pod {}: {}: {}", pod, what, words)};
}

/// The limit is too small even to begin: containerd says so in words only.
bool too_little_memory(const std::string& words) {
  return words.find("OOM-killed") != std::string::npos;
}

std::optional<Finding> waiting(const std::string& pod, const Json& waiting, const Json& last) {
  const auto why = text(waiting, "reason");
  const auto words = text(waiting, "message");
  if (too_little_memory(words)) return finding(Level::Stalled, reason::OutOfMemory, pod, why, words);
  constexpr std::array kPull{
      "ErrImagePull",        "ImagePullBackOff",  "InvalidImageName",         "ErrImageNeverPull",
      "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"};
  constexpr std::array kConfig{"CreateContainerConfigError", "CreateContainerError", "RunContainerError"};
  // It ended between being made and being started, mostly for want of memory; the next try tells more.
  if (why == "RunContainerError" && words.find("cannot start a stopped process") != std::string::npos)
    return finding(Level::Waiting, reason::AgentGone, pod, why, words);
  if (std::ranges::find(kPull, why) != kPull.end())
    return finding(Level::Stalled, reason::ImagePullFailed, pod, why, words);
  if (std::ranges::find(kConfig, why) != kConfig.end())
    return finding(Level::Stalled, reason::ContainerConfigInvalid, pod, why, words);
  if (why != "CrashLoopBackOff") {
    constexpr std::array kNormal{"", "ContainerCreating", "PodInitializing"};
    if (std::ranges::find(kNormal, why) != kNormal.end()) return std::nullopt;
    return finding(Level::Waiting, reason::PodPending, pod, why, words);
  }
  const auto& ended = member(last, "terminated");
  if (text(ended, "reason") == "OOMKilled")
    return finding(Level::Stalled, reason::OutOfMemory, pod, "OOMKilled", words);
  const auto said = text(ended, "message");
  if (too_little_memory(said)) return finding(Level::Stalled, reason::OutOfMemory, pod, why, said);
  return finding(Level::Stalled, reason::AgentCrashing, pod,
                 fmt::format("{}, exit code {}", why, number(ended, "exitCode", 0)), said.empty() ? words : said);
}

std::optional<Finding> container_trouble(const std::string& pod, const Json& status) {
  const auto& state = member(status, "state");
  const auto& last = member(status, "lastState");
  if (const auto& w = member(state, "waiting"); w.is_object()) return waiting(pod, w, last);
  if (const auto& ended = member(state, "terminated"); ended.is_object()) {
    const auto why = text(ended, "reason");
    return why == "OOMKilled" || too_little_memory(text(ended, "message"))
               ? finding(Level::Stalled, reason::OutOfMemory, pod, why, text(ended, "message"))
               : finding(Level::Waiting, reason::AgentGone, pod, why.empty() ? "ended" : why, text(ended, "message"));
  }
  // Runs again for the moment: the reason it keeps ending stays the news until it is ready.
  const bool ready = member(status, "ready") == true;
  if (!ready && number(status, "restartCount", 0) >= kManyRestarts &&
      text(member(last, "terminated"), "reason") == "OOMKilled")
    return finding(Level::Stalled, reason::OutOfMemory, pod, "OOMKilled", text(member(last, "terminated"), "message"));
  return std::nullopt;
}

/// Of a container that is not the agent's, the name: the reasons speak of the agent.
std::string container_name(const std::string& pod, const Json& status) {
  const auto name = text(status, "name");
  return name.empty() || name == desired::kContainer ? pod : fmt::format("{}, container {}", pod, name);
}

bool ends(const Json& pod) {
  return member(pod, "metadata").contains("deletionTimestamp");
}

std::string made(const Json& pod) {
  return text(member(pod, "metadata"), "creationTimestamp");
}

bool is_cleanups(const Json& pod, const desired::Owner& owner) {
  return std::ranges::any_of(member(member(pod, "metadata"), "ownerReferences"), [&](const Json& ref) {
    return text(ref, "kind") == "Job" && text(ref, "name") == desired::child_name(owner, desired::kCleanup);
  });
}

/// What runc could not start has not run (kubelet: StartError, ContainerCannotRun).
bool has_run(const Json& terminated) {
  const auto why = text(terminated, "reason");
  return terminated.is_object() && why != "StartError" && why != "ContainerCannotRun";
}

}  // namespace

bool pod_of(const Json& pod, std::string_view agent) {
  return text(member(member(pod, "metadata"), "labels"), std::string(desired::kAgentLabel).c_str()) == agent;
}

bool is_agents_pod(const Json& pod, const desired::Owner& owner) {
  const auto& meta = member(pod, "metadata");
  const auto agent = text(member(meta, "labels"), std::string(desired::kAgentLabel).c_str());
  const auto hash = text(member(meta, "labels"), "pod-template-hash");
  if (hash.empty() || (agent != desired::kCapture && agent != desired::kApply)) return false;
  const auto set = desired::child_name(owner, agent) + "-" + hash;  // as the Deployment's controller names it
  return std::ranges::any_of(member(meta, "ownerReferences"), [&](const Json& ref) {
    return member(ref, "controller") == true && text(ref, "kind") == "ReplicaSet" &&
           text(ref, "apiVersion").starts_with("apps/") && text(ref, "name") == set;
  });
}

std::string cleanup_words(const std::vector<Json>& pods, const desired::Owner& owner) {
  std::string words, last;
  for (const auto& pod : pods) {
    if (!is_cleanups(pod, owner) || made(pod) < last) continue;
    for (const auto& one : member(member(pod, "status"), "containerStatuses"))
      if (const auto& ended = member(member(one, "state"), "terminated"); number(ended, "exitCode", 0) != 0) {
        words = text(ended, "message");
        last = made(pod);
      }
  }
  return words;
}

std::optional<Finding> cleanup_trouble(const std::vector<Json>& pods, const desired::Owner& owner) {
  const Json* newest = nullptr;
  for (const auto& pod : pods)
    if (is_cleanups(pod, owner) && !ends(pod) && (newest == nullptr || made(pod) > made(*newest))) newest = &pod;
  if (newest == nullptr || pod_ended(*newest)) return std::nullopt;
  auto trouble = pod_trouble(*newest);
  return trouble && trouble->reason != reason::AgentGone ? trouble : std::nullopt;
}

std::vector<Json> agents_left(const std::vector<Json>& pods, const desired::Owner& owner) {
  const auto config = desired::child_name(owner, "config");
  std::vector<Json> out;
  for (const auto& pod : pods) {
    const auto mounts = [&](const Json& volume) { return text(member(volume, "configMap"), "name") == config; };
    const bool ours = is_agents_pod(pod, owner) || std::ranges::any_of(member(member(pod, "spec"), "volumes"), mounts);
    if (ours && !pod_ended(pod) && !is_cleanups(pod, owner)) out.push_back(pod);
  }
  return out;
}

std::vector<std::string> sets_left(const std::vector<Json>& sets, const desired::Owner& owner) {
  std::vector<std::string> out;
  for (const auto& set : sets) {
    const auto& meta = member(set, "metadata");
    const auto name = text(meta, "name");
    const bool ours = std::ranges::any_of(std::array{desired::kCapture, desired::kApply}, [&](std::string_view agent) {
      return pod_of(set, agent) && name.starts_with(desired::child_name(owner, agent) + "-");
    });
    // Zero: it may only delete pods.
    if (ours && !ends(set) && number(member(set, "spec"), "replicas", 1) > 0) out.push_back(name);
  }
  return out;
}

bool cleanup_done(const std::vector<Json>& pods, const Json& job) {
  const auto uid = text(member(job, "metadata"), "uid");
  const auto of_job = [&](const Json& ref) { return text(ref, "kind") == "Job" && text(ref, "uid") == uid; };
  const auto done = [](const Json& one) {
    return text(one, "name") == desired::kContainer &&
           number(member(member(one, "state"), "terminated"), "exitCode", 1) == 0;
  };
  return !uid.empty() && std::ranges::any_of(pods, [&](const Json& pod) {
    return std::ranges::any_of(member(member(pod, "metadata"), "ownerReferences"), of_job) &&
           std::ranges::any_of(member(member(pod, "status"), "containerStatuses"), done);
  });
}

bool pod_begun(const Json& pod) {
  for (const auto& one : member(member(pod, "status"), "containerStatuses"))
    if (text(one, "name") == desired::kContainer)
      return member(member(one, "state"), "running").is_object() ||
             has_run(member(member(one, "state"), "terminated")) ||
             has_run(member(member(one, "lastState"), "terminated"));
  return false;
}

bool pod_ended(const Json& pod) {
  const auto phase = text(member(pod, "status"), "phase");
  return phase == "Failed" || phase == "Succeeded";
}

const Json* speaking_pod(const std::vector<Json>& pods, std::string_view agent) {
  const auto* newest = current_pod(pods, agent);
  if (newest == nullptr || pod_begun(*newest)) return newest;
  const Json* best = nullptr;
  for (const auto& pod : pods) {
    if (!pod_of(pod, agent) || ends(pod) || pod_ended(pod) || !pod_begun(pod)) continue;
    if (best == nullptr ||
        text(member(pod, "metadata"), "creationTimestamp") > text(member(*best, "metadata"), "creationTimestamp"))
      best = &pod;
  }
  return best == nullptr ? newest : best;
}

const Json* current_pod(const std::vector<Json>& pods, std::string_view agent) {
  const Json* best = nullptr;
  for (const auto& pod : pods) {
    const auto& meta = member(pod, "metadata");
    if (!pod_of(pod, agent) || ends(pod)) continue;
    const auto phase = text(member(pod, "status"), "phase");
    if (phase == "Failed" && best != nullptr) continue;  // evicted: its successor counts
    const auto better = [&] {
      const auto& other = member(*best, "metadata");
      if (text(member(*best, "status"), "phase") == "Failed" && phase != "Failed") return true;
      return std::pair(text(meta, "creationTimestamp"), text(meta, "name")) >
             std::pair(text(other, "creationTimestamp"), text(other, "name"));
    };
    if (best == nullptr || better()) best = &pod;
  }
  return best;
}

bool pod_ready(const Json& pod) {
  const auto* c = condition(pod, "Ready");
  return c != nullptr && text(*c, "status") == "True";
}

std::optional<Finding> pod_trouble(const Json& pod) {
  const auto name = pod_name(pod);
  const auto& status = member(pod, "status");
  const auto phase = text(status, "phase");
  if (phase == "Failed")
    return finding(Level::Waiting, reason::AgentGone, name,
                   text(status, "reason").empty() ? "Failed" : text(status, "reason"), text(status, "message"));
  if (const auto* c = condition(pod, "PodScheduled"); c != nullptr && text(*c, "status") == "False")
    return text(*c, "reason") == "Unschedulable"
               ? finding(Level::Stalled, reason::Unschedulable, name, "Unschedulable", text(*c, "message"))
               : finding(Level::Waiting, reason::PodPending, name, text(*c, "reason"), text(*c, "message"));
  for (const auto* list : {"initContainerStatuses", "containerStatuses"})
    for (const auto& one : member(status, list)) {
      // An init container that ended well is no trouble.
      const auto& ended = member(member(one, "state"), "terminated");
      if (std::string_view(list) == "initContainerStatuses" && number(ended, "exitCode", 1) == 0) continue;
      if (auto trouble = container_trouble(container_name(name, one), one)) return trouble;
    }
  return std::nullopt;
}

std::optional<Finding> no_pod_trouble(const Json& workload) {
  const auto* c = condition(workload, "ReplicaFailure");
  if (c == nullptr || text(*c, "status") != "True") return std::nullopt;
  return Finding{Level::Stalled, std::string(reason::PodRefused),
                 fmt::format("{}: {}", text(member(workload, "metadata"), "name"), text(*c, "message"))};
}

}  // namespace datasync::decide
