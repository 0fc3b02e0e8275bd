// What the API server refuses, two installations, and the agents' messages (FAULTS D9, D10, D18).

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "tests/integration/fake_status.hpp"
#include "tests/integration/operator_environment.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class OperatorRefusals : public testing::Test {
 protected:
  static void SetUpTestSuite() { environment_ = std::make_unique<OperatorEnvironment>(); }
  static void TearDownTestSuite() { environment_.reset(); }
  void SetUp() override { environment_->clear(); }

  static bool becomes(const char* type, const std::string& wanted, const std::string& name = "shop") {
    return environment_->becomes(type, wanted, seconds(60), name);
  }
  /// The server looks for policies every second or two: asked without a trace.
  static bool config_maps_are_refused() {
    const Json probe{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "shop-probe"}}}};
    try {
      environment_->server().kubectl({"-n", OperatorEnvironment::kNs, "create", "--dry-run=server", "-f", "-"},
                                     probe.dump());
    } catch (const std::exception&) {
      return true;
    }
    return false;
  }
  /// No write but of leases comes for `length`.
  static bool falls_quiet(const std::vector<const ApiProxy*>& proxies, seconds length) {
    const auto writes = [&] {
      std::size_t all = 0;
      for (const auto* one : proxies)
        all += one->count([](const ApiCall& c) { return c.is_write() && c.resource != "leases"; });
      return all;
    };
    auto last = writes();
    auto since = std::chrono::steady_clock::now();
    return eventually(
        [&] {
          if (const auto now = writes(); now != last) {
            last = now;
            since = std::chrono::steady_clock::now();
          }
          return std::chrono::steady_clock::now() - since >= length;
        },
        seconds(60));
  }
  /// Gives a user what an operator needs in one namespace.
  static void let_operate(const std::string& user, const std::string& ns) {
    environment_->server().apply(fmt::format(
        R"({{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{{"name":"{0}","namespace":"{1}"}},
        "rules":[{{"apiGroups":["datasync.dev","apps","batch","events.k8s.io"],"resources":["*"],"verbs":["*"]}},
          {{"apiGroups":[""],"resources":["configmaps","serviceaccounts","pods","secrets"],"verbs":["*"]}}]}})",
        user, ns));
    environment_->server().apply(fmt::format(
        R"({{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding",
        "metadata":{{"name":"{0}","namespace":"{1}"}},
        "roleRef":{{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"{0}"}},
        "subjects":[{{"kind":"User","name":"{0}","apiGroup":"rbac.authorization.k8s.io"}}]}})",
        user, ns));
  }

  /// Status and text of a page of the operator that wrote its port there.
  static std::pair<int, std::string> page_of(const std::filesystem::path& port_file, const char* path) {
    httplib::Client client("127.0.0.1", std::stoi(read_file(port_file)));
    const auto answer = client.Get(path);
    return answer ? std::pair(answer->status, answer->body) : std::pair(0, std::string());
  }

  /// Calls in five seconds must be few: a refusal is no reason for a hot loop.
  static void expect_calm(const ApiProxy& proxy) {
    const auto before = proxy.calls().size();
    std::this_thread::sleep_for(seconds(5));
    EXPECT_LT(proxy.calls().size() - before, 60U);
  }

  static inline std::unique_ptr<OperatorEnvironment> environment_;
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

TEST_F(OperatorRefusals, an_admission_policys_message_is_shown_and_it_recovers) {
  environment_->server().apply(kNoConfigMaps);
  environment_->server().apply(kBinding);
  ASSERT_TRUE(eventually([] { return config_maps_are_refused(); }, seconds(30)));
  ApiProxy proxy(environment_->server());
  auto op = environment_->start(proxy.kubeconfig());
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(becomes("Stalled", "True ApplyRefused"));
  EXPECT_NE(environment_->message("Stalled").find("ask Alice before you make these"), std::string::npos);
  EXPECT_TRUE(environment_->has_event("ApplyRefused"));
  expect_calm(proxy);
  environment_->server().kubectl(
      {"delete", "validatingadmissionpolicybinding/no-config", "validatingadmissionpolicy/no-config"});
  ASSERT_TRUE(becomes("Stalled", "False SecretNotFound"));
  EXPECT_FALSE(environment_->get(kube::kDeployments, "shop-apply").is_null());
}

