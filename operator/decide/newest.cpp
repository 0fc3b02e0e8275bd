#include "operator/decide/newest.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "operator/decide/fields.hpp"
#include "operator/decide/pods.hpp"

namespace datasync::decide {
namespace {

constexpr std::size_t kTimeToSeconds = 19;  ///< of "2026-01-31T12:00:00.000000Z": events have times of both kinds

using fields::condition;
using fields::member;
using fields::number;
using fields::text;

std::string name_of(const Json& object) {
  return text(member(object, "metadata"), "name");
}

/// No status: its controller has made no pod of it yet, and says nothing.
bool is_observed(const Json& deployment) {
  const auto& status = member(deployment, "status");
  return !status.is_object() || !status.contains("observedGeneration") ||
         number(status, "observedGeneration") >= number(member(deployment, "metadata"), "generation");
}

std::string template_of(const Json& pod) {
  return text(member(member(pod, "metadata"), "annotations"), std::string(desired::kTemplateHash).c_str());
}

/// Failed ones last, then by age.
auto rank(const Json& pod) {
  const auto& meta = member(pod, "metadata");
  return std::tuple(!pod_ended(pod), text(meta, "creationTimestamp"), text(meta, "name"));
}

/// When the event was last seen.
std::string time_of(const Json& event) {
  std::string last;
  for (auto time : {text(member(event, "series"), "lastObservedTime"), text(event, "deprecatedLastTimestamp"),
                    text(event, "eventTime"), text(member(event, "metadata"), "creationTimestamp")})
    last = std::max(last, time.substr(0, kTimeToSeconds));
  return last;
}

}  // namespace

const Json* newest_pod(const std::vector<Json>& pods, std::string_view agent, const std::string& template_hash) {
  const Json* best = nullptr;
  for (const auto& pod : pods) {
    if (template_hash.empty() || !pod_of(pod, agent) || member(pod, "metadata").contains("deletionTimestamp") ||
        template_of(pod) != template_hash)
      continue;
    if (best == nullptr || rank(pod) > rank(*best)) best = &pod;
  }
  return best == nullptr ? current_pod(pods, agent) : best;
}

std::optional<Finding> no_new_pod(const Json& deployment) {
  if (!is_observed(deployment)) return std::nullopt;
  if (auto refused = no_pod_trouble(deployment)) return refused;
  const auto name = name_of(deployment);
  const auto* progress = condition(deployment, "Progressing");
  const auto why = progress == nullptr ? std::string() : text(*progress, "reason");
  if (why == "ReplicaSetCreateError" && text(*progress, "status") == "False")
    return Finding{Level::Stalled, std::string(reason::PodRefused),
                   fmt::format("{}: {}", name, text(*progress, "message"))};
  if (member(member(deployment, "spec"), "paused") == true)
    return Finding{Level::Stalled, std::string(reason::RolloutPaused),
                   fmt::format("Deployment {} is paused, so no new pod is started: kubectl -n {} rollout resume "
                               "deployment {}",
                               name, text(member(deployment, "metadata"), "namespace"), name)};
  return timed_out(deployment);
}

bool lacks_new_pod(const Json& deployment) {
  const auto& status = member(deployment, "status");
  return status.is_object() && status.contains("observedGeneration") && is_observed(deployment) &&
         number(status, "updatedReplicas") < number(member(deployment, "spec"), "replicas");
}

std::optional<Finding> timed_out(const Json& deployment) {
  const auto* progress = condition(deployment, "Progressing");
  if (progress == nullptr || !is_observed(deployment) || text(*progress, "status") != "False" ||
      text(*progress, "reason") != "ProgressDeadlineExceeded")
    return std::nullopt;
  return Finding{Level::Stalled, std::string(reason::ProgressDeadlineExceeded),
                 fmt::format("{}: {}", name_of(deployment), text(*progress, "message"))};
}

bool is_silent(const Json& pod) {
  if (pod_ended(pod) || pod_ready(pod) || pod_begun(pod) || member(pod, "metadata").contains("deletionTimestamp"))
    return false;
  return !pod_trouble(pod) && text(member(pod, "status"), "phase") == "Pending";
}

std::string last_warning(const std::vector<Json>& events) {
  const auto warns = [](const Json& event) { return text(event, "type") == "Warning"; };
  const auto rank = [&](const Json& event) { return std::pair(time_of(event), warns(event)); };
  const auto last = std::ranges::max_element(events, {}, rank);
  if (last == events.end() || !warns(*last)) return {};
  return fmt::format("{}: {}", text(*last, "reason"), text(*last, "note"));
}

}  // namespace datasync::decide
