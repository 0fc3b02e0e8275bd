// The writes of a plan. Whatever fails, the next look finds out by itself what is left to do.
#include <algorithm>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "operator/desired/managers.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace datasync::reconcile {
namespace {

using decide::Finding;
using decide::Level;
using kube::ApiError;
using kube::Code;

/// What a person has to mend, with the server's words; nothing for what heals by trying again.
std::optional<Finding> refusal(const ApiError& error) {
  if (error.is(Code::Forbidden)) return Finding{Level::Stalled, std::string(decide::reason::Forbidden), error.message};
  if (!error.is(Code::Invalid) && !error.is(Code::NotFound)) return std::nullopt;
  return Finding{Level::Stalled, std::string(decide::reason::ApplyRefused), error.message};
}

/// Nothing can be made there any more, and nobody has to mend that (k8s.io/apiserver, admission NamespaceLifecycle).
bool of_ending_namespace(const ApiError& error) {
  return error.is(Code::Forbidden) && error.message.find("because it is being terminated") != std::string::npos;
}

/// True when the rest of the plan has no chance.
bool take(ApplyResult& done, const ApiError& error) {
  if (error.is(Code::Conflict) || error.is(Code::AlreadyExists) || of_ending_namespace(error)) {
    done.conflict = true;
  } else if (auto refused = refusal(error)) {
    done.refused.push_back(std::move(*refused));
  } else {
    done.error = error;
    return true;
  }
  return false;
}

/// A refusal of what agents run without stands in the way of nothing. False: it is none, or not of such a kind.
bool take_extra(ApplyResult& done, const kube::Resource& kind, const ApiError& error) {
  if (!is_optional(kind) || of_ending_namespace(error) || !refusal(error)) return false;
  done.extras.push_back(fmt::format("{}: {}", kind.kind, error.message));
  return true;
}

bool makes_pods(const kube::Resource& kind) {
  return kind == kube::kDeployments || kind == kube::kJobs;
}

/// A pod does not start without it: the key of its configuration is in the ConfigMap that is wanted now, and a
/// ServiceAccount that is not there yet cannot be used. All other refusals concern one object only: that of one agent's
/// Deployment does not stop the other agent.
bool is_mounted(const kube::Resource& kind, const Json& wanted) {
  return kind == kube::kConfigMaps || (kind == kube::kServiceAccounts && !wanted.at("metadata").contains("uid"));
}

/// Nobody else's object is written over: one that came since the look would be ours by our owner reference then, and
/// the garbage collector would take it along.
Json guarded(Json wanted) {
  auto& meta = wanted["metadata"];
  if (!meta.contains("uid")) meta["resourceVersion"] = kube::kNewOnly;
  return wanted;
}

}  // namespace

ApplyResult not_done(const ApiError& error) {
  ApplyResult done;
  take(done, error);
  return done;
}

/// Asks the server, not the cache, whether the resource is the one that was seen. The cache may be old: a plan for a
/// resource that is gone would make its children anew, one for a former resource of this name delete those of the new.
std::optional<ApiError> Reconciler::still_so(const decide::Observed& seen) {
  const auto owner = decide::owner_of(seen.resource);
  const auto live = api_.get(kube::kDataSyncs, {owner.ns, owner.name});
  const ApiError changed{Code::Conflict, 0, "the resource has changed since it was read", {}};
  if (!live) return live.error().is(Code::NotFound) ? changed : live.error();
  const auto& now = live->at("metadata");
  const auto& then = seen.resource.at("metadata");
  const bool same = now.value("uid", "") == owner.uid &&
                    now.value("generation", std::int64_t{0}) == then.value("generation", std::int64_t{0}) &&
                    now.contains("deletionTimestamp") == then.contains("deletionTimestamp");
  return same ? std::nullopt : std::optional(changed);
}

/// With the resourceVersion: of two installations that see a new resource at once, one gets it. What a former
/// installation told goes: fields of its field manager that ours does not name would stay for ever. Conditions keep
/// their times; we name all of them.
std::optional<ApiError> Reconciler::claim(const decide::Observed& seen) {
  const auto owner = decide::owner_of(seen.resource);
  Json patch{{"metadata", {{"resourceVersion", seen.resource.at("metadata").value("resourceVersion", "")}}},
             {"status", Json::object()}};
  const auto before = seen.resource.value("status", Json::object());
  for (const auto& [key, value] : before.items())
    if (key != "conditions") patch["status"][key] = nullptr;
  patch["status"]["operator"] = settings_.children.installation;
  patch["status"]["operatorLease"] = settings_.lease.empty() ? Json() : Json(settings_.lease);
  auto done = api_.merge_patch(kube::kDataSyncs, {owner.ns, owner.name}, patch, "status");
  if (!done) return done.error();
  return std::nullopt;
}

