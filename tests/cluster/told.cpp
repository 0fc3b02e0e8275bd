#include "tests/cluster/told.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace datasync::test {
namespace {

constexpr std::size_t kWords = 1000;  // an Event's note is cut at 1024 bytes, a condition's message later

/// Ready is True: no story.
bool is_well(const std::string& reason) {
  static const std::set<std::string> reasons{"Streaming", "Snapshotting", "AgentsReady", "Completed"};
  return reasons.contains(reason);
}

bool shows(const Observed& seen, const std::string& reason) {
  return std::ranges::find(seen.shown, reason, &Shown::reason) != seen.shown.end();
}

bool is_of_story(const Observed& seen, const EventTold& event) {
  if (event.last >= seen.begun) return true;
  if (event.uid != seen.uid) return false;
  return std::ranges::any_of(seen.shown, [&](const Shown& shown) {
    return shown.reason == event.reason && shown.message.substr(0, kWords) == event.note.substr(0, kWords);
  });
}

bool has_event(const Observed& seen, const std::string& reason) {
  return std::ranges::any_of(
      seen.events, [&](const EventTold& event) { return event.reason == reason && is_of_story(seen, event); });
}

Told merged(Told one, const Told& other) {
  one.always.insert(other.always.begin(), other.always.end());
  one.sometimes.insert(other.sometimes.begin(), other.sometimes.end());
  one.events.insert(other.events.begin(), other.events.end());
  return one;
}

}  // namespace

Told replaced(Told besides) {
  besides.always.insert("Starting");
  return maybe_replaced(std::move(besides));
}

Told maybe_replaced(Told besides) {
  // Two captures of one task have one server id: while both are there, each cuts off the other's dump. And the new one
  // may be ahead of the replica that it finds.
  return merged({.sometimes = {"Starting", "AgentGone", "AgentUnreachable", "PodPending", "SourceRestarted",
                               "WaitingForReplica"}},
                besides);
}

std::string differences(const Observed& seen, const Told& told) {
  std::string out;
  const auto say = [&](const char* where, const char* what, const std::string& reason) {
    out += fmt::format("{} {} {}\n", where, what, reason);
  };
  const auto may_be = [&](const std::string& reason) {
    return is_well(reason) || told.always.contains(reason) || told.sometimes.contains(reason);
  };
  for (const auto& reason : told.always) {
    if (!shows(seen, reason)) say("conditions", "do not tell", reason);
  }
  std::set<std::string> reasons;
  for (const auto& one : seen.shown) reasons.insert(one.reason);
  for (const auto& reason : reasons) {
    if (!may_be(reason)) say("conditions", "tell", reason);
    if (!is_well(reason) && !has_event(seen, reason)) say("Events", "do not tell", reason);
  }
  for (const auto& reason : told.events) {
    if (!has_event(seen, reason)) say("Events", "do not tell", reason);
  }
  reasons.clear();
  for (const auto& event : seen.events) {
    if (event.last >= seen.begun) reasons.insert(event.reason);
  }
  for (const auto& reason : reasons) {
    if (!may_be(reason) && !told.events.contains(reason)) say("Events", "tell", reason);
  }
  return out;
}

std::string summary(const std::vector<Shown>& shown) {
  std::vector<std::string> reasons;
  for (const auto& one : shown) {
    if (reasons.empty() || reasons.back() != one.reason) reasons.push_back(one.reason);
  }
  return fmt::format("{}", fmt::join(reasons, ", "));
}

}  // namespace datasync::test
