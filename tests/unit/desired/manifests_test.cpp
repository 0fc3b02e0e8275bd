// The children of the samples are held against golden files: UPDATE_GOLDEN=1 rewrites them.
#include "operator/desired/manifests.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "agents/config/config.hpp"
#include "operator/api/read.hpp"
#include "operator/desired/merge.hpp"

namespace datasync::desired {
namespace {

const Owner kOwner{"sync", "shop", "11111111-2222-3333-4444-555555555555"};

api::DataSync sample(const char* name, std::size_t document = 0) {
  return api::read_documents(config::read_file(std::string(SAMPLES_DIR) + "/" + name).value()).at(document).resource;
}

Settings settings() {
  return {.installation = "one",
          .image = "registry.test/datasync:1",
          .network_policy = true,
          .pod_monitor = true,
          .pod_monitor_labels = {{"release", "prometheus"}, {"datasync.dev/name", "other"}}};
}

void expect_golden(const std::string& name, const Json& made) {
  const auto path = std::string(GOLDEN_DIR) + "/" + name + ".json";
  const auto text = made.dump(2) + "\n";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text) << path << ": run with UPDATE_GOLDEN=1";
}

const Json& child(const std::vector<Json>& all, std::string_view kind, std::string_view suffix) {
  for (const auto& c : all)
    if (c.at("kind") == kind && c.at("metadata").at("name") == child_name(kOwner, suffix)) return c;
  throw std::runtime_error("no such child");
}

TEST(Manifests, the_full_sample_gives_the_golden_objects) {
  expect_golden("full", children(kOwner, sample("full.yaml"), settings()));
}

TEST(Manifests, a_source_alone_gives_capture_alone) {
  const auto all = children(kOwner, sample("source-only.yaml"), {.image = "i"});
  std::set<std::string> names;
  for (const auto& c : all)
    names.insert(c.at("kind").get<std::string>() + " " + c.at("metadata").at("name").get<std::string>());
  EXPECT_EQ(names,
            (std::set<std::string>{"ServiceAccount shop-agent", "ConfigMap shop-config", "Deployment shop-capture"}));
}

TEST(Manifests, the_cleanup_job_is_golden) {
  expect_golden("cleanup", cleanup_job(kOwner, sample("full.yaml"), settings()));
}

TEST(Manifests, a_pause_changes_only_the_number_of_pods) {
  auto r = sample("full.yaml");
  auto running = children(kOwner, r, settings());
  r.spec.paused = true;
  auto paused = children(kOwner, r, settings());
  ASSERT_EQ(running.size(), paused.size());
  for (std::size_t i = 0; i < running.size(); ++i) {
    if (running[i].at("kind") != "Deployment") {
      EXPECT_EQ(running[i], paused[i]);
      continue;
    }
    EXPECT_EQ(paused[i].at("spec").at("replicas"), 0);
    running[i]["spec"]["replicas"] = 0;
    running[i]["metadata"].erase("annotations");
    paused[i]["metadata"].erase("annotations");
    EXPECT_EQ(running[i], paused[i]);
  }
}

TEST(Manifests, a_pod_mounts_exactly_the_configuration_it_was_made_for) {
  const auto all = children(kOwner, sample("full.yaml"), settings());
  const auto& map = child(all, "ConfigMap", "config");
  for (const auto* agent : {"capture", "apply"}) {
    const auto& pod = child(all, "Deployment", agent).at("spec").at("template").at("spec");
    const auto key = pod.at("volumes").at(0).at("configMap").at("items").at(0).at("key").get<std::string>();
    EXPECT_TRUE(map.at("data").contains(key)) << key;
  }
}

TEST(Manifests, a_changed_annotation_restart_changes_the_template_alone) {
  auto r = sample("full.yaml");
  const auto before = children(kOwner, r, settings());
  r.metadata.annotations[std::string(api::kRestart)] = "now";
  const auto after = children(kOwner, r, settings());
  EXPECT_EQ(child(before, "ConfigMap", "config"), child(after, "ConfigMap", "config"));
  const auto& annotations =
      child(after, "Deployment", "capture").at("spec").at("template").at("metadata").at("annotations");
  EXPECT_EQ(annotations.at(std::string(api::kRestart)), "now");
  EXPECT_NE(child(before, "Deployment", "apply").at("metadata").at("annotations"),
            child(after, "Deployment", "apply").at("metadata").at("annotations"));
}

TEST(Manifests, an_accepted_position_reaches_capture) {
  auto r = sample("full.yaml");
  r.metadata.annotations[std::string(api::kAcceptPositionLost)] = "0-1-7";
  const auto all = children(kOwner, r, settings());
  const auto& data = child(all, "ConfigMap", "config").at("data");
  for (const auto& [key, text] : data.items()) {
    if (!key.starts_with("capture")) continue;
    EXPECT_EQ(config::read_capture(text.get<std::string>()).value().accept_position_lost, "0-1-7");
  }
}

// It ran the agent's command, or a second container that never ended, and was reported as given up.
TEST(Manifests, the_cleanup_takes_over_no_command_probe_image_or_container) {
  auto r = sample("full.yaml");
  r.spec.apply.pod_template = config::parse_json(R"({"metadata":{"annotations":{"sidecar.istio.io/inject":"false"}},
    "spec":{"nodeSelector":{"disk":"fast"},"imagePullSecrets":[{"name":"pull"}],"restartPolicy":"Always",
            "initContainers":[{"name":"first","image":"x"}],
            "containers":[{"name":"side","image":"x"},
              {"name":"agent","image":"mine","command":["sleep"],"args":["1"],"env":[{"name":"A","value":"b"}],
               "livenessProbe":{"httpGet":{"path":"/x","port":1}}}]}})")
                                  .value();
  const auto pods = cleanup_job(kOwner, r, settings()).at("spec").at("template");
  const auto& spec = pods.at("spec");
  ASSERT_EQ(spec.at("containers").size(), 1U) << spec.dump();
  const auto& agent = spec.at("containers").at(0);
  EXPECT_EQ(agent.at("command"), Json({"datasync"}));
  EXPECT_EQ(agent.at("args").at(0), "cleanup");
  EXPECT_EQ(agent.at("image"), settings().image);
  EXPECT_EQ(agent.at("env"), Json({{{"name", "A"}, {"value", "b"}}}));
  EXPECT_FALSE(agent.contains("livenessProbe") || spec.contains("initContainers"));
  EXPECT_EQ(spec.at("nodeSelector").at("disk"), "fast");
  EXPECT_EQ(spec.at("imagePullSecrets").at(0).at("name"), "pull");
  EXPECT_EQ(spec.at("restartPolicy"), "Never");
  EXPECT_EQ(pods.at("metadata").at("annotations").at("sidecar.istio.io/inject"), "false");
}

