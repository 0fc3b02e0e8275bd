// Ready is about the newest template: old pods that run do not make it True while new ones cannot start.
#include "operator/decide/newest.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "operator/status/conditions.hpp"
#include "operator/status/status.hpp"
#include "tests/unit/decide/observed_resource.hpp"

namespace datasync::status {
namespace {

using namespace datasync::decide::testing;
using decide::Observed;

constexpr const char* kEdit = R"({"spec":{"capture":{"resources":{"limits":{"memory":"1Gi"}}}}})";
constexpr const char* kBack = R"({"spec":{"capture":null}})";

void edit(Observed& seen, const char* change) {
  seen.resource.merge_patch(Json::parse(change));
  auto& generation = seen.resource["metadata"]["generation"];
  generation = generation.get<int>() + 1;
  reread(seen);
}

/// As the API server has the children after a look of the operator.
void write(Observed& seen) {
  for (const auto& wanted : decide::decide(seen).applies) {
    auto& live = child(seen, wanted.at("kind").get<std::string>(), wanted.at("metadata").at("name").get<std::string>());
    for (const auto* part : {"data", "spec"})
      if (wanted.contains(part)) live[part] = wanted.at(part);
    live["metadata"]["annotations"] = wanted.at("metadata").at("annotations");
    if (live.at("kind") == "Deployment")
      live["metadata"]["generation"] = live.at("metadata").at("generation").get<int>() + 1;
  }
}

Json& capture(Observed& seen) {
  return child(seen, "Deployment", "shop-capture");
}

void report(Observed& seen, const std::string& agent, const std::string& pod) {
  decide::Report r;
  r.pod = pod;
  r.view.emplace();
  ASSERT_TRUE(decide::read_status(R"({"state":"Streaming","live":true,"ready":true})", *r.view));
  seen.reports[agent] = std::move(r);
}

/// Both agents stream; then capture's template is changed and written.
Observed edited() {
  auto seen = settled();
  seen.pods = {pod(seen, "capture", "old"), pod(seen, "apply")};
  report(seen, "capture", "old");
  report(seen, "apply", "apply-pod");
  edit(seen, kEdit);
  write(seen);
  return seen;
}

/// A pod of the newest template, as the kubelet shows it.
Json& add_pod(Observed& seen, const char* status, const char* name = "new", const char* made = "2026-01-02T00:00:00Z") {
  seen.pods.push_back(pod(seen, "capture", name));
  seen.pods.back()["metadata"]["creationTimestamp"] = made;
  seen.pods.back()["status"] = Json::parse(status);
  return seen.pods.back();
}

void deployment_status(Observed& seen, const char* conditions, int updated = 0) {
  capture(seen)["status"] = {{"observedGeneration", capture(seen).at("metadata").at("generation")},
                             {"replicas", 1 + updated},
                             {"availableReplicas", 1},
                             {"conditions", Json::parse(conditions)}};
  if (updated > 0) capture(seen)["status"]["updatedReplicas"] = updated;
}

std::string condition(const Observed& seen, const char* type, const char* key) {
  const auto update = build_status(seen, decide::decide(seen), {}, "");
  const auto* c = find_condition(update.status.at("conditions"), type);
  return c == nullptr ? "" : c->at(key).get<std::string>();
}

constexpr const char* kQuota =
    R"([{"type":"Available","status":"True","reason":"MinimumReplicasAvailable","message":"a"},
  {"type":"ReplicaFailure","status":"True","reason":"FailedCreate",
   "message":"pods \"shop-capture-5d8f-x\" is forbidden: exceeded quota: pods, requested: pods=1"},
  {"type":"Progressing","status":"True","reason":"ReplicaSetUpdated","message":"p"}])";
constexpr const char* kNoSet =
    R"([{"type":"Progressing","status":"False","reason":"ReplicaSetCreateError",
   "message":"Failed to create new replica set \"shop-capture-5d8f\": exceeded quota: sets"}])";
constexpr const char* kLate =
    R"([{"type":"Available","status":"True","reason":"MinimumReplicasAvailable","message":"a"},
  {"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded",
   "message":"ReplicaSet \"shop-capture-5d8f\" has timed out progressing."}])";
constexpr const char* kCreating =
    R"({"phase":"Pending","conditions":[{"type":"PodScheduled","status":"True"},
  {"type":"Ready","status":"False","reason":"ContainersNotReady"}],
  "containerStatuses":[{"name":"agent","ready":false,"restartCount":0,
    "state":{"waiting":{"reason":"ContainerCreating"}}}]})";

