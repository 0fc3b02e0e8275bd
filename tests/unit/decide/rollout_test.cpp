// What is kept for pods of former templates, and when those end.
#include "operator/decide/rollout.hpp"

#include <gtest/gtest.h>

#include "operator/decide/pods.hpp"
#include "tests/unit/decide/observed_resource.hpp"

namespace datasync::decide {
namespace {

using namespace datasync::decide::testing;
using Names = std::vector<std::string>;

Json& config(Observed& seen) {
  return child(seen, "ConfigMap", "shop-config")["data"];
}

/// The roll-out as the Deployment's controller shows it.
void show(Observed& seen, const char* status) {
  child(seen, "Deployment", "shop-capture")["status"] = Json::parse(status);
}
constexpr const char* kDone =
    R"({"observedGeneration":1,"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1})";
constexpr const char* kWaits = R"({"observedGeneration":1,"replicas":1,"updatedReplicas":1,"unavailableReplicas":1})";

const Json* wanted_config(const Plan& plan) {
  for (const auto& a : plan.applies)
    if (a.at("kind") == "ConfigMap") return &a.at("data");
  return nullptr;
}

/// A change of capture's configuration was seen, and nothing of it is written yet.
Observed changed(std::string& old_key) {
  auto seen = settled();
  for (const auto& [key, text] : config(seen).items())
    if (key.starts_with("capture-")) old_key = key;
  seen.resource.merge_patch(Json::parse(R"({"spec":{"source":{"replicas":[{"host":"db-2"}]}}})"));
  reread(seen);
  return seen;
}

/// The same when the new objects are there, with what was kept.
Observed written(std::string& old_key) {
  auto seen = changed(old_key);
  for (const auto& a : decide(seen).applies) {
    auto& there = child(seen, a.at("kind").get<std::string>(), a.at("metadata").at("name").get<std::string>());
    for (const auto* key : {"data", "spec"})
      if (a.contains(key)) there[key] = a.at(key);
    there["metadata"]["annotations"] = a.at("metadata").at("annotations");
  }
  return seen;
}

TEST(Rollout, the_old_key_stays_until_its_deployment_is_replaced) {
  std::string old_key;
  auto seen = changed(old_key);
  const auto text = config(seen).at(old_key);
  const auto plan = decide(seen);
  ASSERT_EQ(applied(plan), (Names{"ConfigMap shop-config", "Deployment shop-capture"}));
  const auto* data = wanted_config(plan);
  EXPECT_EQ(data->size(), 3U) << "two of capture, one of apply";
  EXPECT_EQ(data->value(old_key, Json()), text);
}

// The ConfigMap was written, the Deployment that mounts its new key was refused, and the old one was looked for in
// vain.
TEST(Rollout, the_old_key_stays_while_the_deployment_is_refused) {
  std::string old_key;
  auto seen = changed(old_key);
  const auto plan = decide(seen);
  config(seen) = *wanted_config(plan);
  child(seen, "ConfigMap", "shop-config")["metadata"]["annotations"] =
      plan.applies.front().at("metadata").at("annotations");
  for (int look = 0; look < 3; ++look) EXPECT_EQ(applied(decide(seen)), Names{"Deployment shop-capture"});
  EXPECT_TRUE(running_of(seen).config.contains(old_key));
}

TEST(Rollout, the_old_key_stays_only_while_a_pod_mounts_it) {
  std::string old_key;
  auto before = settled();
  auto mounts = pod(before, "capture", "old");
  mounts["spec"] = child(before, "Deployment", "shop-capture").at("spec").at("template").at("spec");
  auto seen = written(old_key);
  show(seen, kDone);
  seen.pods = {mounts};
  EXPECT_EQ(applied(decide(seen)), Names{}) << "nothing to write while it stays so";
  seen.pods[0]["status"]["phase"] = "Failed";
  const auto plan = decide(seen);
  ASSERT_EQ(applied(plan), Names{"ConfigMap shop-config"});
  EXPECT_FALSE(wanted_config(plan)->contains(old_key));
  EXPECT_EQ(wanted_config(plan)->size(), 2U);
}

