#include "operator/status/agent_state.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "operator/decide/newest.hpp"
#include "operator/decide/pods.hpp"

namespace datasync::status {
namespace {

using decide::Level;
using decide::Observed;
namespace reason = decide::reason;

/// What is held, for the Ready condition; the rest is in status.apply.held.
std::string held_message(const decide::AgentView& view) {
  constexpr std::size_t kMost = 3;
  const auto& held = view.held;
  std::string out;
  for (std::size_t i = 0; i < std::min(kMost, held.size()); ++i)
    out += fmt::format("{}{} is held ({}: {})", i == 0 ? "" : "; ", held[i].table, held[i].reason, held[i].message);
  if (view.held_count > kMost) out += fmt::format("; and {} more", view.held_count - kMost);
  return out + "; all other tables are applied";
}

bool is_deployment(const Json& object, const Observed& seen, std::string_view agent) {
  return object.value("kind", "") == "Deployment" &&
         object.at("metadata").value("name", "") == desired::child_name(decide::owner_of(seen.resource), agent);
}

const Json* deployment(const Observed& seen, std::string_view agent) {
  const auto at = std::ranges::find_if(seen.children, [&](const Json& c) { return is_deployment(c, seen, agent); });
  return at == seen.children.end() ? nullptr : &*at;
}

std::string annotation(const Json& object, std::string_view name) {
  const auto& meta = object.at("metadata");
  const auto at = meta.find("annotations");
  return at == meta.end() || !at->is_object() ? std::string() : at->value(std::string(name), "");
}

std::string template_of(const Json& workload) {
  return annotation(workload.value("/spec/template"_json_pointer, Json{{"metadata", Json::object()}}),
                    desired::kTemplateHash);
}

/// The template that the agent's pods are to have: the one this look has just applied, before that the one that was
/// seen. Empty: not known. The pods of the one before say nothing of the spec that the status is about.
std::string wanted_template(const Observed& seen, const decide::Plan& plan, std::string_view agent) {
  const auto* workload = deployment(seen, agent);
  for (const auto& applied : plan.applies)
    if (is_deployment(applied, seen, agent)) workload = &applied;
  return workload == nullptr ? std::string() : template_of(*workload);
}

Finding waiting(std::string_view why, std::string message) {
  return {Level::Waiting, std::string(why), std::move(message)};
}

/// With what a user can do about a lost position.
std::string with_way_out(const Observed& seen, const decide::AgentView& view) {
  if (view.lost_position.empty()) return view.message;
  const auto& annotations = seen.document.resource.metadata.annotations;
  const auto named = annotations.find(std::string(api::kAcceptPositionLost));
  auto out = fmt::format("{}; to accept the loss and copy all tables again, annotate {}={}", view.message,
                         api::kAcceptPositionLost, view.lost_position);
  if (named != annotations.end() && named->second != view.lost_position)
    out += fmt::format(" (the annotation has {}, which is not the lost position)", named->second);
  return out;
}

AgentState from_view(const Observed& seen, std::string_view agent, const decide::AgentView& view) {
  const auto message = fmt::format("{}: {}", agent, with_way_out(seen, view));
  if (view.state == "Stalled")
    return {Finding{Level::Stalled, view.reason.empty() ? view.state : view.reason, message}, {}, {}};
  if (view.state == "Retrying" || view.state == "WaitingForReplica")
    return {waiting(view.reason.empty() ? view.state : view.reason, message), {}, {}};
  if (!view.live) return {waiting(reason::AgentUnreachable, fmt::format("{} is not making progress", agent)), {}, {}};
  if (!view.held.empty() && (view.state == "Streaming" || view.state == "Snapshotting"))
    return {Finding{Level::Stalled, std::string(reason::TablesHeld), held_message(view)}, {}, {}};
  if (view.state == "Streaming" || view.state == "Snapshotting" || view.state == "Completed")
    return {std::nullopt, view.state,
            view.endpoint.empty()
                ? fmt::format("{} is {}", agent, view.state)
                : fmt::format("{} {} {}", agent, agent == desired::kCapture ? "reads" : "writes", view.endpoint)};
  return {waiting(reason::Starting, fmt::format("{} is {}", agent, view.state)), {}, {}};
}

/// A new pod that does not begin stops nothing. `pod`: the one that `trouble` is about; null: there is none.
Finding with_old_pod(const Observed& seen, std::string_view agent, const Json* pod, Finding trouble) {
  const auto* speaks = decide::speaking_pod(seen.pods, agent);
  if (speaks != nullptr && speaks != pod && decide::pod_ready(*speaks))
    trouble.message +=
        fmt::format("; pod {} of the previous revision still runs", speaks->at("metadata").value("name", ""));
  return trouble;
}

std::string warning(const Observed& seen, const Json& pod) {
  const auto at = seen.warnings.find(pod.at("metadata").value("uid", ""));
  return at == seen.warnings.end() ? std::string() : at->second;
}

/// No pod of the newest template is there. What the Deployment says is about its own template, not about another one
/// that was applied just now.
Finding missing_pod(const Observed& seen, std::string_view agent, const std::string& wanted, const Json* old) {
  if (old == nullptr && seen.pods_unknown) return *seen.pods_unknown;
  const auto* workload = deployment(seen, agent);
  if (workload != nullptr && template_of(*workload) != wanted) workload = nullptr;
  auto why = workload == nullptr ? std::nullopt : decide::no_new_pod(*workload);
  if (why) return with_old_pod(seen, agent, nullptr, std::move(*why));
  return waiting(reason::Starting, old == nullptr ? fmt::format("{} has no pod yet", agent)
                                                  : fmt::format("pod {} of an old revision is being replaced",
                                                                old->at("metadata").value("name", "")));
}

/// It is of the newest template and not ready, and no agent answers in it.
Finding not_started(const Observed& seen, std::string_view agent, const Json& pod, const Json* workload) {
  const auto name = pod.at("metadata").value("name", "");
  const auto words = warning(seen, pod);
  auto why = words.empty() ? waiting(reason::Starting, fmt::format("pod {} is starting", name))
                           : waiting(reason::PodPending, fmt::format("pod {}: {}", name, words));
  if (auto late = workload == nullptr ? std::nullopt : decide::timed_out(*workload)) {
    if (!words.empty()) late->message += "; " + why.message;
    why = std::move(*late);
  }
  return with_old_pod(seen, agent, &pod, std::move(why));
}

}  // namespace

AgentState look_at(const Observed& seen, const decide::Plan& plan, std::string_view agent) {
  const auto wanted = wanted_template(seen, plan, agent);
  const auto* pod = decide::newest_pod(seen.pods, agent, wanted);
  const auto* workload = deployment(seen, agent);
  if (pod == nullptr || (!wanted.empty() && annotation(*pod, desired::kTemplateHash) != wanted))
    return {missing_pod(seen, agent, wanted, pod), {}, {}};
  // The pod may be of an earlier template all the same: others can change a template without its hash.
  if (workload != nullptr && (decide::lacks_new_pod(*workload) || decide::pod_ended(*pod))) {
    if (auto why = decide::no_new_pod(*workload)) return {with_old_pod(seen, agent, nullptr, std::move(*why)), {}, {}};
  }
  if (auto trouble = decide::pod_trouble(*pod)) return {with_old_pod(seen, agent, pod, std::move(*trouble)), {}, {}};
  const auto name = pod->at("metadata").value("name", "");
  const auto at = seen.reports.find(std::string(agent));
  const auto* report = at == seen.reports.end() || at->second.pod != name ? nullptr : &at->second;
  if (report != nullptr && report->view) return from_view(seen, agent, *report->view);
  if (decide::pod_ready(*pod))
    return {std::nullopt, std::string(reason::AgentsReady), fmt::format("{} is ready", agent)};
  if (report == nullptr || report->error.empty() || decide::is_silent(*pod))
    return {not_started(seen, agent, *pod, workload), {}, {}};
  return {waiting(reason::AgentUnreachable, fmt::format("pod {}: {}", name, report->error)), {}, {}};
}

}  // namespace datasync::status
