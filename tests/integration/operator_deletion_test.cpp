// A resource with deletionPolicy: Delete on a real API server: its cleanup holds it until it is done, is bounded in
// time, and the ways out that are written down work.

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

#include "tests/integration/operator_environment.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

const char* const kDelete = R"({"spec":{"deletionPolicy":"Delete"}})";
const char* const kLetGo = R"({"metadata":{"finalizers":null}})";

class OperatorDeletion : public testing::Test {
 protected:
  static void SetUpTestSuite() { environment_ = std::make_unique<OperatorEnvironment>(); }
  static void TearDownTestSuite() { environment_.reset(); }
  void SetUp() override { environment_->clear(); }

  /// A resource that the operator has settled, with its finalizer.
  static void create() {
    ASSERT_EQ(environment_->apply(OperatorEnvironment::resource(kDelete)), "");
    ASSERT_TRUE(eventually([] { return has_finalizer() && environment_->observed() && there("Deployment shop-apply"); },
                           seconds(30)))
        << environment_->log();
  }
  static bool has_finalizer() {
    const auto meta = environment_->get(kube::kDataSyncs, "shop").value("metadata", Json::object());
    return meta.value("finalizers", Json::array()) == Json({"datasync.dev/cleanup"});
  }
  static bool there(const char* object) { return environment_->objects().contains(object); }
  static bool goes(seconds limit) {
    return eventually([] { return environment_->get(kube::kDataSyncs, "shop").is_null(); }, limit);
  }
  static bool becomes(const std::string& wanted) { return environment_->becomes("Stalled", wanted, seconds(30)); }

  static inline std::unique_ptr<OperatorEnvironment> environment_;
};

TEST_F(OperatorDeletion, finishes_when_the_agents_ended_and_the_job_is_complete) {
  auto op = environment_->start(environment_->server().kubeconfig());
  create();
  environment_->make_pod("apply", 1);
  environment_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(becomes("False CleanupRunning"));
  ASSERT_TRUE(
      eventually([] { return !there("Deployment shop-apply") && !there("Deployment shop-capture"); }, seconds(20)));
  std::this_thread::sleep_for(seconds(2));
  EXPECT_FALSE(there("Job shop-cleanup")) << "an agent that runs would create again what is deleted";
  environment_->remove(kube::kPods, "shop-apply-x");
  ASSERT_TRUE(eventually([] { return there("Job shop-cleanup"); }, seconds(20))) << environment_->log();
  EXPECT_TRUE(has_finalizer());
  // The job's pod finds its configuration and its account.
  EXPECT_TRUE(there("ConfigMap shop-config") && there("ServiceAccount shop-agent"));
  ASSERT_TRUE(environment_->end_job("Complete"));
  EXPECT_TRUE(goes(seconds(20))) << environment_->log();
  EXPECT_TRUE(environment_->has_event("CleanupDone"));
}

TEST_F(OperatorDeletion, a_failed_job_is_reported_and_policy_retain_releases_it) {
  auto op = environment_->start(environment_->server().kubeconfig());
  create();
  environment_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(eventually([] { return there("Job shop-cleanup"); }, seconds(20))) << environment_->log();
  ASSERT_TRUE(environment_->end_job("Failed"));
  ASSERT_TRUE(becomes("True CleanupFailed"));
  EXPECT_NE(environment_->message("Stalled").find("deletionPolicy: Retain"), std::string::npos);
  EXPECT_TRUE(environment_->has_event("CleanupFailed"));
  EXPECT_TRUE(has_finalizer());
  environment_->merge(kube::kDataSyncs, "shop", Json::parse(R"({"spec":{"deletionPolicy":"Retain"}})"));
  EXPECT_TRUE(goes(seconds(20))) << environment_->log();
}

TEST_F(OperatorDeletion, is_bounded_when_the_job_cannot_be_created) {
  environment_->forbid_by_quota(OperatorEnvironment::kNs, "count/jobs.batch");
  auto op = environment_->start(environment_->server().kubeconfig(), {"--cleanup-limit", "40"});
  create();
  const auto begun = std::chrono::steady_clock::now();
  environment_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(becomes("True ApplyRefused"));
  EXPECT_NE(environment_->message("Stalled").find("exceeded quota"), std::string::npos)
      << environment_->message("Stalled");
  EXPECT_TRUE(goes(seconds(120))) << environment_->log();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, seconds(35)) << "it was tried until then";
  EXPECT_TRUE(environment_->has_event("CleanupGaveUp"));
  environment_->server().kubectl({"-n", OperatorEnvironment::kNs, "delete", "resourcequota", "none"});
}

TEST_F(OperatorDeletion, is_bounded_when_the_job_never_ends) {
  auto op = environment_->start(environment_->server().kubeconfig(), {"--cleanup-limit", "40"});
  create();
  environment_->remove(kube::kDataSyncs, "shop");
  ASSERT_TRUE(eventually([] { return there("Job shop-cleanup"); }, seconds(30))) << environment_->log();
  EXPECT_TRUE(goes(seconds(120))) << environment_->log();
  EXPECT_TRUE(environment_->has_event("CleanupGaveUp"));
}

TEST_F(OperatorDeletion, can_be_released_manually_without_an_operator) {
  auto op = environment_->start(environment_->server().kubeconfig());
  create();
  op.kill();
  environment_->remove(kube::kDataSyncs, "shop");
  EXPECT_FALSE(environment_->get(kube::kDataSyncs, "shop").is_null());
  environment_->server().kubectl(
      {"-n", OperatorEnvironment::kNs, "patch", "dsync", "shop", "--type=merge", "-p", kLetGo});  // docs/operator.md
  EXPECT_TRUE(goes(seconds(5)));
  // The operator comes back to a resource that is no more, and to the next of its name.
  op = environment_->start(environment_->server().kubeconfig());
  create();
  EXPECT_TRUE(op.is_running());
}

TEST_F(OperatorDeletion, does_not_block_the_deletion_of_a_namespace) {
  environment_->server().make_namespace("ending");
  auto op = environment_->start(environment_->server().kubeconfig(), {"--watch-namespaces", "ending"});
  auto resource = OperatorEnvironment::resource(kDelete);
  resource["metadata"]["namespace"] = "ending";
  ASSERT_TRUE(environment_->api().apply(kube::kDataSyncs, {"ending", "shop"}, resource));
  const auto meta = [] {
    const auto found = environment_->api().get(kube::kDataSyncs, {"ending", "shop"});
    return found ? found->at("metadata") : Json();
  };
  ASSERT_TRUE(eventually([&] { return meta().contains("finalizers"); }, seconds(30))) << environment_->log();
  environment_->server().kubectl({"delete", "namespace", "ending", "--wait=false"});
  ASSERT_TRUE(environment_->api().remove(kube::kDataSyncs, {"ending", "shop"}));  // as the namespace's controller does
  EXPECT_TRUE(eventually([&] { return meta().is_null(); }, seconds(20))) << environment_->log();
}

}  // namespace
}  // namespace datasync::test
