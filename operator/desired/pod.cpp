#include "operator/desired/pod.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "agents/config/instance.hpp"
#include "operator/desired/desired.hpp"
#include "operator/desired/merge.hpp"

namespace datasync::desired {
namespace {

constexpr int kReadOnlyMode = 0444;  // of the mounted files: the pod's user is the image's
constexpr const char* kConfigVolume = "config";
constexpr const char* kSecretsVolume = "secrets";
constexpr const char* kTmpVolume = "tmp";
constexpr int kGraceSeconds = 30;  // more than an agent takes to write its last checkpoint

Json json_of(const config::Value& value) {
  return value.is_null() ? Json::object() : Json::parse(config::to_json(value));
}

Runtime runtime() {
  Runtime out;
  out.secrets_dir = kSecretsDir;
  out.http_port = kPort;
  out.log_format = "json";
  return out;
}

using Keys = std::map<std::string, std::set<std::string>>;

void add(Keys& keys, const config::SecretRef& ref) {
  if (ref.set()) keys[ref.secret_name].insert(ref.key);
}

template <class Config>
void add_all(Keys& keys, const Config& c) {
  const auto& channel = c.common.channel;
  for (const auto* ref : {&c.credentials.username, &c.credentials.password, &c.tls.ca, &channel.tls_ca,
                          &channel.tls_certificate, &channel.tls_key, &channel.sasl_username, &channel.sasl_password})
    add(keys, *ref);
}

std::vector<SecretKeys> to_list(const Keys& keys) {
  std::vector<SecretKeys> out;
  for (const auto& [secret, names] : keys) out.push_back({secret, {names.begin(), names.end()}});
  return out;
}

const api::Agent& settings_of(const api::DataSync& r, std::string_view agent) {
  return agent == kCapture ? r.spec.capture : r.spec.apply;
}

Json probe(const char* path, int period) {
  return {{"httpGet", {{"path", path}, {"port", "http"}, {"scheme", "HTTP"}}},
          {"periodSeconds", period},
          {"timeoutSeconds", 3},
          {"failureThreshold", 3},
          {"successThreshold", 1}};
}

/// An environment variable from the pod itself.
Json field(const char* name, const char* path) {
  return {{"name", name}, {"valueFrom", {{"fieldRef", {{"apiVersion", "v1"}, {"fieldPath", path}}}}}};
}

Json container(const api::Agent& agent, const Settings& settings) {
  auto resources = json_of(agent.resources);
  if (resources.empty())
    resources = {{"requests", {{"cpu", "100m"}, {"memory", "128Mi"}}}, {"limits", {{"memory", "256Mi"}}}};
  return {{"name", kContainer},
          {"image", settings.image},
          {"imagePullPolicy", settings.pull_policy},
          {"resources", std::move(resources)},
          {"securityContext",
           {{"allowPrivilegeEscalation", false},
            {"privileged", false},
            {"readOnlyRootFilesystem", true},
            {"runAsNonRoot", true},
            {"capabilities", {{"drop", {"ALL"}}}}}},
          {"terminationMessagePath", "/dev/termination-log"},
          {"terminationMessagePolicy", "FallbackToLogsOnError"},
          {"volumeMounts",
           {{{"name", kConfigVolume}, {"mountPath", kConfigDir}, {"readOnly", true}},
            {{"name", kSecretsVolume}, {"mountPath", kSecretsDir}, {"readOnly", true}},
            {{"name", kTmpVolume}, {"mountPath", "/tmp"}}}}};
}

/// Optional: a secret that is missing is told by the agent, by its name, and read as soon as it is there.
Json secret_sources(const std::vector<SecretKeys>& secrets) {
  auto sources = Json::array();
  for (const auto& s : secrets) {
    auto items = Json::array();
    for (const auto& key : s.keys)
      items.push_back({{"key", key}, {"path", fmt::format("{}/{}", s.secret, key)}, {"mode", kReadOnlyMode}});
    sources.push_back({{"secret", {{"name", s.secret}, {"items", std::move(items)}, {"optional", true}}}});
  }
  return sources;
}

Json pod_spec(const Owner& owner, Json container, const Json& config_items, const std::vector<SecretKeys>& secrets) {
  return {{"restartPolicy", "Always"},
          {"dnsPolicy", "ClusterFirst"},
          {"terminationGracePeriodSeconds", kGraceSeconds},
          {"serviceAccountName", child_name(owner, "agent")},
          {"automountServiceAccountToken", false},
          {"enableServiceLinks", false},
          {"securityContext", {{"runAsNonRoot", true}, {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
          {"containers", {std::move(container)}},
          {"volumes",
           {{{"name", kConfigVolume},
             {"configMap",
              {{"name", child_name(owner, "config")}, {"defaultMode", kReadOnlyMode}, {"items", config_items}}}},
            {{"name", kSecretsVolume},
             {"projected", {{"defaultMode", kReadOnlyMode}, {"sources", secret_sources(secrets)}}}},
            {{"name", kTmpVolume}, {"emptyDir", {{"sizeLimit", "64Mi"}}}}}}};
}

/// The map at `key`, made where there is none: what a user merges in can be of any shape.
Json& map_at(Json& object, const char* key) {
  auto& out = object[key];
  if (!out.is_object()) out = Json::object();
  return out;
}

/// What tells an agent that was restarted in its pod from one in a newer pod. Behind what the user sets there.
void add_identity(Json& container) {
  auto& env = container["env"];
  if (!env.is_array()) env = Json::array();
  for (const auto& entry : {field(config::kPodName, "metadata.name"), field(config::kPodUid, "metadata.uid")}) {
    const std::string name = entry.at("name");
    const auto same = [&](const Json& other) { return other.is_object() && other.value("name", Json()) == name; };
    if (std::none_of(env.begin(), env.end(), same)) env.push_back(entry);
  }
}

/// Of what users set for an agent's pods, that which the cleanup's pod needs too: where it may run, as whom, and how it
/// reaches brokers and databases. Not the agent's command, arguments, probes and image, and no other containers: the
/// Job would do something else, or never end.
config::Value for_cleanup(const config::Value& pod_template) {
  using config::Value;
  constexpr std::string_view kSpec[] = {"nodeSelector",     "affinity",         "tolerations", "priorityClassName",
                                        "imagePullSecrets", "securityContext",  "hostAliases", "dnsConfig",
                                        "dnsPolicy",        "runtimeClassName", "hostNetwork", "serviceAccountName",
                                        "volumes",          "schedulerName"};
  constexpr std::string_view kContainerFields[] = {"name",         "env",      "envFrom", "securityContext",
                                                   "volumeMounts", "resources"};
  const auto only = [](const Value& map, const auto& names) {
    Value out{Value::Map{}};
    if (const auto* members = map.as<Value::Map>())
      for (const auto& m : *members)
        if (std::ranges::find(names, m.key) != std::end(names)) std::get<Value::Map>(out.data).push_back(m);
    return out;
  };
  Value out{Value::Map{}};
  auto& members = std::get<Value::Map>(out.data);
  if (const auto* meta = pod_template.find("metadata")) members.push_back({"metadata", *meta});
  const auto* given = pod_template.find("spec");
  if (given == nullptr) return out;
  auto spec = only(*given, kSpec);
  const auto* containers = given->find("containers");
  const auto* list = containers == nullptr ? nullptr : containers->as<Value::List>();
  for (const auto& c : list == nullptr ? Value::List() : *list) {
    const auto* name = c.find("name");
    if (name == nullptr || *name != Value{std::string(kContainer)}) continue;
    std::get<Value::Map>(spec.data).push_back({"containers", {Value::List{only(c, kContainerFields)}}});
    break;
  }
  members.push_back({"spec", std::move(spec)});
  return out;
}

/// Total: whatever the shape of what is merged in, there is a template with the labels and marks.
/// What a user writes wins, except the labels that the selector needs and the marks by which revisions are told.
Json finish(Json made, const api::Agent& agent, const Json& labels, Json marks, bool has_instance) {
  auto out = merge(made, json_of(agent.pod_template));
  auto& containers = map_at(out, "spec")["containers"];
  if (containers.is_array())
    for (auto& c : containers)
      if (has_instance && c.is_object() && c.value("name", Json()) == kContainer) add_identity(c);
  auto& meta = map_at(out, "metadata");
  map_at(meta, "labels").update(labels);
  map_at(meta, "annotations").update(marks);
  meta["annotations"][std::string(kTemplateHash)] = hash(out);
  return out;
}

}  // namespace

Json labels(const Owner& owner, std::string_view agent) {
  Json out{{"app.kubernetes.io/name", "datasync"},
           {"app.kubernetes.io/instance", owner.name},
           {"app.kubernetes.io/part-of", "datasync"},
           {std::string(kManagedByLabel), kManagedBy},
           {std::string(kNameLabel), owner.name}};
  if (!agent.empty()) {
    out["app.kubernetes.io/component"] = agent;
    out[std::string(kAgentLabel)] = agent;
  }
  return out;
}

AgentConfig agent_config(const api::DataSync& resource, std::string_view agent) {
  AgentConfig out;
  Keys keys;
  if (agent == kCapture) {
    const auto c = capture_config(resource, runtime());
    add_all(keys, c);
    out.text = config::write(c);
  } else {
    const auto a = apply_config(resource, runtime());
    add_all(keys, a);
    out.text = config::write(a);
  }
  out.hash = hash(out.text);
  out.key = fmt::format("{}-{}.json", agent, out.hash);
  out.secrets = to_list(keys);
  return out;
}

std::string config_hash(const api::DataSync& resource, std::string_view agent) {
  return agent_config(resource, agent).hash;
}

std::vector<std::string_view> agents_of(const api::DataSync& resource) {
  std::vector<std::string_view> out;
  if (resource.spec.source) out.push_back(kCapture);
  if (resource.spec.destination) out.push_back(kApply);
  return out;
}

std::vector<SecretKeys> secrets_of(const api::DataSync& resource) {
  Keys keys;
  for (const auto agent : agents_of(resource))
    for (const auto& s : agent_config(resource, agent).secrets) keys[s.secret].insert(s.keys.begin(), s.keys.end());
  return to_list(keys);
}

Json agent_template(const Owner& owner, const api::DataSync& resource, const Settings& settings,
                    std::string_view agent) {
  const auto config = agent_config(resource, agent);
  const auto& own = settings_of(resource, agent);
  auto c = container(own, settings);
  c["command"] = {fmt::format("datasync-{}", agent)};
  c["args"] = {"--config", fmt::format("{}/config.json", kConfigDir)};
  c["ports"] = {{{"name", "http"}, {"containerPort", kPort}, {"protocol", "TCP"}}};
  c["livenessProbe"] = probe("/livez", 10);
  c["readinessProbe"] = probe("/readyz", 5);
  const Json items = {{{"key", config.key}, {"path", "config.json"}}};
  Json marks{{std::string(kConfigHash), config.hash}, {"kubectl.kubernetes.io/default-container", kContainer}};
  const auto restart = resource.metadata.annotations.find(std::string(api::kRestart));
  if (restart != resource.metadata.annotations.end()) marks[std::string(api::kRestart)] = restart->second;
  const auto own_labels = labels(owner, agent);
  Json made{{"metadata", {{"labels", own_labels}, {"annotations", Json::object()}}},
            {"spec", pod_spec(owner, std::move(c), items, config.secrets)}};
  return finish(std::move(made), own, own_labels, std::move(marks), true);
}

Json cleanup_template(const Owner& owner, const api::DataSync& resource, const Settings& settings) {
  auto own = settings_of(resource, resource.spec.destination ? kApply : kCapture);
  own.pod_template = for_cleanup(own.pod_template);
  auto c = container(own, settings);
  c["command"] = {"datasync"};
  c["args"] = {"cleanup"};
  auto items = Json::array();
  for (const auto agent : agents_of(resource)) {
    items.push_back({{"key", agent_config(resource, agent).key}, {"path", fmt::format("{}.json", agent)}});
    c["args"].push_back("--config");
    c["args"].push_back(fmt::format("{}/{}.json", kConfigDir, agent));
  }
  const auto own_labels = labels(owner, kCleanup);
  auto spec = pod_spec(owner, std::move(c), items, secrets_of(resource));
  Json made{{"metadata", {{"labels", own_labels}, {"annotations", Json::object()}}}, {"spec", std::move(spec)}};
  auto out = finish(std::move(made), own, own_labels, Json::object(), false);
  out["spec"]["restartPolicy"] = "Never";  // a Job counts its failed pods
  return out;
}

}  // namespace datasync::desired
