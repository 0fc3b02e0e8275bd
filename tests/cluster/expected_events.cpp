#include "tests/cluster/expected_events.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace datasync::test {
namespace {

constexpr std::size_t kMessageLength = 1000;  // an Event's note is cut at 1024 bytes, a condition's message later

/// Ready is True: nothing to expect.
bool is_healthy(const std::string& reason) {
  static const std::set<std::string> reasons{"Streaming", "Snapshotting", "AgentsReady", "Completed"};
  return reasons.contains(reason);
}

bool shows(const Observed& seen, const std::string& reason) {
  return std::ranges::find(seen.shown, reason, &Shown::reason) != seen.shown.end();
}

bool is_of_scenario(const Observed& seen, const ObservedEvent& event) {
  if (event.last >= seen.begun) return true;
  if (event.uid != seen.uid) return false;
  return std::ranges::any_of(seen.shown, [&](const Shown& shown) {
    return shown.reason == event.reason &&
           shown.message.substr(0, kMessageLength) == event.note.substr(0, kMessageLength);
  });
}

bool has_event(const Observed& seen, const std::string& reason) {
  return std::ranges::any_of(
      seen.events, [&](const ObservedEvent& event) { return event.reason == reason && is_of_scenario(seen, event); });
}

ExpectedEvents merged(ExpectedEvents one, const ExpectedEvents& other) {
  one.always.insert(other.always.begin(), other.always.end());
  one.sometimes.insert(other.sometimes.begin(), other.sometimes.end());
  one.events.insert(other.events.begin(), other.events.end());
  return one;
}

}  // namespace

ExpectedEvents replaced(ExpectedEvents besides) {
  besides.always.insert("Starting");
  return maybe_replaced(std::move(besides));
}

ExpectedEvents maybe_replaced(ExpectedEvents besides) {
  // Two captures of one task have one server id: while both are there, each cuts off the other's dump. And the new one
  // may be ahead of the replica that it finds.
  return merged({.sometimes = {"Starting", "AgentGone", "AgentUnreachable", "PodPending", "SourceRestarted",
                               "WaitingForReplica"}},
                besides);
}

std::string differences(const Observed& seen, const ExpectedEvents& expected) {
  std::string out;
  const auto say = [&](const char* where, const char* what, const std::string& reason) {
    out += fmt::format("{} {} {}\n", where, what, reason);
  };
  const auto may_be = [&](const std::string& reason) {
    return is_healthy(reason) || expected.always.contains(reason) || expected.sometimes.contains(reason);
  };
  for (const auto& reason : expected.always) {
    if (!shows(seen, reason)) say("conditions", "do not report", reason);
  }
  std::set<std::string> reasons;
  for (const auto& one : seen.shown) reasons.insert(one.reason);
  for (const auto& reason : reasons) {
    if (!may_be(reason)) say("conditions", "report", reason);
    if (!is_healthy(reason) && !has_event(seen, reason)) say("Events", "do not report", reason);
  }
  for (const auto& reason : expected.events) {
    if (!has_event(seen, reason)) say("Events", "do not report", reason);
  }
  reasons.clear();
  for (const auto& event : seen.events) {
    if (event.last >= seen.begun) reasons.insert(event.reason);
  }
  for (const auto& reason : reasons) {
    if (!may_be(reason) && !expected.events.contains(reason)) say("Events", "report", reason);
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
