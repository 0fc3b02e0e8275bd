// Faults of what runs the agents: operators, nodes, API servers, Kafka; and an upgrade.

#include <csignal>

#include "tests/cluster/fixture.hpp"
#include "tests/cluster/manifests.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

constexpr const char* kOperator = "deployment/datasync-datasync-operator";

class Control : public ClusterTest {
 protected:
  static void scale(const Side& side, int replicas) {
    side.kubectl.run({"-n", kOperators, "scale", kOperator, "--replicas=" + std::to_string(replicas)});
  }
  static void await_operator(const Side& side) {
    side.kubectl.run({"-n", kOperators, "rollout", "status", kOperator, "--timeout=120s"}, "", seconds(150));
  }
  static std::string holder(const Side& side) {
    const auto lease = side.kubectl.get({"-n", kOperators, "lease", "datasync-datasync-operator"});
    return lease.is_null() ? "" : lease["spec"].value("holderIdentity", "");
  }
};

TEST_F(Control, OperatorKilled) {
  NEEDS_OWN_CLUSTER(a());
  Scenario scenario(harness(), "operator killed (-9)");
  const auto process = process_of(a(), a().operators().at(0), "datasync-operator");
  ASSERT_GT(process, 0);
  kill(process, SIGKILL);
  EXPECT_TRUE(in_time([&] { return kill(process, 0) != 0; }, seconds(10)));
  expect_works(a(), "shop", "capture");
  scenario.recovers_within(seconds(120));
  EXPECT_EQ(scenario.differs_from({{"a/shop", replaced()}}), "");
}

TEST_F(Control, OperatorDownWhileAPodIsLost) {
  Scenario scenario(harness(), "operator down for a while, a capture pod lost meanwhile");
  scale(a(), 0);
  EXPECT_TRUE(in_time([] { return a().operators().empty(); }, seconds(60)));
  const auto old = pod(a(), "shop", "capture");
  a().kubectl.run({"-n", kNamespace, "delete", "pod", name_of(old), "--wait=false"});
  await_other_pod(a(), "shop", "capture", uid_of(old), seconds(90));
  EXPECT_TRUE(data_arrives(seconds(60))) << "agents need no operator";
  scenario.fixed();
  scale(a(), 1);
  await_operator(a());
  scenario.recovers_within(seconds(60));
  EXPECT_EQ(scenario.differs_from({}), "") << "all was well again when there was an operator to report it";
}

TEST_F(Control, LeaderChanges) {
  Scenario scenario(harness(), "leader of two operators deleted");
  scale(a(), 2);
  await_operator(a());
  std::string leader, pod_name;
  // One that was there before may still be named for the length of a lease.
  ASSERT_TRUE(in_time(
      [&] {
        leader = holder(a());
        for (const auto& p : a().operators()) {
          if (leader.starts_with(name_of(p))) pod_name = name_of(p);
        }
        return !pod_name.empty();
      },
      seconds(60)))
      << leader;
  scenario.fixed();
  a().kubectl.run({"-n", kOperators, "delete", "pod", pod_name, "--grace-period=0", "--force"});
  EXPECT_TRUE(in_time(
      [&] {
        const auto now = holder(a());
        return !now.empty() && now != leader;
      },
      seconds(60)));
  expect_works(a(), "shop", "capture");  // only the leader acts on a change
  scenario.recovers_within(seconds(180));
  EXPECT_EQ(scenario.differs_from({{"a/shop", replaced()}}), "");
  scale(a(), 1);
  await_operator(a());
}

