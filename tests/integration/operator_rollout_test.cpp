// What a roll-out needs from the operator on a real API server, and what it may not be led astray by: foreign pods,
// lists that are refused, stripped labels, installations and kinds that are not there.

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/fake_status.hpp"
#include "tests/integration/operator_environment.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/kube_parts.hpp"
#include "tests/support/own_time.hpp"

namespace datasync::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kFlows = R"({"state":"Streaming","live":true,"ready":true,"rows":5})";
constexpr const char* kDeletion = R"({"spec":{"deletionPolicy":"Delete"}})";
const kube::Resource kDefinitions{"apiextensions.k8s.io", "v1", "customresourcedefinitions",
                                  "CustomResourceDefinition"};

class OperatorRollout : public testing::Test {
 protected:
  static void SetUpTestSuite() { environment_ = std::make_unique<OperatorEnvironment>(); }
  static void TearDownTestSuite() { environment_.reset(); }
  void SetUp() override { environment_->clear(); }

  static void create(const char* change = "{}") {
    ASSERT_EQ(environment_->apply(OperatorEnvironment::resource(change)), "");
    ASSERT_TRUE(
        eventually([] { return deployed("capture") && deployed("apply") && environment_->observed(); }, seconds(30)))
        << environment_->log();
  }
  static bool deployed(const std::string& agent) {
    return !environment_->get(kube::kDeployments, "shop-" + agent).is_null();
  }
  static bool becomes(const char* type, const std::string& wanted) {
    return environment_->becomes(type, wanted, seconds(30));
  }
  static std::vector<std::string> config_keys() {
    std::vector<std::string> out;
    const auto map = environment_->get(kube::kConfigMaps, "shop-config");
    for (const auto& [key, text] : map.at("data").items()) out.push_back(key);
    return out;
  }
  static std::string strategy() {
    return environment_->get(kube::kDeployments, "shop-capture").value("/spec/strategy/type"_json_pointer, "");
  }
  static Json event(const std::string& reason) {
    Json out;
    static_cast<void>(eventually(
        [&] {
          for (const auto& e : environment_->list(kube::kEvents))
            if (e.value("reason", "") == reason) out = e;
          return !out.is_null();
        },
        seconds(30)));
    return out;
  }

  static inline std::unique_ptr<OperatorEnvironment> environment_;
};

TEST_F(OperatorRollout, an_old_pods_configuration_stays_until_nothing_refers_to_it) {
  ApiProxy proxy(environment_->server());
  auto op = environment_->start(proxy.kubeconfig());
  create();
  const auto before = config_keys();
  ASSERT_EQ(before.size(), 2U);
  environment_->make_pod("capture", 1);
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource(R"({"spec":{"source":{"replicas":[{"host":"db-2"}]}}})")),
            "");
  ASSERT_TRUE(eventually([] { return environment_->observed() && config_keys().size() == 3; }, seconds(30)))
      << environment_->log();
  for (const auto& key : before) {
    const auto now = config_keys();
    EXPECT_NE(std::ranges::find(now, key), now.end()) << key;
  }
  const auto falls_quiet = [&] {
    const auto writes = proxy.writes();
    std::this_thread::sleep_for(seconds(4));
    return proxy.writes() == writes;
  };
  EXPECT_TRUE(eventually(falls_quiet, seconds(30))) << "nothing is written while it stays so";
  EXPECT_EQ(config_keys().size(), 3U);
  environment_->remove(kube::kPods, "shop-capture-x");
  EXPECT_TRUE(eventually([] { return config_keys().size() == 2; }, seconds(20))) << environment_->log();
}

TEST_F(OperatorRollout, an_old_pod_is_deleted_only_after_the_new_one_has_started) {
  auto op = environment_->start(environment_->server().kubeconfig());
  create();
  EXPECT_EQ(strategy(), "RollingUpdate");
  environment_->make_pod("capture", 1);
  environment_->show_container("shop-capture-x", R"({"running":{}})");
  auto old = environment_->get(kube::kPods, "shop-capture-x");
  ASSERT_EQ(environment_->apply(
                OperatorEnvironment::resource(R"({"spec":{"capture":{"resources":{"limits":{"memory":"1Gi"}}}}})")),
            "");
  ASSERT_TRUE(eventually([] { return environment_->observed(); }, seconds(30)));
  // As its ReplicaSet makes the second one; the first continues under another name.
  environment_->remove(kube::kPods, "shop-capture-x");
  old["metadata"]["name"] = "shop-capture-old";
  old["metadata"].erase("resourceVersion");
  old["metadata"].erase("uid");
  ASSERT_TRUE(environment_->api().create(kube::kPods, OperatorEnvironment::kNs, old));
  environment_->show_container("shop-capture-old", R"({"running":{}})");
  std::this_thread::sleep_for(milliseconds(1100));  // creation times are in seconds
  environment_->make_pod("capture", 1);
  environment_->show_container("shop-capture-x", R"({"waiting":{"reason":"ErrImagePull","message":"no such image"}})");
  ASSERT_TRUE(becomes("Stalled", "True ImagePullFailed"));
  EXPECT_EQ(strategy(), "RollingUpdate");
  environment_->show_container("shop-capture-x", R"({"running":{}})");
  EXPECT_TRUE(eventually([] { return strategy() == "Recreate"; }, seconds(20))) << environment_->log();
  environment_->remove(kube::kPods, "shop-capture-old");
  EXPECT_TRUE(eventually([] { return strategy() == "RollingUpdate"; }, seconds(20))) << environment_->log();
}

