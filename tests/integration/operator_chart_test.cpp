// The operator as the chart installs it: with the arguments of its Deployment, as its ServiceAccount, with the rights
// of its roles. It must know every argument and lack no right.

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/operator_environment.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/kube_parts.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

const std::string kChart = PROJECT_SOURCE_DIR "/charts/datasync-operator";

class OperatorChart : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    environment_ = std::make_unique<OperatorEnvironment>();
    environment_->server().define(kPodMonitors, kPodMonitorsName);
    environment_->server().make_namespace("datasync-system");
  }
  static void TearDownTestSuite() { environment_.reset(); }
  void SetUp() override { environment_->clear(); }

  struct Installed {
    std::vector<std::string> args;  ///< of the operator's container
    std::string user;               ///< the name by which the server knows its ServiceAccount
  };
  static Installed install(const std::string& release, std::vector<std::string> values) {
    std::vector<std::string> args{"env",
                                  "HOME=" + environment_->dir().string(),
                                  kube_tool("helm").string(),
                                  "upgrade",
                                  "--install",
                                  release,
                                  kChart,
                                  "-n",
                                  "datasync-system",
                                  "--kubeconfig",
                                  environment_->server().kubeconfig().string(),
                                  "--set",
                                  "crds.enabled=false"};
    args.insert(args.end(), values.begin(), values.end());
    run(args);
    const auto deployment = Json::parse(environment_->server().kubectl(
        {"-n", "datasync-system", "get", "deployment", release + "-datasync-operator", "-o", "json"}));
    const auto& pod = deployment.at("spec").at("template").at("spec");
    const auto account = pod.at("serviceAccountName").get<std::string>();
    return {pod.at("containers").at(0).at("args"), "system:serviceaccount:datasync-system:" + account};
  }
  static Process start(const ApiProxy& proxy, std::vector<std::string> args) {
    std::erase_if(args, [](const std::string& a) { return a.starts_with("--http-port="); });
    args.insert(args.begin(), OPERATOR);
    args.insert(args.end(),
                {"--kubeconfig", proxy.kubeconfig().string(), "--http-host", "127.0.0.1", "--http-port", "0"});
    ProcessOptions options;
    options.args = std::move(args);
    options.log = environment_->dir() / "operator.log";
    return Process::start(options);
  }

  /// Everything that the operator ever does to a resource.
  static void live_and_die() {
    const auto seen = [] { return environment_->observed() && !environment_->condition("Ready").empty(); };
    ASSERT_EQ(environment_->apply(OperatorEnvironment::resource(R"({"spec":{"deletionPolicy":"Delete"}})")), "");
    ASSERT_TRUE(
        eventually([&] { return seen() && environment_->objects().contains("Deployment shop-apply"); }, seconds(40)))
        << environment_->log();
    // An agent less; and another installation that is gone.
    ASSERT_EQ(environment_->apply(
                  OperatorEnvironment::resource(R"({"spec":{"deletionPolicy":"Delete","destination":null}})")),
              "");
    ASSERT_TRUE(eventually([&] { return !environment_->objects().contains("Deployment shop-apply"); }, seconds(40)));
    environment_->merge(kube::kDataSyncs, "shop",
                        Json::parse(R"({"status":{"operator":"other","operatorLease":"w/other"}})"), "status");
    // A change of status alone is looked at with the next resync.
    environment_->merge(kube::kDataSyncs, "shop", Json::parse(R"({"metadata":{"annotations":{"test/look":"again"}}})"));
    ASSERT_TRUE(
        eventually([&] { return environment_->get(kube::kDataSyncs, "shop").at("status").at("operator") != "other"; },
                   seconds(60)))
        << environment_->log();
    environment_->remove(kube::kDataSyncs, "shop");
    const auto gone = [] {
      environment_->end_job("Complete");
      return environment_->get(kube::kDataSyncs, "shop").is_null();
    };
    ASSERT_TRUE(eventually(gone, seconds(60))) << environment_->log();
  }
  static std::vector<std::string> forbidden(const ApiProxy& proxy) {
    std::vector<std::string> out;
    for (const auto& c : proxy.calls())
      if (c.status == 403) out.push_back(c.text());
    return out;
  }
  using Texts = std::vector<std::string>;

  static inline std::unique_ptr<OperatorEnvironment> environment_;
};

