#include "operator/reconcile/cache.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "operator/decide/topic_conflict.hpp"
#include "operator/desired/names.hpp"
#include "operator/reconcile/compact.hpp"

namespace datasync::reconcile {
namespace {

constexpr base::Millis kLook{100};
constexpr base::Millis kMostWait{10'000};  ///< an API server that comes back is noticed within this time

/// "namespace/name" of the resource that the labels name; empty: none.
std::vector<std::string> owner_names(const Json& object) {
  const auto& meta = object.at("metadata");
  const auto labels = meta.find("labels");
  if (labels == meta.end()) return {};
  const auto name = labels->value(std::string(desired::kNameLabel), "");
  if (name.empty()) return {};
  return {ObjectKey{meta.value("namespace", ""), name}.text()};
}

/// The stream that a resource captures into.
std::vector<std::string> streams(const Json& packed) {
  auto stream = decide::wanted_stream(unpack(packed));
  return stream.empty() ? std::vector<std::string>() : std::vector{std::move(stream)};
}

ObjectKey owner_key(const Json& object) {
  const auto& meta = object.at("metadata");
  return {meta.value("namespace", ""), meta.at("labels").value(std::string(desired::kNameLabel), "")};
}

bool refused(const runtime::Informer& informer) {
  const auto error = informer.last_error();
  return error && (error->is(kube::Code::NotFound) || error->is(kube::Code::Forbidden));
}

/// False when stopped, after `limit`, and as soon as the server has refused.
bool wait_for(const runtime::Informer& informer, const std::stop_token& stop, base::Millis limit) {
  const auto until = base::steady_now() + limit;
  while (!informer.wait_synced(stop, kLook))
    if (refused(informer) || stop.stop_requested() || base::steady_now() >= until) return false;
  return true;
}

void log_unlisted(std::string_view what, const runtime::Informer& informer) {
  const auto error = informer.last_error();
  base::log::error(what, {{"error", std::string_view(error ? error->message : "no answer yet")}});
}

/// What makes a resource due: not our own writing of its status, but another installation's claim in it.
bool matters(const Json& now, const Json* before) {
  if (before == nullptr) return true;
  const auto strip = [](const Json& packed) {
    auto object = unpack(packed);
    auto claim = Json::object();
    if (const auto status = object.find("status"); status != object.end() && status->is_object()) {
      for (const auto* field : {"operator", "operatorLease"})
        if (status->contains(field)) claim[field] = (*status)[field];
    }
    object["status"] = std::move(claim);
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
  o.index = resource ? streams : owner_names;
  o.relist = options.relist;
  o.most_wait = kMostWait;
  auto made = std::make_unique<runtime::Informer>(api, std::move(o));
  // What was not known before may change what is to be done for any resource.
  if (!resource) made->on_sync([this] { tell_all(); });
  made->on_change([this, resource](runtime::Informer::Change change, const Json& object, const Json* before) {
    if (!resource) {
      tell_owners(object, before);
    } else if (change != runtime::Informer::Change::Modified || matters(object, before)) {
      changed_(runtime::key_of(object));
      tell_rivals(object, before);
    }
  });
  to.push_back({kind, ns, std::move(made)});
}

/// An object that lost our label is told as deleted, and then looked for by its name; one that got another resource's
/// label concerns two.
void Cache::tell_owners(const Json& object, const Json* before) const {
  std::set<ObjectKey> owners;
  for (const auto* one : {&object, before})
    if (one != nullptr && !owner_names(*one).empty()) owners.insert(owner_key(*one));
  for (const auto& owner : owners) changed_(owner);
}

/// Whoever waits for a stream may have it now, and who has it may have to tell.
void Cache::tell_rivals(const Json& object, const Json* before) const {
  std::set<std::string> all;
  for (const auto* one : {&object, before})
    if (one != nullptr)
      for (auto& stream : streams(*one)) all.insert(std::move(stream));
  const auto key = runtime::key_of(object);
  for (const auto& stream : all)
    for (const auto& one : resources_)
      for (const auto& other : one.informer->indexed(stream))
        if (const auto its = runtime::key_of(*other); its != key) changed_(its);
}

void Cache::tell_all() const {
  for (const auto& one : resources_)
    for (const auto& object : one.informer->all()) changed_(runtime::key_of(*object));
}

void Cache::start() {
  for (auto* all : {&children_, &pods_, &resources_})
    for (auto& one : *all) one.informer->start();
}

void Cache::stop() {
  for (auto* all : {&resources_, &children_, &pods_})
    for (auto& one : *all) one.informer->stop();
}

bool Cache::wait_synced(std::stop_token stop, base::Millis limit) const {
  for (const auto* all : {&children_, &pods_})
    for (const auto& one : *all) {
      if (wait_for(*one.informer, stop, limit)) continue;
      if (stop.stop_requested()) return false;
      log_unlisted("objects of a kind cannot be listed; they are not watched until they can be listed", *one.informer);
    }
  return wait_resources(stop, limit);
}

/// A namespace that is gone, with the Role in it, must not stop the others. With none at all there is nothing to do:
/// the right is missing as a whole, or the definition.
bool Cache::wait_resources(const std::stop_token& stop, base::Millis limit) const {
  for (;;) {
    bool some = false, more = false;
    for (const auto& one : resources_) {
      if (wait_for(*one.informer, stop, limit)) {
        some = true;
        continue;
      }
      if (stop.stop_requested()) return false;
      log_unlisted("the DataSyncs cannot be listed; they are not managed until they can be listed", *one.informer);
      more = more || !refused(*one.informer);
    }
    if (some && !more) return true;
    static_cast<void>(resources_.front().informer->wait_synced(stop, limit));
    if (stop.stop_requested()) return false;
  }
}

std::size_t Cache::unlisted() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(resources_, [](const Kept& one) { return one.informer->last_error().has_value(); }));
}

std::optional<Json> Cache::resource(const ObjectKey& key) const {
  for (const auto& one : resources_)
    if (const auto found = one.informer->get(key)) return unpack(*found);
  return std::nullopt;
}

std::vector<Json> Cache::capturing(const std::string& stream) const {
  return named(resources_, stream);
}

std::vector<Json> Cache::named(const Informers& of, const std::string& name) {
  std::vector<Json> out;
  for (const auto& one : of)
    for (const auto& object : one.informer->indexed(name)) out.push_back(unpack(*object));
  return out;
}

std::vector<Json> Cache::children(const ObjectKey& owner) const {
  return named(children_, owner.text());
}

std::vector<Json> Cache::pods(const ObjectKey& owner) const {
  return named(pods_, owner.text());
}

std::optional<kube::ApiError> Cache::pods_unknown(const std::string& ns) const {
  for (const auto& one : pods_) {
    if (!one.ns.empty() && one.ns != ns) continue;
    if (auto error = one.informer->last_error()) return error;
    if (!one.informer->has_synced()) return kube::ApiError{kube::Code::Timeout, 0, "list pods: no answer yet", {}};
  }
  return std::nullopt;
}

bool Cache::lacks(const kube::Resource& kind) const {
  return std::ranges::any_of(children_, [&](const Kept& one) {
    const auto error = one.informer->last_error();
    return one.kind == kind && error && error->is(kube::Code::NotFound);
  });
}

}  // namespace datasync::reconcile
