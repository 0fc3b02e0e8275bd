#include "cli/cluster/status_text.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>
#include <time.h>

#include "cli/local/table.hpp"
#include "cli/terminal/text.hpp"

namespace datasync::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kEvents = 10;
constexpr std::size_t kBar = 24;
constexpr double kWarnHours = 24;

const Json& at(const Json& object, std::string_view path) {
  static const Json kNone;
  const Json* here = &object;
  while (true) {
    const auto slash = path.find('/');
    if (!here->is_object()) return kNone;
    const auto member = here->find(std::string(path.substr(0, slash)));
    if (member == here->end()) return kNone;
    here = &*member;
    if (slash == path.npos) return *here;
    path.remove_prefix(slash + 1);
  }
}

std::string text_at(const Json& object, std::string_view path) {
  const auto& v = at(object, path);
  if (v.is_string()) return v.get<std::string>();
  if (v.is_number_integer()) return std::to_string(v.get<std::int64_t>());
  if (v.is_number()) return fmt::format("{:.1f}", v.get<double>());
  if (v.is_boolean()) return v.get<bool>() ? "true" : "false";
  return {};
}

std::string count_at(const Json& object, std::string_view path) {
  const auto& v = at(object, path);
  return v.is_number_integer() && v >= 0 ? grouped(v.get<std::uint64_t>()) : std::string();
}

const Json& list_at(const Json& object, std::string_view path) {
  static const Json kEmpty = Json::array();
  const auto& v = at(object, path);
  return v.is_array() ? v : kEmpty;
}

std::string joined(const Json& list, std::string_view member = {}) {
  std::string out;
  for (const auto& item : list) {
    const auto text = member.empty() ? (item.is_string() ? item.get<std::string>() : "") : text_at(item, member);
    if (!text.empty()) out += (out.empty() ? "" : ", ") + text;
  }
  return out;
}

// Parses "2026-01-02T03:04:05.678Z" without the fraction.
std::optional<std::chrono::sys_seconds> time_of(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr || (*end != 'Z' && *end != '.')) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

