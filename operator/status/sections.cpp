#include "operator/status/sections.hpp"

#include <fmt/format.h>

#include "operator/decide/pods.hpp"
#include "operator/status/conditions.hpp"
#include "operator/status/figures.hpp"

namespace datasync::status {

using decide::Observed;
namespace reason = decide::reason;

const Json& old_status(const Observed& seen) {
  static const Json kNone = Json::object();
  const auto at = seen.resource.find("status");
  return at != seen.resource.end() && at->is_object() ? *at : kNone;
}

void keep_last_figures(const Observed& seen, Json& out) {
  const auto& before = old_status(seen);
  for (const auto* key : {"source", "rows"})
    if (!out.contains(key) && before.contains(key)) out[key] = before.at(key);
  for (const auto agent : desired::agents_of(seen.document.resource)) {
    const std::string key(agent);
    const auto at = seen.reports.find(key);
    if ((at != seen.reports.end() && at->second.view) || !before.contains(key) || !before.at(key).is_object()) continue;
    out[key] = before.at(key);
    out[key].erase("pod");
  }
}

void put_run(const Observed& seen, const decide::Once& once, Json& out) {
  const auto& before = old_status(seen);
  // Nothing is known of the run while the spec cannot be read: what is recorded stays.
  if (!seen.document.problems.empty())
    for (const auto* key : {"startTime", "completionTime", "completion"})
      if (before.contains(key)) out[key] = before.at(key);
  if (!once.on) return;
  const auto started = before.value("startTime", Json());
  const bool kept = started.is_string() && (once.done || started.get<std::string>() > once.former_at);
  out["startTime"] = kept ? started : Json(to_text(seen.now));
  if (!once.done) return;
  if (!once.done->at.empty()) out["completionTime"] = once.done->at;
  out["completion"] = once.done->text();
}

void put_agents(const Observed& seen, Json& out) {
  double lag = 0;
  bool lag_known = false;
  for (const auto agent : desired::agents_of(seen.document.resource)) {
    const std::string key(agent);
    const auto* pod = decide::speaking_pod(seen.pods, agent);
    const auto name = pod == nullptr ? std::string() : pod->at("metadata").value("name", "");
    const auto at = seen.reports.find(key);
    if (pod == nullptr || at == seen.reports.end() || at->second.pod != name || !at->second.view) {
      out[key] = {{"state", seen.document.resource.spec.paused ? "Paused" : "Unknown"}};
      if (!name.empty()) out[key]["pod"] = name;
      continue;
    }
    const auto& view = *at->second.view;
    out[key] = agent_section(view);
    out[key]["pod"] = name;
    for (const auto& [stage, seconds] : view.lag) lag += seconds;
    lag_known = lag_known || !view.lag.empty();
    if (agent == desired::kCapture && !view.endpoint.empty()) out["source"] = view.endpoint;
    out["rows"] = rounded(view.rows);  // of apply, when there is one
  }
  if (lag_known) out["lag"] = duration_text(lag);
}

void note_uses(const Json& before, const Json& now, std::vector<Note>& events) {
  const auto at = [](const Json& status, const char* agent, const char* key) {
    return status.value(agent, Json::object()).value(key, Json());
  };
  const auto accepted = at(now, "capture", "acceptedPosition");
  if (accepted.is_string() && accepted != at(before, "capture", "acceptedPosition"))
    events.push_back({std::string(reason::PositionLossAccepted),
                      fmt::format("the loss of position {} was accepted as annotated", accepted.get<std::string>())});
  const auto skipped = at(now, "apply", "skippedOffsets");
  if (skipped.is_array() && skipped != at(before, "apply", "skippedOffsets"))
    events.push_back({std::string(reason::OffsetsSkipped), fmt::format("skipped as annotated: {}", skipped.dump())});
}

}  // namespace datasync::status
