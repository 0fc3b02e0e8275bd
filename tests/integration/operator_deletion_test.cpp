// A resource with deletionPolicy: Delete on a real API server: its cleanup holds it until it is done, is bounded in
// time, and the ways out that are written down work.

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

#include "tests/integration/operator_world.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

const char* const kDelete = R"({"spec":{"deletionPolicy":"Delete"}})";
const char* const kLetGo = R"({"metadata":{"finalizers":null}})";

class OperatorDeletion : public testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<OperatorWorld>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { world_->clear(); }

  /// A resource that the operator has settled, with its finalizer.
  static void create() {
    ASSERT_EQ(world_->apply(OperatorWorld::resource(kDelete)), "");
    ASSERT_TRUE(
        eventually([] { return has_finalizer() && world_->observed() && there("Deployment shop-apply"); }, seconds(30)))
        << world_->log();
  }
  static bool has_finalizer() {
    const auto meta = world_->get(kube::kDataSyncs, "shop").value("metadata", Json::object());
    return meta.value("finalizers", Json::array()) == Json({"datasync.dev/cleanup"});
  }
  static bool there(const char* object) { return world_->objects().contains(object); }
  static bool goes(seconds limit) {
    return eventually([] { return world_->get(kube::kDataSyncs, "shop").is_null(); }, limit);
  }
  static bool becomes(const std::string& wanted) {
    const bool did = eventually([&] { return world_->condition("Stalled") == wanted; }, seconds(30));
    EXPECT_TRUE(did) << world_->condition("Stalled") << ": " << world_->message("Stalled") << "\n" << world_->log();
    return did;
  }

  static inline std::unique_ptr<OperatorWorld> world_;
};

TEST_F(OperatorDeletion, goes_when_the_agents_have_ended_and_the_job_is_complete) {
  auto op = world_->start(world_->server().kubeconfig());
  create();
  world_->make_pod("apply", 1);
  world_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(becomes("False CleanupRunning"));
  ASSERT_TRUE(
      eventually([] { return !there("Deployment shop-apply") && !there("Deployment shop-capture"); }, seconds(20)));
  std::this_thread::sleep_for(seconds(2));
  EXPECT_FALSE(there("Job shop-cleanup")) << "an agent that runs would make anew what is deleted";
  world_->remove(kube::kPods, "shop-apply-x");
  ASSERT_TRUE(eventually([] { return there("Job shop-cleanup"); }, seconds(20))) << world_->log();
  EXPECT_TRUE(has_finalizer());
  // The job's pod finds its configuration and its account.
  EXPECT_TRUE(there("ConfigMap shop-config") && there("ServiceAccount shop-agent"));
  ASSERT_TRUE(world_->end_job("Complete"));
  EXPECT_TRUE(goes(seconds(20))) << world_->log();
  EXPECT_TRUE(world_->has_event("CleanupDone"));
}

TEST_F(OperatorDeletion, a_failed_job_is_told_and_a_changed_mind_lets_go) {
  auto op = world_->start(world_->server().kubeconfig());
  create();
  world_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(eventually([] { return there("Job shop-cleanup"); }, seconds(20))) << world_->log();
  ASSERT_TRUE(world_->end_job("Failed"));
  ASSERT_TRUE(becomes("True CleanupFailed"));
  EXPECT_NE(world_->message("Stalled").find("deletionPolicy: Retain"), std::string::npos);
  EXPECT_TRUE(world_->has_event("CleanupFailed"));
  EXPECT_TRUE(has_finalizer());
  world_->merge(kube::kDataSyncs, "shop", Json::parse(R"({"spec":{"deletionPolicy":"Retain"}})"));
  EXPECT_TRUE(goes(seconds(20))) << world_->log();
}

TEST_F(OperatorDeletion, is_bounded_when_the_job_cannot_be_made) {
  world_->forbid_by_quota(OperatorWorld::kNs, "count/jobs.batch");
  auto op = world_->start(world_->server().kubeconfig(), {"--cleanup-limit", "40"});
  create();
  const auto begun = std::chrono::steady_clock::now();
  world_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(becomes("True ApplyRefused"));
  EXPECT_NE(world_->message("Stalled").find("exceeded quota"), std::string::npos) << world_->message("Stalled");
  EXPECT_TRUE(goes(seconds(120))) << world_->log();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, seconds(35)) << "it was tried until then";
  EXPECT_TRUE(world_->has_event("CleanupGaveUp"));
  world_->server().kubectl({"-n", OperatorWorld::kNs, "delete", "resourcequota", "none"});
}

TEST_F(OperatorDeletion, is_bounded_when_the_job_never_ends) {
  auto op = world_->start(world_->server().kubeconfig(), {"--cleanup-limit", "40"});
  create();
  world_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(eventually([] { return there("Job shop-cleanup"); }, seconds(30))) << world_->log();
  EXPECT_TRUE(goes(seconds(120))) << world_->log();
  EXPECT_TRUE(world_->has_event("CleanupGaveUp"));
}

TEST_F(OperatorDeletion, lets_go_by_hand_without_an_operator) {
  auto op = world_->start(world_->server().kubeconfig());
  create();
  op.kill();
  world_->remove(kube::kDataSyncs, "shop");
  EXPECT_FALSE(world_->get(kube::kDataSyncs, "shop").is_null());
  world_->server().kubectl(
      {"-n", OperatorWorld::kNs, "patch", "dsync", "shop", "--type=merge", "-p", kLetGo});  // docs/operator.md
  EXPECT_TRUE(goes(seconds(5)));
  // The operator comes back to a resource that is no more, and to the next of its name.
  op = world_->start(world_->server().kubeconfig());
  create();
  EXPECT_TRUE(op.is_running());
}

TEST_F(OperatorDeletion, holds_no_namespace_up) {
  world_->server().make_namespace("ending");
  auto op = world_->start(world_->server().kubeconfig(), {"--watch-namespaces", "ending"});
  auto resource = OperatorWorld::resource(kDelete);
  resource["metadata"]["namespace"] = "ending";
  ASSERT_TRUE(world_->api().apply(kube::kDataSyncs, {"ending", "shop"}, resource));
  const auto meta = [] {
    const auto found = world_->api().get(kube::kDataSyncs, {"ending", "shop"});
    return found ? found->at("metadata") : Json();
  };
  ASSERT_TRUE(eventually([&] { return meta().contains("finalizers"); }, seconds(30))) << world_->log();
  world_->server().kubectl({"delete", "namespace", "ending", "--wait=false"});
  ASSERT_TRUE(world_->api().remove(kube::kDataSyncs, {"ending", "shop"}));  // as the namespace's controller does
  EXPECT_TRUE(eventually([&] { return meta().is_null(); }, seconds(20))) << world_->log();
}

}  // namespace
}  // namespace datasync::test
