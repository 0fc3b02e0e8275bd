// What the API server refuses: told with its words, tried again with back-off, healed by itself (FAULTS D9, D10, D18).
// And two installations, and the agents' own words.

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/fake_status.hpp"
#include "tests/integration/operator_world.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class OperatorRefusals : public testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<OperatorWorld>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { world_->clear(); }

  static bool becomes(const char* type, const std::string& wanted, const std::string& name = "shop") {
    const bool did = eventually([&] { return world_->condition(type, name) == wanted; }, seconds(60));
    EXPECT_TRUE(did) << type << " of " << name << " is " << world_->condition(type, name) << ": "
                     << world_->message(type, name) << "\n"
                     << world_->log();
    return did;
  }
  /// Calls in five seconds must be few: a refusal is no reason for a hot loop.
  static void expect_calm(const ApiProxy& proxy) {
    const auto before = proxy.calls().size();
    std::this_thread::sleep_for(seconds(5));
    EXPECT_LT(proxy.calls().size() - before, 60U);
  }

  static inline std::unique_ptr<OperatorWorld> world_;
};

const char* const kNoConfigMaps =
    R"x({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy",
  "metadata":{"name":"no-config"},"spec":{"failurePolicy":"Fail",
  "matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE","UPDATE"],
    "resources":["configmaps"]}]},
  "validations":[{"expression":"!object.metadata.name.startsWith('shop')","message":"ask Alice before you make these"}]}})x";
const char* const kBinding =
    R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding",
  "metadata":{"name":"no-config"},"spec":{"policyName":"no-config","validationActions":["Deny"]}})";

TEST_F(OperatorRefusals, an_admission_policy_is_told_in_its_words_and_heals) {
  world_->server().apply(kNoConfigMaps);
  world_->server().apply(kBinding);
  std::this_thread::sleep_for(seconds(3));  // the server looks for policies every second or two
  ApiProxy proxy(world_->server());
  auto op = world_->start(proxy.kubeconfig());
  ASSERT_EQ(world_->apply(OperatorWorld::resource()), "");
  ASSERT_TRUE(becomes("Stalled", "True ApplyRefused"));
  EXPECT_NE(world_->message("Stalled").find("ask Alice before you make these"), std::string::npos);
  EXPECT_TRUE(world_->has_event("ApplyRefused"));
  expect_calm(proxy);
  world_->server().kubectl(
      {"delete", "validatingadmissionpolicybinding/no-config", "validatingadmissionpolicy/no-config"});
  ASSERT_TRUE(becomes("Stalled", "False SecretNotFound"));
  EXPECT_FALSE(world_->get(kube::kDeployments, "shop-apply").is_null());
}

TEST_F(OperatorRefusals, a_quota_is_told_in_its_words_and_heals) {
  world_->forbid_by_quota(OperatorWorld::kNs, "count/deployments.apps");
  ApiProxy proxy(world_->server());
  auto op = world_->start(proxy.kubeconfig());
  ASSERT_EQ(world_->apply(OperatorWorld::resource()), "");
  ASSERT_TRUE(becomes("Stalled", "True ApplyRefused"));
  const auto words = world_->message("Stalled");
  EXPECT_NE(words.find("exceeded quota: none, requested: count/deployments.apps=1"), std::string::npos) << words;
  EXPECT_TRUE(world_->has_event("ApplyRefused"));
  expect_calm(proxy);
  EXPECT_TRUE(world_->get(kube::kDeployments, "shop-capture").is_null());
  world_->server().kubectl({"-n", OperatorWorld::kNs, "delete", "resourcequota", "none"});
  ASSERT_TRUE(becomes("Stalled", "False SecretNotFound"));
  EXPECT_FALSE(world_->get(kube::kDeployments, "shop-apply").is_null());
}