TEST_F(OperatorRefusals, a_quotas_message_is_shown_and_it_recovers) {
  environment_->forbid_by_quota(OperatorEnvironment::kNs, "count/deployments.apps");
  ApiProxy proxy(environment_->server());
  const auto port_file = environment_->dir() / "quota.port";
  auto op = environment_->start(proxy.kubeconfig(), {"--http-port-file", port_file.string()});
  const auto exports = [&](const std::string& sample) {
    return page_of(port_file, "/metrics").second.find(sample) != std::string::npos;
  };
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(becomes("Stalled", "True ApplyRefused"));
  const auto words = environment_->message("Stalled");
  EXPECT_NE(words.find("exceeded quota: none, requested: count/deployments.apps=1"), std::string::npos) << words;
  EXPECT_TRUE(environment_->has_event("ApplyRefused"));
  expect_calm(proxy);
  EXPECT_TRUE(environment_->get(kube::kDeployments, "shop-capture").is_null());
  // For alerts: no agent runs that could say so, and the operator does not fail.
  const std::string shop = R"(name="shop",namespace="w")";
  EXPECT_TRUE(exports("datasync_resource_condition{" + shop + R"(,type="Stalled"} 1)"));
  EXPECT_TRUE(exports("datasync_resource_reason{" + shop + R"(,reason="ApplyRefused"} 1)"));
  EXPECT_TRUE(exports(R"(datasync_operator_reconciles_total{controller="datasync",result="refused"})"));
  EXPECT_FALSE(exports(R"(result="error")"));
  environment_->server().kubectl({"-n", OperatorEnvironment::kNs, "delete", "resourcequota", "none"});
  ASSERT_TRUE(becomes("Stalled", "False SecretNotFound"));
  const auto healed = [&] {
    return exports("datasync_resource_condition{" + shop + R"(,type="Stalled"} 0)") &&
           !exports(R"(reason="ApplyRefused")");
  };
  EXPECT_TRUE(eventually(healed, seconds(10)));
  EXPECT_FALSE(environment_->get(kube::kDeployments, "shop-apply").is_null());
}

TEST_F(OperatorRefusals, a_missing_right_is_named_and_it_recovers) {
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
  environment_->server().apply(rules(R"("get","list","watch")"));
  environment_->server().apply(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding",
    "metadata":{"name":"op"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"op"},
    "subjects":[{"kind":"User","name":"op","apiGroup":"rbac.authorization.k8s.io"}]})");
  static_cast<void>(environment_->server().kubeconfig_of("op"));
  ApiProxy proxy(environment_->server(), "op");
  auto op = environment_->start(proxy.kubeconfig());
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(becomes("Stalled", "True Forbidden"));
  EXPECT_NE(environment_->message("Stalled").find("cannot patch resource \"deployments\""), std::string::npos)
      << environment_->message("Stalled");
  EXPECT_TRUE(environment_->has_event("Forbidden"));
  expect_calm(proxy);
  environment_->server().apply(rules(R"("get","list","watch","create","patch","delete")"));
  ASSERT_TRUE(becomes("Stalled", "False Starting"));
}

TEST_F(OperatorRefusals, a_missing_secret_is_reported_and_it_recovers) {
  ApiProxy proxy(environment_->server());
  auto op = environment_->start(proxy.kubeconfig());
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(becomes("Ready", "False SecretNotFound"));
  EXPECT_EQ(environment_->message("Ready"), "secret reader does not exist; secret writer does not exist");
  EXPECT_FALSE(environment_->get(kube::kDeployments, "shop-apply").is_null()) << "holds nothing up";
  expect_calm(proxy);
  for (const auto* name : {"reader", "writer"})
    ASSERT_TRUE(environment_->api().create(kube::kSecrets, OperatorEnvironment::kNs,
                                           {{"apiVersion", "v1"},
                                            {"kind", "Secret"},
                                            {"metadata", {{"name", name}}},
                                            {"stringData", {{"username", "u"}, {"password", "hunter2"}}}}));
  ASSERT_TRUE(becomes("Ready", "False Starting"));
  EXPECT_EQ(environment_->log().find("hunter2"), std::string::npos);
  for (const auto* name : {"reader", "writer"}) environment_->remove(kube::kSecrets, name);
}

