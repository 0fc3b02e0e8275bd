#include "tests/integration/operator_environment.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

const kube::Resource* const kChildren[] = {&kube::kConfigMaps, &kube::kServiceAccounts, &kube::kDeployments,
                                           &kube::kJobs, &kube::kNetworkPolicies};

void strip(Json& object) {
  auto& meta = object["metadata"];
  for (const auto* key : {"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"})
    meta.erase(key);
  if (meta.contains("annotations")) meta["annotations"].erase("datasync.dev/spec-hash");  // holds the owner's uid
  if (meta.contains("ownerReferences"))
    for (auto& ref : meta["ownerReferences"]) ref.erase("uid");
  object.erase("status");
  if (object.value("kind", "") != "Job") return;
  object["spec"].erase("selector");
  for (const auto* key : {"controller-uid", "batch.kubernetes.io/controller-uid"})
    object["spec"]["template"]["metadata"]["labels"].erase(key);
}

}  // namespace

OperatorEnvironment::OperatorEnvironment() : server_(std::make_unique<ApiServer>(dir_.path())) {
  server_->define(read_file(CRD_FILE), "datasyncs.datasync.dev");
  server_->make_namespace(kNs);
  kube::ConnectOptions options;
  options.kubeconfig = server_->kubeconfig().string();
  options.field_manager = "tester";
  options.qps = 0;
  auto api = kube::connect(options);
  if (!api) throw std::runtime_error(api.error().what);
  api_ = std::move(*api);
}

Process OperatorEnvironment::start(const std::filesystem::path& kubeconfig, std::vector<std::string> more) {
  ProcessOptions options;
  options.args = {OPERATOR,
                  "--kubeconfig",
                  kubeconfig.string(),
                  "--agent-image",
                  "registry.test/datasync:1",
                  "--http-port",
                  "0",
                  "--http-host",
                  "127.0.0.1",
                  "--watch-namespaces",
                  kNs,
                  "--no-leader-elect",
                  "--api-server-qps",
                  "0",
                  "--log-format",
                  "json"};
  options.args.insert(options.args.end(), more.begin(), more.end());
  options.log = dir_.path() / "operator.log";
  return Process::start(options);
}

std::string OperatorEnvironment::log() const {
  const auto text = read_file(dir_.path() / "operator.log");
  return text.size() > 6000 ? text.substr(text.size() - 6000) : text;
}

Json OperatorEnvironment::resource(const char* change, const std::string& name) {
  auto out = Json::parse(R"({"apiVersion":"datasync.dev/v1alpha1","kind":"DataSync","metadata":{"namespace":"w"},
    "spec":{
      "source":{"replicas":[{"host":"db-1"}],"credentials":{"secretName":"reader"},
                "types":[{"name":"orders","tables":["shop.orders"]}]},
      "channel":{"bootstrapServers":"kafka:9092","topic":"shop"},
      "destination":{"host":"dr","credentials":{"secretName":"writer"}}}})");
  out["metadata"]["name"] = name;
  out.merge_patch(Json::parse(change));
  return out;
}

std::string OperatorEnvironment::apply(const Json& object) {
  const auto done = api_->apply(kube::kDataSyncs, {kNs, object.at("metadata").at("name")}, object);
  return done ? "" : done.error().message;
}

void OperatorEnvironment::merge(const kube::Resource& kind, const std::string& name, const Json& patch,
                                const char* subresource) {
  const auto done = api_->merge_patch(kind, {kNs, name}, patch, subresource);
  if (!done) throw std::runtime_error(done.error().message);
}

void OperatorEnvironment::remove(const kube::Resource& kind, const std::string& name) {
  const auto done = api_->remove(kind, {kNs, name});
  if (!done) throw std::runtime_error(done.error().message);
}

Json OperatorEnvironment::get(const kube::Resource& kind, const std::string& name) const {
  auto found = api_->get(kind, {kNs, name});
  if (found) return *found;
  if (!found.error().is(kube::Code::NotFound)) throw std::runtime_error(found.error().message);
  return {};
}

std::vector<Json> OperatorEnvironment::list(const kube::Resource& kind) const {
  auto found = api_->list(kind, {kNs, "", ""});
  if (!found) throw std::runtime_error(found.error().message);
  return std::move(found->items);
}

namespace {

Json find_condition(const Json& object, const char* type) {
  for (const auto& c :
       object.is_object() ? object.value("/status/conditions"_json_pointer, Json::array()) : Json::array())
    if (c.at("type") == type) return c;
  return {};
}

}  // namespace

std::string OperatorEnvironment::condition(const char* type, const std::string& name) const {
  const auto c = find_condition(get(kube::kDataSyncs, name), type);
  return c.is_null() ? "" : fmt::format("{} {}", c.at("status").get<std::string>(), c.at("reason").get<std::string>());
}

std::string OperatorEnvironment::message(const char* type, const std::string& name) const {
  const auto c = find_condition(get(kube::kDataSyncs, name), type);
  return c.is_null() ? "" : c.at("message").get<std::string>();
}

std::vector<std::string> OperatorEnvironment::events(const std::string& name) const {
  std::vector<std::string> out;
  for (const auto& e : list(kube::kEvents))
    if (e.value("/regarding/name"_json_pointer, "") == name) out.push_back(e.value("reason", ""));
  return out;
}

bool OperatorEnvironment::has_event(const std::string& reason) const {
  return eventually(
      [&] {
        const auto all = events();
        return std::ranges::find(all, reason) != all.end();
      },
      std::chrono::seconds(20));
}