TEST_F(OperatorRefusals, a_missing_right_is_named_and_heals) {
  const auto rules = [](const char* verbs) {
    return fmt::format(
        R"({{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{{"name":"op"}},"rules":[
      {{"apiGroups":["datasync.dev"],"resources":["datasyncs","datasyncs/status","datasyncs/finalizers"],
        "verbs":["get","list","watch","patch","update"]}},
      {{"apiGroups":[""],"resources":["configmaps","serviceaccounts"],"verbs":["get","list","watch","create","patch","delete"]}},
      {{"apiGroups":[""],"resources":["pods"],"verbs":["get","list","watch","delete"]}},
      {{"apiGroups":["batch"],"resources":["jobs"],"verbs":["get","list","watch","create","patch","delete"]}},
      {{"apiGroups":["events.k8s.io"],"resources":["events"],"verbs":["create","patch"]}},
      {{"apiGroups":["apps"],"resources":["deployments"],"verbs":[{}]}}]}})",
        verbs);
  };
  world_->server().apply(rules(R"("get","list","watch")"));
  world_->server().apply(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding",
    "metadata":{"name":"op"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"op"},
    "subjects":[{"kind":"User","name":"op","apiGroup":"rbac.authorization.k8s.io"}]})");
  static_cast<void>(world_->server().kubeconfig_of("op"));
  ApiProxy proxy(world_->server(), "op");
  auto op = world_->start(proxy.kubeconfig());
  ASSERT_EQ(world_->apply(OperatorWorld::resource()), "");
  ASSERT_TRUE(becomes("Stalled", "True Forbidden"));
  EXPECT_NE(world_->message("Stalled").find("cannot patch resource \"deployments\""), std::string::npos)
      << world_->message("Stalled");
  EXPECT_TRUE(world_->has_event("Forbidden"));
  expect_calm(proxy);
  world_->server().apply(rules(R"("get","list","watch","create","patch","delete")"));
  ASSERT_TRUE(becomes("Stalled", "False Starting"));
}

TEST_F(OperatorRefusals, a_missing_secret_is_told_and_heals) {
  ApiProxy proxy(world_->server());
  auto op = world_->start(proxy.kubeconfig());
  ASSERT_EQ(world_->apply(OperatorWorld::resource()), "");
  ASSERT_TRUE(becomes("Ready", "False SecretNotFound"));
  EXPECT_EQ(world_->message("Ready"), "secret reader does not exist; secret writer does not exist");
  EXPECT_FALSE(world_->get(kube::kDeployments, "shop-apply").is_null()) << "holds nothing up";
  expect_calm(proxy);
  for (const auto* name : {"reader", "writer"})
    ASSERT_TRUE(world_->api().create(kube::kSecrets, OperatorWorld::kNs,
                                     {{"apiVersion", "v1"},
                                      {"kind", "Secret"},
                                      {"metadata", {{"name", name}}},
                                      {"stringData", {{"username", "u"}, {"password", "hunter2"}}}}));
  ASSERT_TRUE(becomes("Ready", "False Starting"));
  EXPECT_EQ(world_->log().find("hunter2"), std::string::npos);
  for (const auto* name : {"reader", "writer"}) world_->remove(kube::kSecrets, name);
}

TEST_F(OperatorRefusals, a_name_that_is_taken_is_left_alone_until_it_is_free) {
  ASSERT_TRUE(world_->api().create(kube::kConfigMaps, OperatorWorld::kNs,
                                   {{"apiVersion", "v1"},
                                    {"kind", "ConfigMap"},
                                    {"metadata", {{"name", "shop-config"}}},
                                    {"data", {{"mine", "1"}}}}));
  auto op = world_->start(world_->server().kubeconfig(), {"--resync", "2"});
  ASSERT_EQ(world_->apply(OperatorWorld::resource()), "");
  ASSERT_TRUE(becomes("Stalled", "True NameTaken"));
  EXPECT_EQ(world_->get(kube::kConfigMaps, "shop-config").at("data"), Json({{"mine", "1"}}));
  world_->remove(kube::kConfigMaps, "shop-config");
  ASSERT_TRUE(becomes("Stalled", "False SecretNotFound"));
}

TEST_F(OperatorRefusals, what_the_agents_say_becomes_the_status) {
  const FakeStatus capture(R"({"state":"Streaming","live":true,"ready":true,"replica":"db-1:3306","position":"0-1-9",
      "rows":12345,"lag":{"replicaSeconds":0.2,"captureSeconds":0.1},"binlogHoursLeft":30})");
  const FakeStatus apply(
      R"({"state":"Stalled","live":true,"ready":false,"reason":"RowConflict","message":"shop.orders id=7"})");
  auto op = world_->start(world_->server().kubeconfig());
  ASSERT_EQ(world_->apply(OperatorWorld::resource()), "");
  ASSERT_TRUE(eventually([&] { return !world_->get(kube::kDeployments, "shop-apply").is_null(); }, seconds(30)));
  world_->make_pod("capture", capture.port());
  world_->make_pod("apply", apply.port());
  ASSERT_TRUE(becomes("Stalled", "True RowConflict"));
  EXPECT_EQ(world_->message("Stalled"), "apply: shop.orders id=7");
  ASSERT_TRUE(
      eventually([&] { return world_->get(kube::kDataSyncs, "shop").at("status").contains("source"); }, seconds(20)));
  const auto status = world_->get(kube::kDataSyncs, "shop").at("status");
  EXPECT_EQ(status.at("source"), "db-1:3306");
  EXPECT_EQ(status.at("capture").at("position"), "0-1-9");
  EXPECT_TRUE(world_->has_event("RowConflict"));
}