TEST_F(OperatorRefusals, a_foreign_object_of_the_name_is_kept_until_deleted) {
  ASSERT_TRUE(environment_->api().create(kube::kConfigMaps, OperatorEnvironment::kNs,
                                         {{"apiVersion", "v1"},
                                          {"kind", "ConfigMap"},
                                          {"metadata", {{"name", "shop-config"}}},
                                          {"data", {{"mine", "1"}}}}));
  auto op = environment_->start(environment_->server().kubeconfig());
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(becomes("Stalled", "True NameTaken"));
  EXPECT_EQ(environment_->get(kube::kConfigMaps, "shop-config").at("data"), Json({{"mine", "1"}}));
  environment_->remove(kube::kConfigMaps, "shop-config");
  ASSERT_TRUE(becomes("Stalled", "False SecretNotFound"));
}

TEST_F(OperatorRefusals, the_agents_status_becomes_the_resources_status) {
  const FakeStatus capture(R"({"state":"Streaming","live":true,"ready":true,"replica":"db-1:3306","position":"0-1-9",
      "rows":12345,"lag":{"replicaSeconds":0.2,"captureSeconds":0.1},"binlogHoursLeft":30})");
  const FakeStatus apply(
      R"({"state":"Stalled","live":true,"ready":false,"reason":"RowConflict","message":"shop.orders id=7"})");
  auto op = environment_->start(environment_->server().kubeconfig());
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(eventually([&] { return !environment_->get(kube::kDeployments, "shop-apply").is_null(); }, seconds(30)));
  environment_->make_pod("capture", capture.port());
  environment_->make_pod("apply", apply.port());
  ASSERT_TRUE(becomes("Stalled", "True RowConflict"));
  EXPECT_EQ(environment_->message("Stalled"), "apply: shop.orders id=7");
  ASSERT_TRUE(eventually([&] { return environment_->get(kube::kDataSyncs, "shop").at("status").contains("source"); },
                         seconds(20)));
  const auto status = environment_->get(kube::kDataSyncs, "shop").at("status");
  EXPECT_EQ(status.at("source"), "db-1:3306");
  EXPECT_EQ(status.at("capture").at("position"), "0-1-9");
  EXPECT_TRUE(environment_->has_event("RowConflict"));
}

TEST_F(OperatorRefusals, only_objects_that_are_no_longer_desired_are_deleted) {
  auto op = environment_->start(environment_->server().kubeconfig(), {"--network-policy"});
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  const auto ours = [] { return environment_->get(kube::kNetworkPolicies, "shop-agent"); };
  ASSERT_TRUE(eventually([&] { return !ours().is_null() && environment_->observed(); }, seconds(30)))
      << environment_->log();
  // A user's own, even with our labels, is not ours.
  auto other = ours();
  other["metadata"] = {{"name", "shop-mine"}, {"labels", ours().at("metadata").at("labels")}};
  ASSERT_TRUE(environment_->api().create(kube::kNetworkPolicies, OperatorEnvironment::kNs, other));
  op.kill();
  op = environment_->start(environment_->server().kubeconfig());
  EXPECT_TRUE(eventually([&] { return ours().is_null(); }, seconds(30))) << environment_->log();
  EXPECT_FALSE(environment_->get(kube::kNetworkPolicies, "shop-mine").is_null());
  EXPECT_FALSE(environment_->get(kube::kDeployments, "shop-apply").is_null());
}

TEST_F(OperatorRefusals, two_installations_do_not_fight) {
  ApiProxy first(environment_->server()), second(environment_->server());
  auto one =
      environment_->start(first.kubeconfig(), {"--installation-id", "one", "--leader-elect", "--lease-namespace", "w"});
  auto two = environment_->start(second.kubeconfig(),
                                 {"--installation-id", "two", "--leader-elect", "--lease-namespace", "w"});
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(eventually(
      [&] { return !environment_->get(kube::kDeployments, "shop-apply").is_null() && environment_->observed(); },
      seconds(40)))
      << environment_->log();
  const auto winner = environment_->get(kube::kDataSyncs, "shop").at("status").at("operator").get<std::string>();
  EXPECT_TRUE(falls_quiet({&first, &second}, seconds(4)));
  EXPECT_EQ(environment_->get(kube::kDataSyncs, "shop").at("status").at("operator"), winner);
  // A user decides otherwise.
  const std::string other = winner == "one" ? "two" : "one";
  environment_->merge(kube::kDataSyncs, "shop", {{"metadata", {{"annotations", {{"datasync.dev/operator", other}}}}}});
  EXPECT_TRUE(eventually(
      [&] { return environment_->get(kube::kDataSyncs, "shop").at("status").at("operator") == other; }, seconds(30)));
}

