// What other programs of a cluster do to the agents' Deployments and pods, on a real API server: controllers and a
// kubelet that cannot start new pods, and admission webhooks.

#include <map>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/client/mysql/errors.hpp"
#include "cli/cluster/report.hpp"
#include "tests/integration/fake_status.hpp"
#include "tests/integration/operator_environment.hpp"
#include "tests/integration/webhook.hpp"
#include "tests/support/api_proxy.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

constexpr const char* kFlows = R"({"state":"Streaming","live":true,"ready":true,"rows":5})";
constexpr const char* kEdit = R"({"spec":{"capture":{"resources":{"limits":{"memory":"1Gi"}}}}})";

class OperatorPods : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    environment_ = std::make_unique<OperatorEnvironment>();
    for (const auto* name : {"reader", "writer"})
      ASSERT_TRUE(environment_->api().create(kube::kSecrets, OperatorEnvironment::kNs,
                                             {{"apiVersion", "v1"},
                                              {"kind", "Secret"},
                                              {"metadata", {{"name", name}}},
                                              {"stringData", {{"username", "u"}, {"password", "p"}}}}));
  }
  static void TearDownTestSuite() { environment_.reset(); }
  void SetUp() override { environment_->clear(); }

  static void edit(const char* change) {
    ASSERT_EQ(environment_->apply(OperatorEnvironment::resource(change)), "");
    ASSERT_TRUE(eventually(
        [] { return !environment_->get(kube::kDeployments, "shop-apply").is_null() && environment_->observed(); },
        seconds(30)))
        << environment_->log();
  }
  static bool becomes(const char* type, const std::string& wanted) {
    return environment_->becomes(type, wanted, seconds(40));
  }
  static bool says(const std::string& words) {
    const bool did =
        eventually([&] { return environment_->message("Ready").find(words) != std::string::npos; }, seconds(40));
    EXPECT_TRUE(did) << environment_->message("Ready");
    return did;
  }
  /// The roll-out of capture as the Deployment's controller shows it.
  static void show_rollout(const char* condition, int updated) {
    const auto now = environment_->get(kube::kDeployments, "shop-capture");
    environment_->merge(kube::kDeployments, "shop-capture",
                        {{"status",
                          {{"observedGeneration", now.at("metadata").at("generation")},
                           {"replicas", 1 + updated},
                           {"updatedReplicas", updated},
                           {"readyReplicas", 1},
                           {"availableReplicas", 1},
                           {"conditions", {Json::parse(condition)}}}}},
                        "status");
  }

  static int reconciles(const std::filesystem::path& port_file) {
    httplib::Client client("127.0.0.1", std::stoi(read_file(port_file)));
    const auto page = client.Get("/metrics");
    const std::string name = "datasync_operator_reconcile_seconds_count";
    const auto at = page ? page->body.find("\n" + name) : std::string::npos;
    return at == std::string::npos ? 0 : std::stoi(page->body.substr(page->body.find(' ', at + 1)));
  }
  /// Several resyncs go by without a write.
  static void expect_quiet(const ApiProxy& proxy, const std::filesystem::path& port_file) {
    std::this_thread::sleep_for(seconds(1));
    const auto writes = proxy.writes();
    const auto before = reconciles(port_file);
    EXPECT_TRUE(eventually([&] { return reconciles(port_file) >= before + 5; }, seconds(30))) << environment_->log();
    if (proxy.writes() == writes) return;
    std::string all;
    for (const auto& call : proxy.calls())
      if (call.is_write()) all += call.text() + "\n";
    ADD_FAILURE() << proxy.writes() - writes << " writes; all:\n" << all;
  }

  static inline std::unique_ptr<OperatorEnvironment> environment_;
};