TEST_F(OperatorRefusals, what_is_asked_for_no_more_is_removed_and_nothing_else) {
  auto op = world_->start(world_->server().kubeconfig(), {"--network-policy"});
  ASSERT_EQ(world_->apply(OperatorWorld::resource()), "");
  const auto ours = [] { return world_->get(kube::kNetworkPolicies, "shop-agent"); };
  ASSERT_TRUE(eventually([&] { return !ours().is_null() && world_->observed(); }, seconds(30))) << world_->log();
  // A person's own, even with our labels, is not ours.
  auto other = ours();
  other["metadata"] = {{"name", "shop-mine"}, {"labels", ours().at("metadata").at("labels")}};
  ASSERT_TRUE(world_->api().create(kube::kNetworkPolicies, OperatorWorld::kNs, other));
  op.kill();
  op = world_->start(world_->server().kubeconfig());
  EXPECT_TRUE(eventually([&] { return ours().is_null(); }, seconds(30))) << world_->log();
  EXPECT_FALSE(world_->get(kube::kNetworkPolicies, "shop-mine").is_null());
  EXPECT_FALSE(world_->get(kube::kDeployments, "shop-apply").is_null());
}

TEST_F(OperatorRefusals, two_installations_do_not_fight) {
  ApiProxy first(world_->server()), second(world_->server());
  auto one =
      world_->start(first.kubeconfig(), {"--installation-id", "one", "--leader-elect", "--lease-namespace", "w"});
  auto two =
      world_->start(second.kubeconfig(), {"--installation-id", "two", "--leader-elect", "--lease-namespace", "w"});
  ASSERT_EQ(world_->apply(OperatorWorld::resource()), "");
  ASSERT_TRUE(eventually([&] { return !world_->get(kube::kDeployments, "shop-apply").is_null() && world_->observed(); },
                         seconds(40)))
      << world_->log();
  const auto winner = world_->get(kube::kDataSyncs, "shop").at("status").at("operator").get<std::string>();
  const auto leases = [](const ApiCall& c) { return c.is_write() && c.resource != "leases"; };
  const auto before = first.count(leases) + second.count(leases);
  std::this_thread::sleep_for(seconds(4));
  EXPECT_LE(first.count(leases) + second.count(leases), before + 2) << "an event may still come";
  EXPECT_EQ(world_->get(kube::kDataSyncs, "shop").at("status").at("operator"), winner);
  // A person decides otherwise.
  const std::string other = winner == "one" ? "two" : "one";
  world_->merge(kube::kDataSyncs, "shop", {{"metadata", {{"annotations", {{"datasync.dev/operator", other}}}}}});
  EXPECT_TRUE(eventually([&] { return world_->get(kube::kDataSyncs, "shop").at("status").at("operator") == other; },
                         seconds(30)));
}

TEST_F(OperatorRefusals, of_two_replicas_one_acts_and_the_other_takes_over) {
  const std::vector<std::string> elect{"--leader-elect", "--lease-namespace", "w"};
  ApiProxy first(world_->server()), second(world_->server());
  auto one = world_->start(first.kubeconfig(), elect);
  ASSERT_TRUE(
      eventually([&] { return first.count("create", "leases") + first.count("update", "leases") > 0; }, seconds(30)));
  auto two = world_->start(second.kubeconfig(), elect);
  ASSERT_EQ(world_->apply(OperatorWorld::resource()), "");
  ASSERT_TRUE(eventually([&] { return world_->observed(); }, seconds(40)));
  EXPECT_EQ(second.count([](const ApiCall& c) { return c.is_write() && c.resource != "leases"; }), 0U);
  EXPECT_TRUE(one.terminate().clean()) << world_->log();
  ASSERT_EQ(world_->apply(OperatorWorld::resource(R"({"spec":{"paused":true}})")), "");
  EXPECT_TRUE(eventually([&] { return world_->observed(); }, seconds(40))) << world_->log();
}

}  // namespace
}  // namespace datasync::test