TEST_F(OperatorRefusals, an_object_created_between_read_and_write_is_not_changed) {
  ApiProxy proxy(environment_->server());
  std::atomic<bool> made = false;
  proxy.on_call([&](const ApiCall& call) {
    // The read has found nothing; before the write that follows, another client comes first.
    if (call.verb == "apply" && call.resource == "configmaps" && !made.exchange(true))
      static_cast<void>(environment_->api().create(kube::kConfigMaps, OperatorEnvironment::kNs,
                                                   {{"apiVersion", "v1"},
                                                    {"kind", "ConfigMap"},
                                                    {"metadata", {{"name", "shop-config"}}},
                                                    {"data", {{"mine", "1"}}}}));
    return Fault::none();
  });
  auto op = environment_->start(proxy.kubeconfig());
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(becomes("Stalled", "True NameTaken"));
  ASSERT_TRUE(made);
  const auto theirs = environment_->get(kube::kConfigMaps, "shop-config");
  EXPECT_FALSE(theirs.at("metadata").contains("ownerReferences")) << "the garbage collector would delete it";
  EXPECT_FALSE(theirs.at("metadata").contains("labels"));
  EXPECT_EQ(theirs.at("data"), Json({{"mine", "1"}}));
}

TEST_F(OperatorRefusals, the_second_source_on_one_topic_waits_and_recovers) {
  auto op = environment_->start(environment_->server().kubeconfig());
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource("{}", "shop")), "");
  ASSERT_TRUE(eventually([&] { return !environment_->get(kube::kDeployments, "shop-capture").is_null(); }, seconds(30)))
      << environment_->log();
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource("{}", "copy")),
            "");  // before "shop" by name: who runs keeps it
  ASSERT_TRUE(becomes("Stalled", "True ConfigInvalid", "copy"));
  EXPECT_EQ(environment_->message("Stalled", "copy"), "spec.channel.topic: w/shop captures into \"shop\" already");
  EXPECT_TRUE(environment_->get(kube::kDeployments, "copy-capture").is_null());
  EXPECT_NE(environment_->condition("Stalled"), "True ConfigInvalid");
  EXPECT_FALSE(environment_->get(kube::kDeployments, "shop-capture").is_null());
  // Changed by its owner: the topic cannot be, the brokers can.
  ASSERT_EQ(environment_->apply(
                OperatorEnvironment::resource(R"({"spec":{"channel":{"bootstrapServers":"other:9092"}}})", "copy")),
            "");
  ASSERT_TRUE(becomes("Stalled", "False SecretNotFound", "copy"));
  // Another one waits until the first is deleted.
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource("{}", "third")), "");
  ASSERT_TRUE(becomes("Stalled", "True ConfigInvalid", "third"));
  environment_->remove(kube::kDataSyncs, "shop");
  EXPECT_TRUE(
      eventually([&] { return !environment_->get(kube::kDeployments, "third-capture").is_null(); }, seconds(60)))
      << environment_->log();
}

