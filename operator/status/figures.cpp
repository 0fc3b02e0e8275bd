#include "operator/status/figures.hpp"

#include <cmath>

#include <fmt/format.h>

#include "operator/status/conditions.hpp"

namespace datasync::status {
namespace {

constexpr double kMinute = 60;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;
constexpr double kStep = 5;  // seconds above ten, hours above two days

double rounded_hours(double hours) {
  if (hours < 10) return std::floor(hours * 10) / 10;
  return hours < 48 ? std::floor(hours) : std::floor(hours / kStep) * kStep;
}

Json snapshot(const decide::SnapshotView& s) {
  Json out{{"percent", static_cast<int>(std::floor(s.percent))}, {"tables", s.tables}, {"tablesDone", s.tables_done}};
  if (!s.table.empty()) out["table"] = s.table;
  if (s.eta_seconds) out["remaining"] = duration_text(*s.eta_seconds);
  return out;
}

Json verify(const decide::VerifyView& v) {
  return {{"done", v.done}, {"tables", v.tables}, {"different", v.different}};
}

}  // namespace

std::string duration_text(double seconds) {
  if (!(seconds >= 1)) return "<1s";
  if (seconds < 10) return fmt::format("{:.0f}s", std::floor(seconds));
  if (seconds < kMinute) return fmt::format("{:.0f}s", std::floor(seconds / kStep) * kStep);
  if (seconds < kHour) return fmt::format("{:.0f}m", std::floor(seconds / kMinute));
  if (seconds < 2 * kDay) return fmt::format("{:.0f}h", std::floor(seconds / kHour));
  return fmt::format("{:.0f}d", std::floor(seconds / kDay));
}

std::uint64_t rounded(std::uint64_t count) {
  std::uint64_t unit = 1;
  while (count / unit >= 1000) unit *= 10;
  return count / unit * unit;
}

Json agent_section(const decide::AgentView& view) {
  Json out{{"state", view.state}, {"rows", rounded(view.rows)}, {"transactions", rounded(view.transactions)}};
  const auto put = [&out](const char* key, const std::string& text) {
    if (!text.empty()) out[key] = text;
  };
  put("reason", view.reason);
  put("message", view.message);
  put("endpoint", view.endpoint);
  put("position", view.position);
  put("lostPosition", view.lost_position);
  put("acceptedPosition", view.accepted_position);
  for (const auto& [stage, seconds] : view.lag) out["lag"][stage] = duration_text(seconds);
  if (view.binlog_hours_left) out["binlogHoursLeft"] = rounded_hours(*view.binlog_hours_left);
  if (view.snapshot) out["snapshot"] = snapshot(*view.snapshot);
  if (view.verify) out["verify"] = verify(*view.verify);
  if (view.duplicates > 0) out["duplicatesRefused"] = view.duplicates;
  if (view.conflicts > 0) out["conflicts"] = rounded(view.conflicts);
  for (const auto& h : view.held)
    out["held"].push_back({{"table", h.table},
                           {"reason", h.reason},
                           {"message", h.message},
                           {"stream", h.stream},
                           {"offset", h.offset},
                           {"since", to_text(Time(std::chrono::seconds(h.since)))}});
  if (!view.skipped_offsets.empty()) out["skippedOffsets"] = view.skipped_offsets;
  return out;
}

Json without_figures(Json status) {
  if (!status.is_object()) return status;
  for (const auto* key : {"lag", "rows"}) status.erase(key);
  // A message may hold a position or a time that moves at every look; what it is about is in state and reason.
  if (const auto conditions = status.find("conditions"); conditions != status.end() && conditions->is_array())
    for (auto& condition : *conditions)
      if (condition.is_object()) condition.erase("message");
  for (const auto* agent : {"capture", "apply"}) {
    const auto at = status.find(agent);
    if (at == status.end() || !at->is_object()) continue;
    for (const auto* key :
         {"message", "position", "lag", "rows", "transactions", "binlogHoursLeft", "snapshot", "conflicts"})
      at->erase(key);
    if (const auto held = at->find("held"); held != at->end() && held->is_array())
      for (auto& table : *held)
        for (const auto* key : {"message", "offset"})
          if (table.is_object()) table.erase(key);
  }
  return status;
}

}  // namespace datasync::status
