#include "operator/reconcile/cache.hpp"

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "operator/desired/names.hpp"
#include "operator/reconcile/packed.hpp"

namespace datasync::reconcile {
namespace {

/// "namespace/name" of the resource that the labels name; empty: none.
std::vector<std::string> owner_names(const Json& object) {
  const auto& meta = object.at("metadata");
  const auto labels = meta.find("labels");
  if (labels == meta.end()) return {};
  const auto name = labels->value(std::string(desired::kNameLabel), "");
  if (name.empty()) return {};
  return {ObjectKey{meta.value("namespace", ""), name}.text()};
}

ObjectKey owner_key(const Json& object) {
  const auto& meta = object.at("metadata");
  return {meta.value("namespace", ""), meta.at("labels").value(std::string(desired::kNameLabel), "")};
}

/// What makes a new look at a resource worth while: not our own writing of its status.
bool matters(const Json& now, const Json* before) {
  if (before == nullptr) return true;
  const auto strip = [](const Json& packed) {
    auto object = unpack(packed);
    object.erase("status");
    object["metadata"].erase("resourceVersion");
    return object;
  };
  return strip(now) != strip(*before) || !unpack(now).contains("status");
}

}  // namespace

Cache::Cache(kube::Api& api, const Options& options, std::function<void(const ObjectKey&)> changed)
    : changed_(std::move(changed)) {
  auto namespaces = options.namespaces;
  if (namespaces.empty()) namespaces.emplace_back();
  for (const auto& ns : namespaces) {
    add(api, options, kube::kDataSyncs, ns, resources_);
    for (const auto& kind : options.children) add(api, options, kind, ns, children_);
    add(api, options, kube::kPods, ns, pods_);
  }
}

void Cache::add(kube::Api& api, const Options& options, const kube::Resource& kind, const std::string& ns,
                Informers& to) {
  const bool resource = kind == kube::kDataSyncs;
  runtime::Informer::Options o;
  o.kind = kind;
  o.selector.ns = ns;
  if (!resource) o.selector.labels = fmt::format("{}={}", desired::kManagedByLabel, desired::kManagedBy);
  o.trim = pack;
  if (!resource) o.index = owner_names;
  o.relist = options.relist;
  auto made = std::make_unique<runtime::Informer>(api, std::move(o));
  made->on_change([this, resource](runtime::Informer::Change change, const Json& object, const Json* before) {
    if (!resource) {
      if (!owner_names(object).empty()) changed_(owner_key(object));
    } else if (change != runtime::Informer::Change::Modified || matters(object, before)) {
      changed_(runtime::key_of(object));
    }
  });
  to.push_back(std::move(made));
}

void Cache::start() {
  for (auto* all : {&children_, &pods_, &resources_})
    for (auto& one : *all) one->start();
}

void Cache::stop() {
  for (auto* all : {&resources_, &children_, &pods_})
    for (auto& one : *all) one->stop();
}

bool Cache::wait_synced(std::stop_token stop, base::Millis limit) const {
  for (const auto* all : {&children_, &pods_})
    for (const auto& one : *all) {
      if (one->wait_synced(stop, limit)) continue;
      if (stop.stop_requested()) return false;
      const auto error = one->last_error();
      base::log::error("a kind cannot be listed; its objects are not watched until it can",
                       {{"error", std::string_view(error ? error->message : "no answer yet")}});
    }
  for (const auto& one : resources_)
    while (!one->wait_synced(stop, limit)) {
      if (stop.stop_requested()) return false;
      const auto error = one->last_error();
      base::log::error("the resources cannot be listed",
                       {{"error", std::string_view(error ? error->message : "no answer yet")}});
    }
  return true;
}

bool Cache::synced() const {
  for (const auto& one : resources_)
    if (!one->has_synced()) return false;
  return true;
}

std::optional<Json> Cache::resource(const ObjectKey& key) const {
  for (const auto& one : resources_)
    if (const auto found = one->get(key)) return unpack(*found);
  return std::nullopt;
}

std::vector<Json> Cache::owned(const Informers& of, const ObjectKey& owner) {
  std::vector<Json> out;
  for (const auto& one : of)
    for (const auto& object : one->indexed(owner.text())) out.push_back(unpack(*object));
  return out;
}

std::vector<Json> Cache::children(const ObjectKey& owner) const {
  return owned(children_, owner);
}

std::vector<Json> Cache::pods(const ObjectKey& owner) const {
  return owned(pods_, owner);
}

}  // namespace datasync::reconcile
