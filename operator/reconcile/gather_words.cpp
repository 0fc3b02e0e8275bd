// What the cache does not hold and is asked for rarely: events, which alone say why a pod does not start or a Job gets
// no pod, and before a cleanup everything in which an agent may run.
#include <algorithm>

#include <fmt/format.h>

#include "operator/decide/newest.hpp"
#include "operator/decide/pods.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace datasync::reconcile {
namespace {

const kube::Resource kReplicaSets{"apps", "v1", "replicasets", "ReplicaSet"};
constexpr std::chrono::seconds kAskAgain{600};  // for a right that was refused
constexpr std::chrono::seconds kStartsBy{10};   // what takes no longer needs no words
constexpr std::chrono::seconds kEventsEvery{30};

}  // namespace

bool Reconciler::is_refused(const std::string& what, decide::Time now) {
  const std::lock_guard lock(mutex_);
  const auto at = refused_.find(what);
  return at != refused_.end() && now - at->second < kAskAgain;
}

void Reconciler::note_refused(const kube::ApiError& error, const std::string& what, decide::Time now) {
  if (!error.is(kube::Code::Forbidden)) return;
  const std::lock_guard lock(mutex_);
  refused_[what] = now;
}

/// Empty: there is none, or events may not be listed. The words are of the kubelet and of controllers: they name
/// secrets and keys, and never hold what is in them.
std::string Reconciler::warning_about(const Json& object) {
  const auto& meta = object.at("metadata");
  const auto ns = meta.value("namespace", "");
  const auto right = "events in " + ns;
  if (is_refused(right, now_())) return {};
  const auto list = api_.list(kube::kEvents, {ns, {}, "regarding.uid=" + meta.value("uid", "")});
  if (list) return decide::last_warning(list->items);
  note_refused(list.error(), right, now_());
  return {};
}

void Reconciler::gather_warnings(decide::Observed& seen, Memory& memory) {
  std::map<std::string, Memory::Silent> silent;
  for (const auto& pod : seen.pods) {
    if (!decide::is_silent(pod)) continue;
    const auto id = pod.at("metadata").value("uid", "");
    auto& one = silent[id];
    const auto before = memory.silent.find(id);
    one = before == memory.silent.end() ? Memory::Silent{seen.now, {}, {}} : before->second;
    if (seen.now - one.since >= kStartsBy && (!one.asked || seen.now - *one.asked >= kEventsEvery)) {
      one.words = warning_about(pod);
      one.asked = seen.now;
    }
    if (!one.words.empty()) seen.warnings[id] = one.words;
  }
  memory.silent = std::move(silent);
  const auto uid = decide::owner_of(seen.resource).uid;
  for (const auto& child : seen.children) {
    if (child.value("kind", "") != "Job" || !decide::is_ours(child, uid)) continue;
    if (auto words = warning_about(child); !words.empty())
      seen.warnings[child.at("metadata").value("uid", "")] = std::move(words);
  }
}

/// The server's own lists, once no Deployment and no pod is known any more: a ReplicaSet may make a pod after its
/// Deployment was deleted, and the cache does not hold pods without our labels.
void Reconciler::gather_left(decide::Observed& seen) {
  const auto owner = decide::owner_of(seen.resource);
  const auto keeps = [&](const Json& c) {
    const auto kind = c.value("kind", "");
    const bool ends = c.at("metadata").contains("deletionTimestamp");
    return ((kind == "Deployment" && !ends) || kind == "Job") && decide::is_ours(c, owner.uid);
  };
  if (!seen.pods.empty() || seen.pods_unknown || std::ranges::any_of(seen.children, keeps)) return;
  const auto pods = api_.list(kube::kPods, {owner.ns, {}, {}});
  if (pods) seen.pods = decide::agents_left(pods->items, owner);
  const auto labels = fmt::format("{}={}", desired::kNameLabel, owner.name);
  const auto sets = api_.list(kReplicaSets, {owner.ns, labels, {}});
  if (sets) seen.replica_sets = decide::sets_left(sets->items, owner);
  for (const auto* list : {&pods, &sets}) {
    // A role of an earlier chart does not have this right: as before, the pods alone are waited for.
    if (*list || (list == &sets && list->error().is(kube::Code::Forbidden))) continue;
    seen.pods_unknown =
        decide::Finding{decide::Level::Waiting, std::string(decide::reason::ApiUnavailable), list->error().message};
  }
}

}  // namespace datasync::reconcile