Json OperatorEnvironment::objects() const {
  auto out = Json::object();
  for (const auto* kind : kChildren)
    for (auto object : list(*kind)) {
      const auto name = object.at("metadata").at("name").get<std::string>();
      if (!name.starts_with("shop")) continue;  // kube-root-ca.crt, default
      strip(object);
      out[kind->kind + " " + name] = std::move(object);
    }
  return out;
}

bool OperatorEnvironment::observed(const std::string& name) const {
  const auto found = get(kube::kDataSyncs, name);
  return found.is_null() ||
         found.value("/status/observedGeneration"_json_pointer, 0) == found.at("metadata").at("generation");
}

void OperatorEnvironment::make_pod(const std::string& agent, int port, const std::string& name, bool ours) {
  const auto of = get(kube::kDeployments, name + "-" + agent).at("spec").at("template");
  Json pod{{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", of.at("metadata")}, {"spec", of.at("spec")}};
  const auto pod_name = name + "-" + agent + "-x";
  pod["metadata"]["name"] = pod_name;
  pod["metadata"]["labels"]["pod-template-hash"] = "5d8f";
  pod["metadata"]["ownerReferences"] = {{{"apiVersion", "apps/v1"},
                                         {"kind", "ReplicaSet"},
                                         {"name", name + "-" + agent + "-5d8f"},
                                         {"uid", "11111111-2222-3333-4444-555555555555"},
                                         {"controller", true}}};
  if (!ours) {
    pod["metadata"].erase("ownerReferences");
    pod["spec"].erase("volumes");
    for (auto& container : pod["spec"]["containers"]) container.erase("volumeMounts");
  }
  pod["spec"]["containers"][0]["ports"][0]["containerPort"] = port;
  const auto made = api_->create(kube::kPods, kNs, pod);
  if (!made) throw std::runtime_error(made.error().message);
  merge(kube::kPods, pod_name,
        Json::parse(R"({"status":{"phase":"Running","podIP":"127.0.0.1","podIPs":[{"ip":"127.0.0.1"}],
             "conditions":[{"type":"Ready","status":"True"}]}})"),
        "status");
}

void OperatorEnvironment::show_container(const std::string& pod, const char* state) {
  merge(kube::kPods, pod,
        {{"status",
          {{"containerStatuses",
            {{{"name", "agent"},
              {"ready", false},
              {"restartCount", 0},
              {"image", "i"},
              {"imageID", ""},
              {"state", Json::parse(state)}}}}}}},
        "status");
}

bool OperatorEnvironment::becomes(const char* type, const std::string& wanted, std::chrono::seconds limit,
                                  const std::string& name) const {
  const bool did = eventually([&] { return condition(type, name) == wanted; }, limit);
  EXPECT_TRUE(did) << type << " of " << name << " is " << condition(type, name) << ": " << message(type, name) << "\n"
                   << log();
  return did;
}

bool OperatorEnvironment::end_job(const char* how) {
  const auto job = get(kube::kJobs, "shop-cleanup");
  if (job.is_null()) return false;
  if (job.value("/status/conditions"_json_pointer, Json::array()).size() > 0) return true;
  const auto at = job.at("metadata").at("creationTimestamp");
  const bool complete = how == std::string("Complete");
  const auto condition = [&](const char* type) {
    return Json{{"type", type},        {"status", "True"},        {"reason", "Test"}, {"message", "as the test says"},
                {"lastProbeTime", at}, {"lastTransitionTime", at}};
  };
  Json status{{"startTime", at},
              {"conditions", {condition(complete ? "SuccessCriteriaMet" : "FailureTarget"), condition(how)}}};
  if (complete) {
    status["completionTime"] = at;
    status["succeeded"] = 1;
  }
  const auto done = api_->merge_patch(kube::kJobs, {kNs, "shop-cleanup"}, {{"status", status}}, "status");
  if (!done && !done.error().is(kube::Code::NotFound)) throw std::runtime_error(done.error().message);
  return true;
}

void OperatorEnvironment::forbid_by_quota(const std::string& ns, const std::string& resource) {
  const Json none{{resource, "0"}};
  server_->apply(Json{{"apiVersion", "v1"},
                      {"kind", "ResourceQuota"},
                      {"metadata", {{"name", "none"}, {"namespace", ns}}},
                      {"spec", {{"hard", none}}}}
                     .dump());
  server_->kubectl({"-n", ns, "patch", "resourcequota", "none", "--subresource=status", "--type=merge", "-p",
                    Json{{"status", {{"hard", none}, {"used", none}}}}.dump()});
}

void OperatorEnvironment::clear() {
  for (const auto& one : list(kube::kDataSyncs)) {
    const auto name = one.at("metadata").at("name").get<std::string>();
    if (one.at("metadata").contains("finalizers"))
      merge(kube::kDataSyncs, name, {{"metadata", {{"finalizers", Json()}}}});
    remove(kube::kDataSyncs, name);
  }
  for (const auto* kind : kChildren)
    for (const auto& one : list(*kind)) remove(*kind, one.at("metadata").at("name"));
  for (const auto& one : list(kube::kPods)) remove(kube::kPods, one.at("metadata").at("name"));
  for (const auto& one : list(kube::kEvents)) remove(kube::kEvents, one.at("metadata").at("name"));
}

}  // namespace datasync::test