TEST(Rollout, the_old_key_stays_while_the_rollout_may_create_an_old_pod) {
  std::string old_key;
  auto seen = written(old_key);
  show(seen, kWaits);
  EXPECT_EQ(applied(decide(seen)), Names{}) << "its ReplicaSet may make one for a drained node";
  show(seen, kDone);
  EXPECT_EQ(applied(decide(seen)), Names{"ConfigMap shop-config"});
  show(seen, kDone);
  child(seen, "Deployment", "shop-capture")["metadata"]["generation"] = 2;
  EXPECT_EQ(applied(decide(seen)), Names{}) << "a newer spec the controller has not seen";
}

TEST(Rollout, keys_of_rollouts_that_never_finish_are_bounded) {
  auto seen = settled();
  show(seen, kWaits);
  for (int i = 0; i < 100; ++i) config(seen)["capture-" + std::to_string(i) + ".json"] = "{}";
  EXPECT_LE(running_of(seen).config.size(), 18U);
}

TEST(Rollout, a_key_that_another_owner_added_is_not_adopted) {
  auto seen = settled();
  config(seen)["mine"] = "1";
  EXPECT_FALSE(running_of(seen).config.contains("mine"));
}

std::string strategy(Observed& seen) {
  for (const auto& c :
       desired::children(owner_of(seen.resource), seen.document.resource, seen.settings, running_of(seen)))
    if (c.at("metadata").at("name") == "shop-capture") return c.at("spec").at("strategy").at("type");
  return {};
}

TEST(Rollout, an_old_pod_works_until_the_agent_of_the_new_one_started) {
  auto seen = settled();
  EXPECT_EQ(strategy(seen), "RollingUpdate") << "a bad image must not end the pod that works";
  auto old = pod(seen, "capture", "old");
  old["metadata"]["annotations"]["datasync.dev/template-hash"] = "before";
  auto made = pod(seen, "capture", "new");
  made["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z";
  auto& container = made["status"]["containerStatuses"][0];
  seen.pods = {old, made};
  EXPECT_EQ(strategy(seen), "Recreate") << "both would push each other away";
  for (const auto* state :
       {R"({"waiting":{"reason":"ImagePullBackOff"}})", R"({"waiting":{"reason":"ContainerCreating"}})",
        R"({"terminated":{"reason":"StartError"}})"}) {
    container["state"] = Json::parse(state);
    seen.pods = {old, made};
    EXPECT_EQ(strategy(seen), "RollingUpdate") << state;
    EXPECT_EQ(speaking_pod(seen.pods, "capture")->at("metadata").at("name"), "old") << state;
  }
  container["lastState"] = Json::parse(R"({"terminated":{"reason":"OOMKilled"}})");
  seen.pods = {old, made};
  EXPECT_EQ(strategy(seen), "Recreate") << "it has run";
  EXPECT_EQ(speaking_pod(seen.pods, "capture")->at("metadata").at("name"), "new");
  seen.pods[0]["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z";
  EXPECT_EQ(strategy(seen), "RollingUpdate") << "done";
}

TEST(Rollout, an_old_pod_that_cannot_start_is_deleted_at_once) {
  auto seen = settled();
  auto old = pod(seen, "capture", "old");
  old["metadata"]["annotations"]["datasync.dev/template-hash"] = "before";
  old["status"] = Json::parse(R"({"phase":"Pending","containerStatuses":[{"name":"agent","state":{"waiting":
      {"reason":"ImagePullBackOff"}}}]})");
  seen.pods = {old};
  EXPECT_EQ(strategy(seen), "Recreate") << "nothing is lost, and it may hold the room for the new one";
  seen.pods = {pod(seen, "capture", "good"), old};
  EXPECT_EQ(strategy(seen), "Recreate") << "a bad image was taken back";
  seen.pods[1]["metadata"]["annotations"] = seen.pods[0]["metadata"]["annotations"];
  EXPECT_EQ(strategy(seen), "RollingUpdate") << "of the present template: its Deployment keeps trying";
}

TEST(Rollout, a_third_template_keeps_the_pod_that_works) {
  auto seen = settled();
  auto old = pod(seen, "capture", "old");
  old["metadata"]["annotations"]["datasync.dev/template-hash"] = "before";
  auto made = pod(seen, "capture", "new");
  made["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z";
  seen.pods = {old, made};
  seen.settings.image = "third";
  EXPECT_EQ(strategy(seen), "RollingUpdate");
}

}  // namespace
}  // namespace datasync::decide
