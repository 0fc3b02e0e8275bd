// Faults of agents' pods: deleted, outlived by their process, drained away, with a bad image or too little memory.

#include <csignal>
#include <set>
#include <thread>

#include "tests/cluster/fixture.hpp"
#include "tests/cluster/manifests.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

class Pods : public ClusterTest {
 protected:
  static void delete_at_once(const Side& side, const std::string& resource, const std::string& agent) {
    side.kubectl.run({"-n", kNamespace, "delete", "pod", name_of(pod(side, resource, agent)), "--grace-period=0",
                      "--force", "--wait=false"});
  }
};

TEST_F(Pods, CaptureDeletedWithoutGrace) {
  Scenario scenario(harness(), "capture pod deleted with grace 0");
  const auto old = uid_of(pod(a(), "shop", "capture"));
  delete_at_once(a(), "shop", "capture");
  await_other_pod(a(), "shop", "capture", old, seconds(60));
  scenario.recovers_within(seconds(60));
  EXPECT_EQ(scenario.differs_from({{"a/shop", replaced()}}), "");
}

TEST_F(Pods, ApplyDeletedWithoutGrace) {
  Scenario scenario(harness(), "apply pod deleted with grace 0");
  const auto old = uid_of(pod(b(), "bank", "apply"));
  delete_at_once(b(), "bank", "apply");
  await_other_pod(b(), "bank", "apply", old, seconds(60));
  scenario.recovers_within(seconds(60));
  EXPECT_EQ(scenario.differs_from({{"b/bank", replaced()}}), "");
}

/// The parent in /proc/PID/stat: behind the name, which stands in brackets and may hold anything.
pid_t parent_of(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto after_name = text.substr(text.rfind(')') + 2);
  return static_cast<pid_t>(std::stol(after_name.substr(after_name.find(' ') + 1)));
}

/// A force-deleted pod is gone for the API while its process still runs: Kubernetes does not wait for the kubelet. The
/// shim of the old container is frozen, so nothing on the node can end it; the new pod's agent must.
void outlive(const Side& side, pid_t process, const std::function<void()>& delete_pod,
             const std::function<void()>& await_new) {
  ASSERT_GT(process, 0);
  const auto shim = parent_of(process);
  ASSERT_GT(shim, 1);
  kill(shim, SIGSTOP);
  delete_pod();
  await_new();
  EXPECT_TRUE(in_time(
      [&] {
        const auto stat = read_file("/proc/" + std::to_string(process) + "/stat");
        return stat.empty() || stat[stat.rfind(')') + 2] == 'Z';
      },
      seconds(60)))
      << "the old agent in cluster " << side.name << " still runs beside the new one";
  kill(shim, SIGCONT);
}

TEST_F(Pods, CaptureOutlivesItsPod) {
  NEEDS_OWN_CLUSTER(a());
  Scenario scenario(harness(), "capture's process outlives its force-deleted pod");
  const auto old = pod(a(), "shop", "capture");
  outlive(
      a(), process_of(a(), old, "datasync-capture"), [] { delete_at_once(a(), "shop", "capture"); },
      [&] { await_other_pod(a(), "shop", "capture", uid_of(old), seconds(60)); });
  scenario.recovers_within(seconds(60));
  EXPECT_EQ(scenario.differs_from({{"a/shop", replaced()}}), "");
}

TEST_F(Pods, ApplyOutlivesItsPod) {
  NEEDS_OWN_CLUSTER(b());
  Scenario scenario(harness(), "apply's process outlives its force-deleted pod");
  const auto old = pod(b(), "shop", "apply");
  outlive(
      b(), process_of(b(), old, "datasync-apply"), [] { delete_at_once(b(), "shop", "apply"); },
      [&] { await_other_pod(b(), "shop", "apply", uid_of(old), seconds(60)); });
  scenario.recovers_within(seconds(60));
  EXPECT_EQ(scenario.differs_from({{"b/shop", replaced()}}), "");
}

TEST_F(Pods, BadImageSetAndReverted) {
  Scenario scenario(harness(), "bad image reverted");
  patch(
      b(), "bank",
      R"({"spec":{"apply":{"podTemplate":{"spec":{"containers":[{"name":"agent","image":"localhost/datasync/agents:none"}]}}}}})");
  scenario.shows(b(), "bank", "ImagePullFailed", seconds(60));
  scenario.fixed();
  patch(b(), "bank", R"({"spec":{"apply":{"podTemplate":null}}})");
  scenario.recovers_within(seconds(60));
  EXPECT_EQ(scenario.differs_from({{"b/bank", replaced({.always = {"ImagePullFailed"}})}}), "");
}

TEST_F(Pods, MemoryLimitTooSmallAndFixed) {
  Scenario scenario(harness(), "memory limit fixed");
  patch(b(), "shop", R"({"spec":{"apply":{"resources":{"limits":{"memory":"4Mi"}}}}})");
  // So little that the kernel may also kill what starts the container: the node then names no lack of memory. A pod
  // that starts again has no back-off to wait for.
  const auto once_more = [] {
    for (const auto& pod : b().pods("shop", "apply")) {
      if (!is_ready(pod) && restarts_of(pod) > 0)
        b().kubectl.run({"-n", kNamespace, "delete", "pod", name_of(pod), "--ignore-not-found", "--wait=false"});
    }
  };
  scenario.shows(b(), "shop", "OutOfMemory", seconds(120), once_more);
  scenario.fixed();
  patch(b(), "shop", R"({"spec":{"apply":{"resources":null}}})");
  scenario.recovers_within(seconds(90));
  // runc has other words for the same when it is its own process that the kernel ends.
  const ExpectedEvents starved{.always = {"OutOfMemory"}, .sometimes = {"AgentCrashing", "ContainerConfigInvalid"}};
  EXPECT_EQ(scenario.differs_from({{"b/shop", replaced(starved)}}), "");
}

TEST_F(Pods, NamespaceDeletedAndRecreated) {
  a().kubectl.run({"delete", "namespace", kNamespace, "--timeout=120s"}, "", seconds(150));
  // From here on: what is reported while a namespace goes, goes with it, and Events are refused there.
  Scenario scenario(harness(), "namespace deleted and recreated");
  environment().prepare(a());
  environment().apply(a(), "shop", capture_only());
  environment().apply(a(), "backoffice", full_resource());
  scenario.recovers_within(seconds(120));
  EXPECT_EQ(scenario.differs_from({{"a/shop", replaced()}, {"a/backoffice", replaced()}}), "");
}

}  // namespace
}  // namespace datasync::test