// https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
TEST(Manifests, pods_meet_pod_security_restricted) {
  auto all = children(kOwner, sample("full.yaml"), settings());
  all.push_back(cleanup_job(kOwner, sample("full.yaml"), settings()));
  int pods = 0;
  for (const auto& c : all) {
    if (!c.contains("spec") || !c.at("spec").contains("template")) continue;
    ++pods;
    const auto& spec = c.at("spec").at("template").at("spec");
    EXPECT_EQ(spec.at("securityContext").at("runAsNonRoot"), true);
    EXPECT_EQ(spec.at("securityContext").at("seccompProfile").at("type"), "RuntimeDefault");
    EXPECT_EQ(spec.at("automountServiceAccountToken"), false);
    for (const auto* key : {"hostNetwork", "hostPID", "hostIPC"}) EXPECT_FALSE(spec.contains(key));
    for (const auto& one : spec.at("containers")) {
      const auto& security = one.at("securityContext");
      EXPECT_EQ(security.at("allowPrivilegeEscalation"), false);
      EXPECT_EQ(security.at("readOnlyRootFilesystem"), true);
      EXPECT_EQ(security.at("capabilities").at("drop"), Json::array({"ALL"}));
    }
    for (const auto& volume : spec.at("volumes")) EXPECT_FALSE(volume.contains("hostPath"));
  }
  EXPECT_EQ(pods, 3);
}

TEST(Manifests, every_secret_is_listed_with_the_keys_that_are_used) {
  const std::vector<SecretKeys> expected{
      {"dr-writer", {"pass", "user"}},          {"kafka-ca", {"ca.crt"}}, {"kafka-client", {"tls.crt", "tls.key"}},
      {"kafka-user", {"password", "username"}}, {"shop-ca", {"ca.crt"}},  {"shop-reader", {"password", "username"}}};
  EXPECT_EQ(secrets_of(sample("full.yaml")), expected);
}

// Nothing a user writes may take the pods out of their Deployment's sight.
TEST(Manifests, labels_of_the_selector_survive_any_pod_template) {
  auto r = sample("full.yaml");
  r.spec.capture.pod_template = config::parse_json(R"({"metadata":{"labels":{"datasync.dev/agent":"mine","team":"a"},
      "annotations":{"datasync.dev/template-hash":"x","note":"y"}},
      "spec":{"containers":[{"name":"agent","env":[{"name":"A","value":"1"}]},{"name":"side","image":"s"}]}})")
                                    .value();
  const auto all = children(kOwner, r, settings());
  const auto& d = child(all, "Deployment", "capture").at("spec");
  const auto& meta = d.at("template").at("metadata");
  for (const auto& [key, value] : d.at("selector").at("matchLabels").items())
    EXPECT_EQ(meta.at("labels").at(key), value);
  EXPECT_EQ(meta.at("labels").at("team"), "a");
  EXPECT_EQ(meta.at("annotations").at("note"), "y");
  EXPECT_NE(meta.at("annotations").at(std::string(kTemplateHash)), "x");
  const auto& containers = d.at("template").at("spec").at("containers");
  ASSERT_EQ(containers.size(), 2U);
  EXPECT_EQ(containers.at(0).at("command"), Json::array({"datasync-capture"}));
  EXPECT_EQ(containers.at(0).at("env").at(0).at("name"), "A");
  EXPECT_EQ(containers.at(1).at("name"), "side");
}

}  // namespace
}  // namespace datasync::desired
