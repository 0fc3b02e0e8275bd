#include "operator/decide/cleanup.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "operator/decide/fields.hpp"
#include "operator/decide/ownership.hpp"
#include "operator/decide/pods.hpp"
#include "operator/decide/rollout.hpp"

namespace datasync::decide {
namespace {

constexpr Millis kLook{5'000};

const Json* job_condition(const Json& job, std::string_view type) {
  const auto status = job.find("status");
  if (status == job.end() || !status->is_object() || !status->contains("conditions")) return nullptr;
  for (const auto& c : status->at("conditions"))
    if (c.value("type", "") == type && c.value("status", "") == "True") return &c;
  return nullptr;
}

const Json* find(const Observed& seen, const Json& wanted) {
  const auto kind = wanted.at("kind").get<std::string>();
  const auto name = wanted.at("metadata").at("name").get<std::string>();
  const auto same = [&](const Json& c) {
    return c.value("kind", "") == kind && c.at("metadata").value("name", "") == name;
  };
  const auto at = std::ranges::find_if(seen.children, same);
  return at == seen.children.end() ? nullptr : &*at;
}

void let_go(Plan& plan, std::string_view why, std::string message) {
  plan.finalizer = Finalizer::Remove;
  plan.notes.push_back({std::string(why), std::move(message)});
}

/// Of the fields that say how pods are, not what is replicated: what is to be deleted is known without them.
bool of_pods_only(std::string_view path) {
  constexpr std::string_view kFields[] = {"spec.capture.podTemplate", "spec.capture.resources",
                                          "spec.apply.podTemplate", "spec.apply.resources"};
  return std::ranges::any_of(kFields, [&](std::string_view field) { return path.starts_with(field); });
}

/// By the field itself: the resource as a whole may not be readable.
bool wants_cleanup(const Json& resource) {
  const auto spec = resource.find("spec");
  return spec != resource.end() && spec->is_object() && spec->value("deletionPolicy", Json()) == "Delete";
}

std::string left(const api::DataSync& r) {
  std::string out;
  if (r.spec.source) out = fmt::format("topics {0} and {0}.state", r.spec.channel.topic);
  if (r.spec.destination)
    out +=
        fmt::format("{}ledger rows of {} in {}", out.empty() ? "" : ", ", r.id(), r.spec.destination->ledger_database);
  return out;
}

/// The pods in which an agent may run. One on a node that is gone may do so as well: nobody can tell.
std::string agents_pods(const Observed& seen) {
  std::string out;
  for (const auto& pod : seen.pods)
    if (!pod_ended(pod)) out += (out.empty() ? "" : ", ") + pod.at("metadata").value("name", "");
  return out;
}

Finding taken(const Json& wanted) {
  return {Level::Stalled, std::string(reason::NameTaken),
          fmt::format("{} {} is not owned by this resource", wanted.at("kind").get<std::string>(),
                      wanted.at("metadata").at("name").get<std::string>())};
}

/// What the status said last, for whoever has to do the cleanup's work now; empty: that it runs.
std::string last_status(const Json& resource) {
  const auto* ready = fields::condition(resource, "Ready");
  if (ready == nullptr) return {};
  const auto why = fields::text(*ready, "reason");
  if (why.empty() || why == reason::CleanupRunning) return {};
  return fmt::format("; its last status was {}: {}", why, fields::text(*ready, "message"));
}

/// Why the Job has no pod and had none, in the words of its controller, which are in its events only: a quota, a limit
/// range or an admission webhook refuses it. It is no failure of the cleanup, which has not begun.
std::optional<Finding> no_pod_of(const Observed& seen, const Json& job) {
  const auto status = job.value("status", Json::object());
  const auto any = [&](const char* key) { return status.value(key, Json(0)) != 0; };
  if (any("active") || any("failed") || any("succeeded")) return std::nullopt;
  const auto at = seen.warnings.find(job.at("metadata").value("uid", ""));
  const auto* failed = job_condition(job, "Failed");
  const bool late = failed != nullptr && failed->value("reason", Json()) == "DeadlineExceeded";
  if (failed != nullptr && !late) return std::nullopt;
  if (at == seen.warnings.end() && !late) return std::nullopt;
  const auto name = job.at("metadata").value("name", "");
  return Finding{Level::Stalled, std::string(reason::PodRefused),
                 at == seen.warnings.end() ? fmt::format("{}: no pod was created", name)
                                           : fmt::format("{}: {}", name, at->second)};
}

/// The Job, and before it what its pod needs.
void make_job(const Observed& seen, const Json& job, Plan& plan) {
  const auto owner = owner_of(seen.resource);
  std::vector<Json> applies;
  for (auto& child : desired::children(owner, seen.document.resource, seen.settings, running_of(seen))) {
    if (child.at("kind") != "ConfigMap" && child.at("kind") != "ServiceAccount") continue;
    const auto* there = find(seen, child);
    if (there != nullptr && !is_ours(*there, owner.uid)) {
      plan.findings.push_back(taken(child));
      return;
    }
    if (there == nullptr) {
      applies.push_back(std::move(child));
    } else if (needs_write(*there, child, seen.settled)) {
      applies.push_back(over(*there, std::move(child)));
    }
  }
  applies.push_back(job);
  plan.applies = std::move(applies);
}

}  // namespace

std::chrono::seconds age_of_deletion(const Observed& seen) {
  std::tm tm{};
  const auto text = seen.resource.at("metadata").value("deletionTimestamp", std::string());
  if (strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &tm) == nullptr) return {};
  return seen.now - Time(std::chrono::seconds(timegm(&tm)));
}

bool is_held(const Json& resource) {
  const auto& meta = resource.at("metadata");
  const auto at = meta.find("finalizers");
  return meta.contains("deletionTimestamp") && at != meta.end() &&
         std::ranges::any_of(*at, [](const Json& f) { return f == api::kCleanupFinalizer; });
}

Plan decide_end(const Observed& seen) {
  Plan plan;
  plan.gone = true;
  if (!is_held(seen.resource)) return plan;  // the garbage collector does the rest
  plan.claim = !claimed(seen);               // others that could do it see who does
  const auto& r = seen.document.resource;
  auto problems = seen.document.problems;
  std::erase_if(problems, [](const config::Problem& p) { return of_pods_only(p.path); });
  if (!problems.empty() && wants_cleanup(seen.resource)) {
    let_go(plan, reason::CleanupGaveUp,
           "the resource cannot be read, so its topics and ledger rows are not deleted: " + config::to_text(problems));
    return plan;
  }
  if (!problems.empty() || r.spec.deletion_policy == api::DeletionPolicy::Retain) {
    plan.finalizer = Finalizer::Remove;
    return plan;
  }
  if (seen.namespace_ends) {
    let_go(plan, reason::CleanupGaveUp, "the namespace is being deleted; delete manually: " + left(r));
    return plan;
  }
  if (age_of_deletion(seen) >= seen.settings.cleanup_limit) {
    let_go(plan, reason::CleanupGaveUp,
           fmt::format("the cleanup timed out after {} s; delete manually: {}{}", seen.settings.cleanup_limit.count(),
                       left(r), last_status(seen.resource)));
    return plan;
  }
  plan.requeue_after = kLook;
  plan.gone = false;
  for (const auto& child : seen.children)
    if (child.value("kind", "") == "Deployment" && is_ours(child, owner_of(seen.resource).uid) &&
        !child.at("metadata").contains("deletionTimestamp"))
      plan.deletes.push_back(
          {"apps/v1", "Deployment", child.at("metadata").at("name"), child.at("metadata").at("uid")});
  const Finding running{Level::Waiting, std::string(reason::CleanupRunning), "deleting " + left(r)};
  // An agent would make anew what is deleted under it.
  if (seen.pods_unknown) plan.findings.push_back(*seen.pods_unknown);
  if (const auto pods = agents_pods(seen); !pods.empty())
    plan.findings.push_back(
        {Level::Waiting, std::string(reason::CleanupRunning), "waiting for the termination of pod " + pods});
  for (const auto& set : seen.replica_sets)
    plan.findings.push_back({Level::Waiting, std::string(reason::CleanupRunning),
                             fmt::format("waiting for the deletion of ReplicaSet {}, which may create a pod", set)});
  if (!plan.deletes.empty() && plan.findings.empty()) plan.findings.push_back(running);
  if (!plan.findings.empty()) return plan;
  const auto owner = owner_of(seen.resource);
  const auto job = desired::cleanup_job(owner, r, seen.settings);
  const auto* live = find(seen, job);
  if (live != nullptr && !is_ours(*live, owner.uid)) {
    plan.findings.push_back(taken(job));
  } else if (live == nullptr) {
    make_job(seen, job, plan);
    if (plan.findings.empty()) plan.findings.push_back(running);
  } else if (job_condition(*live, "Complete") != nullptr) {
    let_go(plan, reason::CleanupDone, "deleted: " + left(r));
    plan.gone = true;
  } else if (auto blocked = no_pod_of(seen, *live)) {
    // Its time has passed without a pod: the next one has as much again.
    if (job_condition(*live, "Failed") != nullptr)
      plan.deletes.push_back({"batch/v1", "Job", job.at("metadata").at("name"), live->at("metadata").value("uid", "")});
    plan.findings.push_back(std::move(*blocked));
  } else if (const auto* failed = job_condition(*live, "Failed")) {
    plan.findings.push_back(
        {Level::Stalled, std::string(reason::CleanupFailed),
         fmt::format("{}: {}{}{}; the cleanup ends without success {} s after the deletion, or at once with "
                     "deletionPolicy: Retain",
                     job.at("metadata").at("name").get<std::string>(), failed->value("message", ""),
                     seen.cleanup_words.empty() ? "" : ": ", seen.cleanup_words, seen.settings.cleanup_limit.count())});
  } else {
    plan.findings.push_back(seen.cleanup_trouble.value_or(running));
  }
  return plan;
}

}  // namespace datasync::decide
