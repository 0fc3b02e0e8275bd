#include "operator/reconcile/condition_metrics.hpp"

#include <utility>

namespace datasync::reconcile {
namespace {

using kube::Json;
using kube::ObjectKey;

constexpr const char* kCondition = "datasync_resource_condition";
constexpr const char* kReason = "datasync_resource_reason";

health::Labels labels(const ObjectKey& key, const char* name, const std::string& value) {
  return {{"namespace", key.ns}, {"name", key.name}, {name, value}};
}

std::string text(const Json& object, const char* key) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

ConditionMetrics::Shown ConditionMetrics::read(const Json& conditions) {
  Shown out;
  if (!conditions.is_array()) return out;
  for (const auto& condition : conditions) {
    const auto type = text(condition, "type");
    if (type.empty()) continue;
    out.conditions[type] = text(condition, "status") == "True";
    if (type == "Ready") out.reason = text(condition, "reason");
  }
  return out;
}

void ConditionMetrics::show(const ObjectKey& key, const Json& conditions) {
  const auto now = read(conditions);
  const std::lock_guard lock(mutex_);
  replace(key, now);
}

void ConditionMetrics::show_first(const ObjectKey& key, const Json& conditions) {
  const auto now = read(conditions);
  const std::lock_guard lock(mutex_);
  if (!shown_.contains(key)) replace(key, now);
}

void ConditionMetrics::forget(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  replace(key, {});
}

void ConditionMetrics::clear() {
  const std::lock_guard lock(mutex_);
  while (!shown_.empty()) replace(ObjectKey(shown_.begin()->first), {});
}

void ConditionMetrics::replace(const ObjectKey& key, const Shown& now) {
  const auto at = shown_.find(key);
  const auto before = at == shown_.end() ? Shown() : at->second;
  if (now == before) return;
  for (const auto& [type, status] : now.conditions)
    metrics_.sampled(
        "datasync_resource_condition", "Conditions of the resources: 1 for True, 0 for any other status.",
        [status = status] { return status ? 1.0 : 0.0; }, labels(key, "type", type));
  if (!now.reason.empty() && now.reason != before.reason)
    metrics_.sampled(
        "datasync_resource_reason", "1 for the reason of the condition Ready of each resource.", [] { return 1.0; },
        labels(key, "reason", now.reason));
  for (const auto& [type, status] : before.conditions)
    if (!now.conditions.contains(type)) metrics_.forget(kCondition, labels(key, "type", type));
  if (!before.reason.empty() && before.reason != now.reason)
    metrics_.forget(kReason, labels(key, "reason", before.reason));
  if (now == Shown()) {
    shown_.erase(key);
  } else {
    shown_[key] = now;
  }
}

}  // namespace datasync::reconcile
