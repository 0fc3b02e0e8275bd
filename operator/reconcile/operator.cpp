#include "operator/reconcile/operator.hpp"

#include "agents/base/clock.hpp"

namespace datasync::reconcile {
namespace {

constexpr base::Millis kListLimit{20'000};
constexpr std::string_view kUnlisted = "datasync_operator_unlisted_namespaces";
constexpr base::Millis kMostWait{60'000};  ///< between tries of what fails: what is mended is seen within this time

Cache::Options cache_options(const OperatorOptions& o) {
  Cache::Options out;
  out.namespaces = o.namespaces;
  out.children = {kube::kServiceAccounts, kube::kConfigMaps, kube::kDeployments, kube::kJobs};
  if (o.settings.children.network_policy) out.children.push_back(kube::kNetworkPolicies);
  if (o.settings.children.pod_monitor) out.children.push_back(kube::kPodMonitors);
  return out;
}

OrphanFinder::Options orphan_finder_options(const OperatorOptions& o) {
  OrphanFinder::Options out;
  out.namespaces = o.namespaces;
  if (!o.delete_disabled) return out;
  if (!o.settings.children.network_policy) out.kinds.push_back(kube::kNetworkPolicies);
  if (!o.settings.children.pod_monitor) out.kinds.push_back(kube::kPodMonitors);
  return out;
}

runtime::Controller::Options controller_options(const OperatorOptions& o) {
  runtime::Controller::Options out;
  out.workers = o.workers;
  out.resync = o.resync;
  out.queue.most_wait = kMostWait;
  return out;
}

decide::Time wall_seconds() {
  return std::chrono::time_point_cast<std::chrono::seconds>(base::wall_now());
}

runtime::EventRecorder::Options event_options(const OperatorOptions& o) {
  runtime::EventRecorder::Options out;
  out.instance = o.instance;
  return out;
}

}  // namespace

Operator::Operator(kube::Api& api, const OperatorOptions& options, health::Metrics& metrics)
    : events_(api, event_options(options)),
      cache_(api, cache_options(options), [this](const ObjectKey& key) { controller_.enqueue(key); }),
      orphans_(api, orphan_finder_options(options), [this](const ObjectKey& key) { controller_.enqueue(key); }),
      reports_(options.reports, [this](const ObjectKey& key) { controller_.enqueue(key); }),
      conditions_(metrics),
      reconciler_(api, cache_, orphans_, reports_, events_, conditions_, options.settings, wall_seconds),
      controller_(
          controller_options(options),
          [this](const ObjectKey& key, std::stop_token stop) { return reconciler_.reconcile(key, std::move(stop)); },
          metrics),
      metrics_(metrics) {
  metrics_.sampled(kUnlisted, "Watched namespaces whose DataSyncs cannot be listed or watched.",
                   [this] { return static_cast<double>(cache_.unlisted()); });
}

Operator::~Operator() {
  metrics_.forget(kUnlisted);
  stop();
}

bool Operator::prepare(std::stop_token stop) {
  cache_.start();
  return cache_.wait_synced(std::move(stop), kListLimit);
}

void Operator::start() {
  controller_.start();
  orphans_.start();
  started_.store(true);
}

void Operator::stop() {
  orphans_.stop();
  controller_.stop();
  conditions_.clear();
  reports_.stop();
  cache_.stop();
}

}  // namespace datasync::reconcile