TEST_F(OperatorRollout, is_not_ready_for_a_new_spec_before_it_has_a_pod) {
  const FakeStatus agent(kFlows);
  ApiProxy proxy(environment_->server());
  auto op = environment_->start(proxy.kubeconfig());
  create();
  for (const auto* name : {"capture", "apply"}) environment_->make_pod(name, agent.port());
  ASSERT_TRUE(becomes("Ready", "True Streaming"));
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource(R"({"spec":{"source":{"replicas":[{"host":"db-2"}]}}})")),
            "");
  ASSERT_TRUE(eventually([] { return environment_->observed(); }, seconds(30))) << environment_->log();
  EXPECT_EQ(environment_->condition("Ready").substr(0, 5), "False") << environment_->message("Ready");
  const auto too_soon = [](const ApiCall& call) {
    const auto body = Json::parse(call.body, nullptr, false);
    if (call.subresource != "status" || body.value("/status/observedGeneration"_json_pointer, 0) != 2) return false;
    const auto conditions = body.value("/status/conditions"_json_pointer, Json::array());
    return std::ranges::any_of(conditions, [](const Json& c) { return c["type"] == "Ready" && c["status"] == "True"; });
  };
  EXPECT_EQ(proxy.count(too_soon), 0U) << "whoever waits for Ready takes the old pods for the new";
  // As the roll-out does.
  environment_->remove(kube::kPods, "shop-capture-x");
  environment_->make_pod("capture", agent.port());
  ASSERT_TRUE(becomes("Ready", "True Streaming"));
  EXPECT_GT(proxy.count(too_soon), 0U);
}

TEST_F(OperatorRollout, a_foreign_pod_with_our_labels_is_not_polled_or_awaited) {
  const FakeStatus foreign(kFlows);
  auto op = environment_->start(environment_->server().kubeconfig());
  create(kDeletion);
  for (const auto* agent : {"capture", "apply"}) environment_->make_pod(agent, foreign.port(), "shop", false);
  std::this_thread::sleep_for(seconds(2));
  EXPECT_NE(environment_->condition("Ready").substr(0, 4), "True") << environment_->message("Ready");
  environment_->remove(kube::kDataSyncs, "shop");
  EXPECT_TRUE(eventually([] { return !environment_->get(kube::kJobs, "shop-cleanup").is_null(); }, seconds(20)))
      << environment_->log();
}

TEST_F(OperatorRollout, a_cleanup_does_not_begin_while_the_pods_may_not_be_listed) {
  const auto allow = [](const char* pods) {
    environment_->server().apply(fmt::format(
        R"({{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{{"name":"podless"}},"rules":[
          {{"apiGroups":["datasync.dev","apps","batch","events.k8s.io"],"resources":["*"],"verbs":["*"]}},
          {{"apiGroups":[""],"resources":["configmaps","serviceaccounts","namespaces"],"verbs":["*"]}},
          {{"apiGroups":[""],"resources":["pods"],"verbs":[{}]}}]}})",
        pods));
  };
  allow(R"("get")");
  environment_->server().apply(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding",
    "metadata":{"name":"podless"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole",
    "name":"podless"},"subjects":[{"kind":"User","name":"podless","apiGroup":"rbac.authorization.k8s.io"}]})");
  auto op = environment_->start(environment_->server().kubeconfig_of("podless"));
  create(kDeletion);
  ASSERT_TRUE(becomes("Stalled", "True Forbidden"));
  environment_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(eventually([] { return !deployed("capture") && !deployed("apply"); }, seconds(20)));
  std::this_thread::sleep_for(seconds(6));
  EXPECT_TRUE(environment_->get(kube::kJobs, "shop-cleanup").is_null()) << "agents may still run";
  allow(R"("list","watch")");
  EXPECT_TRUE(eventually([] { return !environment_->get(kube::kJobs, "shop-cleanup").is_null(); }, seconds(60)))
      << environment_->log();
}

TEST_F(OperatorRollout, a_deletion_does_not_wait_forever_for_a_removed_installation) {
  auto op = environment_->start(environment_->server().kubeconfig());
  create(kDeletion);
  environment_->merge(kube::kDataSyncs, "shop", {{"metadata", {{"annotations", {{"datasync.dev/operator", "gone"}}}}}});
  ASSERT_FALSE(event("ManagedElsewhere").is_null());
  environment_->merge(kube::kDataSyncs, "shop", {{"status", {{"operator", "gone"}, {"operatorLease", "w/gone"}}}},
                      "status");
  environment_->remove(kube::kDataSyncs, "shop");
  const auto gone = [] {
    environment_->end_job("Complete");
    return environment_->get(kube::kDataSyncs, "shop").is_null();
  };
  EXPECT_TRUE(eventually(gone, seconds(60))) << environment_->log();
}

