// The operators' rights: what every one of them is for happens once, and then the API server's audit log must show that
// none was missing and none is idle.

#include "tests/cluster/rights.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/cluster/fixture.hpp"
#include "tests/cluster/manifests.hpp"
#include "tests/support/kube_parts.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

constexpr const char* kAccount = "datasync-datasync-operator";

class Rights : public ClusterTest {
 protected:
  /// A resource of each side that has children to lose.
  struct Task {
    Side& side;
    std::string name;
    std::string agent;
  };
  static std::vector<Task> tasks() { return {{a(), "backoffice", "apply"}, {b(), "shop", "apply"}}; }
  static void apply_again(const Task& task) {
    environment().apply(task.side, task.name, task.side.resources.at(task.name));
  }
};

TEST_F(Rights, TaskWithDeletionPolicyDeleteIsCleanedUp) {
  Scenario scenario(harness(), "tasks with deletionPolicy Delete deleted, recreated");
  auto& servers = environment().servers();
  for (const auto& task : tasks()) {
    patch(task.side, task.name, R"({"spec":{"deletionPolicy":"Delete"}})");
    EXPECT_TRUE(in_time([&] { return task.side.resource(task.name)["metadata"].contains("finalizers"); }, seconds(30)));
    task.side.kubectl.run({"-n", kNamespace, "delete", "datasync", task.name, "--timeout=120s"}, "", seconds(150));
  }
  // The full resource's topic is gone, and with it the ledger; rows stay, and a new copy may not meet them.
  for (auto* server : {&servers.office(), &servers.recovery()}) {
    EXPECT_GT(server->number("SELECT COUNT(*) FROM shop.orders"), 0) << "rows stay";
    server->execute_all({"DROP TABLE shop.order_items", "DROP TABLE shop.orders", "DROP TABLE shop.places"});
  }
  const auto topics = servers.kafka().topics();
  EXPECT_THAT(topics, testing::Not(testing::Contains("backoffice")));
  EXPECT_THAT(topics, testing::Contains("shop")) << "the topic belongs to the resource with the source";
  scenario.fixed();
  for (const auto& task : tasks()) apply_again(task);
  scenario.recovers_within(seconds(120));
  const auto cleaned = replaced({.always = {"CleanupRunning"}, .events = {"CleanupDone"}});
  auto starts_over = cleaned;
  starts_over.sometimes.insert("TopicMissing");  // apply may be there before capture has made the topics
  EXPECT_EQ(scenario.differs_from({{"a/backoffice", starts_over}, {"b/shop", cleaned}}), "");
}