struct Row {
  const char* name;
  std::function<void(Observed&)> then;
  const char* reason;
  const char* words;
  const char* stalled = "True";
};
class NewPods : public ::testing::TestWithParam<Row> {};

TEST_P(NewPods, that_cannot_start_are_not_hidden_by_the_old_pod) {
  auto seen = edited();
  GetParam().then(seen);
  EXPECT_EQ(condition(seen, "Ready", "status"), "False");
  EXPECT_EQ(condition(seen, "Ready", "reason"), GetParam().reason);
  EXPECT_EQ(condition(seen, "Stalled", "status"), GetParam().stalled);
  const auto message = condition(seen, "Ready", "message");
  EXPECT_NE(message.find(GetParam().words), std::string::npos) << message;
  if (std::string(GetParam().reason) != "Starting") {
    EXPECT_TRUE(message.ends_with("; pod old of the previous revision still runs")) << message;
  }
  // The edit is taken back: what is left of the new pods does not matter any more.
  edit(seen, kBack);
  write(seen);
  EXPECT_EQ(condition(seen, "Ready", "status"), "True") << condition(seen, "Ready", "message");
  EXPECT_EQ(condition(seen, "Stalled", "status"), "False");
}

TEST_P(NewPods, are_ready_when_the_cause_is_gone) {
  auto seen = edited();
  GetParam().then(seen);
  std::erase_if(seen.pods, [](const Json& p) { return p.at("metadata").at("name") != "apply-pod"; });
  seen.pods.push_back(pod(seen, "capture", "later"));
  report(seen, "capture", "later");
  capture(seen)["spec"].erase("paused");
  deployment_status(seen, R"([{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"}])", 1);
  EXPECT_EQ(condition(seen, "Ready", "status"), "True") << condition(seen, "Ready", "message");
}

INSTANTIATE_TEST_SUITE_P(
    Cause, NewPods,
    ::testing::Values(
        Row{"quota_limit_range_or_admission", [](Observed& s) { deployment_status(s, kQuota); }, "PodRefused",
            "exceeded quota: pods, requested: pods=1"},
        Row{"quota_of_replica_sets", [](Observed& s) { deployment_status(s, kNoSet); }, "PodRefused",
            "exceeded quota: sets"},
        Row{"paused_roll_out",
            [](Observed& s) {
              capture(s)["spec"]["paused"] = true;
              deployment_status(s, R"([{"type":"Progressing","status":"Unknown","reason":"DeploymentPaused"}])");
            },
            "RolloutPaused", "rollout resume deployment shop-capture"},
        Row{"image",
            [](Observed& s) {
              add_pod(s, R"({"phase":"Pending","containerStatuses":[{"name":"agent",
                "state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image"}}}]})");
            },
            "ImagePullFailed", "Back-off pulling image"},
        // In one second, and before the old one by its name: it was not seen, and Starting for ever.
        Row{"image_of_a_pod_as_old_as_the_old_one",
            [](Observed& s) {
              add_pod(s, R"({"phase":"Pending","containerStatuses":[{"name":"agent",
                "state":{"waiting":{"reason":"ErrImagePull","message":"no such image"}}}]})",
                      "a", "2026-01-01T00:00:00Z");
            },
            "ImagePullFailed", "no such image"},
        Row{"secret_key_of_a_variable",
            [](Observed& s) {
              add_pod(s, R"({"phase":"Pending","containerStatuses":[{"name":"agent","state":{"waiting":
                {"reason":"CreateContainerConfigError","message":"couldn't find key p in Secret sync/x"}}}]})");
            },
            "ContainerConfigInvalid", "couldn't find key p in Secret sync/x"},
        Row{"secret_of_a_volume",
            [](Observed& s) {
              add_pod(s, kCreating);
              s.warnings["p-new"] = "FailedMount: MountVolume.SetUp failed: secret \"x\" not found";
            },
            "PodPending", "pod new: FailedMount: MountVolume.SetUp failed: secret \"x\" not found", "False"},
        Row{"secret_of_a_volume_for_ten_minutes",
            [](Observed& s) {
              add_pod(s, kCreating);
              s.warnings["p-new"] = "FailedMount: secret \"x\" not found";
              deployment_status(s, kLate, 1);
            },
            "ProgressDeadlineExceeded", "has timed out progressing.; pod new: FailedMount: secret \"x\" not found"},
        Row{"a_scheduler_that_does_not_exist",
            [](Observed& s) {
              add_pod(s, R"({"phase":"Pending"})");
              deployment_status(s, kLate, 1);
            },
            "ProgressDeadlineExceeded", "has timed out progressing."},
        Row{"a_reason_of_a_later_kubelet",
            [](Observed& s) {
              add_pod(s, R"({"phase":"Pending","containerStatuses":[{"name":"agent",
                "state":{"waiting":{"reason":"LaterReason","message":"later words"}}}]})");
            },
            "PodPending", "LaterReason: later words", "False"},
        Row{"a_node_that_admits_no_pod",
            [](Observed& s) {
              add_pod(s, R"({"phase":"Failed","reason":"UnexpectedAdmissionError","message":"no device"})", "a",
                      "2025-12-31T00:00:00Z");
            },
            "AgentGone", "UnexpectedAdmissionError: no device", "False"},
        Row{"none_yet", [](Observed&) {}, "Starting", "pod old of an old revision is being replaced", "False"}),
    [](const auto& row) { return std::string(row.param.name); });

