#include "operator/decide/pods.hpp"

#include <gtest/gtest.h>

#include "tests/unit/decide/observed_resource.hpp"

namespace datasync::decide {
namespace {

using namespace datasync::decide::testing;

struct Row {
  const char* name;
  const char* status;
  const char* reason;  ///< empty: no trouble
  const char* words;
  Level level = Level::Stalled;
};
class PodTrouble : public ::testing::TestWithParam<Row> {};

TEST_P(PodTrouble, has_the_message_of_the_kubelet) {
  Json pod{{"metadata", {{"name", "p"}}}, {"status", Json::parse(GetParam().status)}};
  const auto trouble = pod_trouble(pod);
  EXPECT_EQ(trouble ? trouble->reason : "", GetParam().reason);
  if (!trouble) return;
  EXPECT_EQ(trouble->message, GetParam().words);
  EXPECT_EQ(trouble->level, GetParam().level);
}

INSTANTIATE_TEST_SUITE_P(
    Kubelet, PodTrouble,
    ::testing::Values(
        Row{"none_when_it_runs", R"({"phase":"Running","containerStatuses":[{"state":{"running":{}},"ready":true}]})",
            "", ""},
        Row{"none_when_it_starts",
            R"({"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ContainerCreating"}}}]})", "",
            ""},
        Row{"image", R"({"containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull","message":"not found"}}}]})",
            "ImagePullFailed", "pod p: ErrImagePull: not found"},
        Row{"image_of_an_init_container",
            R"({"initContainerStatuses":[{"state":{"waiting":{"reason":"ImagePullBackOff","message":"m"}}}]})",
            "ImagePullFailed", "pod p: ImagePullBackOff: m"},
        Row{"init_container_that_is_done",
            R"({"initContainerStatuses":[{"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]})", "", ""},
        Row{"container_config",
            R"({"containerStatuses":[{"state":{"waiting":{"reason":"CreateContainerConfigError","message":"root"}}}]})",
            "ContainerConfigInvalid", "pod p: CreateContainerConfigError: root"},
        Row{"crash_loop_with_last_words",
            R"({"containerStatuses":[{"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 40s"}},
                "lastState":{"terminated":{"exitCode":2,"message":"no such field"}}}]})",
            "AgentCrashing", "pod p: CrashLoopBackOff, exit code 2: no such field"},
        Row{"crash_loop_without_words",
            R"({"containerStatuses":[{"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 40s"}}}]})",
            "AgentCrashing", "pod p: CrashLoopBackOff, exit code 0: back-off 40s"},
        Row{"a_container_that_is_not_the_agent",
            R"({"containerStatuses":[{"name":"side","state":{"waiting":{"reason":"CrashLoopBackOff","message":"b"}}}]})",
            "AgentCrashing", "pod p, container side: CrashLoopBackOff, exit code 0: b"},
        Row{"memory",
            R"({"containerStatuses":[{"state":{"waiting":{"reason":"CrashLoopBackOff","message":"b"}},
                "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]})",
            "OutOfMemory", "pod p: OOMKilled: b"},
        Row{"memory_right_now",
            R"({"containerStatuses":[{"state":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]})", "OutOfMemory",
            "pod p: OOMKilled"},
        Row{"memory_too_small_even_to_begin",
            R"({"containerStatuses":[{"state":{"waiting":{"reason":"RunContainerError",
                "message":"container init was OOM-killed"}}}]})",
            "OutOfMemory", "pod p: RunContainerError: container init was OOM-killed"},
        Row{"ended_before_it_was_started",
            R"({"containerStatuses":[{"state":{"waiting":{"reason":"RunContainerError",
                "message":"failed to start containerd task: cannot start a stopped process"}}}]})",
            "AgentGone", "pod p: RunContainerError: failed to start containerd task: cannot start a stopped process",
            Level::Waiting},
        Row{"memory_too_small_again_and_again",
            R"({"containerStatuses":[{"state":{"waiting":{"reason":"CrashLoopBackOff","message":"b"}},"lastState":
                {"terminated":{"exitCode":128,"reason":"StartError","message":"init was OOM-killed"}}}]})",
            "OutOfMemory", "pod p: CrashLoopBackOff: init was OOM-killed"},
        Row{"no_node",
            R"({"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable",
                "message":"0/3 nodes are available"}]})",
            "Unschedulable", "pod p: Unschedulable: 0/3 nodes are available"},
        Row{"gated",
            R"({"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated",
                "message":"g"}]})",
            "PodPending", "pod p: SchedulingGated: g", Level::Waiting},
        Row{"evicted", R"({"phase":"Failed","reason":"Evicted","message":"low on memory"})", "AgentGone",
            "pod p: Evicted: low on memory", Level::Waiting},
        Row{"ended_once", R"({"containerStatuses":[{"state":{"terminated":{"exitCode":3,"reason":"Error"}}}]})",
            "AgentGone", "pod p: Error", Level::Waiting},
        Row{"a_status_of_wrong_kinds_is_none", R"({"phase":7,"conditions":{},"containerStatuses":[7,{"state":[]}]})",
            "", ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Pods, the_newest_that_is_not_ending_counts) {
  auto seen = settled();
  auto older = pod(seen, "capture", "a");
  auto newer = pod(seen, "capture", "b");
  newer["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z";
  seen.pods = {older, newer, pod(seen, "apply")};
  EXPECT_EQ(current_pod(seen.pods, "capture")->at("metadata").at("name"), "b");
  seen.pods[1]["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z";
  EXPECT_EQ(current_pod(seen.pods, "capture")->at("metadata").at("name"), "a");
  seen.pods = {pod(seen, "apply")};
  EXPECT_EQ(current_pod(seen.pods, "capture"), nullptr);
}

TEST(Pods, an_evicted_pod_does_not_hide_its_successor) {
  auto seen = settled();
  auto evicted = pod(seen, "capture", "z");
  evicted["status"]["phase"] = "Failed";
  seen.pods = {evicted, pod(seen, "capture", "b")};
  EXPECT_EQ(current_pod(seen.pods, "capture")->at("metadata").at("name"), "b");
}

// Labels can be put onto any pod; only a ReplicaSet of our Deployment makes our agents.
TEST(Pods, a_foreign_pod_with_our_labels_is_not_an_agent_pod) {
  const desired::Owner owner{"sync", "shop", "u-1"};
  const auto ours = Json::parse(R"({"metadata":{"name":"shop-capture-5d8f-x",
    "labels":{"datasync.dev/name":"shop","datasync.dev/agent":"capture","pod-template-hash":"5d8f"},
    "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"shop-capture-5d8f","uid":"r","controller":true}]}})");
  EXPECT_TRUE(is_agents_pod(ours, owner));
  for (
      const auto* change :
      {R"({"ownerReferences":null})", R"({"labels":{"pod-template-hash":null}})",
       R"({"labels":{"datasync.dev/agent":"cleanup"}})", R"({"labels":{"datasync.dev/agent":"apply"}})",
       R"({"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"other-5d8f","controller":true}]})",
       R"({"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"shop-capture-5d8f"}]})",
       R"({"ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"shop-capture-5d8f","controller":true}]})"}) {
    auto other = ours;
    other["metadata"].merge_patch(Json::parse(change));
    EXPECT_FALSE(is_agents_pod(other, owner)) << change;
  }
}

TEST(Pods, quota_message_comes_from_the_deployment) {
  const auto deployment = Json::parse(R"({"metadata":{"name":"d"},"status":{"conditions":[
    {"type":"ReplicaFailure","status":"True","message":"exceeded quota: pods=0"}]}})");
  EXPECT_EQ(no_pod_trouble(deployment), (Finding{Level::Stalled, "PodRefused", "d: exceeded quota: pods=0"}));
  EXPECT_FALSE(no_pod_trouble(Json::parse(R"({"metadata":{"name":"d"}})")));
}

}  // namespace
}  // namespace datasync::decide
