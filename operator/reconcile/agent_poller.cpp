#include "operator/reconcile/agent_poller.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "operator/decide/pods.hpp"
#include "operator/desired/manifests.hpp"
#include "operator/reconcile/agent_query.hpp"
#include "operator/status/figures.hpp"

namespace datasync::reconcile {
namespace {

using kube::Json;

constexpr unsigned kTrust = 3;       ///< failures in a row until the last view no longer counts
constexpr unsigned kMostWaits = 12;  ///< a silent pod is asked this many times more seldom

/// Of the agent's own container: a sidecar may have a port of this name too.
int port_of(const Json& pod) {
  for (const auto& container : pod.value("/spec/containers"_json_pointer, Json::array())) {
    if (container.value("name", "") != desired::kContainer) continue;
    for (const auto& port : container.value("ports", Json::array()))
      if (port.value("name", "") == "http") return port.value("containerPort", int{desired::kPort});
  }
  return desired::kPort;
}

/// What has to be told at once when it changes.
Json substance(const decide::Report& report) {
  if (!report.view) return report.error.empty() ? Json() : Json("no answer");
  auto out = status::without_figures({{"apply", status::agent_section(*report.view)}});
  out["live"] = report.view->live;
  return out;
}

bool same_figures(const decide::Report& a, const decide::Report& b) {
  if (!a.view || !b.view) return a.view.has_value() == b.view.has_value();
  return status::agent_section(*a.view) == status::agent_section(*b.view);
}

}  // namespace

std::vector<Target> targets_of(const std::vector<Json>& pods) {
  std::vector<Target> out;
  for (const auto agent : {desired::kCapture, desired::kApply}) {
    const auto* pod = decide::speaking_pod(pods, agent);
    if (pod == nullptr) continue;
    auto host = pod->value("/status/podIP"_json_pointer, std::string());
    if (host.empty()) continue;
    out.push_back({std::string(agent), pod->at("metadata").value("name", ""), std::move(host), port_of(*pod)});
  }
  return out;
}

AgentPoller::AgentPoller(Options options, std::function<void(const kube::ObjectKey&)> changed)
    : options_(options), changed_(std::move(changed)), random_(std::random_device{}()) {
  for (unsigned i = 0; i < options_.threads; ++i)
    threads_.emplace_back([this](std::stop_token stop) { work(std::move(stop)); });
}

AgentPoller::~AgentPoller() {
  stop();
}

void AgentPoller::stop() {
  for (auto& t : threads_) t.request_stop();
  threads_.clear();
}

void AgentPoller::watch(const kube::ObjectKey& resource, const std::vector<Target>& targets) {
  const std::lock_guard lock(mutex_);
  for (const auto agent : {desired::kCapture, desired::kApply}) {
    const Id id{resource, std::string(agent)};
    const auto wanted = std::ranges::find(targets, agent, &Target::agent);
    const auto at = asked_.find(id);
    if (wanted == targets.end()) {
      asked_.erase(id);
    } else if (at == asked_.end() || at->second.target != *wanted) {
      Asked fresh;
      fresh.target = *wanted;
      fresh.report.pod = wanted->pod;
      asked_[id] = std::move(fresh);
    }
  }
  ++changes_;
  wakes_.notify_all();
}

std::map<std::string, decide::Report> AgentPoller::of(const kube::ObjectKey& resource) const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, decide::Report> out;
  for (const auto agent : {desired::kCapture, desired::kApply})
    if (const auto at = asked_.find({resource, std::string(agent)}); at != asked_.end())
      out[std::string(agent)] = at->second.report;
  return out;
}

void AgentPoller::work(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = base::steady_now();
    auto next = now + options_.every;
    auto chosen = asked_.end();
    for (auto at = asked_.begin(); at != asked_.end(); ++at) {
      if (at->second.running) continue;
      if (at->second.due < next) {
        next = at->second.due;
        chosen = at;
      }
    }
    if (chosen == asked_.end() || next > now) {
      wakes_.wait_until(lock, stop, next, [this, known = changes_] { return changes_ != known; });
      continue;
    }
    chosen->second.running = true;
    const auto id = chosen->first;
    const auto target = chosen->second.target;
    lock.unlock();
    serve(id, target);
    lock.lock();
  }
}

/// One pod's answer must not end the thread, and with it the process, for all others: what cannot be taken counts as no
/// answer.
void AgentPoller::serve(const Id& id, const Target& target) {
  try {
    settle(id, target, ask(target));
    return;
  } catch (const std::exception& e) {
    base::log::error("an agent's status cannot be read", {{"namespace", std::string_view(id.first.ns)},
                                                          {"name", std::string_view(id.first.name)},
                                                          {"agent", std::string_view(id.second)},
                                                          {"error", std::string_view(e.what())}});
  }
  const std::lock_guard lock(mutex_);
  const auto at = asked_.find(id);
  if (at == asked_.end() || at->second.target != target) return;
  at->second.running = false;
  ++at->second.failures;
  at->second.report = {target.pod, std::nullopt, "/status: the answer cannot be read"};
  at->second.due = base::steady_now() + options_.every * kMostWaits;
}

void AgentPoller::settle(const Id& id, const Target& target, decide::Report answer) {
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    const auto at = asked_.find(id);
    if (at == asked_.end() || at->second.target != target) return;  // another pod meanwhile
    auto& asked = at->second;
    const auto now = base::steady_now();
    asked.running = false;
    asked.failures = answer.view ? 0 : asked.failures + 1;
    if (!answer.view && asked.failures < kTrust && asked.report.view) answer.view = asked.report.view;
    const auto wait = options_.every * std::clamp(asked.failures, 1U, kMostWaits);
    std::uniform_int_distribution<std::int64_t> jitter(wait.count() * 9 / 10, wait.count() * 11 / 10);
    asked.due = now + base::Millis(jitter(random_));
    tell = substance(answer) != substance(asked.report) ||
           (now - asked.told_at >= options_.figures_every && !same_figures(answer, asked.told));
    asked.report = std::move(answer);
    if (tell) {
      asked.told = asked.report;
      asked.told_at = now;
    }
  }
  if (tell) changed_(id.first);
}

decide::Report AgentPoller::ask(const Target& target) const {
  decide::Report out;
  out.pod = target.pod;
  if (target.port < 1 || target.port > 65'535) {
    out.error = "/status: the pod names no port";
    return out;
  }
  const auto answer = ask_status(target.host, static_cast<std::uint16_t>(target.port), options_.connect,
                                 options_.answer, decide::kLongestStatus);
  decide::AgentView view;
  if (!answer.error.empty()) {
    out.error = answer.error;
  } else if (!decide::read_status(answer.body, view)) {
    out.error = "/status: not the response of an agent";
  } else {
    out.view = std::move(view);
  }
  return out;
}

}  // namespace datasync::reconcile
