// Everything about one resource: from the cache, and from the server what the cache does not hold.
#include <algorithm>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "operator/decide/ownership.hpp"
#include "operator/decide/pods.hpp"
#include "operator/decide/topic_conflict.hpp"
#include "operator/reconcile/reconciler.hpp"
#include "operator/status/conditions.hpp"

namespace datasync::reconcile {
namespace {

constexpr std::chrono::seconds kDefaultLease{15};
constexpr std::chrono::seconds kCleanupAtLeast{120};
constexpr std::chrono::seconds kRollOut{180};  // for so long an operator may be away and keep its resources

const kube::Resource kNamespaces{"", "v1", "namespaces", "Namespace"};
constexpr kube::Resource const* kKinds[] = {&kube::kDeployments,     &kube::kConfigMaps,  &kube::kServiceAccounts,
                                            &kube::kNetworkPolicies, &kube::kPodMonitors, &kube::kJobs};

const Json& status_of(const Json& resource) {
  static const Json kNone = Json::object();
  const auto at = resource.find("status");
  return at != resource.end() && at->is_object() ? *at : kNone;
}

bool needs_look_at_secrets(const decide::Observed& seen) {
  const auto& status = status_of(seen.resource);
  const auto conditions = status.value("conditions", Json::array());
  const auto* ready = status::find_condition(conditions, "Ready");
  const auto generation = seen.resource.at("metadata").value("generation", std::int64_t{0});
  return ready == nullptr || ready->value("status", "") != "True" ||
         status.value("observedGeneration", std::int64_t{0}) != generation;
}

}  // namespace

std::optional<kube::Resource> kind_of(std::string_view api_version, std::string_view kind) {
  for (const auto* k : kKinds) {
    const auto version = k->group.empty() ? k->version : k->group + "/" + k->version;
    if (k->kind == kind && version == api_version) return *k;
  }
  return std::nullopt;
}

std::optional<kube::Resource> kind_of(const Json& object) {
  return kind_of(object.value("apiVersion", ""), object.value("kind", ""));
}

bool is_optional(const kube::Resource& kind) {
  return kind == kube::kNetworkPolicies || kind == kube::kPodMonitors;
}

namespace {

/// The deletion has the server's time, the limit is measured by our clock: one that is ahead, or an operator that was
/// away for the whole limit, gives the cleanup some time all the same.
void give_cleanup_time(decide::Observed& seen, Memory& memory) {
  if (!memory.deletion_seen) memory.deletion_seen = seen.now;
  const auto limit = seen.settings.cleanup_limit;
  const auto age = decide::age_of_deletion(seen);
  if (age >= limit && seen.now - *memory.deletion_seen < std::min(limit / 5, kCleanupAtLeast))
    seen.now -= age - limit + std::chrono::seconds(1);
}

/// Once for as long as they stay: they are of a later version, and have no effect in this one.
void tell_unknown_fields(const api::Document& document, const ObjectKey& key, Memory& memory) {
  auto text = config::to_text(document.unknown);
  if (text == memory.reported_unknown) return;
  memory.reported_unknown = text;
  if (text.empty()) return;
  base::log::warn("a resource has fields that this version does not know; they have no effect",
                  {{"namespace", std::string_view(key.ns)},
                   {"name", std::string_view(key.name)},
                   {"fields", std::string_view(text)}});
}

}  // namespace

std::optional<Gathered> Reconciler::gather(const ObjectKey& key, Memory& memory) {
  auto resource = cache_.resource(key);
  if (!resource) return std::nullopt;
  Gathered out;
  auto& seen = out.seen;
  seen.now = now_();
  seen.settings = settings_.children;
  // The cache may not show yet what we wrote last.
  if (!memory.status_over.empty() && resource->at("metadata").value("resourceVersion", "") == memory.status_over)
    (*resource)["status"] = memory.status;
  seen.resource = std::move(*resource);
  auto spec = seen.resource;
  spec.erase("status");
  if (auto tree = config::parse_json(spec.dump())) {
    seen.document = api::read_stored(*tree);
    tell_unknown_fields(seen.document, key, memory);
  } else {
    seen.document.problems.push_back({"", tree.error().what});
  }
  seen.children = cache_.children(key);
  for (auto& object : orphans_.of(key)) seen.children.push_back(std::move(object));
  gather_pods(seen);
  seen.settled = memory.settled;
  gather_rivals(seen);
  seen.other_lease = other_lease(status_of(seen.resource), key.ns);
  if (seen.settings.pod_monitor && cache_.lacks(kube::kPodMonitors)) {
    seen.settings.pod_monitor = false;
    out.missing_kinds.push_back(kube::kPodMonitors.kind);
  }
  const bool ends = seen.resource.at("metadata").contains("deletionTimestamp");
  const bool held = decide::is_held(seen.resource);
  if (held) give_cleanup_time(seen, memory);
  if (held) seen.namespace_ends = namespace_ends(key.ns);
  if ((!ends || held) && seen.document.problems.empty()) out.unreadable = gather_unlabelled(seen);
  if (!ends && seen.document.problems.empty()) gather_secrets(seen);
  if (!ends || held) gather_warnings(seen, memory);
  if (held) gather_left(seen);
  reports_.watch(key, ends ? std::vector<Target>{} : targets_of(seen.pods));
  seen.reports = reports_.of(key);
  return out;
}

/// Objects that stand where a child shall stand and do not carry our labels. An error: whether there is one is not
/// known.
std::optional<kube::ApiError> Reconciler::gather_unlabelled(decide::Observed& seen) {
  const auto owner = decide::owner_of(seen.resource);
  auto all = desired::children(owner, seen.document.resource, seen.settings);
  if (decide::is_held(seen.resource)) {
    std::erase_if(all, [](const Json& c) { return c.at("kind") != "ConfigMap" && c.at("kind") != "ServiceAccount"; });
    all.push_back(desired::cleanup_job(owner, seen.document.resource, seen.settings));
  }
  for (const auto& wanted : all) {
    const auto name = wanted.at("metadata").value("name", "");
    const auto same = [&](const Json& c) {
      return c.value("kind", "") == wanted.at("kind").get<std::string>() && c.at("metadata").value("name", "") == name;
    };
    if (std::ranges::any_of(seen.children, same)) continue;
    const auto kind = kind_of(wanted);
    if (!kind) continue;
    auto found = api_.get(*kind, {owner.ns, name});
    if (found) {
      seen.children.push_back(std::move(*found));
    } else if (!found.error().is(kube::Code::NotFound) &&
               !(found.error().is(kube::Code::Forbidden) && is_optional(*kind))) {
      return std::move(found).error();
    }
  }
  return std::nullopt;
}

void Reconciler::gather_pods(decide::Observed& seen) {
  const auto owner = decide::owner_of(seen.resource);
  seen.pods = cache_.pods({owner.ns, owner.name});
  seen.cleanup_words = decide::cleanup_words(seen.pods, owner);
  seen.cleanup_trouble = decide::cleanup_trouble(seen.pods, owner);
  for (auto& child : seen.children)
    if (child.value("kind", "") == "Job" && decide::is_ours(child, owner.uid) && decide::cleanup_done(seen.pods, child))
      child["status"]["conditions"] = {{{"type", "Complete"}, {"status", "True"}}};
  std::erase_if(seen.pods, [&](const Json& pod) { return !decide::is_agents_pod(pod, owner); });
  const auto error = cache_.pods_unknown(owner.ns);
  if (!error) return;
  const bool forbidden = error->is(kube::Code::Forbidden);
  seen.pods_unknown = decide::Finding{
      forbidden ? decide::Level::Stalled : decide::Level::Waiting,
      std::string(forbidden ? decide::reason::Forbidden : decide::reason::ApiUnavailable), error->message};
}

void Reconciler::gather_rivals(decide::Observed& seen) const {
  const auto stream = decide::wanted_stream(seen.resource);
  if (stream.empty()) return;
  const auto us = decide::owner_of(seen.resource);
  for (const auto& other : cache_.capturing(stream)) {
    const auto owner = decide::owner_of(other);
    const ObjectKey key{owner.ns, owner.name};
    if (owner.uid == us.uid || key == ObjectKey{us.ns, us.name}) continue;
    const auto& meta = other.at("metadata");
    seen.topic_conflicts.push_back({key.text(), meta.value("creationTimestamp", ""),
                                    decide::running_stream(cache_.children(key), owner) == stream,
                                    meta.contains("deletionTimestamp")});
  }
}

void Reconciler::gather_secrets(decide::Observed& seen) {
  if (!settings_.secrets || !needs_look_at_secrets(seen)) return;
  const auto ns = decide::owner_of(seen.resource).ns;
  const auto right = "secrets in " + ns;
  if (is_refused(right, seen.now)) return;
  std::map<std::string, std::set<std::string>> found;
  for (const auto& wanted : desired::secrets_of(seen.document.resource)) {
    const auto secret = api_.get(kube::kSecrets, {ns, wanted.secret});
    if (secret) {
      auto& keys = found[wanted.secret];
      const auto data = secret->value("data", Json::object());
      for (const auto& [name, value] : data.items()) keys.insert(name);
    } else if (!secret.error().is(kube::Code::NotFound)) {
      note_refused(secret.error(), right, seen.now);
      return;  // the agents tell what they miss
    }
  }
  seen.secrets = std::move(found);
}

bool Reconciler::namespace_ends(const std::string& ns) {
  const auto found = api_.get(kNamespaces, {"", ns});
  return found && found->at("metadata").contains("deletionTimestamp");
}

/// By our own clock: a lease is alive while it is seen to change. One that was just released counts: the other
/// installation may only be rolled out anew.
decide::OtherLease Reconciler::other_lease(const Json& status, const std::string& ns) {
  using decide::OtherLease;
  const auto by = status.value("operator", "");
  if (by.empty() || by == settings_.children.installation) return OtherLease::Dead;
  const auto name = status.value("operatorLease", "");
  const auto slash = name.find('/');
  if (slash == std::string::npos) return OtherLease::Unknown;
  const auto lease = api_.get(kube::kLeases, {name.substr(0, slash), name.substr(slash + 1)});
  if (!lease)
    return lease.error().is(kube::Code::NotFound)    ? OtherLease::Dead
           : lease.error().is(kube::Code::Forbidden) ? OtherLease::Unknown
                                                     : OtherLease::Fresh;
  if (decide::is_unwatched(*lease, ns)) return OtherLease::Dead;
  const auto spec = lease->value("spec", Json::object());
  const auto renewed = spec.value("renewTime", "");
  const std::chrono::seconds duration(spec.value("leaseDurationSeconds", std::int64_t{kDefaultLease.count()}));
  const std::lock_guard lock(mutex_);
  auto& known = leases_[name];
  if (known.renewed != renewed) known = {renewed, now_()};
  const bool fresh = now_() - known.seen <= std::max<std::chrono::seconds>(2 * duration, kRollOut);
  return fresh ? OtherLease::Fresh : OtherLease::Dead;
}

}  // namespace datasync::reconcile