// kubectl rollout restart: the operator's hash of the template stays, and no new pod can be made.
TEST(NewPodsOfOthers, that_are_refused_are_not_hidden_by_the_old_pod) {
  auto seen = settled();
  seen.pods = {pod(seen, "capture", "old"), pod(seen, "apply")};
  report(seen, "capture", "old");
  report(seen, "apply", "apply-pod");
  deployment_status(seen, kQuota);
  EXPECT_EQ(condition(seen, "Ready", "reason"), "PodRefused");
  deployment_status(seen, kQuota, 1);
  EXPECT_EQ(condition(seen, "Ready", "status"), "True") << "what was refused was another pod";
  deployment_status(seen, "[]");
  EXPECT_EQ(condition(seen, "Ready", "status"), "True") << "it is only being replaced";
}

TEST(NewPods, what_was_said_about_the_template_before_is_not_repeated) {
  auto seen = edited();
  deployment_status(seen, kQuota);
  edit(seen, R"({"spec":{"capture":{"resources":{"limits":{"memory":"2Gi"}}}}})");
  EXPECT_EQ(condition(seen, "Ready", "reason"), "Starting") << "applied by this look";
  write(seen);
  EXPECT_EQ(condition(seen, "Ready", "reason"), "Starting") << "not yet seen by the controller";
  deployment_status(seen, kQuota);
  EXPECT_EQ(condition(seen, "Ready", "reason"), "PodRefused");
}

TEST(Silent, is_a_pod_whose_status_does_not_say_why_it_does_not_start) {
  auto seen = edited();
  EXPECT_TRUE(decide::is_silent(add_pod(seen, kCreating)));
  EXPECT_TRUE(decide::is_silent(add_pod(seen, R"({"phase":"Pending"})")));
  EXPECT_TRUE(decide::decide(seen).requeue_after) << "its events change, it does not";
  EXPECT_FALSE(decide::is_silent(add_pod(seen, R"({"phase":"Failed"})")));
  EXPECT_FALSE(decide::is_silent(add_pod(seen, R"({"phase":"Pending","conditions":[{"type":"PodScheduled",
      "status":"False","reason":"Unschedulable","message":"0/3"}]})")));
  EXPECT_FALSE(decide::is_silent(pod(seen, "capture")));
}

TEST(Warning, the_last_one_counts_by_any_of_its_times) {
  const auto events = Json::parse(R"([
    {"type":"Warning","reason":"A","note":"first","deprecatedLastTimestamp":"2026-01-01T00:00:09Z",
     "metadata":{"creationTimestamp":"2026-01-01T00:00:01Z"}},
    {"type":"Warning","reason":"B","note":"last","eventTime":"2026-01-01T00:00:02.000001Z",
     "series":{"count":9,"lastObservedTime":"2026-01-01T00:00:10.5Z"},"deprecatedLastTimestamp":null},
    {"type":"Normal","reason":"C","note":"no warning","eventTime":"2026-01-01T00:00:10.0Z"},
    {"type":"Warning","reason":"D","note":"between","eventTime":"2026-01-01T00:00:05.0Z"}, 7])");
  EXPECT_EQ(decide::last_warning(events.get<std::vector<Json>>()), "B: last");
  EXPECT_EQ(decide::last_warning({}), "");
  auto over = events.get<std::vector<Json>>();
  over.push_back(
      Json::parse(R"({"type":"Normal","reason":"Pulling","note":"n","eventTime":"2026-01-01T00:00:11.0Z"})"));
  EXPECT_EQ(decide::last_warning(over), "") << "the step after it is under way";
}

}  // namespace
}  // namespace datasync::status