std::string age(const std::string& time, base::WallTime now) {
  const auto then = time_of(time);
  if (!then) return {};
  const auto s = std::max<std::int64_t>(0, (std::chrono::floor<std::chrono::seconds>(now) - *then).count());
  if (s < 120) return fmt::format("{}s", s);
  if (s < 7200) return fmt::format("{}m", s / 60);
  if (s < 172'800) return fmt::format("{}h", s / 3600);
  return fmt::format("{}d", s / 86'400);
}

const Json& condition(const Json& resource, std::string_view type) {
  static const Json kNone;
  for (const auto& c : list_at(resource, "status/conditions")) {
    if (text_at(c, "type") == type) return c;
  }
  return kNone;
}

std::string headline(const Json& r, bool color) {
  const auto ready = text_at(condition(r, "Ready"), "status");
  const bool stalled = text_at(condition(r, "Stalled"), "status") == "True";
  auto word = text_at(condition(r, "Ready"), "reason");
  if (word.empty()) word = "no operator has reconciled it yet";
  const char* paint = ready == "True" ? "\x1b[32m" : stalled ? "\x1b[1;31m" : "\x1b[33m";
  const auto name = fmt::format("{}/{}", text_at(r, "metadata/namespace"), text_at(r, "metadata/name"));
  const auto state = ready == "True" ? "Ready" : stalled ? "Stalled" : "Not ready";
  const auto told = clean(fmt::format("{}: {}", state, word));
  return color ? fmt::format("{}  {}{}\x1b[0m\n", clean(name), paint, told)
               : fmt::format("{}  {}\n", clean(name), told);
}

using Rows = std::vector<std::vector<std::string>>;

std::string types_text(const Json& r) {
  const auto chosen = joined(list_at(r, "spec/types"));
  const auto all = joined(list_at(r, "spec/source/types"), "name");
  if (all.empty()) return chosen.empty() ? "all of the topic" : chosen;
  if (at(r, "spec/destination").is_null()) return all;
  return chosen.empty() ? all : fmt::format("{} (of {})", chosen, all);
}

std::string source_text(const Json& r) {
  const auto replica = text_at(r, "status/source");
  const auto count = list_at(r, "spec/source/replicas").size();
  return fmt::format("{} {}{} of {} replica{}", text_at(r, "spec/source/engine"), replica,
                     replica.empty() ? "any" : ",", count, count == 1 ? "" : "s");
}

std::string summary(const Json& r, base::WallTime now) {
  Rows rows;
  const auto add = [&rows](const char* title, const std::string& text) {
    if (!text.empty()) rows.push_back({title, text});
  };
  const bool paused = at(r, "spec/paused").is_boolean() && at(r, "spec/paused").get<bool>();
  add("Mode", text_at(r, "spec/mode") + (paused ? ", paused" : ""));
  if (!at(r, "spec/source").is_null()) add("Source", source_text(r));
  add("Channel",
      fmt::format("topic {} at {}", text_at(r, "spec/channel/topic"), text_at(r, "spec/channel/bootstrapServers")));
  if (!at(r, "spec/destination").is_null()) {
    const auto port = text_at(r, "spec/destination/port");
    add("Destination", fmt::format("{} {}{}{}", text_at(r, "spec/destination/engine"),
                                   text_at(r, "spec/destination/host"), port.empty() ? "" : ":", port));
  }
  add("Types", types_text(r));
  add("Rows", count_at(r, "status/rows"));
  add("Operator", text_at(r, "status/operator"));
  add("Age", age(text_at(r, "metadata/creationTimestamp"), now));
  const auto generation = text_at(r, "metadata/generation");
  const auto observed = text_at(r, "status/observedGeneration");
  if (generation != observed) {
    add("Note", fmt::format("the operator has not yet reconciled the newest spec (generation {}, observed {})",
                            generation, observed.empty() ? "none" : observed));
  }
  return columns(rows, 2);
}

std::string conditions(const Json& r, base::WallTime now) {
  Rows rows;
  std::string before;  // the message of the condition before; all three are usually equal
  for (const auto& c : list_at(r, "status/conditions")) {
    const auto message = text_at(c, "message");
    rows.push_back({text_at(c, "type"), text_at(c, "status"), text_at(c, "reason"),
                    age(text_at(c, "lastTransitionTime"), now), message == before ? "" : message});
    before = message;
  }
  return rows.empty() ? "" : "\nConditions\n" + columns(rows, 2);
}

std::uint64_t restarts_of(const Json& pod) {
  std::uint64_t out = 0;
  for (const auto& c : list_at(pod, "status/containerStatuses")) {
    const auto& n = at(c, "restartCount");
    if (n.is_number_unsigned()) out += n.get<std::uint64_t>();
  }
  return out;
}

std::string pod_state(const Json& pod) {
  if (!at(pod, "metadata/deletionTimestamp").is_null()) return "Terminating";
  for (const auto& c : list_at(pod, "status/containerStatuses")) {
    const auto waiting = text_at(c, "state/waiting/reason");
    if (!waiting.empty()) return waiting;
  }
  const auto phase = text_at(pod, "status/phase");
  return phase.empty() ? "Unknown" : phase;
}

std::string agents(const StatusInput& in) {
  const auto& r = in.resource;
  Rows rows{{"AGENT", "STATE", "SERVER", "ROWS", "TRANSACTIONS", "POSITION"}};
  std::string notes;
  for (const char* name : {"capture", "apply"}) {
    const auto& a = at(r, std::string("status/") + name);
    if (!a.is_object()) continue;
    rows.push_back({name, text_at(a, "state"), text_at(a, "endpoint"), count_at(a, "rows"), count_at(a, "transactions"),
                    text_at(a, "position")});
    const auto note = [&](const std::string& text) { notes += fmt::format("  {}: {}\n", name, clean(text)); };
    if (!text_at(a, "reason").empty()) note(text_at(a, "reason") + ": " + text_at(a, "message"));
    if (const auto& h = at(a, "binlogHoursLeft"); h.is_number() && h.get<double>() < kWarnHours) {
      note(fmt::format("the binlogs still needed are purged in {}", duration(h.get<double>() * 3600)));
    }
    if (!text_at(a, "lostPosition").empty()) note("lost position " + text_at(a, "lostPosition"));
    if (!count_at(a, "duplicatesRefused").empty())
      note("duplicate transactions, refused: " + count_at(a, "duplicatesRefused"));
    if (!count_at(a, "conflicts").empty()) note("conflicting rows, overwritten: " + count_at(a, "conflicts"));
    for (const auto& h : list_at(a, "held"))
      note(fmt::format("{} is held since {}: {}: {}", text_at(h, "table"), text_at(h, "since"), text_at(h, "reason"),
                       text_at(h, "message")));
    if (!list_at(a, "skippedOffsets").empty()) note("skipped as annotated: " + joined(list_at(a, "skippedOffsets")));
  }
  return rows.size() == 1 ? "" : "\nAgents\n" + columns(rows, 2) + notes;
}

std::string pods(const StatusInput& in, base::WallTime now) {
  Rows rows{{"POD", "STATE", "RESTARTS", "NODE", "AGE"}};
  for (const auto& p : in.pods) {
    rows.push_back({text_at(p, "metadata/name"), pod_state(p), std::to_string(restarts_of(p)),
                    text_at(p, "spec/nodeName"), age(text_at(p, "metadata/creationTimestamp"), now)});
  }
  return rows.size() == 1 ? "" : "\nPods\n" + columns(rows, 2);
}

std::string lag(const Json& r) {
  std::string stages;
  for (const auto& [agent, stage] : {std::pair("capture", "replica"), std::pair("capture", "capture"),
                                     std::pair("apply", "topic"), std::pair("apply", "apply")}) {
    const auto text = text_at(r, fmt::format("status/{}/lag/{}", agent, stage));
    if (!text.empty()) stages += fmt::format("{}{} {}", stages.empty() ? "" : "  >  ", stage, clean(text));
  }
  if (stages.empty()) return {};
  return fmt::format("\nLag {}\n  {}\n", clean(text_at(r, "status/lag")), stages);
}

std::string snapshot(const Json& r) {
  const auto& s = at(r, "status/capture/snapshot");
  const auto& percent = at(s, "percent");
  if (!percent.is_number()) return {};
  const auto full = static_cast<std::size_t>(std::clamp(percent.get<double>(), 0.0, 100.0) / 100 * kBar);
  auto out =
      fmt::format("\nSnapshot\n  [{}{}] {:.0f}%  {} of {} tables", std::string(full, '#'),
                  std::string(kBar - full, '-'), percent.get<double>(), text_at(s, "tablesDone"), text_at(s, "tables"));
  if (!text_at(s, "table").empty()) out += "  " + clean(text_at(s, "table"));
  if (!text_at(s, "remaining").empty()) out += fmt::format("  {} left", clean(text_at(s, "remaining")));
  return out + "\n";
}

std::string verify(const Json& r) {
  const auto& v = at(r, "status/apply/verify");
  if (!v.is_object()) return {};
  const auto different = joined(list_at(v, "different"));
  if (!different.empty()) return "\nVerification\n  DIFFERENT: " + clean(different) + "\n";
  const bool done = at(v, "done").is_boolean() && at(v, "done").get<bool>();
  return fmt::format("\nVerification\n  {} tables equal{}\n", text_at(v, "tables"), done ? "" : " so far");
}

// Returns when an event was last observed; equal events are counted in a series.
std::string event_time(const Json& e) {
  for (const auto* path : {"series/lastObservedTime", "deprecatedLastTimestamp", "eventTime"}) {
    auto text = text_at(e, path);
    if (!text.empty()) return text;
  }
  return text_at(e, "metadata/creationTimestamp");
}

std::string events(const StatusInput& in, base::WallTime now) {
  if (in.events.empty()) return {};
  auto sorted = in.events;
  std::ranges::stable_sort(sorted, std::greater<>(), event_time);
  sorted.resize(std::min(sorted.size(), kEvents));
  Rows rows;
  for (const auto& e : sorted) {
    auto count = text_at(e, "series/count");
    if (count.empty()) count = text_at(e, "deprecatedCount");
    rows.push_back({age(event_time(e), now), text_at(e, "type"), text_at(e, "reason"),
                    count.empty() || count == "1" ? "" : "x" + count, text_at(e, "note")});
  }
  return "\nEvents\n" + columns(rows, 2);
}

}  // namespace

std::string status_text(const StatusInput& input, base::WallTime now, bool color) {
  const auto& r = input.resource;
  return headline(r, color) + summary(r, now) + conditions(r, now) + agents(input) + lag(r) + snapshot(r) + verify(r) +
         pods(input, now) + events(input, now);
}

nlohmann::json status_document(const StatusInput& input) {
  Json out{{"resource", input.resource}, {"pods", input.pods}, {"events", input.events}};
  const auto strip = [](Json& object) {
    if (object.is_object() && object.contains("metadata") && object["metadata"].is_object()) {
      object["metadata"].erase("managedFields");
    }
  };
  strip(out["resource"]);
  for (const auto* list : {"pods", "events"}) {
    for (auto& object : out[list]) strip(object);
  }
  return out;
}

}  // namespace datasync::cli