/// A resource is deleted and recreated faster than the garbage collector works: here it stands still.
TEST_F(Rights, LeftoversOfAFormerResourceAreReplaced) {
  for (const auto& side : environment().sides()) NEEDS_OWN_CLUSTER(side);
  Scenario scenario(harness(), "resources recreated before their children were collected");
  for (const auto& task : tasks()) {
    const auto uid = uid_of(task.side.resource(task.name));
    const auto children = task.side.kubectl.get({"-n", kNamespace, "deployment", task.name + "-" + task.agent});
    task.side.own->stop_controllers();
    auto job =
        nlohmann::json::parse(R"({"apiVersion":"batch/v1","kind":"Job","spec":{"suspend":true,"template":{"spec":{
      "restartPolicy":"Never","securityContext":{"runAsNonRoot":true,"runAsUser":65532,"seccompProfile":{"type":"RuntimeDefault"}},
      "containers":[{"name":"x","image":"none","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}}})");
    job["metadata"] = {{"name", task.name + "-cleanup"},
                       {"namespace", kNamespace},
                       {"labels", children["metadata"]["labels"]},
                       {"ownerReferences", children["metadata"]["ownerReferences"]}};
    task.side.kubectl.apply(job.dump());
    task.side.kubectl.run({"-n", kNamespace, "delete", "datasync", task.name, "--timeout=60s"});
    apply_again(task);
    EXPECT_TRUE(in_time(
        [&] {
          const auto made = task.side.kubectl.get({"-n", kNamespace, "deployment", task.name + "-" + task.agent});
          return !made.is_null() && made["metadata"]["ownerReferences"][0]["uid"] != uid;
        },
        seconds(60)));
  }
  scenario.fixed();
  for (const auto& task : tasks()) task.side.own->start_controllers();
  // The former pods work until they are collected: the resource is Ready meanwhile, and once more in the next test.
  for (const auto& task : tasks()) {
    EXPECT_TRUE(in_time(
        [&] {
          const auto made = task.side.kubectl.get({"-n", kNamespace, "deployment", task.name + "-" + task.agent});
          if (made.is_null() || !made.contains("status")) return false;
          const auto& status = made["status"];
          return status.value("observedGeneration", 0) == made["metadata"].value("generation", -1) &&
                 status.value("readyReplicas", 0) == 1;
        },
        seconds(60)));
  }
  scenario.recovers_within(seconds(120));
  const auto recreated = maybe_replaced({.always = {"ReplacingLeftover"}});
  EXPECT_EQ(scenario.differs_from({{"a/backoffice", recreated}, {"b/shop", recreated}}), "");
}

TEST_F(Rights, ResourceOfARemovedInstallationIsTakenOver) {
  Scenario scenario(harness(), "resources of an installation that was removed taken over");
  for (const auto& task : tasks()) {
    task.side.kubectl.run({"-n", kNamespace, "patch", "datasync", task.name, "--subresource=status", "--type=merge",
                           "-p",
                           fmt::format(R"({{"status":{{"operator":"gone","operatorLease":"{}/gone"}}}})", kNamespace)});
  }
  for (const auto& task : tasks()) {
    EXPECT_TRUE(in_time([&] { return task.side.resource(task.name)["status"].value("operator", "gone") != "gone"; },
                        seconds(60)));
  }
  scenario.recovers_within(seconds(60));
  // What the former one reported goes; the next one reports what it finds.
  EXPECT_EQ(scenario.differs_from({{"a/backoffice", maybe_replaced()}, {"b/shop", maybe_replaced()}}), "");
}

TEST_F(Rights, OptionalObjectsAreCreatedAndDeleted) {
  for (const auto& side : environment().sides()) NEEDS_OWN_CLUSTER(side);  // PodMonitor may be another owner's there
  Scenario scenario(harness(), "NetworkPolicies and PodMonitors switched on and off");
  const auto count = [](const Side& side, const char* kind) {
    const auto list =
        side.kubectl.get({"-n", kNamespace, kind, "-l", "app.kubernetes.io/managed-by=datasync-operator"});
    return list.is_null() ? 0 : list["items"].size();
  };
  for (auto& side : environment().sides()) {
    side.kubectl.apply(kPodMonitors);
    environment().install(side, environment().images().second_tag,
                          {"agents.networkPolicy=true", "agents.podMonitor=true"});
    for (const char* kind : {"networkpolicies", "podmonitors"}) {
      EXPECT_TRUE(in_time([&] { return count(side, kind) == side.resources.size(); }, seconds(60))) << kind;
    }
    environment().install(side, environment().images().second_tag, {"agents.deleteDisabled=true"});
    EXPECT_TRUE(in_time([&] { return count(side, "podmonitors") == 0; }, seconds(60)));
  }
  EXPECT_EQ(count(a(), "networkpolicies"), a().resources.size()) << "the installation in cluster a has them on";
  EXPECT_TRUE(in_time([&] { return count(b(), "networkpolicies") == 0; }, seconds(60)));
  scenario.recovers_within(seconds(60));
  // The operators are replaced, the agents are not.
  EXPECT_EQ(scenario.differs_from({}, {"Starting", "AgentUnreachable"}), "");
}

std::string lines(const std::set<Right>& rights) {
  std::string text;
  for (const auto& right : rights) text += "\n  " + right.text();
  return text;
}

std::set<Right> without(std::set<Right> from, const std::set<Right>& what) {
  for (const auto& right : what) from.erase(right);
  return from;
}

TEST_F(Rights, AreExactlyThoseThatWereUsed) {
  // An admission plugin asks for the first where it is on; no call shows it. The second is used only if a cleanup
  // begins after the pods have ended, which is a matter of timing here; operator_pods_test shows its call.
  const std::set<Right> kInvisible{{"update", "datasync.dev", "datasyncs/finalizers"}, {"list", "apps", "replicasets"}};
  for (const auto& side : environment().sides()) {
    NEEDS_OWN_CLUSTER(side);
    const auto used = used_rights(side.own->audit_log(), kAccount);
    const auto given = given_rights(side.kubectl, kAccount);
    ASSERT_FALSE(given.empty());
    ASSERT_FALSE(used.allowed.empty());
    EXPECT_THAT(used.forbidden, testing::IsEmpty()) << "in cluster " << side.name;
    EXPECT_EQ(lines(without(without(given, used.allowed), kInvisible)), "") << "idle in cluster " << side.name;
  }
}

}  // namespace
}  // namespace datasync::test