TEST_F(Control, NodeDrainedAndBack) {
  NEEDS_OWN_CLUSTER(b());  // others' pods would go, too
  Scenario scenario(harness(), "node drained and back");
  const std::string node = pod(b(), "bank", "apply")["spec"]["nodeName"];
  const auto drain = [&](const std::string& pods) {
    b().kubectl.run({"drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=90s",
                     "--pod-selector=" + pods},
                    "", seconds(120));
  };
  drain(
      "datasync.dev/name");  // agents first: the operator has no other node either, and reports nothing once it is gone
  for (const char* resource : {"bank", "shop"}) scenario.shows(b(), resource, "Unschedulable", seconds(60));
  drain("");
  scenario.fixed();
  b().kubectl.run({"uncordon", node});
  scenario.recovers_within(seconds(90));
  const auto drained = maybe_replaced({.always = {"Unschedulable"}});
  EXPECT_EQ(scenario.differs_from({{"b/bank", drained}, {"b/shop", drained}}), "");
}

TEST_F(Control, KubeletStoppedAndStarted) {
  NEEDS_OWN_CLUSTER(b());
  Scenario scenario(harness(), "kubelet stopped for 20 s and started");
  b().own->stop_kubelet();
  std::this_thread::sleep_for(seconds(20));
  EXPECT_TRUE(data_arrives(seconds(20))) << "pods run on without their kubelet";
  scenario.fixed();
  b().own->start_kubelet();
  b().own->wait_ready();
  expect_works(b(), "bank", "apply");
  scenario.recovers_within(seconds(120));
  EXPECT_EQ(scenario.differs_from({{"b/bank", replaced()}}), "");
}

TEST_F(Control, ApiServerDownForAMinute) {
  NEEDS_OWN_CLUSTER(b());
  Scenario scenario(harness(), "API server down for a minute");
  b().own->stop_api_server();
  const auto end = std::chrono::steady_clock::now() + seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    ASSERT_TRUE(data_arrives(seconds(20))) << "data does not need the API server";
    std::this_thread::sleep_for(seconds(2));
  }
  scenario.fixed();
  b().own->start_api_server();
  b().own->wait_ready();
  // Controllers, scheduler and kubelet list again 30 to 60 s after they missed an API server (client-go's reflector).
  expect_works(b(), "bank", "apply", seconds(150));
  scenario.recovers_within(seconds(180));
  EXPECT_EQ(scenario.differs_from({{"b/bank", replaced()}, {"b/shop", maybe_replaced()}}), "");
}

TEST_F(Control, KafkaRestarted) {
  Scenario scenario(harness(), "Kafka killed and started");
  environment().servers().kafka().kill();
  scenario.shows(a(), "shop", "BrokerUnreachable", seconds(60));
  scenario.fixed();
  environment().servers().kafka().start();
  scenario.recovers_within(seconds(90));
  EXPECT_EQ(scenario.differs_from({{"a/shop", {.always = {"BrokerUnreachable"}}}}, {"BrokerUnreachable", "Starting"}),
            "");
}

TEST_F(Control, UpgradeRollsTheAgents) {
  const auto& images = environment().images();
  if (images.second_tag == images.tag) GTEST_SKIP() << "one tag was given";
  Scenario scenario(harness(), "operator and agents upgraded to another image tag");
  const auto wanted = images.repository + "/agents:" + images.second_tag;
  for (auto& side : environment().sides()) environment().install(side, images.second_tag);
  const auto rolled = [&](const Side& side, const std::string& resource, const std::string& agent) {
    return in_time(
        [&] {
          const auto pods = side.pods(resource, agent);
          return pods.size() == 1 && pods.front()["spec"]["containers"][0]["image"] == wanted;
        },
        seconds(120));
  };
  EXPECT_TRUE(rolled(a(), "shop", "capture"));
  EXPECT_TRUE(rolled(a(), "backoffice", "capture"));
  EXPECT_TRUE(rolled(a(), "backoffice", "apply"));
  EXPECT_TRUE(rolled(b(), "bank", "apply"));
  EXPECT_TRUE(rolled(b(), "shop", "apply"));
  scenario.recovers_within(seconds(180));
  EXPECT_EQ(scenario.differs_from(
                {{"a/shop", replaced()}, {"a/backoffice", replaced()}, {"b/bank", replaced()}, {"b/shop", replaced()}}),
            "");
}

}  // namespace
}  // namespace datasync::test
