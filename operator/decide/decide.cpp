#include "operator/decide/decide.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "operator/decide/cleanup.hpp"
#include "operator/decide/newest.hpp"
#include "operator/decide/once.hpp"
#include "operator/decide/ownership.hpp"
#include "operator/decide/rollout.hpp"
#include "operator/decide/topic_conflict.hpp"
#include "operator/desired/managers.hpp"
#include "operator/desired/merge.hpp"

namespace datasync::decide {
namespace {

constexpr Millis kPollSecret{15'000};
constexpr Millis kLeftover{2'000};
constexpr Millis kElsewhere{30'000};
constexpr Millis kTaken{15'000};  // a foreign object is not watched

std::string name_of(const Json& object) {
  return object.at("metadata").value("name", "");
}

bool ends(const Json& object) {
  return object.at("metadata").contains("deletionTimestamp");
}

Delete deletion(const Json& object) {
  return {object.value("apiVersion", ""), object.value("kind", ""), name_of(object),
          object.at("metadata").value("uid", "")};
}

const Json* controller_of(const Json& object) {
  const auto& meta = object.at("metadata");
  const auto refs = meta.find("ownerReferences");
  if (refs == meta.end()) return nullptr;
  for (const auto& ref : *refs)
    if (ref.value("controller", false)) return &ref;
  return nullptr;
}

/// Of a former resource of this name: two cannot exist at once, so its owner is gone.
bool is_leftover(const Json& object, const desired::Owner& owner) {
  const auto* ref = controller_of(object);
  return ref != nullptr && ref->value("kind", "") == api::kKind && ref->value("name", "") == owner.name &&
         ref->value("apiVersion", "").starts_with("datasync.dev/") && ref->value("uid", "") != owner.uid;
}

/// Made by this operator for a resource of this name, and owned by nobody: orphaned (`--cascade=orphan`), or restored
/// from a backup by a tool that leaves owners out.
bool is_orphan(const Json& object, const desired::Owner& owner) {
  const auto& meta = object.at("metadata");
  const auto labels = meta.value("labels", Json::object());
  return meta.value("ownerReferences", Json::array()).empty() &&
         labels.value(std::string(desired::kManagedByLabel), Json()) == desired::kManagedBy &&
         labels.value(std::string(desired::kNameLabel), Json()) == owner.name &&
         meta.value("annotations", Json::object()).contains(std::string(desired::kSpecHash));
}

std::string hash_of(const Json& object) {
  return object.at("metadata").value("annotations", Json::object()).value(std::string(desired::kSpecHash), "");
}

Json labels_of(const Json& object) {
  return object.at("metadata").value("labels", Json::object());
}

/// All of them at once: who deletes one must not learn of the next only then.
Finding names_taken(const std::vector<const Json*>& taken, const desired::Owner& owner) {
  std::vector<std::string> names;
  std::string orphans;
  for (const auto* object : taken) {
    names.push_back(fmt::format("{} {}", object->value("kind", ""), name_of(*object)));
    if (is_orphan(*object, owner)) orphans += fmt::format(" {}/{}", object->value("kind", ""), name_of(*object));
  }
  auto message = fmt::format("{} exist{} and {} not owned by this resource; {} not changed", fmt::join(names, ", "),
                             names.size() == 1 ? "s" : "", names.size() == 1 ? "is" : "are",
                             names.size() == 1 ? "it is" : "they are");
  if (!orphans.empty())
    message += fmt::format(
        "; the operator made them for a resource of this name that no longer exists or was restored "
        "without owners, so they can be deleted: kubectl -n {} delete{}",
        owner.ns, orphans);
  return {Level::Stalled, std::string(reason::NameTaken), std::move(message)};
}

/// A child that this operator made as a whole, not just any object with our labels.
bool prunable(const Json& object) {
  constexpr std::string_view kKinds[] = {"Deployment", "ConfigMap",     "ServiceAccount",
                                         "Job",        "NetworkPolicy", "PodMonitor"};
  return std::ranges::find(kKinds, object.value("kind", "")) != std::end(kKinds);
}

TakeOver take_over(const Json& object) {
  return {object.value("apiVersion", ""), object.value("kind", ""), name_of(object),
          object.at("metadata").value("uid", "")};
}

/// The resource itself too: its status was applied.
void find_take_overs(const Observed& seen, Plan& plan) {
  if (desired::has_former_manager(seen.resource))
    plan.take_overs.push_back({std::string(api::kApiVersion), std::string(api::kKind), name_of(seen.resource),
                               seen.resource.at("metadata").value("uid", "")});
  for (const auto& child : seen.children)
    if (is_ours(child, owner_of(seen.resource).uid) && !ends(child) && desired::has_former_manager(child))
      plan.take_overs.push_back(take_over(child));
}

/// A run that has completed is never begun again by what changes around it, nor by a change of the spec: the rows may
/// be live at the destination by now.
void find_run_again(const Observed& seen, Plan& plan) {
  if (!plan.once.done || !plan.once.changed) return;
  plan.findings.push_back(
      {Level::Stalled, std::string(reason::RunAgainNeeded),
       fmt::format("the spec was changed after mode Once completed at {}; nothing is copied again until you annotate "
                   "the resource with {} and a new value: kubectl -n {} annotate datasync {} --overwrite {}=VALUE",
                   plan.once.done->at, api::kRunAgain, owner_of(seen.resource).ns, owner_of(seen.resource).name,
                   api::kRunAgain)});
}

Finalizer finalizer_change(const Observed& seen) {
  const auto& meta = seen.resource.at("metadata");
  const auto at = meta.find("finalizers");
  const bool has =
      at != meta.end() && std::ranges::any_of(*at, [](const Json& f) { return f == api::kCleanupFinalizer; });
  const bool wanted = seen.document.resource.spec.deletion_policy == api::DeletionPolicy::Delete;
  return has == wanted ? Finalizer::Leave : wanted ? Finalizer::Add : Finalizer::Remove;
}

void find_missing_secrets(const Observed& seen, Plan& plan) {
  if (!seen.secrets) return;
  std::vector<std::string> missing;
  for (const auto& [secret, keys] : desired::secrets_of(seen.document.resource)) {
    const auto at = seen.secrets->find(secret);
    if (at == seen.secrets->end()) {
      missing.push_back(fmt::format("secret {} does not exist", secret));
      continue;
    }
    for (const auto& key : keys)
      if (!at->second.contains(key)) missing.push_back(fmt::format("secret {} has no key {}", secret, key));
  }
  if (missing.empty()) return;
  plan.findings.push_back(
      {Level::Waiting, std::string(reason::SecretNotFound), fmt::format("{}", fmt::join(missing, "; "))});
  plan.requeue_after = kPollSecret;
}

/// Compares what is there with what is wanted. False when a name is taken: then nothing is touched.
bool compare(const Observed& seen, std::vector<Json>& wanted, Plan& plan) {
  const auto owner = owner_of(seen.resource);
  std::vector<Json> applies;
  std::vector<Delete> leftovers;
  std::vector<const Json*> taken;
  for (auto& child : wanted) {
    const auto same = [&](const Json& c) {
      return c.value("kind", "") == child.at("kind").get<std::string>() && name_of(c) == name_of(child);
    };
    const auto at = std::ranges::find_if(seen.children, same);
    if (at == seen.children.end()) {
      applies.push_back(child);
    } else if (is_leftover(*at, owner)) {
      if (!ends(*at)) leftovers.push_back(deletion(*at));
      plan.findings.push_back({Level::Waiting, std::string(reason::ReplacingLeftover),
                               fmt::format("{} {} belongs to an earlier resource with this name",
                                           child.value("kind", ""), name_of(child))});
    } else if (!is_ours(*at, owner.uid)) {
      taken.push_back(&*at);
    } else if (!ends(*at) && needs_write(*at, child, seen.settled)) {
      applies.push_back(over(*at, child));
    }
  }
  if (!taken.empty()) {
    plan.findings.push_back(names_taken(taken, owner));
    plan.requeue_after = kTaken;
    return false;
  }
  for (const auto& child : seen.children) {
    const auto same = [&](const Json& w) {
      return w.at("kind") == child.value("kind", "") && name_of(w) == name_of(child);
    };
    if (ends(child) || !prunable(child) || std::ranges::any_of(wanted, same)) continue;
    if (is_ours(child, owner.uid) || is_leftover(child, owner)) plan.deletes.push_back(deletion(child));
  }
  plan.deletes.insert(plan.deletes.end(), leftovers.begin(), leftovers.end());
  plan.applies = std::move(applies);
  if (!leftovers.empty()) plan.requeue_after = kLeftover;
  return true;
}

/// Whose stream it is must be known to the second: two captures would supersede each other for ever, and whoever is
/// deleted with its topics takes those of the other along. A capture of ours that is in it already ends. True: it is
/// another's.
bool yield_topic(const Observed& seen, Plan& plan) {
  if (seen.topic_conflicts.empty()) return false;
  plan.requeue_after = kTaken;  // what others run changes without word to us
  const auto* holder = stream_holder(seen);
  if (holder == nullptr) return false;
  plan.findings.push_back({Level::Stalled, std::string(reason::ConfigInvalid),
                           fmt::format("spec.channel.topic: {} captures into \"{}\" already", holder->id,
                                       seen.document.resource.spec.channel.topic)});
  const auto owner = owner_of(seen.resource);
  if (running_stream(seen.children, owner) != wanted_stream(seen.resource)) return true;
  for (const auto& c : seen.children)
    if (c.value("kind", "") == "Deployment" && name_of(c) == desired::child_name(owner, desired::kCapture) && !ends(c))
      plan.deletes.push_back(deletion(c));
  return true;
}

}  // namespace

Json over(const Json& live, Json wanted) {
  wanted["metadata"]["uid"] = live.at("metadata").value("uid", "");
  return wanted;
}

desired::Owner owner_of(const Json& resource) {
  const auto& meta = resource.at("metadata");
  return {meta.value("namespace", ""), meta.value("name", ""), meta.value("uid", "")};
}

bool is_ours(const Json& object, std::string_view uid) {
  const auto* ref = controller_of(object);
  return ref != nullptr && ref->value("uid", "") == uid;
}

std::string mark_of(const Json& object, const Json& wanted) {
  const auto& meta = object.at("metadata");
  const auto generation = meta.find("generation");
  return fmt::format("{} {} {} {}", generation == meta.end() ? meta.value("resourceVersion", "") : generation->dump(),
                     desired::hash(labels_of(object)), hash_of(object), hash_of(wanted));
}

bool needs_write(const Json& live, const Json& wanted, const std::map<std::string, std::string>& settled) {
  if (desired::has_former_manager(live)) return true;
  // What the server writes differently from what we sent, or what an admission webhook makes of it, must not be sent
  // for ever: after a write of ours only a change by another client counts.
  const auto at = settled.find(live.at("metadata").value("uid", ""));
  if (at != settled.end() && at->second == mark_of(live, wanted)) return false;
  // The hash alone would not show what others changed.
  return hash_of(live) != hash_of(wanted) || !desired::covers(labels_of(live), labels_of(wanted)) ||
         !desired::covers(live, wanted);
}

Plan decide(const Observed& seen) {
  if (auto note = managed_elsewhere(seen)) {
    Plan plan;
    plan.elsewhere = true;
    plan.notes.push_back(std::move(*note));
    plan.requeue_after = kElsewhere;
    return plan;
  }
  if (seen.resource.at("metadata").contains("deletionTimestamp")) return decide_end(seen);
  Plan plan;
  plan.claim = !claimed(seen);
  find_take_overs(seen, plan);
  auto problems = seen.document.problems;
  if (problems.empty()) problems = api::not_built(seen.document.resource);
  if (!problems.empty()) {
    plan.findings.push_back({Level::Stalled, std::string(reason::ConfigInvalid), config::to_text(problems)});
    return plan;
  }
  plan.once = once_of(seen);
  if (yield_topic(seen, plan)) return plan;
  plan.finalizer = finalizer_change(seen);
  auto running = running_of(seen);
  if (plan.once.done) running.completion = plan.once.done->text();
  auto wanted = desired::children(owner_of(seen.resource), seen.document.resource, seen.settings, running);
  if (!compare(seen, wanted, plan)) return plan;
  find_run_again(seen, plan);
  if (!plan.once.done) find_missing_secrets(seen, plan);
  // Nothing of the pod changes while its events do.
  if (!plan.requeue_after && std::ranges::any_of(seen.pods, is_silent)) plan.requeue_after = kPollSecret;
  return plan;
}

}  // namespace datasync::decide
