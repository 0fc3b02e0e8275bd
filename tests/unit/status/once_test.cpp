// `mode: Once` that has completed runs again only by a declared act.

#include <gtest/gtest.h>

#include "operator/status/conditions.hpp"
#include "operator/status/status.hpp"
#include "tests/unit/decide/observed_resource.hpp"

namespace datasync::status {
namespace {

using namespace datasync::decide::testing;
using decide::Observed;

constexpr const char* kOnce = R"({"spec":{"mode":"Once"}})";

void report(Observed& seen, const std::string& agent, const char* state) {
  decide::Report r;
  r.pod = agent + "-pod";
  r.view.emplace();
  r.view->state = state;
  r.view->rows = 7;
  seen.reports[agent] = std::move(r);
}

/// Both agents of the present templates run, and say this.
Observed running(const char* capture, const char* apply, const char* change = "{}") {
  auto patch = Json::parse(kOnce);
  patch.merge_patch(Json::parse(change));
  auto seen = settled(patch.dump().c_str());
  seen.pods = {pod(seen, "capture"), pod(seen, "apply")};
  report(seen, "capture", capture);
  report(seen, "apply", apply);
  return seen;
}

/// What the operator does with it: writes children and status.
decide::Plan step(Observed& seen) {
  auto plan = decide::decide(seen);
  const auto update = build_status(seen, plan, {}, "");
  for (const auto& wanted : plan.applies) {
    auto& live = child(seen, wanted.at("kind").get<std::string>(), wanted.at("metadata").at("name").get<std::string>());
    const auto meta = live.at("metadata");
    live = wanted;  // server-side apply: what is not named is removed
    for (const auto* key : {"uid", "resourceVersion", "generation"})
      if (meta.contains(key)) live["metadata"][key] = meta.at(key);
  }
  seen.resource["status"] = update.status;
  return plan;
}

void stop_pods(Observed& seen) {
  seen.pods.clear();
  seen.reports.clear();
}

std::string condition(const Observed& seen, const char* type) {
  const auto* c = find_condition(seen.resource.at("status").at("conditions"), type);
  return c == nullptr ? "" : c->at("status").get<std::string>() + " " + c->at("reason").get<std::string>();
}

int replicas(Observed& seen, const char* agent) {
  return child(seen, "Deployment", std::string("shop-") + agent).at("spec").at("replicas").get<int>();
}

Observed completed() {
  auto seen = running("Completed", "Completed");
  step(seen);
  stop_pods(seen);
  return seen;
}

TEST(Once, that_has_completed_is_scaled_to_zero_and_says_so) {
  auto seen = running("Streaming", "Snapshotting");
  step(seen);
  EXPECT_EQ(condition(seen, "Complete"), "False Snapshotting");
  EXPECT_EQ(seen.resource.at("status").at("startTime"), "2023-11-14T22:13:20Z");
  seen.now += std::chrono::seconds(60);
  report(seen, "capture", "Completed");
  step(seen);
  EXPECT_EQ(replicas(seen, "capture"), 1) << "apply still works";
  report(seen, "apply", "Completed");
  step(seen);
  EXPECT_EQ(replicas(seen, "capture"), 0);
  EXPECT_EQ(replicas(seen, "apply"), 0);
  stop_pods(seen);
  EXPECT_TRUE(step(seen).applies.empty());
  EXPECT_EQ(condition(seen, "Complete"), "True Completed");
  EXPECT_EQ(condition(seen, "Ready"), "True Completed");
  const auto& status = seen.resource.at("status");
  EXPECT_EQ(status.at("startTime"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(status.at("completionTime"), "2023-11-14T22:14:20Z");
  EXPECT_EQ(status.at("rows"), 7) << "what was copied stays in the status";
  EXPECT_EQ(status.at("apply").at("state"), "Completed");
}

TEST(Once, an_upgrade_of_the_operator_does_not_run_it_again) {
  auto seen = completed();
  seen.settings.image = "i:2";
  step(seen);
  EXPECT_EQ(replicas(seen, "capture"), 0);
  EXPECT_EQ(replicas(seen, "apply"), 0);
}

// Version 0.1.0 kept no record; its agents were still there, and a new default image would have restarted them.
TEST(Once, what_an_earlier_version_saw_complete_is_not_run_again_by_the_upgrade) {
  auto seen = running("Completed", "Completed");
  seen.resource["status"]["conditions"] =
      Json::parse(R"([{"type":"Ready","status":"True","reason":"Completed","message":"m","observedGeneration":3}])");
  seen.reports.clear();  // not asked yet
  seen.settings.image = "i:2";
  step(seen);
  EXPECT_EQ(replicas(seen, "capture"), 0);
}

TEST(Once, a_lost_status_does_not_run_it_again) {
  auto seen = completed();
  seen.resource["status"] = {{"operator", "one"}};
  seen.now += std::chrono::seconds(3600);
  step(seen);
  EXPECT_EQ(replicas(seen, "apply"), 0);
  EXPECT_EQ(condition(seen, "Complete"), "True Completed");
  EXPECT_EQ(seen.resource.at("status").at("completionTime"), "2023-11-14T22:13:20Z") << "as recorded";
}

TEST(Once, deleted_deployments_do_not_run_it_again) {
  auto seen = completed();
  std::erase_if(seen.children, [](const Json& c) { return c.at("kind") == "Deployment"; });
  const auto plan = decide::decide(seen);
  ASSERT_EQ(applied(plan).size(), 2U);
  for (const auto& one : plan.applies) EXPECT_EQ(one.at("spec").at("replicas"), 0);
}

TEST(Once, a_resource_restored_with_another_uid_does_not_run_again) {
  auto seen = completed();
  seen.resource["status"] = {{"operator", "one"}};
  seen.resource["metadata"]["uid"] = "u-2";
  reread(seen);
  const auto plan = decide::decide(seen);
  EXPECT_TRUE(plan.once.done) << "the Deployments of the former one have the record";
}

TEST(Once, a_record_that_cannot_be_read_is_one_all_the_same) {
  auto seen = completed();
  seen.resource["status"]["completion"] = std::string(5000, '[');
  for (const auto* agent : {"shop-capture", "shop-apply"})
    child(seen, "Deployment", agent)["metadata"]["annotations"].erase("datasync.dev/completion");
  EXPECT_TRUE(decide::decide(seen).once.done);
}

TEST(Once, a_change_of_what_is_copied_waits_for_a_declared_act) {
  auto seen = completed();
  seen.resource["spec"]["source"]["types"][0]["tables"] = {"shop.orders", "shop.items"};
  reread(seen);
  step(seen);
  EXPECT_EQ(condition(seen, "Stalled"), "True RunAgainNeeded");
  EXPECT_EQ(condition(seen, "Complete"), "True Completed");
  EXPECT_EQ(replicas(seen, "apply"), 0);
  seen.resource["metadata"]["annotations"]["datasync.dev/run-again"] = "1";
  reread(seen);
  step(seen);
  EXPECT_EQ(replicas(seen, "capture"), 1);
  EXPECT_EQ(replicas(seen, "apply"), 1);
  EXPECT_EQ(condition(seen, "Complete").substr(0, 5), "False");
  EXPECT_FALSE(seen.resource.at("status").contains("completionTime"));
  seen.now += std::chrono::seconds(60);
  // It completes again, and the act is used up.
  seen.pods = {pod(seen, "capture"), pod(seen, "apply")};
  report(seen, "capture", "Completed");
  report(seen, "apply", "Completed");
  step(seen);
  stop_pods(seen);
  step(seen);
  EXPECT_EQ(replicas(seen, "capture"), 0);
  EXPECT_EQ(condition(seen, "Complete"), "True Completed");
  EXPECT_EQ(seen.resource.at("status").at("completionTime"), "2023-11-14T22:14:20Z");
  seen.resource["metadata"]["annotations"].erase("datasync.dev/run-again");
  reread(seen);
  step(seen);
  EXPECT_EQ(replicas(seen, "capture"), 0) << "to remove the annotation is no act";
}

TEST(Once, what_copies_nothing_else_is_no_change) {
  auto seen = completed();
  seen.resource["spec"]["apply"]["resources"] = {{"limits", {{"memory", "1Gi"}}}};
  seen.resource["spec"]["destination"]["credentials"]["secretName"] = "other";
  reread(seen);
  step(seen);
  EXPECT_EQ(condition(seen, "Ready"), "True Completed");
  EXPECT_EQ(replicas(seen, "apply"), 0);
}

TEST(Once, agents_of_an_old_revision_do_not_complete_the_new_one) {
  auto seen = running("Completed", "Completed");
  seen.resource["spec"]["destination"]["host"] = "elsewhere";
  reread(seen);
  step(seen);
  EXPECT_EQ(replicas(seen, "apply"), 1) << "what they completed is not what the spec says now";
  EXPECT_EQ(condition(seen, "Complete").substr(0, 5), "False");
}

TEST(Once, a_spec_that_cannot_be_read_keeps_the_record) {
  auto seen = completed();
  const auto record = seen.resource.at("status").at("completion");
  seen.resource["spec"]["channel"]["topic"] = 5;
  reread(seen);
  step(seen);
  EXPECT_EQ(condition(seen, "Ready"), "False ConfigInvalid");
  EXPECT_EQ(seen.resource.at("status").at("completion"), record);
}

TEST(Once, another_mode_has_no_completion) {
  auto seen = completed();
  seen.resource["spec"]["mode"] = "Continuous";
  reread(seen);
  step(seen);
  EXPECT_EQ(replicas(seen, "apply"), 1);
  EXPECT_EQ(condition(seen, "Complete"), "");
  EXPECT_FALSE(seen.resource.at("status").contains("completion"));
}

}  // namespace
}  // namespace datasync::status
