#include "operator/decide/agent_view.hpp"

#include <nlohmann/json.hpp>

namespace datasync::decide {
namespace {

using Json = nlohmann::json;

// A member of the wanted kind, or the fallback: an agent of another version must not break the display.
template <class T>
T get(const Json& object, const char* key, T fallback) {
  const auto at = object.find(key);
  if (at == object.end()) return fallback;
  const bool fits = std::is_same_v<T, std::string> ? at->is_string()
                    : std::is_same_v<T, bool>      ? at->is_boolean()
                                                   : at->is_number();
  return fits ? at->template get<T>() : fallback;
}

const Json* find(const Json& object, const char* key, Json::value_t kind) {
  const auto at = object.find(key);
  return at != object.end() && at->type() == kind ? &*at : nullptr;
}

std::optional<double> number(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number() ? std::optional(at->get<double>()) : std::nullopt;
}

void read_lag(const Json& lag, AgentView& view) {
  constexpr std::pair<const char*, const char*> kStages[] = {{"replicaSeconds", "replica"},
                                                             {"captureSeconds", "capture"},
                                                             {"topicSeconds", "topic"},
                                                             {"applySeconds", "apply"}};
  view.lag.clear();
  for (const auto& [key, stage] : kStages) {
    if (const auto seconds = number(lag, key)) view.lag.emplace_back(stage, *seconds);
  }
}

SnapshotView read_snapshot(const Json& snapshot) {
  SnapshotView out;
  out.percent = get(snapshot, "percent", 0.0);
  out.rows_per_second = get(snapshot, "rowsPerSecond", 0.0);
  out.eta_seconds = number(snapshot, "etaSeconds");
  if (const auto* tables = find(snapshot, "tables", Json::value_t::array)) {
    for (const auto& t : *tables) {
      if (!t.is_object()) continue;
      ++out.tables;
      if (get(t, "done", false)) {
        ++out.tables_done;
      } else if (out.table.empty()) {
        out.table = get(t, "table", std::string());
      }
    }
  }
  return out;
}

VerifyView read_verify(const Json& verify) {
  VerifyView out;
  out.done = get(verify, "done", false);
  if (const auto* tables = find(verify, "tables", Json::value_t::array)) {
    for (const auto& t : *tables) {
      if (!t.is_object()) continue;
      ++out.tables;
      if (!get(t, "equal", false)) out.different.push_back(get(t, "table", std::string("?")));
    }
  }
  return out;
}

void read_held(const Json& held, AgentView& view) {
  view.held.clear();
  for (const auto& h : held) {
    if (!h.is_object()) continue;
    view.held.push_back({get(h, "table", std::string("?")), get(h, "reason", std::string()),
                         get(h, "message", std::string()), get(h, "stream", std::int64_t{0}),
                         get(h, "offset", std::int64_t{0}), get(h, "since", std::int64_t{0})});
  }
}

// Several streams share one order only by their GTIDs: show the one set when there is one stream, else how many.
void read_streams(const Json& streams, AgentView& view) {
  view.skipped_offsets.clear();
  for (const auto& stream : streams) {
    const auto* skipped = stream.is_object() ? find(stream, "skippedOffsets", Json::value_t::array) : nullptr;
    if (skipped == nullptr) continue;
    for (const auto& offset : *skipped)
      view.skipped_offsets.push_back(std::to_string(get(stream, "stream", 0)) + ":" + offset.dump());
  }
  if (streams.size() == 1 && streams[0].is_object()) {
    view.position = get(streams[0], "gtids", std::string());
  } else if (!streams.empty()) {
    view.position = std::to_string(streams.size()) + " streams";
  }
}

}  // namespace

bool read_status(std::string_view json, AgentView& view) {
  const auto status = Json::parse(json, nullptr, false);
  if (!status.is_object() || !status.contains("state")) return false;
  view.state = get(status, "state", view.state);
  view.reason = get(status, "reason", std::string());
  view.message = get(status, "message", std::string());
  view.live = get(status, "live", true);
  view.ready = get(status, "ready", false);
  view.lost_position = get(status, "lostPosition", std::string());
  view.accepted_position = get(status, "acceptedPosition", std::string());
  view.endpoint = get(status, "replica", get(status, "destination", view.endpoint));
  view.position = get(status, "position", view.position);
  view.rows = get(status, "rows", view.rows);
  view.transactions = get(status, "transactions", view.transactions);
  view.duplicates = get(status, "duplicatesRefused", view.duplicates);
  view.conflicts = get(status, "conflicts", view.conflicts);
  view.binlog_hours_left = number(status, "binlogHoursLeft");
  if (const auto* lag = find(status, "lag", Json::value_t::object)) read_lag(*lag, view);
  if (const auto* streams = find(status, "streams", Json::value_t::array)) read_streams(*streams, view);
  if (const auto* held = find(status, "held", Json::value_t::array)) read_held(*held, view);
  const auto* snapshot = find(status, "snapshot", Json::value_t::object);
  view.snapshot = snapshot == nullptr ? std::nullopt : std::optional(read_snapshot(*snapshot));
  const auto* verify = find(status, "verify", Json::value_t::object);
  view.verify = verify == nullptr ? std::nullopt : std::optional(read_verify(*verify));
  return true;
}

}  // namespace datasync::decide
