#include <algorithm>

#include <nlohmann/json.hpp>

#include "agents/capture/agent.hpp"

namespace datasync::capture {
namespace {

constexpr double kPercent = 100.0;

nlohmann::ordered_json snapshot_json(const SnapshotFigures& s) {
  auto tables = nlohmann::ordered_json::array();
  for (const auto& [name, done] : s.tables) tables.push_back({{"table", name}, {"done", done}});
  nlohmann::ordered_json out{{"id", s.id}, {"complete", s.complete}, {"rows", s.rows}};
  const double estimate = static_cast<double>(std::max<std::uint64_t>(s.rows_estimate, 1));
  const bool all_done = std::ranges::all_of(s.tables, [](const auto& t) { return t.second; });
  const double percent = all_done ? kPercent : std::min(kPercent * static_cast<double>(s.rows) / estimate, 99.0);
  out["rowsEstimate"] = s.rows_estimate;
  out["percent"] = percent;
  out["rowsPerSecond"] = s.rows_per_second;
  if (s.running && s.rows_per_second > 0 && s.rows_estimate > s.rows)
    out["etaSeconds"] = static_cast<double>(s.rows_estimate - s.rows) / s.rows_per_second;
  out["tables"] = std::move(tables);
  return out;
}

}  // namespace

std::string status_json(const SessionFigures& f) {
  nlohmann::ordered_json lag = nlohmann::ordered_json::object();
  if (f.replica_figures.lag_seconds) lag["replicaSeconds"] = *f.replica_figures.lag_seconds;
  if (f.replica_figures.lag_unknown && !f.replica.empty()) lag["replica"] = "unknown";
  if (f.capture_lag_seconds) lag["captureSeconds"] = *f.capture_lag_seconds;
  nlohmann::ordered_json out{{"replica", f.replica},
                             {"position", f.position.text()},
                             {"lag", lag},
                             {"rows", f.counts.rows},
                             {"transactions", f.counts.transactions},
                             {"filtered", f.counts.filtered},
                             {"inFlightBytes", f.in_flight_bytes},
                             {"failovers", f.failovers},
                             {"preparedXa", f.prepared_xa}};
  if (f.replica_figures.binlog_hours_left) out["binlogHoursLeft"] = *f.replica_figures.binlog_hours_left;
  if (!f.lost_position.empty()) out["lostPosition"] = f.lost_position;
  if (!f.accepted_position.empty()) out["acceptedPosition"] = f.accepted_position;
  if (f.snapshot && (f.snapshot->running || !f.snapshot->complete)) out["snapshot"] = snapshot_json(*f.snapshot);
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace datasync::capture
