// What only events say: about a pod that does not start, and about a Job that gets no pod.
#include "operator/decide/newest.hpp"
#include "operator/decide/pods.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace datasync::reconcile {
namespace {

constexpr std::chrono::seconds kAskAgain{600};  // for a right that was refused
constexpr std::chrono::seconds kStartsBy{10};   // what takes no longer needs no words
constexpr std::chrono::seconds kEventsEvery{30};

}  // namespace

bool Reconciler::is_refused(const std::string& what, decide::Time now) {
  const std::lock_guard lock(mutex_);
  const auto at = refused_.find(what);
  return at != refused_.end() && now - at->second < kAskAgain;
}

/// Empty: there is none, or events may not be listed. The words are of the kubelet and of controllers: they name
/// secrets and keys, and never hold what is in them.
std::string Reconciler::warning_about(const Json& object) {
  const auto& meta = object.at("metadata");
  const auto ns = meta.value("namespace", "");
  if (is_refused("events in " + ns, now_())) return {};
  const auto list = api_.list(kube::kEvents, {ns, {}, "regarding.uid=" + meta.value("uid", "")});
  if (list) return decide::last_warning(list->items);
  if (list.error().is(kube::Code::Forbidden)) {
    const std::lock_guard lock(mutex_);
    refused_["events in " + ns] = now_();
  }
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

}  // namespace datasync::reconcile
