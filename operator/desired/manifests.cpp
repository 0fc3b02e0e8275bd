#include "operator/desired/manifests.hpp"

#include "operator/desired/merge.hpp"
#include "operator/desired/pod.hpp"

namespace datasync::desired {
namespace {

constexpr int kCleanupSeconds = 300;
constexpr int kCleanupTries = 3;

Json object(const char* api_version, const char* kind, const Owner& owner, std::string_view suffix,
            std::string_view agent) {
  return {{"apiVersion", api_version},
          {"kind", kind},
          {"metadata",
           {{"name", child_name(owner, suffix)},
            {"namespace", owner.ns},
            {"labels", labels(owner, agent)},
            {"ownerReferences",
             {{{"apiVersion", api::kApiVersion},
               {"kind", api::kKind},
               {"name", owner.name},
               {"uid", owner.uid},
               {"controller", true},
               {"blockOwnerDeletion", true}}}}}}};
}

Json hashed(Json made) {
  const auto value = hash(made);
  made["metadata"]["annotations"][std::string(kSpecHash)] = value;
  return made;
}

Json selector(const Owner& owner, std::string_view agent) {
  Json match{{std::string(kNameLabel), owner.name}};
  if (!agent.empty()) match[std::string(kAgentLabel)] = agent;
  return {{"matchLabels", std::move(match)}};
}

Json service_account(const Owner& owner) {
  auto out = object("v1", "ServiceAccount", owner, "agent", {});
  out["automountServiceAccountToken"] = false;
  return out;
}

/// Server-side apply takes away what is no longer named: a pod of a former template that is put onto another node
/// could not mount its key any more.
Json config_map(const Owner& owner, const api::DataSync& resource, const Running& running) {
  auto out = object("v1", "ConfigMap", owner, "config", {});
  for (const auto& [key, text] : running.config) out["data"][key] = text;
  for (const auto agent : agents_of(resource)) {
    const auto config = agent_config(resource, agent);
    out["data"][config.key] = config.text;
  }
  return out;
}

/// Nobody needs to reach an agent but for its health and its figures; where it may go itself only its users know.
Json network_policy(const Owner& owner) {
  auto out = object("networking.k8s.io/v1", "NetworkPolicy", owner, "agent", {});
  out["spec"] = {{"podSelector", selector(owner, {})},
                 {"policyTypes", {"Ingress"}},
                 {"ingress", {{{"ports", {{{"port", kPort}, {"protocol", "TCP"}}}}}}}};
  return out;
}

Json pod_monitor(const Owner& owner, const Settings& settings) {
  auto out = object("monitoring.coreos.com/v1", "PodMonitor", owner, "agent", {});
  auto& labels = out["metadata"]["labels"];
  for (const auto& [key, value] : settings.pod_monitor_labels)
    if (!labels.contains(key)) labels[key] = value;
  out["spec"] = {{"selector", selector(owner, {})},
                 {"podTargetLabels", {kNameLabel, kAgentLabel}},
                 {"podMetricsEndpoints", {{{"port", "http"}, {"path", "/metrics"}, {"scheme", "http"}}}}};
  return out;
}

/// The old pod works until the new one's agent begins: an image that cannot be pulled or a node that is full stops
/// nothing. Then the old one ends, ready or not, as does at once one that will not run by itself: two agents of one
/// task would only push each other away (docs/decisions/0013-handing-over.md).
Json strategy(const std::vector<AgentPod>& pods, const std::string& wanted) {
  bool begun = false, others = false, others_stuck = true;
  for (const auto& pod : pods) {
    const bool same = pod.template_hash == wanted;
    begun = begun || (same && pod.begun);
    others = others || !same;
    others_stuck = others_stuck && (same || pod.stuck);
  }
  if (others && (begun || others_stuck)) return {{"type", "Recreate"}};
  return {{"type", "RollingUpdate"}, {"rollingUpdate", {{"maxSurge", 1}, {"maxUnavailable", 0}}}};
}

Json deployment(const Owner& owner, const api::DataSync& resource, const Settings& settings, std::string_view agent,
                const Running& running) {
  auto out = object("apps/v1", "Deployment", owner, agent, agent);
  auto pods = agent_template(owner, resource, settings, agent);
  const auto there = running.pods.find(std::string(agent));
  const auto hash = pods.at("metadata").at("annotations").at(std::string(kTemplateHash)).get<std::string>();
  if (!running.completion.empty()) out["metadata"]["annotations"][std::string(kCompletion)] = running.completion;
  out["spec"] = {{"replicas", resource.spec.paused || !running.completion.empty() ? 0 : 1},
                 {"revisionHistoryLimit", 2},
                 {"progressDeadlineSeconds", 600},
                 {"strategy", strategy(there == running.pods.end() ? std::vector<AgentPod>() : there->second, hash)},
                 {"selector", selector(owner, agent)},
                 {"template", std::move(pods)}};
  return out;
}

}  // namespace

std::vector<Json> children(const Owner& owner, const api::DataSync& resource, const Settings& settings,
                           const Running& running) {
  std::vector<Json> out;
  out.push_back(hashed(service_account(owner)));
  out.push_back(hashed(config_map(owner, resource, running)));
  if (settings.network_policy) out.push_back(hashed(network_policy(owner)));
  if (settings.pod_monitor) out.push_back(hashed(pod_monitor(owner, settings)));
  for (const auto agent : agents_of(resource))
    out.push_back(hashed(deployment(owner, resource, settings, agent, running)));
  return out;
}

Json cleanup_job(const Owner& owner, const api::DataSync& resource, const Settings& settings) {
  auto out = object("batch/v1", "Job", owner, kCleanup, kCleanup);
  out["spec"] = {{"activeDeadlineSeconds", kCleanupSeconds},
                 {"backoffLimit", kCleanupTries},
                 {"completions", 1},
                 {"parallelism", 1},
                 {"template", cleanup_template(owner, resource, settings)}};
  return hashed(std::move(out));
}

}  // namespace datasync::desired