TEST_F(OperatorRefusals, a_namespace_that_cannot_be_listed_does_not_stop_the_others) {
  let_operate("narrow", OperatorEnvironment::kNs);
  auto op = environment_->start(environment_->server().kubeconfig_of("narrow"), {"--watch-namespaces", "gone"});
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  EXPECT_TRUE(eventually(
      [&] { return !environment_->get(kube::kDeployments, "shop-apply").is_null() && environment_->observed(); },
      seconds(60)))
      << environment_->log();
  EXPECT_NE(environment_->log().find("cannot list resource \\\"datasyncs\\\""), std::string::npos)
      << environment_->log();
  // It comes later, with the right.
  environment_->server().make_namespace("gone");
  let_operate("narrow", "gone");
  auto late = OperatorEnvironment::resource(R"({"spec":{"channel":{"topic":"late"}}})");
  late["metadata"]["namespace"] = "gone";
  ASSERT_TRUE(environment_->api().apply(kube::kDataSyncs, {"gone", "shop"}, late));
  const auto deployed = [] { return environment_->api().get(kube::kDeployments, {"gone", "shop-apply"}).has_value(); };
  EXPECT_TRUE(eventually(deployed, seconds(60))) << environment_->log();
  ASSERT_TRUE(environment_->api().remove(kube::kDataSyncs, {"gone", "shop"}));
}

TEST_F(OperatorRefusals, an_operator_that_cannot_read_the_lease_is_not_ready) {
  let_operate("leaseless", OperatorEnvironment::kNs);
  const auto port_file = environment_->dir() / "leaseless.port";
  auto op = environment_->start(environment_->server().kubeconfig_of("leaseless"),
                                {"--leader-elect", "--lease-namespace", "w", "--http-port-file", port_file.string()});
  const auto page = [&](const char* path) { return page_of(port_file, path); };
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(port_file); }, seconds(30)));
  ASSERT_TRUE(eventually([&] { return page("/readyz").first == 200; }, seconds(30))) << "it may still get it";
  EXPECT_TRUE(eventually([&] { return page("/readyz").first == 503; }, seconds(60))) << environment_->log();
  EXPECT_EQ(page("/livez").first, 200) << "a restart would not help";
  EXPECT_NE(page("/metrics").second.find("datasync_operator_leading 0"), std::string::npos);
  environment_->server().apply(
      R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"lease","namespace":"w"},
      "rules":[{"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["get","create","update"]}]})");
  environment_->server().apply(
      R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"lease","namespace":"w"},
      "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"lease"},
      "subjects":[{"kind":"User","name":"leaseless","apiGroup":"rbac.authorization.k8s.io"}]})");
  EXPECT_TRUE(eventually([&] { return page("/readyz").first == 200; }, seconds(30))) << environment_->log();
  EXPECT_TRUE(eventually(
      [&] { return page("/metrics").second.find("datasync_operator_leading 1") != std::string::npos; }, seconds(30)));
}

TEST_F(OperatorRefusals, an_unreadable_lease_is_reported_with_the_fix) {
  environment_->server().make_namespace("far");
  let_operate("near", OperatorEnvironment::kNs);
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  environment_->merge(kube::kDataSyncs, "shop", {{"status", {{"operator", "former"}, {"operatorLease", "far/former"}}}},
                      "status");
  auto op = environment_->start(environment_->server().kubeconfig_of("near"));
  ASSERT_TRUE(environment_->has_event("ManagerUnknown")) << environment_->log();
  environment_->server().kubectl(
      {"-n", "w", "annotate", "datasync", "shop", "--overwrite", "datasync.dev/operator=datasync"});
  EXPECT_TRUE(eventually([&] { return !environment_->get(kube::kDeployments, "shop-apply").is_null(); }, seconds(60)))
      << environment_->log();
}

TEST_F(OperatorRefusals, one_of_two_replicas_leads_and_the_other_takes_over) {
  const std::vector<std::string> elect{"--leader-elect", "--lease-namespace", "w"};
  ApiProxy first(environment_->server()), second(environment_->server());
  auto one = environment_->start(first.kubeconfig(), elect);
  ASSERT_TRUE(
      eventually([&] { return first.count("create", "leases") + first.count("update", "leases") > 0; }, seconds(30)));
  auto two = environment_->start(second.kubeconfig(), elect);
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  ASSERT_TRUE(eventually([&] { return environment_->observed(); }, seconds(40)));
  EXPECT_EQ(second.count([](const ApiCall& c) { return c.is_write() && c.resource != "leases"; }), 0U);
  EXPECT_TRUE(one.terminate().clean()) << environment_->log();
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource(R"({"spec":{"paused":true}})")), "");
  EXPECT_TRUE(eventually([&] { return environment_->observed(); }, seconds(40))) << environment_->log();
}

}  // namespace
}  // namespace datasync::test