TEST_F(OperatorRollout, a_foreign_job_without_our_labels_is_not_overwritten) {
  auto op = environment_->start(environment_->server().kubeconfig());
  create(kDeletion);
  ASSERT_TRUE(environment_->api().create(kube::kJobs, OperatorEnvironment::kNs, Json::parse(R"({"apiVersion":"batch/v1",
    "kind":"Job","metadata":{"name":"shop-cleanup"},"spec":{"template":{"spec":{"restartPolicy":"Never",
      "containers":[{"name":"c","image":"i"}]}}}})")));
  const auto before = environment_->get(kube::kJobs, "shop-cleanup");
  environment_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(becomes("Stalled", "True NameTaken"));
  EXPECT_EQ(environment_->get(kube::kJobs, "shop-cleanup"), before);
}

TEST_F(OperatorRollout, a_missing_secret_is_a_warning) {
  auto op = environment_->start(environment_->server().kubeconfig());
  create();
  ASSERT_TRUE(becomes("Ready", "False SecretNotFound"));
  EXPECT_EQ(event("SecretNotFound").value("type", ""), "Warning");
}

TEST_F(OperatorRollout, removed_labels_are_restored_at_once) {
  auto op = environment_->start(environment_->server().kubeconfig());
  create();
  const auto labels = [] {
    return environment_->get(kube::kDeployments, "shop-apply").at("metadata").value("labels", Json());
  };
  const auto before = labels();
  std::this_thread::sleep_for(seconds(1));
  for (const auto* change :
       {R"({"metadata":{"labels":{"app.kubernetes.io/managed-by":null}}})",
        R"({"metadata":{"labels":{"datasync.dev/name":"another"}}})", R"({"metadata":{"labels":null}})"}) {
    environment_->merge(kube::kDeployments, "shop-apply", Json::parse(change));
    EXPECT_TRUE(eventually([&] { return labels() == before; }, seconds(10)))
        << change << labels() << environment_->log();
  }
}

TEST_F(OperatorRollout, a_claim_clears_the_status_of_the_former_installation) {
  Json body{{"apiVersion", "datasync.dev/v1alpha1"}, {"kind", "DataSync"}};
  body["metadata"] = {{"name", "shop"}, {"namespace", OperatorEnvironment::kNs}};
  body["status"] = Json::parse(R"({"operator":"former","operatorLease":"w/former","lag":"9s","source":"db-9:3306",
    "capture":{"state":"Stalled","lostPosition":"0-1-7"},"apply":{"state":"Streaming","position":"0-1-9"}})");
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(environment_->api().apply(kube::kDataSyncs, {OperatorEnvironment::kNs, "shop"}, body, "status"));
  auto op = environment_->start(environment_->server().kubeconfig());
  ASSERT_TRUE(eventually([] { return deployed("apply") && environment_->observed(); }, seconds(30)))
      << environment_->log();
  const auto status = environment_->get(kube::kDataSyncs, "shop").at("status");
  EXPECT_EQ(status.at("operator"), "datasync");
  for (const auto* field : {"/operatorLease", "/lag", "/source", "/capture/lostPosition", "/apply/position"})
    EXPECT_FALSE(status.contains(Json::json_pointer(field))) << field << status;
}

TEST_F(OperatorRollout, a_missing_kind_stops_nothing_and_is_used_once_it_exists) {
  const FakeStatus agent(kFlows);
  OwnTime time;
  auto op = environment_->start(environment_->server().kubeconfig(),
                                {"--pod-monitor", "--pod-monitor-labels", "release=prom,a=b"});
  create();
  EXPECT_LT(time.passed(), seconds(15)) << "it does not wait for what is not there";
  for (const auto* name : {"capture", "apply"}) environment_->make_pod(name, agent.port());
  ASSERT_TRUE(becomes("Ready", "True Streaming"));
  EXPECT_EQ(environment_->condition("Stalled"), "False Streaming");
  const auto reported = event("ExtraRefused");
  EXPECT_EQ(reported.value("type", ""), "Warning");
  EXPECT_NE(reported.value("note", "").find("CustomResourceDefinition"), std::string::npos) << reported;
  environment_->server().apply(kPodMonitors);
  const auto monitor = [] {
    const auto found = environment_->api().get(kube::kPodMonitors, {OperatorEnvironment::kNs, "shop-agent"});
    return found ? *found : Json();
  };
  EXPECT_TRUE(eventually([&] { return !monitor().is_null(); }, seconds(60))) << environment_->log();
  EXPECT_EQ(monitor().value("/metadata/labels/release"_json_pointer, ""), "prom");
  EXPECT_EQ(monitor().value("/metadata/labels/a"_json_pointer, ""), "b");
  op.kill();
  ASSERT_TRUE(environment_->api().remove(kDefinitions, {"", kPodMonitorsName}));
}

}  // namespace
}  // namespace datasync::test
