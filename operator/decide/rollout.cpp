#include "operator/decide/rollout.hpp"

#include <set>

#include "operator/decide/pods.hpp"

namespace datasync::decide {
namespace {

/// While a roll-out goes on, this many keys of an agent are kept without a pod that is known to mount them.
constexpr std::size_t kMostKept = 16;

std::string hash_of(const Json& object) {
  return object.at("metadata")
      .value("annotations", Json::object())
      .value(std::string(desired::kTemplateHash), std::string());
}

/// The keys of the ConfigMap that a pod of this spec mounts.
void add_keys(const Json& spec, const std::string& config_map, std::set<std::string>& keys) {
  for (const auto& volume : spec.value("volumes", Json::array())) {
    const auto map = volume.value("configMap", Json::object());
    if (map.value("name", "") != config_map) continue;
    for (const auto& item : map.value("items", Json::array())) keys.insert(item.value("key", ""));
  }
}

/// No pod of a former template is there any more, and none can come: what `kubectl rollout status` waits for.
bool rolled_out(const Json& deployment) {
  const auto status = deployment.value("status", Json::object());
  if (!status.contains("observedGeneration")) return true;  // no controller has made a pod of it yet
  const auto number = [](const Json& of, const char* key) { return of.value(key, std::int64_t{0}); };
  const auto wanted = number(deployment.at("spec"), "replicas");
  return number(status, "observedGeneration") >= number(deployment.at("metadata"), "generation") &&
         number(status, "updatedReplicas") == wanted && number(status, "replicas") == wanted &&
         number(status, "availableReplicas") == wanted;
}

Json config_data(const std::vector<Json>& children, const desired::Owner& owner) {
  const auto name = desired::child_name(owner, "config");
  for (const auto& c : children)
    if (c.value("kind", "") == "ConfigMap" && c.at("metadata").value("name", "") == name && is_ours(c, owner.uid))
      return c.value("data", Json::object());
  return Json::object();
}

std::map<std::string, std::string> still_mounted(const Observed& seen) {
  const auto owner = owner_of(seen.resource);
  const auto name = desired::child_name(owner, "config");
  const auto data = config_data(seen.children, owner);
  std::set<std::string> keys;
  for (const auto& pod : seen.pods)
    if (!pod_ended(pod)) add_keys(pod.value("spec", Json::object()), name, keys);
  for (const auto& c : seen.children) {
    if (c.value("kind", "") != "Deployment" || !is_ours(c, owner.uid)) continue;
    add_keys(c.value("/spec/template/spec"_json_pointer, Json::object()), name, keys);
    if (rolled_out(c)) continue;
    // A pod of a former template may be made anew at any moment: its ReplicaSet is still there.
    const auto agent = c.at("metadata").value("labels", Json::object()).value(std::string(desired::kAgentLabel), "");
    std::size_t kept = 0;
    for (const auto& [key, text] : data.items())
      if (!agent.empty() && key.starts_with(agent + "-") && kept++ < kMostKept) keys.insert(key);
  }
  std::map<std::string, std::string> out;
  for (const auto& [key, text] : data.items())
    if (keys.contains(key) && text.is_string()) out[key] = text.get<std::string>();
  return out;
}

}  // namespace

std::vector<std::string> mounted_config(const std::vector<Json>& children, const desired::Owner& owner,
                                        const Json& workload) {
  std::set<std::string> keys;
  add_keys(workload.value("/spec/template/spec"_json_pointer, Json::object()), desired::child_name(owner, "config"),
           keys);
  std::vector<std::string> out;
  const auto data = config_data(children, owner);
  for (const auto& key : keys)
    if (data.contains(key) && data.at(key).is_string()) out.push_back(data.at(key).get<std::string>());
  return out;
}

desired::Running running_of(const Observed& seen) {
  desired::Running out;
  out.config = still_mounted(seen);
  for (const auto& pod : seen.pods) {
    if (pod_ended(pod) || pod.at("metadata").contains("deletionTimestamp")) continue;
    const auto trouble = pod_trouble(pod);
    const bool stuck = !pod_ready(pod) && trouble && trouble->level == Level::Stalled;
    out.pods[pod.at("metadata").at("labels").value(std::string(desired::kAgentLabel), "")].push_back(
        {hash_of(pod), pod_begun(pod), stuck});
  }
  return out;
}

}  // namespace datasync::decide
