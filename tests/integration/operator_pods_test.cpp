// What other programs of a cluster do to the agents' Deployments and pods, on a real API server: controllers and a
// kubelet that cannot start new pods.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/fake_status.hpp"
#include "tests/integration/operator_environment.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

constexpr const char* kFlows = R"({"state":"Streaming","live":true,"ready":true,"rows":5})";
constexpr const char* kEdit = R"({"spec":{"capture":{"resources":{"limits":{"memory":"1Gi"}}}}})";

class OperatorPods : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    environment_ = std::make_unique<OperatorEnvironment>();
    for (const auto* name : {"reader", "writer"})
      ASSERT_TRUE(environment_->api().create(kube::kSecrets, OperatorEnvironment::kNs,
                                             {{"apiVersion", "v1"},
                                              {"kind", "Secret"},
                                              {"metadata", {{"name", name}}},
                                              {"stringData", {{"username", "u"}, {"password", "p"}}}}));
  }
  static void TearDownTestSuite() { environment_.reset(); }
  void SetUp() override { environment_->clear(); }

  static void edit(const char* change) {
    ASSERT_EQ(environment_->apply(OperatorEnvironment::resource(change)), "");
    ASSERT_TRUE(eventually(
        [] { return !environment_->get(kube::kDeployments, "shop-apply").is_null() && environment_->observed(); },
        seconds(30)))
        << environment_->log();
  }
  static bool becomes(const char* type, const std::string& wanted) {
    const bool did = eventually([&] { return environment_->condition(type) == wanted; }, seconds(40));
    EXPECT_TRUE(did) << environment_->condition(type) << ": " << environment_->message(type) << "\n"
                     << environment_->log();
    return did;
  }
  static bool says(const std::string& words) {
    const bool did =
        eventually([&] { return environment_->message("Ready").find(words) != std::string::npos; }, seconds(40));
    EXPECT_TRUE(did) << environment_->message("Ready");
    return did;
  }
  /// The roll-out of capture as the Deployment's controller shows it.
  static void show_rollout(const char* condition, int updated) {
    const auto now = environment_->get(kube::kDeployments, "shop-capture");
    environment_->merge(kube::kDeployments, "shop-capture",
                        {{"status",
                          {{"observedGeneration", now.at("metadata").at("generation")},
                           {"replicas", 1 + updated},
                           {"updatedReplicas", updated},
                           {"readyReplicas", 1},
                           {"availableReplicas", 1},
                           {"conditions", {Json::parse(condition)}}}}},
                        "status");
  }
  static void show_container(const char* pod, const char* state) {
    environment_->merge(kube::kPods, pod,
                        {{"status",
                          {{"containerStatuses",
                            {{{"name", "agent"},
                              {"ready", false},
                              {"restartCount", 0},
                              {"image", "i"},
                              {"imageID", ""},
                              {"state", Json::parse(state)}}}}}}},
                        "status");
  }

  static inline std::unique_ptr<OperatorEnvironment> environment_;
};

// It was True by the pod of the spec before; and what only the kubelet's events say was nowhere.
TEST_F(OperatorPods, ready_is_not_true_while_new_pods_cannot_start) {
  const FakeStatus agent(kFlows);
  auto op = environment_->start(environment_->server().kubeconfig());
  edit("{}");
  for (const auto* name : {"capture", "apply"}) environment_->make_pod(name, agent.port());
  show_container("shop-capture-x", R"({"running":{}})");
  ASSERT_TRUE(becomes("Ready", "True Streaming"));

  // A quota, a limit range or an admission webhook refuses the new pod.
  edit(kEdit);
  show_rollout(R"({"type":"ReplicaFailure","status":"True","reason":"FailedCreate",
      "message":"pods \"shop-capture-77-x\" is forbidden: exceeded quota: few, requested: pods=1"})",
               0);
  ASSERT_TRUE(becomes("Ready", "False PodRefused"));
  EXPECT_EQ(environment_->condition("Stalled"), "True PodRefused");
  EXPECT_NE(environment_->message("Ready").find("is forbidden: exceeded quota: few"), std::string::npos);
  edit("{}");
  ASSERT_TRUE(becomes("Ready", "True Streaming"));
  EXPECT_EQ(environment_->condition("Stalled"), "False Streaming");

  // The Deployment itself is refused.
  edit(R"({"spec":{"capture":{"podTemplate":{"spec":{"hostAliases":[{"ip":"none","hostnames":["a"]}]}}}}})");
  ASSERT_TRUE(becomes("Ready", "False ApplyRefused"));
  edit("{}");
  ASSERT_TRUE(becomes("Ready", "True Streaming"));

  // The new pod is made, and its volume cannot be mounted: its status never says why.
  edit(kEdit);
  auto made = environment_->get(kube::kPods, "shop-capture-x");
  const auto pods = environment_->get(kube::kDeployments, "shop-capture").at("spec").at("template");
  made["metadata"] = {{"name", "shop-capture-new"},
                      {"labels", made.at("metadata").at("labels")},
                      {"annotations", pods.at("metadata").at("annotations")},
                      {"ownerReferences", made.at("metadata").at("ownerReferences")}};
  const auto created = environment_->api().create(kube::kPods, OperatorEnvironment::kNs, made);
  ASSERT_TRUE(created) << created.error().message;
  environment_->merge(kube::kPods, "shop-capture-new",
                      Json::parse(R"({"status":{"phase":"Pending","podIP":null,"podIPs":null,
      "conditions":[{"type":"Ready","status":"False","reason":"ContainersNotReady"}]}})"),
                      "status");
  show_container("shop-capture-new", R"({"waiting":{"reason":"ContainerCreating"}})");
  environment_->server().apply(fmt::format(
      R"({{"apiVersion":"v1","kind":"Event","metadata":{{"name":"shop-capture-new.1","namespace":"w"}},
      "involvedObject":{{"apiVersion":"v1","kind":"Pod","namespace":"w","name":"shop-capture-new","uid":{}}},
      "reason":"FailedMount","message":"MountVolume.SetUp failed for volume \"x\" : secret \"gone\" not found",
      "type":"Warning","count":3,"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:09Z",
      "source":{{"component":"kubelet"}},"reportingComponent":"kubelet","reportingInstance":"n"}})",
      created->at("metadata").at("uid").dump()));
  ASSERT_TRUE(becomes("Ready", "False PodPending"));
  const auto capture = environment_->get(kube::kDataSyncs, "shop").at("status").at("capture");
  EXPECT_EQ(capture.value("state", ""), "Streaming") << "the old pod's";
  EXPECT_EQ(capture.value("pod", ""), "shop-capture-x");
  EXPECT_TRUE(says("pod shop-capture-new: FailedMount: MountVolume.SetUp failed for volume \"x\" : secret \"gone\""));
  show_rollout(R"({"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded",
      "message":"ReplicaSet \"shop-capture-77\" has timed out progressing."})",
               1);
  ASSERT_TRUE(becomes("Stalled", "True ProgressDeadlineExceeded"));
  EXPECT_TRUE(says("has timed out progressing.; pod shop-capture-new: FailedMount"));
  edit("{}");
  ASSERT_TRUE(becomes("Ready", "True Streaming"));
  EXPECT_EQ(environment_->condition("Stalled"), "False Streaming");
}

}  // namespace
}  // namespace datasync::test
