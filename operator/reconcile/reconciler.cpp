#include "operator/reconcile/reconciler.hpp"

#include "agents/base/log.hpp"

namespace datasync::reconcile {

Reconciler::Reconciler(kube::Api& api, const Cache& cache, OrphanFinder& orphans, AgentPoller& reports,
                       runtime::EventRecorder& events, ConditionMetrics& conditions, Settings settings,
                       std::function<decide::Time()> now)
    : api_(api),
      cache_(cache),
      orphans_(orphans),
      reports_(reports),
      events_(events),
      conditions_(conditions),
      settings_(std::move(settings)),
      now_(std::move(now)) {}

runtime::Outcome Reconciler::reconcile(const ObjectKey& key, std::stop_token /*stop: calls end by kube::CallScope*/) {
  auto& memory = memory_of(key);
  try {
    return look(key, memory);
  } catch (const std::exception& e) {
    return tell_error(key, e.what(), memory);
  }
}

runtime::Outcome Reconciler::look(const ObjectKey& key, Memory& memory) {
  const auto gathered = gather(key, memory);
  if (!gathered) {
    forget(key);
    return runtime::Outcome::object_gone();
  }
  const auto& seen = gathered->seen;
  const auto plan = decide::decide(seen);
  if (plan.elsewhere) {
    tell_elsewhere(seen, plan.notes.front(), memory);
    reports_.forget(key);
    conditions_.forget(key);
    return runtime::Outcome::again(*plan.requeue_after);
  }
  memory.reported_elsewhere.clear();
  conditions_.show_first(key, seen.resource.value("/status/conditions"_json_pointer, Json::array()));
  // A cleanup that makes nothing must not wait: it may be about to let the resource go.
  const bool unreadable = gathered->unreadable && !(decide::is_held(seen.resource) && plan.applies.empty());
  auto done = unreadable ? not_done(*gathered->unreadable) : apply_plan(seen, plan, memory);
  for (const auto& kind : gathered->missing_kinds)
    done.extras.push_back(kind + ": the API server does not know this kind; install its CustomResourceDefinition");
  return update_status(seen, plan, done, memory);
}

Memory& Reconciler::memory_of(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  return memories_[key];
}

void Reconciler::forget(const ObjectKey& key) {
  reports_.forget(key);
  conditions_.forget(key);
  orphans_.forget(key);
  const std::lock_guard lock(mutex_);
  memories_.erase(key);
}

}  // namespace datasync::reconcile
