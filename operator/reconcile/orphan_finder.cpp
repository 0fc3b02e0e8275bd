#include "operator/reconcile/orphan_finder.hpp"

#include <exception>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "agents/base/backoff.hpp"
#include "agents/base/log.hpp"
#include "operator/desired/names.hpp"

namespace datasync::reconcile {

OrphanFinder::OrphanFinder(kube::Api& api, Options options, std::function<void(const ObjectKey&)> found)
    : api_(api), options_(std::move(options)), found_(std::move(found)) {
  if (options_.namespaces.empty()) options_.namespaces.emplace_back();
}

void OrphanFinder::start() {
  if (!options_.kinds.empty()) thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void OrphanFinder::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void OrphanFinder::run(std::stop_token stop) {
  std::vector<std::pair<kube::Resource, std::string>> left;
  for (const auto& kind : options_.kinds)
    for (const auto& ns : options_.namespaces) left.emplace_back(kind, ns);
  while (!stop.stop_requested()) {
    try {
      std::erase_if(left, [&](const auto& one) { return look(one.first, one.second); });
    } catch (const std::exception& e) {
      base::log::error("objects of kinds that are not enabled cannot be listed",
                       {{"error", std::string_view(e.what())}});
    }
    if (left.empty() || !base::sleep_for(stop, options_.again)) return;
  }
}

bool OrphanFinder::look(const kube::Resource& kind, const std::string& ns) {
  const auto list =
      api_.list(kind, {ns, fmt::format("{}={}", desired::kManagedByLabel, desired::kManagedBy), std::string()});
  if (!list) {
    if (list.error().is(kube::Code::NotFound)) return true;  // no such kind, so none of ours
    if (!list.error().is(kube::Code::Forbidden)) return false;
    base::log::info("objects of a kind that is not enabled cannot be listed, so they are not deleted",
                    {{"kind", std::string_view(kind.kind)}, {"error", std::string_view(list.error().message)}});
    return true;
  }
  std::set<ObjectKey> owners;
  for (const auto& object : list->items) {
    const auto& meta = object.at("metadata");
    const ObjectKey owner{meta.value("namespace", ""),
                          meta.value("labels", Json::object()).value(std::string(desired::kNameLabel), "")};
    if (owner.name.empty()) continue;
    const std::lock_guard lock(mutex_);
    objects_[owner].push_back(object);
    owners.insert(owner);
  }
  for (const auto& owner : owners) found_(owner);
  return true;
}

std::vector<Json> OrphanFinder::of(const ObjectKey& owner) const {
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(owner);
  return at == objects_.end() ? std::vector<Json>() : at->second;
}

void OrphanFinder::erased(const ObjectKey& owner, const std::string& uid) {
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(owner);
  if (at == objects_.end()) return;
  std::erase_if(at->second, [&](const Json& o) { return o.at("metadata").value("uid", "") == uid; });
  if (at->second.empty()) objects_.erase(at);
}

void OrphanFinder::forget(const ObjectKey& owner) {
  const std::lock_guard lock(mutex_);
  objects_.erase(owner);
}

}  // namespace datasync::reconcile
