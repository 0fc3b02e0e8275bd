#include "operator/reconcile/reconciler.hpp"

#include <algorithm>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/unit/reconcile/cluster.hpp"

namespace datasync::reconcile {
namespace {

TEST(Reconcile, an_exception_does_not_leave_ready_true) {
  World w;
  w.cluster.put(kube::kDataSyncs, sample());
  w.cluster.on_get = [](const std::string&) { throw std::runtime_error("a defect"); };
  const auto outcome = w.reconcile();
  EXPECT_EQ(outcome.error, "internal error: a defect");
  EXPECT_EQ(w.condition("Ready"), "False InternalError");
  EXPECT_EQ(w.condition("Stalled"), "True InternalError");
  EXPECT_EQ(w.shop().at("status").at("observedGeneration"), 3);
}

TEST(Reconcile, an_exception_changes_no_resource_of_another_installation) {
  World w;
  w.cluster.put(kube::kDataSyncs, sample(R"({"status":{"operator":"two","operatorLease":"w/two"}})"));
  w.cluster.on_get = [](const std::string&) { throw std::runtime_error("a defect"); };
  EXPECT_TRUE(w.reconcile().error);
  EXPECT_TRUE(w.cluster.writes.empty());
}

TEST(Reconcile, an_exception_does_not_hold_a_deleted_resource_for_ever) {
  World w;
  w.cluster.put(kube::kDataSyncs, sample(R"({"metadata":{"deletionTimestamp":"2023-11-14T22:13:00Z",
    "finalizers":["datasync.dev/cleanup"]},"spec":{"deletionPolicy":"Delete"}})"));
  w.cluster.on_get = [](const std::string& read) {
    if (!read.starts_with("datasyncs/")) throw std::runtime_error("a defect");
  };
  EXPECT_TRUE(w.reconcile().error);
  EXPECT_FALSE(w.wrote("patch datasyncs/shop")) << "its cleanup has some time yet";
  w.now += std::chrono::seconds(700);
  EXPECT_TRUE(w.reconcile().error);
  EXPECT_TRUE(w.wrote("patch datasyncs/shop"));
  EXPECT_EQ(w.shop().at("metadata").at("finalizers"), Json::array());
}

// An operator whose clock was ahead gave up at once.
TEST(Reconcile, a_cleanup_has_some_time_though_the_clock_says_that_it_is_over) {
  World w;
  w.cluster.put(kube::kDataSyncs, sample(R"({"metadata":{"deletionTimestamp":"2023-11-14T22:00:00Z",
    "finalizers":["datasync.dev/cleanup"]},"spec":{"deletionPolicy":"Delete"}})"));  // 800 s ago; the limit is 600 s
  World::Session process(w);
  static_cast<void>(process.reconcile());
  EXPECT_TRUE(w.wrote("apply jobs/shop-cleanup"));
  EXPECT_FALSE(w.wrote("patch datasyncs/shop"));
  w.now += std::chrono::seconds(130);
  static_cast<void>(process.reconcile());
  EXPECT_TRUE(w.wrote("patch datasyncs/shop"));
}

// It was nobody's while the Lease lived, and its Ready stayed True.
TEST(Reconcile, a_namespace_that_another_installation_no_longer_watches_is_free) {
  World w;
  w.cluster.put(kube::kDataSyncs, sample(R"({"status":{"operator":"two","operatorLease":"ops/two"}})"));
  auto lease = Json::parse(R"({"metadata":{"namespace":"ops","name":"two","annotations":
    {"datasync.dev/namespaces":"v,w,x"}},"spec":{"renewTime":"2026-01-01T00:00:00.0Z","leaseDurationSeconds":15}})");
  w.cluster.put(kube::kLeases, lease);
  static_cast<void>(w.reconcile());
  EXPECT_FALSE(w.wrote("apply deployments/shop-apply")) << "it lives, and watches";
  lease["metadata"]["annotations"]["datasync.dev/namespaces"] = "v,ww";
  w.cluster.put(kube::kLeases, lease);
  static_cast<void>(w.reconcile());
  EXPECT_TRUE(w.wrote("apply deployments/shop-apply"));
  EXPECT_EQ(w.shop().at("status").at("operator"), "one");
}