std::optional<ApiError> Reconciler::change_finalizer(const decide::Observed& seen, decide::Finalizer change) {
  const auto owner = decide::owner_of(seen.resource);
  // With a plan that has just claimed the resource, the version that was seen is gone: read again.
  auto now = api_.get(kube::kDataSyncs, {owner.ns, owner.name});
  if (!now) return now.error().is(Code::NotFound) ? std::nullopt : std::optional(now.error());
  const auto& meta = now->at("metadata");
  if (meta.value("uid", "") != owner.uid) return std::nullopt;
  auto list = meta.value("finalizers", Json::array());
  const auto at = std::ranges::find(list, Json(api::kCleanupFinalizer));
  if (change == decide::Finalizer::Add) {
    if (at != list.end()) return std::nullopt;
    list.push_back(api::kCleanupFinalizer);
  } else {
    if (at == list.end()) return std::nullopt;
    list.erase(at);
  }
  const Json patch{{"metadata", {{"resourceVersion", meta.value("resourceVersion", "")}, {"finalizers", list}}}};
  auto done = api_.merge_patch(kube::kDataSyncs, {owner.ns, owner.name}, patch);
  if (!done && !done.error().is(Code::NotFound)) return done.error();
  return std::nullopt;
}

/// With the resourceVersion, so that nothing is given away that somebody changed meanwhile; as a replacement, which the
/// server answers with 409, not as a test, which it answers like an invalid patch (client-go, csaupgrade).
std::optional<ApiError> Reconciler::take_over(const decide::Observed& seen, const decide::TakeOver& what) {
  const bool itself = what.kind == api::kKind;
  const auto kind = itself ? std::optional(kube::kDataSyncs) : kind_of(what.api_version, what.kind);
  if (!kind) return std::nullopt;
  const ObjectKey key{decide::owner_of(seen.resource).ns, what.name};
  const auto live = api_.get(*kind, key);
  if (!live) return live.error().is(Code::NotFound) ? std::nullopt : std::optional(live.error());
  const auto& meta = live->at("metadata");
  const auto fields = desired::taken_over(meta.value("managedFields", Json::array()));
  if (!fields || meta.value("uid", "") != what.uid) return std::nullopt;
  const Json operations{
      {{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", *fields}},
      {{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", meta.value("resourceVersion", "")}}};
  base::log::info("taking over the fields of an object from an earlier field manager",
                  {{"kind", std::string_view(what.kind)},
                   {"namespace", std::string_view(key.ns)},
                   {"name", std::string_view(key.name)}});
  const auto done = api_.json_patch(*kind, key, operations);
  if (!done && !done.error().is(Code::NotFound)) return done.error();
  return std::nullopt;
}

ApplyResult Reconciler::apply_plan(const decide::Observed& seen, const decide::Plan& plan, Memory& memory) {
  ApplyResult done;
  const auto owner = decide::owner_of(seen.resource);
  if (plan.claim) {
    if (const auto error = claim(seen)) {
      take(done, *error);
      if (!done.conflict && !done.error) done.error = *error;  // whose it is must be known first
      return done;
    }
  }
  if (plan.finalizer != decide::Finalizer::Leave) {
    if (const auto error = change_finalizer(seen, plan.finalizer); error && take(done, *error)) return done;
  }
  if (!plan.deletes.empty() || !plan.applies.empty() || !plan.take_overs.empty()) {
    if (const auto error = still_so(seen)) {
      take(done, *error);
      return done;
    }
  }
  for (const auto& one : plan.take_overs)
    if (const auto error = take_over(seen, one); error && take(done, *error)) return done;
  for (const auto& one : plan.deletes) {
    const auto kind = kind_of(one.api_version, one.kind);
    if (!kind) continue;
    base::log::info("deleting an object", {{"kind", std::string_view(one.kind)},
                                           {"namespace", std::string_view(owner.ns)},
                                           {"name", std::string_view(one.name)}});
    const auto gone = api_.remove(*kind, {owner.ns, one.name}, {.uid = one.uid, .resource_version = {}});
    if (gone) orphans_.erased({owner.ns, owner.name}, one.uid);
    if (!gone && !take_extra(done, *kind, gone.error()) && take(done, gone.error())) return done;
  }
  bool missing = false;  // what pods need
  for (const auto& wanted : plan.applies) {
    const auto kind = kind_of(wanted);
    if (!kind || (missing && makes_pods(*kind))) continue;
    auto now = api_.apply(*kind, {owner.ns, wanted.at("metadata").value("name", "")}, guarded(wanted));
    if (now) {
      memory.settled[now->at("metadata").value("uid", "")] = decide::mark_of(*now, wanted);
      continue;
    }
    if (take_extra(done, *kind, now.error())) continue;
    if (take(done, now.error())) return done;
    missing = missing || is_mounted(*kind, wanted);
  }
  return done;
}

}  // namespace datasync::reconcile