// It was True by the pod of the spec before; and what only the kubelet's events say was nowhere.
TEST_F(OperatorPods, ready_is_not_true_while_new_pods_cannot_start) {
  const FakeStatus agent(kFlows);
  auto op = environment_->start(environment_->server().kubeconfig());
  edit("{}");
  for (const auto* name : {"capture", "apply"}) environment_->make_pod(name, agent.port());
  environment_->show_container("shop-capture-x", R"({"running":{}})");
  ASSERT_TRUE(becomes("Ready", "True Streaming"));

  // A quota, a limit range or an admission webhook refuses the new pod.
  edit(kEdit);
  show_rollout(R"({"type":"ReplicaFailure","status":"True","reason":"FailedCreate",
      "message":"pods \"shop-capture-77-x\" is forbidden: exceeded quota: few, requested: pods=1"})",
               0);
  ASSERT_TRUE(becomes("Ready", "False PodRefused"));
  EXPECT_EQ(environment_->condition("Stalled"), "True PodRefused");
  EXPECT_NE(environment_->message("Ready").find("is forbidden: exceeded quota: few"), std::string::npos);
  edit("{}");
  ASSERT_TRUE(becomes("Ready", "True Streaming"));
  EXPECT_EQ(environment_->condition("Stalled"), "False Streaming");

  // The Deployment itself is refused.
  edit(R"({"spec":{"capture":{"podTemplate":{"spec":{"hostAliases":[{"ip":"none","hostnames":["a"]}]}}}}})");
  ASSERT_TRUE(becomes("Ready", "False ApplyRefused"));
  edit("{}");
  ASSERT_TRUE(becomes("Ready", "True Streaming"));

  // The new pod is made, and its volume cannot be mounted: its status never says why.
  edit(kEdit);
  auto made = environment_->get(kube::kPods, "shop-capture-x");
  const auto pods = environment_->get(kube::kDeployments, "shop-capture").at("spec").at("template");
  made["metadata"] = {{"name", "shop-capture-new"},
                      {"labels", made.at("metadata").at("labels")},
                      {"annotations", pods.at("metadata").at("annotations")},
                      {"ownerReferences", made.at("metadata").at("ownerReferences")}};
  const auto created = environment_->api().create(kube::kPods, OperatorEnvironment::kNs, made);
  ASSERT_TRUE(created) << created.error().message;
  environment_->merge(kube::kPods, "shop-capture-new",
                      Json::parse(R"({"status":{"phase":"Pending","podIP":null,"podIPs":null,
      "conditions":[{"type":"Ready","status":"False","reason":"ContainersNotReady"}]}})"),
                      "status");
  environment_->show_container("shop-capture-new", R"({"waiting":{"reason":"ContainerCreating"}})");
  environment_->server().apply(fmt::format(
      R"({{"apiVersion":"v1","kind":"Event","metadata":{{"name":"shop-capture-new.1","namespace":"w"}},
      "involvedObject":{{"apiVersion":"v1","kind":"Pod","namespace":"w","name":"shop-capture-new","uid":{}}},
      "reason":"FailedMount","message":"MountVolume.SetUp failed for volume \"x\" : secret \"gone\" not found",
      "type":"Warning","count":3,"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:09Z",
      "source":{{"component":"kubelet"}},"reportingComponent":"kubelet","reportingInstance":"n"}})",
      created->at("metadata").at("uid").dump()));
  ASSERT_TRUE(becomes("Ready", "False PodPending"));
  const auto capture = environment_->get(kube::kDataSyncs, "shop").at("status").at("capture");
  EXPECT_EQ(capture.value("state", ""), "Streaming") << "the old pod's";
  EXPECT_EQ(capture.value("pod", ""), "shop-capture-x");
  EXPECT_TRUE(says("pod shop-capture-new: FailedMount: MountVolume.SetUp failed for volume \"x\" : secret \"gone\""));
  show_rollout(R"({"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded",
      "message":"ReplicaSet \"shop-capture-77\" has timed out progressing."})",
               1);
  ASSERT_TRUE(becomes("Stalled", "True ProgressDeadlineExceeded"));
  EXPECT_TRUE(says("has timed out progressing.; pod shop-capture-new: FailedMount"));
  edit("{}");
  ASSERT_TRUE(becomes("Ready", "True Streaming"));
  EXPECT_EQ(environment_->condition("Stalled"), "False Streaming");
}

