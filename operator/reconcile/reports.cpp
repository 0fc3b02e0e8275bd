#include "operator/reconcile/reports.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <httplib.h>

#include "operator/decide/pods.hpp"
#include "operator/desired/manifests.hpp"
#include "operator/status/figures.hpp"

namespace datasync::reconcile {
namespace {

using kube::Json;

constexpr std::size_t kLongestAnswer = 1U << 20U;
constexpr unsigned kTrust = 3;      ///< failures in a row until the last view no longer counts
constexpr unsigned kMostWaits = 6;  ///< a silent pod is asked this many times more seldom

int port_of(const Json& pod) {
  for (const auto& container : pod.value("/spec/containers"_json_pointer, Json::array()))
    for (const auto& port : container.value("ports", Json::array()))
      if (port.value("name", "") == "http") return port.value("containerPort", int{desired::kPort});
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
    const auto* pod = decide::current_pod(pods, agent);
    if (pod == nullptr) continue;
    auto host = pod->value("/status/podIP"_json_pointer, std::string());
    if (host.empty()) continue;
    out.push_back({std::string(agent), pod->at("metadata").value("name", ""), std::move(host), port_of(*pod)});
  }
  return out;
}

Reports::Reports(Options options, std::function<void(const kube::ObjectKey&)> changed)
    : options_(options), changed_(std::move(changed)), random_(std::random_device{}()) {
  for (unsigned i = 0; i < options_.threads; ++i)
    threads_.emplace_back([this](std::stop_token stop) { work(std::move(stop)); });
}

Reports::~Reports() {
  stop();
}

void Reports::stop() {
  for (auto& t : threads_) t.request_stop();
  threads_.clear();
}

void Reports::watch(const kube::ObjectKey& resource, const std::vector<Target>& targets) {
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

std::map<std::string, decide::Report> Reports::of(const kube::ObjectKey& resource) const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, decide::Report> out;
  for (const auto agent : {desired::kCapture, desired::kApply})
    if (const auto at = asked_.find({resource, std::string(agent)}); at != asked_.end())
      out[std::string(agent)] = at->second.report;
  return out;
}

void Reports::work(std::stop_token stop) {
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
    settle(id, target, ask(target));
    lock.lock();
  }
}

void Reports::settle(const Id& id, const Target& target, decide::Report answer) {
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

decide::Report Reports::ask(const Target& target) const {
  decide::Report out;
  out.pod = target.pod;
  httplib::Client client(target.host, target.port);
  client.set_connection_timeout(options_.connect);
  client.set_read_timeout(options_.answer);
  client.set_write_timeout(options_.answer);
  std::string body;
  const auto give_up = base::steady_now() + options_.connect + options_.answer;
  const auto result = client.Get("/status", [&](const char* data, std::size_t size) {
    body.append(data, size);
    return body.size() <= kLongestAnswer && base::steady_now() < give_up;
  });
  decide::AgentView view;
  if (!result) {
    out.error = "/status: " + httplib::to_string(result.error());
  } else if (result->status != 200) {
    out.error = fmt::format("/status: HTTP {}", result->status);
  } else if (!decide::read_status(body, view)) {
    out.error = "/status: not the response of an agent";
  } else {
    out.view = std::move(view);
  }
  return out;
}

}  // namespace datasync::reconcile
