#pragma once
// The API server of a few lines for the reconciler: what it lists is what was put in, watches stay silent, and each
// write can be answered by the test.

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "agents/base/backoff.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace datasync::reconcile {

using kube::ApiError;
using kube::ApiResult;
using kube::Code;

class Cluster : public kube::Api {
 public:
  std::map<std::pair<std::string, ObjectKey>, Json> objects;  ///< by plural
  std::vector<std::string> writes;                            ///< "apply deployments/shop-apply"
  /// The error of a write; nothing: it is done.
  std::function<std::optional<ApiError>(const std::string& write)> answer = [](const std::string&) {
    return std::nullopt;
  };
  std::function<void(const std::string& read)> on_get = [](const std::string&) {};
  std::mutex mutex;

  void put(const kube::Resource& kind, Json object) {
    const auto& meta = object.at("metadata");
    objects[{kind.plural, {meta.value("namespace", ""), meta.value("name", "")}}] = std::move(object);
  }
  [[nodiscard]] Json at(const kube::Resource& kind, const ObjectKey& key) {
    const std::lock_guard lock(mutex);
    const auto found = objects.find({kind.plural, key});
    return found == objects.end() ? Json() : found->second;
  }

  ApiResult<Json> get(const kube::Resource& kind, const ObjectKey& key) override {
    on_get(kind.plural + "/" + key.name);
    auto found = at(kind, key);
    if (found.is_null()) return tl::unexpected(ApiError{Code::NotFound, 404, "not found", {}});
    return found;
  }
  ApiResult<kube::List> list(const kube::Resource& kind, const kube::Selector&) override {
    const std::lock_guard lock(mutex);
    kube::List out;
    out.resource_version = "10";
    for (const auto& [key, object] : objects)
      if (key.first == kind.plural) out.items.push_back(object);
    return out;
  }
  ApiResult<void> watch(const kube::Resource&, const kube::Selector&, const std::string&, std::stop_token stop,
                        const std::function<void(const kube::WatchEvent&)>&) override {
    base::sleep_for(std::move(stop), base::Millis(600'000));
    return {};
  }
  ApiResult<Json> create(const kube::Resource& kind, const std::string& ns, const Json& object) override {
    return write("create", kind, {ns, object.at("metadata").value("name", "")}, object, {});
  }
  ApiResult<Json> apply(const kube::Resource& kind, const ObjectKey& key, const Json& object,
                        std::string_view sub) override {
    return write("apply", kind, key, object, sub);
  }
  ApiResult<Json> merge_patch(const kube::Resource& kind, const ObjectKey& key, const Json& patch,
                              std::string_view sub) override {
    return write("patch", kind, key, patch, sub);
  }
  ApiResult<Json> json_patch(const kube::Resource& kind, const ObjectKey& key, const Json& operations) override {
    const std::lock_guard lock(mutex);
    writes.push_back("json-patch " + kind.plural + "/" + key.name);
    auto& object = objects[{kind.plural, key}];
    object = object.patch(operations);
    return object;
  }
  ApiResult<Json> update(const kube::Resource& kind, const ObjectKey& key, const Json& object) override {
    return write("update", kind, key, object, {});
  }
  ApiResult<void> remove(const kube::Resource& kind, const ObjectKey& key, const kube::Preconditions&) override {
    const std::lock_guard lock(mutex);
    writes.push_back("delete " + kind.plural + "/" + key.name);
    objects.erase({kind.plural, key});
    return {};
  }

 private:
  ApiResult<Json> write(const char* verb, const kube::Resource& kind, const ObjectKey& key, const Json& patch,
                        std::string_view sub) {
    const std::lock_guard lock(mutex);
    auto text = std::string(verb) + " " + kind.plural + "/" + key.name;
    if (!sub.empty()) text += "/" + std::string(sub);
    writes.push_back(text);
    if (auto error = answer(text)) return tl::unexpected(std::move(*error));
    auto& object = objects[{kind.plural, key}];
    object.merge_patch(patch);
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    if (!object["metadata"].contains("uid")) object["metadata"]["uid"] = "made-" + std::to_string(version_);
    return object;
  }
  int version_ = 100;
};

inline Json sample(const char* change = "{}") {
  auto out = Json::parse(R"({"apiVersion":"datasync.dev/v1alpha1","kind":"DataSync",
    "metadata":{"name":"shop","namespace":"w","uid":"u-1","generation":3,"resourceVersion":"5"},
    "spec":{"source":{"replicas":[{"host":"db-1"}],"credentials":{"secretName":"reader"},
                      "types":[{"name":"orders","tables":["shop.orders"]}]},
            "channel":{"bootstrapServers":"kafka:9092","topic":"shop"},
            "destination":{"host":"dr","credentials":{"secretName":"writer"}}},
    "status":{"operator":"one","observedGeneration":2,"conditions":[{"type":"Ready","status":"True",
      "reason":"Streaming","message":"m","lastTransitionTime":"2026-01-01T00:00:00Z","observedGeneration":2}]}})");
  out.merge_patch(Json::parse(change));
  return out;
}

/// A cluster with its time.
class World {
 public:
  Cluster cluster;
  decide::Time now{std::chrono::seconds(1'700'000'000)};

  /// One operator process, whose cache has read the cluster once.
  class Session {
   public:
    explicit Session(World& world)
        : cache_(world.cluster, options(), [](const ObjectKey&) {}),
          orphans_(world.cluster, {}, [](const ObjectKey&) {}),
          reports_({.threads = 0}, [](const ObjectKey&) {}),
          events_(world.cluster, {}),
          reconciler_(world.cluster, cache_, orphans_, reports_, events_, conditions_,
                      {.children = {.installation = "one", .image = "i"}, .lease = {}, .secrets = false},
                      [&world] { return world.now; }) {
      cache_.start();
      cache_.wait_synced({}, base::Millis(10'000));
    }
    ~Session() { cache_.stop(); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    runtime::Outcome reconcile() { return reconciler_.reconcile({"w", "shop"}, {}); }

   private:
    static Cache::Options options() {
      Cache::Options out;
      out.children = {kube::kServiceAccounts, kube::kConfigMaps, kube::kDeployments, kube::kJobs};
      return out;
    }
    Cache cache_;
    OrphanFinder orphans_;
    AgentPoller reports_;
    runtime::EventRecorder events_;
    health::Metrics metrics_;
    ConditionMetrics conditions_{metrics_};
    Reconciler reconciler_;
  };

  /// By a process that has just started.
  runtime::Outcome reconcile() { return Session(*this).reconcile(); }
  [[nodiscard]] Json shop() { return cluster.at(kube::kDataSyncs, {"w", "shop"}); }
  [[nodiscard]] std::string condition(const char* type) {
    const auto object = shop();
    for (const auto& c : object.at("status").at("conditions"))
      if (c.at("type") == type) return c.at("status").get<std::string>() + " " + c.at("reason").get<std::string>();
    return {};
  }
  [[nodiscard]] bool wrote(const std::string& what) const {
    return std::ranges::find(cluster.writes, what) != cluster.writes.end();
  }
};

}  // namespace datasync::reconcile