// A label or an image that a webhook replaces was written again at every look.
TEST_F(OperatorPods, what_webhooks_change_is_written_once_and_then_left_alone) {
  const Webhook webhook(environment_->dir() / "webhook", change_as_others_do);
  webhook.enter(environment_->server(), OperatorEnvironment::kNs);
  const auto is_asked = [&] {
    const auto text = environment_->server().kubectl(
        {"-n", OperatorEnvironment::kNs, "create", "configmap", "probe", "--dry-run=server", "-o", "yaml"});
    return text.find("mesh: \"on\"") != std::string::npos;
  };
  ASSERT_TRUE(eventually(is_asked, seconds(30)));
  const FakeStatus agent(kFlows);
  ApiProxy proxy(environment_->server());
  const auto port_file = environment_->dir() / "webhook.port";
  const std::vector<std::string> flags{"--resync", "1", "--http-port-file", port_file.string()};
  auto op = environment_->start(proxy.kubeconfig(), flags);
  edit("{}");
  for (const auto* name : {"capture", "apply"}) {
    environment_->make_pod(name, agent.port());
    environment_->show_container(fmt::format("shop-{}-x", name), R"({"running":{}})");
  }
  ASSERT_TRUE(becomes("Ready", "True Streaming"));
  const auto live = environment_->get(kube::kDeployments, "shop-capture");
  ASSERT_EQ(live.at("metadata").at("labels").at("app.kubernetes.io/part-of"), "platform");
  ASSERT_EQ(live.value("/spec/template/spec/containers/0/image"_json_pointer, ""),
            "mirror.test/registry.test/datasync:1");
  ASSERT_EQ(environment_->get(kube::kPods, "shop-capture-x").value("/spec/containers/0/name"_json_pointer, ""), "mesh");
  const auto applies = [&] {
    return proxy.count([](const ApiCall& c) { return c.verb == "apply" && c.subresource.empty(); });
  };
  EXPECT_EQ(applies(), 4U) << "a ServiceAccount, a ConfigMap and two Deployments";
  expect_quiet(proxy, port_file);

  edit(kEdit);
  EXPECT_EQ(applies(), 5U) << "the Deployment of capture";
  expect_quiet(proxy, port_file);

  // Another process does not know what the webhook made of the writes of this one.
  EXPECT_TRUE(op.terminate().clean());
  std::filesystem::remove(port_file);
  op = environment_->start(proxy.kubeconfig(), flags);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(port_file) && reconciles(port_file) > 2; }, seconds(30)));
  expect_quiet(proxy, port_file);
  EXPECT_LE(applies(), 9U);
  webhook.leave(environment_->server());
}

// Agents and their messages have no values of rows (sql::without_values); nothing else of what they answer is taken.
TEST_F(OperatorPods, no_value_of_a_row_stands_in_conditions_events_logs_or_the_report) {
  constexpr const char* kMark = "x-ray-4711";
  const std::pair<unsigned, const char*> refusals[] = {
      {1062, "Duplicate entry 'x-ray-4711' for key 'email'"},
      {1452,
       "Cannot add or update a child row: a foreign key constraint fails (`dr`.`orders`, CONSTRAINT `c` FOREIGN KEY "
       "(`a`) REFERENCES `b` (`a`))"},
      {1366, "Incorrect integer value: 'x-ray-4711' for column `dr`.`orders`.`n` at row 1"},
      {1292, "Truncated incorrect DOUBLE value: 'x-ray-4711'"},
      {1526, "Table has no partition for value x-ray-4711"},
      {1406, "Data too long for column 'note' at row 1"},
      {4025, "CONSTRAINT `positive` failed for `dr`.`orders`"}};
  auto held = Json::array();
  for (const auto& [number, text] : refusals)
    held.push_back({{"table", fmt::format("dr.t{}", number)},
                    {"reason", "ConstraintViolated"},
                    {"message", sql::without_values(number, text)},
                    {"row", {{"note", kMark}}},
                    {"stream", 1},
                    {"offset", number},
                    {"since", 1}});
  const FakeStatus capture(fmt::format(
      R"({{"state":"Streaming","live":true,"ready":true,"lastRow":"{0}","rows":5,"tables":["{0}"]}})", kMark));
  const FakeStatus apply(Json{
      {"state", "Streaming"},
      {"live", true},
      {"ready", true},
      {"held", held},
      {"conflict", {{"before", kMark}, {"after", kMark}}},
      {"log", kMark}}.dump());
  auto op = environment_->start(environment_->server().kubeconfig(), {"--log-level", "debug"});
  edit("{}");
  environment_->make_pod("capture", capture.port());
  environment_->make_pod("apply", apply.port());
  ASSERT_TRUE(becomes("Ready", "False TablesHeld"));
  ASSERT_TRUE(environment_->has_event("TablesHeld"));
  const auto shop = environment_->get(kube::kDataSyncs, "shop");
  ASSERT_EQ(shop.at("status").at("apply").at("held").size(), std::size(refusals));
  std::map<std::string, std::string> texts{{"resource", shop.dump()}, {"log", environment_->log()}};
  for (const auto& event : environment_->list(kube::kEvents)) texts["events"] += event.dump();
  for (auto& [name, text] : cli::report_files(environment_->api(), {OperatorEnvironment::kNs, "shop"}))
    texts["report " + name] = text;
  EXPECT_GE(texts.size(), 7U);
  for (const auto& [name, text] : texts) EXPECT_EQ(text.find(kMark), std::string::npos) << name << ": " << text;
}

