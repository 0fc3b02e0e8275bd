// What single values change in the objects that helm renders.

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/unit/chart/chart.hpp"

namespace datasync {
namespace {

using test::Chart;
using test::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The verbs for a resource in all roles, in the order of the rules.
std::vector<std::string> verbs(const std::vector<Json>& objects, const std::string& resource) {
  std::vector<std::string> out;
  for (const auto& object : objects) {
    const auto kind = object.value("kind", "");
    if (kind != "Role" && kind != "ClusterRole") continue;
    for (const auto& rule : object.at("rules")) {
      const auto& resources = rule.at("resources");
      if (std::ranges::find(resources, Json(resource)) == resources.end()) continue;
      for (const auto& verb : rule.at("verbs")) out.push_back(verb.get<std::string>());
    }
  }
  return out;
}

Json pod_of(const Json& deployment) {
  return deployment.at("spec").at("template").at("spec");
}

std::vector<std::string> arguments(const Chart& chart, const std::string& values) {
  return pod_of(chart.object(values, "Deployment")).at("containers").at(0).at("args").get<std::vector<std::string>>();
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

TEST(ChartValues, rights_to_optional_objects_are_granted_only_when_they_are_enabled) {
  const Chart chart;
  const auto off = chart.objects("{}");
  EXPECT_THAT(verbs(off, "networkpolicies"), IsEmpty());
  EXPECT_THAT(verbs(off, "podmonitors"), IsEmpty());
  EXPECT_TRUE(has(arguments(chart, "{}"), "--no-delete-disabled")) << "what it has no right to it does not ask for";
  for (const std::string watch : {"{}", "{namespaces: [sync]}"}) {
    const auto one = chart.objects("{watch: " + watch + ", agents: {podMonitor: true}}");
    EXPECT_THAT(verbs(one, "networkpolicies"), IsEmpty());
    EXPECT_THAT(verbs(one, "podmonitors"), ElementsAre("get", "list", "watch", "create", "patch", "delete"));
    const auto rest = chart.objects("{watch: " + watch + ", agents: {networkPolicy: true, deleteDisabled: true}}");
    EXPECT_THAT(verbs(rest, "networkpolicies"), ElementsAre("get", "list", "watch", "create", "patch", "delete"));
    EXPECT_THAT(verbs(rest, "podmonitors"), ElementsAre("list", "delete"));
  }
  EXPECT_FALSE(has(arguments(chart, "{agents: {deleteDisabled: true}}"), "--no-delete-disabled"));
}

TEST(ChartValues, the_right_to_secrets_can_be_switched_off) {
  const Chart chart;
  const std::string named = "{watch: {namespaces: [sync]}}";
  EXPECT_THAT(verbs(chart.objects(named), "secrets"), ElementsAre("get"));
  EXPECT_FALSE(has(arguments(chart, named), "--no-look-at-secrets"));
  const std::string without = "{watch: {namespaces: [sync]}, rbac: {secrets: false}}";
  EXPECT_THAT(verbs(chart.objects(without), "secrets"), IsEmpty());
  EXPECT_TRUE(has(arguments(chart, without), "--no-look-at-secrets"));
  EXPECT_THAT(verbs(chart.objects("{}"), "secrets"), IsEmpty()) << "never in the whole cluster";
  EXPECT_TRUE(has(arguments(chart, "{}"), "--no-look-at-secrets"));
}

TEST(ChartValues, the_cluster_can_assign_user_and_group) {
  const Chart chart;
  const auto contexts = [&](const std::string& values) {
    return std::pair(pod_of(chart.object(values, "Deployment")).at("securityContext"),
                     chart.object(values, "Pod").at("spec").at("securityContext"));
  };
  const auto unassigned = Json::parse(R"({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})");
  auto fixed = unassigned;
  fixed.update({{"runAsUser", 65532}, {"runAsGroup", 65532}, {"fsGroup", 65532}});
  EXPECT_EQ(contexts("{}"), std::pair(fixed, fixed));
  for (const auto* values : {"{podSecurityContext: null}",
                             "{podSecurityContext: {runAsUser: null, runAsGroup: null, "
                             "fsGroup: null}}"})
    EXPECT_EQ(contexts(values), std::pair(unassigned, unassigned)) << values;
  auto own = unassigned;
  own.update({{"runAsUser", 1000680000}, {"fsGroup", 0}});
  const auto* values = "{podSecurityContext: {runAsUser: 1000680000, runAsGroup: null, fsGroup: 0}}";
  EXPECT_EQ(contexts(values), std::pair(own, own)) << "a large number, and zero, are numbers";
  EXPECT_EQ(contexts("{podSecurityContext: {}}"), std::pair(fixed, fixed)) << "Helm merges maps";
  EXPECT_NE(chart.render("{podSecurityContext: {runAsUser: 0}}").code, 0) << "runAsNonRoot is true";
}

TEST(ChartValues, a_disruption_budget_leaves_a_pod_to_evict) {
  const Chart chart;
  const auto budget = [&](const std::string& replicas, const std::string& least) {
    const auto made =
        chart.object("{replicas: " + replicas + ", podDisruptionBudget: {enabled: true, minAvailable: " + least + "}}",
                     "PodDisruptionBudget");
    EXPECT_EQ(made.at("spec").value("unhealthyPodEvictionPolicy", ""), "AlwaysAllow");
    const auto& spec = made.at("spec");
    return spec.contains("minAvailable") ? "min " + spec.at("minAvailable").dump()
                                         : "max " + spec.at("maxUnavailable").dump();
  };
  EXPECT_EQ(budget("1", "1"), "max 1");
  EXPECT_EQ(budget("2", "1"), "min 1");
  EXPECT_EQ(budget("2", "2"), "max 1");
  EXPECT_EQ(budget("3", "5"), "max 1");
  EXPECT_EQ(budget("1", "50%"), "max 1") << "a percentage is rounded up";
  EXPECT_EQ(budget("3", "50%"), "min \"50%\"");
  EXPECT_EQ(budget("3", "100%"), "max 1");
  EXPECT_EQ(budget("1", "0"), "min 0");
  EXPECT_TRUE(chart.object("{replicas: 2}", "PodDisruptionBudget").is_null());
}

// The library that calls the API server reads no such variable, and nothing else that the operator calls is outside of
// the cluster.
TEST(ChartValues, a_proxy_that_would_have_no_effect_is_refused) {
  const Chart chart;
  for (const std::string name : {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"}) {
    const auto ran =
        chart.render("{extraEnv: [{name: A, value: b}, {name: " + name + ", value: 'http://proxy:3128'}]}");
    EXPECT_NE(ran.code, 0) << name;
    EXPECT_THAT(ran.text, HasSubstr("extraEnv: " + name + " has no effect"));
  }
  const auto ran = chart.render("{extraEnv: [{name: NO_PROXY, value: .svc}, {name: TZ, value: UTC}]}");
  EXPECT_EQ(ran.code, 0) << ran.text;
}

TEST(ChartValues, clusters_that_do_not_know_the_definition_are_refused) {
  const Chart chart;
  for (const auto* version : {"1.27.16", "1.26.0"}) {
    const auto ran = chart.render("{}", version);
    EXPECT_NE(ran.code, 0) << version;
    EXPECT_THAT(ran.text, HasSubstr("kubeVersion"));
  }
  for (const auto* version : {"1.28.0", "1.28.3-eks-4f4795d", "1.34.0"})
    EXPECT_EQ(chart.render("{}", version).code, 0) << version;
}

// Otherwise Prometheus renames the namespace of a resource, and sets the operator's instead.
TEST(ChartValues, the_service_monitor_keeps_the_namespace_of_a_resource) {
  const auto monitor = Chart().object("{metrics: {serviceMonitor: {enabled: true}}}", "ServiceMonitor");
  EXPECT_EQ(monitor.at("spec").at("endpoints").at(0).at("honorLabels"), true);
}

}  // namespace
}  // namespace datasync
