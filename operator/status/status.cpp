#include "operator/status/status.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "operator/decide/pods.hpp"
#include "operator/status/agent_state.hpp"
#include "operator/status/conditions.hpp"
#include "operator/status/figures.hpp"
#include "operator/status/sections.hpp"

namespace datasync::status {
namespace {

using decide::Level;
using decide::Observed;
namespace reason = decide::reason;

struct Verdict {
  bool ready = false, reconciling = false, stalled = false;
  std::string reason, message;
};

Verdict from(const Finding& f) {
  const bool stalled = f.level == Level::Stalled;
  return {false, !stalled, stalled, f.reason, f.message};
}

const Finding* first(const std::vector<Finding>& all, Level level) {
  const auto at = std::ranges::find(all, level, &Finding::level);
  return at == all.end() ? nullptr : &*at;
}

Verdict paused(const Observed& seen) {
  Verdict v;
  v.reason = reason::Paused;
  // An evicted pod stays until it is collected.
  v.reconciling =
      seen.pods_unknown || std::ranges::any_of(seen.pods, [](const Json& pod) { return !decide::pod_ended(pod); });
  v.message = v.reconciling ? "spec.paused is set; waiting for the pods to terminate" : "spec.paused is set";
  return v;
}

Verdict completed(const decide::Completion& completion) {
  Verdict v;
  v.ready = true;
  v.reason = reason::Completed;
  v.message = fmt::format("mode Once completed at {}; the agents are stopped", completion.at);
  return v;
}

Verdict all_good(const std::vector<AgentState>& agents) {
  Verdict v;
  v.ready = true;
  const auto any = [&](std::string_view good) {
    return std::ranges::any_of(agents, [&](const AgentState& a) { return a.good == good; });
  };
  v.reason = any(reason::AgentsReady)    ? reason::AgentsReady
             : any(reason::Snapshotting) ? reason::Snapshotting
             : any(reason::Streaming)    ? reason::Streaming
                                         : reason::Completed;
  for (const auto& a : agents) v.message += (v.message.empty() ? "" : "; ") + a.message;
  return v;
}

Verdict judge(const Observed& seen, const decide::Plan& plan, std::vector<Finding> findings) {
  if (const auto* f = first(findings, Level::Stalled)) return from(*f);
  // A secret that is missing only matters to an agent that does not run.
  const auto is_secret = [](const Finding& f) { return f.reason == reason::SecretNotFound; };
  const auto secret = std::ranges::find_if(findings, is_secret);
  const auto missing = secret == findings.end() ? std::nullopt : std::optional(*secret);
  std::erase_if(findings, is_secret);
  if (!findings.empty()) return from(findings.front());
  if (plan.once.done) return completed(*plan.once.done);
  if (seen.document.resource.spec.paused) return paused(seen);
  std::vector<AgentState> agents;
  std::vector<Finding> troubles;
  for (const auto agent : desired::agents_of(seen.document.resource)) {
    agents.push_back(look_at(seen, plan, agent));
    if (agents.back().trouble) troubles.push_back(*agents.back().trouble);
  }
  if (troubles.empty()) return all_good(agents);
  if (const auto* f = first(troubles, Level::Stalled)) return from(*f);
  return from(missing ? *missing : troubles.front());
}

}  // namespace

StatusUpdate build_status(const Observed& seen, const decide::Plan& plan, const std::vector<Finding>& failures,
                          const std::string& lease) {
  auto findings = failures;
  findings.insert(findings.end(), plan.findings.begin(), plan.findings.end());
  const auto verdict = judge(seen, plan, std::move(findings));
  const auto& before = old_status(seen);
  const auto generation = seen.resource.at("metadata").value("generation", std::int64_t{0});
  StatusUpdate out;
  out.status = {{"observedGeneration", generation}, {"operator", seen.settings.installation}};
  if (!lease.empty()) out.status["operatorLease"] = lease;
  auto conditions = before.value("conditions", Json::array());
  const auto* was = find_condition(conditions, "Ready");
  if (was == nullptr || was->value("reason", "") != verdict.reason)
    out.events.push_back({verdict.reason, verdict.message});
  const auto set = [&](const char* type, bool status) {
    set_condition(conditions, {type, status, verdict.reason, verdict.message}, generation, seen.now);
  };
  set("Ready", verdict.ready);
  set("Reconciling", verdict.reconciling);
  set("Stalled", verdict.stalled);
  if (plan.once.on) {
    set_condition(conditions,
                  {"Complete", plan.once.done.has_value(),
                   plan.once.done ? std::string(reason::Completed) : verdict.reason, verdict.message},
                  generation, seen.now);
  } else if (seen.document.problems.empty()) {
    auto kept = Json::array();
    for (auto& c : conditions)
      if (c.value("type", Json()) != "Complete") kept.push_back(std::move(c));
    conditions = std::move(kept);
  }
  out.status["conditions"] = std::move(conditions);
  put_run(seen, plan.once, out.status);
  if (seen.document.problems.empty()) put_agents(seen, out.status);
  if (plan.once.done) keep_last_figures(seen, out.status);
  note_uses(before, out.status, out.events);
  return out;
}

StatusUpdate tell_internal_error(const Json& resource, const std::string& words, const std::string& installation,
                                 const std::string& lease, Time now) {
  const auto at = resource.find("status");
  const bool has = at != resource.end() && at->is_object();
  const auto& generation = resource.at("metadata").value("generation", Json(0));
  const auto number = generation.is_number_integer() ? generation.get<std::int64_t>() : 0;
  StatusUpdate out;
  out.status = has ? *at : Json::object();
  out.status["observedGeneration"] = number;
  out.status["operator"] = installation;
  if (!lease.empty()) out.status["operatorLease"] = lease;
  auto conditions = out.status.value("conditions", Json::array());
  const auto message = "internal error: " + words;
  const auto* was = find_condition(conditions, "Ready");
  if (was == nullptr || was->value("reason", Json()) != reason::InternalError)
    out.events.push_back({std::string(reason::InternalError), message});
  for (const auto* type : {"Ready", "Reconciling", "Stalled"})
    set_condition(conditions, {type, std::string_view(type) == "Stalled", std::string(reason::InternalError), message},
                  number, now);
  out.status["conditions"] = std::move(conditions);
  return out;
}

bool too_early(const Observed& seen) {
  const auto& before = old_status(seen);
  const auto conditions = before.value("conditions", Json::array());
  const auto* ready = find_condition(conditions, "Ready");
  if (ready == nullptr || ready->value("status", "") != "True" ||
      before.value("observedGeneration", std::int64_t{0}) !=
          seen.resource.at("metadata").value("generation", std::int64_t{0}))
    return false;
  return std::ranges::any_of(desired::agents_of(seen.document.resource), [&](std::string_view agent) {
    const auto* pod = decide::speaking_pod(seen.pods, agent);
    const auto at = seen.reports.find(std::string(agent));
    return pod != nullptr && decide::pod_ready(*pod) && at != seen.reports.end() &&
           at->second.pod == pod->at("metadata").value("name", "") && !at->second.view && at->second.error.empty();
  });
}

Due due(const Json& old_status, const Json& new_status, std::optional<decide::Time> last, decide::Time now) {
  if (old_status == new_status) return {};
  if (without_figures(old_status) != without_figures(new_status)) return {true, {}};
  if (!last || now - *last >= kFiguresEvery) return {true, {}};
  return {false, std::chrono::duration_cast<decide::Millis>(*last + kFiguresEvery - now)};
}

}  // namespace datasync::status