// An agent that came after the cleanup had begun made the topics again; what a quota said of the Job was nowhere.
TEST_F(OperatorPods, a_cleanup_waits_for_what_may_make_an_agent_and_says_why_it_does_not_begin) {
  auto op = environment_->start(environment_->server().kubeconfig());
  edit(R"({"spec":{"deletionPolicy":"Delete"}})");
  const auto made = environment_->get(kube::kDeployments, "shop-capture");
  const kube::Resource sets{"apps", "v1", "replicasets", "ReplicaSet"};
  Json set{
      {"apiVersion", "apps/v1"},
      {"kind", "ReplicaSet"},
      {"metadata",
       {{"name", "shop-capture-5d8f"}, {"labels", made.at("spec").at("template").at("metadata").at("labels")}}},
      {"spec",
       {{"replicas", 1}, {"selector", made.at("spec").at("selector")}, {"template", made.at("spec").at("template")}}}};
  ASSERT_TRUE(environment_->api().create(sets, OperatorEnvironment::kNs, set));
  environment_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(eventually([] { return environment_->get(kube::kDeployments, "shop-capture").is_null(); }, seconds(30)));
  std::this_thread::sleep_for(seconds(6));  // it looks every five
  EXPECT_TRUE(environment_->get(kube::kJobs, "shop-cleanup").is_null());
  environment_->remove(sets, "shop-capture-5d8f");
  ASSERT_TRUE(eventually([] { return !environment_->get(kube::kJobs, "shop-cleanup").is_null(); }, seconds(30)))
      << environment_->log();
  environment_->server().apply(fmt::format(
      R"({{"apiVersion":"v1","kind":"Event","metadata":{{"name":"shop-cleanup.1","namespace":"w"}},
      "involvedObject":{{"apiVersion":"batch/v1","kind":"Job","namespace":"w","name":"shop-cleanup","uid":{}}},
      "reason":"FailedCreate","message":"Error creating: pods \"shop-cleanup-x\" is forbidden: exceeded quota: few",
      "type":"Warning","count":3,"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:09Z",
      "source":{{"component":"job-controller"}},"reportingComponent":"job-controller","reportingInstance":""}})",
      environment_->get(kube::kJobs, "shop-cleanup").at("metadata").at("uid").dump()));
  ASSERT_TRUE(becomes("Stalled", "True PodRefused"));
  EXPECT_TRUE(says("is forbidden: exceeded quota: few"));
  ASSERT_TRUE(environment_->end_job("Complete"));
  EXPECT_TRUE(eventually([] { return environment_->get(kube::kDataSyncs, "shop").is_null(); }, seconds(30)))
      << environment_->log();
}

}  // namespace
}  // namespace datasync::test