TEST_F(OperatorChart, has_every_right_it_needs_in_the_namespaces_it_watches) {
  const Texts on{"--set", "watch.namespaces={w},agents.networkPolicy=true,agents.podMonitor=true"};
  const auto blue = install("blue", on);
  static_cast<void>(environment_->server().kubeconfig_of(blue.user));
  {
    ApiProxy proxy(environment_->server(), blue.user);
    auto op = start(proxy, blue.args);
    live_and_die();
    // One that continues with the objects of all kinds.
    ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
    const auto all_there = [] {
      return environment_->objects().contains("Deployment shop-apply") && environment_->observed() &&
             !environment_->get(kube::kNetworkPolicies, "shop-agent").is_null() &&
             !environment_->get(kube::kPodMonitors, "shop-agent").is_null();
    };
    ASSERT_TRUE(eventually(all_there, seconds(40))) << environment_->log();
    EXPECT_TRUE(op.terminate().clean()) << environment_->log();
    EXPECT_EQ(forbidden(proxy), Texts());
    EXPECT_GT(proxy.count("update", "leases") + proxy.count("create", "leases"), 0U);
  }
  // Both switched off by an upgrade, and the right to secrets: without a right it asks for none of them.
  const auto least = install("blue", {"--set", "watch.namespaces={w},rbac.secrets=false"});
  {
    ApiProxy proxy(environment_->server(), blue.user);
    auto op = start(proxy, least.args);
    ASSERT_EQ(environment_->apply(OperatorEnvironment::resource(R"({"spec":{"paused":true}})")), "");
    EXPECT_TRUE(eventually([] { return environment_->observed(); }, seconds(40))) << environment_->log();
    EXPECT_TRUE(op.terminate().clean()) << environment_->log();
    EXPECT_EQ(forbidden(proxy), Texts());
    EXPECT_EQ(proxy.count("get", "secrets") + proxy.count("list", "networkpolicies"), 0U);
    EXPECT_FALSE(environment_->get(kube::kNetworkPolicies, "shop-agent").is_null()) << "they are left";
  }
  // With this value what was made goes.
  const auto less = install("blue", {"--set", "watch.namespaces={w},agents.deleteDisabled=true"});
  EXPECT_NE(less.args, blue.args);
  ApiProxy proxy(environment_->server(), blue.user);
  auto op = start(proxy, less.args);
  const auto gone = [] {
    return environment_->get(kube::kNetworkPolicies, "shop-agent").is_null() &&
           environment_->get(kube::kPodMonitors, "shop-agent").is_null();
  };
  EXPECT_TRUE(eventually(gone, seconds(40))) << environment_->log();
  EXPECT_TRUE(op.terminate().clean()) << environment_->log();
  EXPECT_EQ(forbidden(proxy), Texts());
  environment_->server().kubectl({"-n", "datasync-system", "delete", "deployment", "blue-datasync-operator"});
}

TEST_F(OperatorChart, has_every_right_it_needs_in_a_whole_cluster) {
  const auto green = install("green", {"-f", PROJECT_SOURCE_DIR "/tests/data/chart/everything.values.yaml", "--set",
                                       "metrics.serviceMonitor.enabled=false,metrics.prometheusRule.enabled=false"});
  static_cast<void>(environment_->server().kubeconfig_of(green.user));
  ApiProxy proxy(environment_->server(), green.user);
  auto op = start(proxy, green.args);
  live_and_die();
  EXPECT_TRUE(op.terminate().clean()) << environment_->log();
  EXPECT_EQ(forbidden(proxy), Texts()) << "nor does it ask for secrets, to which it has no right";
}

}  // namespace
}  // namespace datasync::test
