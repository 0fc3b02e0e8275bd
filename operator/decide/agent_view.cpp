#include "operator/decide/agent_view.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "agents/base/text.hpp"
#include "operator/api/outside_json.hpp"

namespace datasync::decide {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostDepth = 16;
constexpr std::size_t kMostListed = 100;
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestWords = 2000;
constexpr std::size_t kLongestMessage = 16'384;  // it has the statements that it says to run
constexpr std::size_t kLongestHeldWords = 300;
constexpr std::size_t kLongestPosition = 8192;  // a user may have to copy it into an annotation, as a whole
constexpr std::size_t kLongestReason = 64;
constexpr double kMostSeconds = 1e10;
constexpr double kMostHours = 1e6;
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999: later ones have no text

/// Never cuts within a UTF-8 character.
std::string cut(std::string text, std::size_t longest) {
  if (text.size() <= longest) return text;
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xC0U) == 0x80U) --longest;
  text.resize(longest);
  return text + "...";
}

// A member of the wanted kind, or the fallback: an agent of another version must not break the display.
std::string text(const Json& object, const char* key, std::string fallback = {}, std::size_t longest = kLongestName) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? cut(at->get<std::string>(), longest) : std::move(fallback);
}

bool flag(const Json& object, const char* key, bool fallback) {
  const auto at = object.find(key);
  return at != object.end() && at->is_boolean() ? at->get<bool>() : fallback;
}

/// What a status can hold: an integer of the API has 63 bits.
std::int64_t whole(const Json& object, const char* key, std::int64_t fallback) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const auto at = object.find(key);
  if (at == object.end() || !at->is_number()) return fallback;
  if (at->is_number_unsigned())
    return static_cast<std::int64_t>(std::min<std::uint64_t>(at->get<std::uint64_t>(), kMost));
  if (at->is_number_integer()) return std::max<std::int64_t>(at->get<std::int64_t>(), 0);
  return static_cast<std::int64_t>(std::clamp(at->get<double>(), 0.0, 9e18));
}

std::uint64_t count(const Json& object, const char* key, std::uint64_t fallback) {
  return static_cast<std::uint64_t>(whole(object, key, static_cast<std::int64_t>(fallback)));
}

std::optional<double> number(const Json& object, const char* key, double most) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number() ? std::optional(std::clamp(at->get<double>(), 0.0, most)) : std::nullopt;
}

/// One word, as conditions and events take it.
std::string reason_word(const Json& object) {
  auto word = text(object, "reason", {}, kLongestReason);
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  std::erase_if(word, [&](char c) { return !fits(c); });
  while (!word.empty() && word.front() >= '0' && word.front() <= '9') word.erase(0, 1);
  return word;
}

const Json* find(const Json& object, const char* key, Json::value_t kind) {
  const auto at = object.find(key);
  return at != object.end() && at->type() == kind ? &*at : nullptr;
}

void read_lag(const Json& lag, AgentView& view) {
  constexpr std::pair<const char*, const char*> kStages[] = {{"replicaSeconds", "replica"},
                                                             {"captureSeconds", "capture"},
                                                             {"topicSeconds", "topic"},
                                                             {"applySeconds", "apply"}};
  view.lag.clear();
  for (const auto& [key, stage] : kStages) {
    if (const auto seconds = number(lag, key, kMostSeconds)) view.lag.emplace_back(stage, *seconds);
  }
}

SnapshotView read_snapshot(const Json& snapshot) {
  SnapshotView out;
  out.percent = number(snapshot, "percent", 100).value_or(0);
  out.rows_per_second = number(snapshot, "rowsPerSecond", 1e12).value_or(0);
  out.eta_seconds = number(snapshot, "etaSeconds", kMostSeconds);
  if (const auto* tables = find(snapshot, "tables", Json::value_t::array)) {
    for (const auto& t : *tables) {
      if (!t.is_object()) continue;
      ++out.tables;
      if (flag(t, "done", false)) {
        ++out.tables_done;
      } else if (out.table.empty()) {
        out.table = text(t, "table");
      }
    }
  }
  return out;
}

VerifyView read_verify(const Json& verify) {
  VerifyView out;
  out.done = flag(verify, "done", false);
  if (const auto* tables = find(verify, "tables", Json::value_t::array)) {
    for (const auto& t : *tables) {
      if (!t.is_object()) continue;
      ++out.tables;
      if (!flag(t, "equal", false) && out.different.size() < kMostListed)
        out.different.push_back(text(t, "table", "?"));
    }
  }
  return out;
}

void read_held(const Json& held, AgentView& view) {
  view.held.clear();
  view.held_count = 0;
  for (const auto& h : held) {
    if (!h.is_object() || ++view.held_count > kMostListed) continue;
    view.held.push_back({text(h, "table", "?"), reason_word(h),
                         base::cut_middle(text(h, "message", {}, kLongestStatus), kLongestHeldWords),
                         whole(h, "stream", 0), whole(h, "offset", 0), std::min(whole(h, "since", 0), kLastSecond)});
  }
}

// Several streams share one order only by their GTIDs: show the one set when there is one stream, else how many.
void read_streams(const Json& streams, AgentView& view) {
  view.skipped_offsets.clear();
  for (const auto& stream : streams) {
    const auto* skipped = stream.is_object() ? find(stream, "skippedOffsets", Json::value_t::array) : nullptr;
    if (skipped == nullptr) continue;
    for (const auto& offset : *skipped)
      if (offset.is_number_integer() && view.skipped_offsets.size() < kMostListed)
        view.skipped_offsets.push_back(std::to_string(whole(stream, "stream", 0)) + ":" + offset.dump());
  }
  if (streams.size() == 1 && streams[0].is_object()) {
    view.position = text(streams[0], "gtids", {}, kLongestWords);
  } else if (!streams.empty()) {
    view.position = std::to_string(streams.size()) + " streams";
  }
}

}  // namespace

bool read_status(std::string_view json, AgentView& view) {
  if (json.size() > kLongestStatus) return false;
  const auto status = api::parse_bounded(json, kMostDepth);
  if (!status.is_object() || !status.contains("state")) return false;
  view.state = text(status, "state", view.state, kLongestReason);
  view.reason = reason_word(status);
  view.message = base::cut_middle(text(status, "message", {}, kLongestStatus), kLongestMessage);
  view.live = flag(status, "live", true);
  view.ready = flag(status, "ready", false);
  view.lost_position = text(status, "lostPosition", {}, kLongestPosition);
  view.accepted_position = text(status, "acceptedPosition", {}, kLongestPosition);
  view.endpoint = text(status, "replica", text(status, "destination", view.endpoint));
  view.position = text(status, "position", view.position, kLongestWords);
  view.rows = count(status, "rows", view.rows);
  view.transactions = count(status, "transactions", view.transactions);
  view.duplicates = count(status, "duplicatesRefused", view.duplicates);
  view.conflicts = count(status, "conflicts", view.conflicts);
  view.binlog_hours_left = number(status, "binlogHoursLeft", kMostHours);
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