TEST(Reconcile, labels_that_are_a_list_are_told_by_name) {
  World w;
  w.cluster.put(kube::kDataSyncs, sample(R"({"spec":{"apply":{"podTemplate":{"metadata":{"labels":[]}}}}})"));
  static_cast<void>(w.reconcile());
  EXPECT_EQ(w.condition("Ready"), "False ConfigInvalid");
  EXPECT_EQ(w.condition("Stalled"), "True ConfigInvalid");
  EXPECT_EQ(w.shop().at("status").at("conditions").at(0).at("message"),
            "spec.apply.podTemplate.metadata.labels: a list is not a map");
}

TEST(Reconcile, the_fields_of_a_former_manager_are_taken_over_once) {
  World w;
  auto resource = sample();
  resource["metadata"]["managedFields"] = Json::parse(
      R"([{"manager":"datasync-operator/one","operation":"Apply","apiVersion":"datasync.dev/v1alpha1",
           "subresource":"status","fieldsV1":{"f:status":{"f:lag":{}}}}])");
  w.cluster.put(kube::kDataSyncs, resource);
  static_cast<void>(w.reconcile());
  EXPECT_TRUE(w.wrote("json-patch datasyncs/shop"));
  EXPECT_EQ(w.shop().at("metadata").at("managedFields").at(0).at("manager"), "datasync-operator");
  w.cluster.writes.clear();
  static_cast<void>(w.reconcile());
  EXPECT_FALSE(w.wrote("json-patch datasyncs/shop"));
}

TEST(Reconcile, a_field_of_a_later_version_stops_nothing) {
  World w;
  w.cluster.put(kube::kDataSyncs, sample(R"({"spec":{"laterField":{"a":1}}})"));
  static_cast<void>(w.reconcile());
  EXPECT_TRUE(w.wrote("apply deployments/shop-apply"));
}

std::function<std::optional<ApiError>(const std::string&)> refusing(const std::string& what) {
  return [what](const std::string& write) -> std::optional<ApiError> {
    if (write != what) return std::nullopt;
    return ApiError{Code::Invalid, 422, "no: " + what, {}};
  };
}

TEST(Reconcile, the_refused_deployment_of_one_agent_does_not_stop_the_other) {
  World w;
  w.cluster.put(kube::kDataSyncs, sample());
  w.cluster.answer = refusing("apply deployments/shop-capture");
  static_cast<void>(w.reconcile());
  EXPECT_TRUE(w.wrote("apply deployments/shop-apply"));
  EXPECT_EQ(w.condition("Stalled"), "True ApplyRefused");
}

TEST(Reconcile, no_pod_is_made_without_the_config_map_that_it_mounts) {
  World w;
  w.cluster.put(kube::kDataSyncs, sample());
  w.cluster.answer = refusing("apply configmaps/shop-config");
  static_cast<void>(w.reconcile());
  EXPECT_FALSE(w.wrote("apply deployments/shop-capture"));
  EXPECT_FALSE(w.wrote("apply deployments/shop-apply"));
  EXPECT_EQ(w.condition("Stalled"), "True ApplyRefused");
}

TEST(Reconcile, a_tenants_config_map_of_another_shape_harms_nobody) {
  World w;
  // Another resource on the same stream, whose owner wrote what he liked into its ConfigMap.
  auto other = sample(R"({"metadata":{"name":"other","uid":"u-2","creationTimestamp":"2030-01-01T00:00:00Z"}})");
  w.cluster.put(kube::kDataSyncs, other);
  w.cluster.put(kube::kDataSyncs, sample(R"({"metadata":{"creationTimestamp":"2020-01-01T00:00:00Z"}})"));
  const auto read = api::read_resource(config::parse_json(other.dump()).value());
  for (auto child : desired::children({"w", "other", "u-2"}, read.resource, {.installation = "one", .image = "i"})) {
    child["metadata"]["uid"] = "c-" + child.at("kind").get<std::string>();
    if (child.at("kind") == "ConfigMap")
      for (auto& [key, text] : child["data"].items())
        text = R"({"channel":)" + std::string(key.starts_with("capture") ? 300'000 : 3, '[') +
               std::string(key.starts_with("capture") ? 300'000 : 3, ']') + "}";
    w.cluster.put(*kind_of(child), child);
  }
  EXPECT_FALSE(w.reconcile().error);
  EXPECT_TRUE(w.wrote("apply deployments/shop-capture"));
}

}  // namespace
}  // namespace datasync::reconcile
