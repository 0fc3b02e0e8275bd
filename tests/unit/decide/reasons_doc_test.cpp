// docs/operator-reasons.md is made from operator/decide/reasons.hpp. UPDATE_DOCS=1 rewrites it.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "agents/base/reason.hpp"
#include "operator/decide/reasons.hpp"

namespace datasync::decide {
namespace {

std::string page() {
  std::string out =
      "# Reasons of the operator\n\n"
      "Conditions and events of a DataSync carry one of these, or one of the agents' own reasons "
      "([reasons.md](reasons.md)).\nAlerts can be written on the names: they do not change.\n";
  const auto section = [&](Shown shown, const char* title) {
    out +=
        std::string("\n## ") + title + "\n\n| reason | event | what it means and what to do |\n| --- | --- | --- |\n";
    for (const auto& r : kReasons)
      if (r.shown == shown)
        out += "| `" + std::string(r.name) + "` | " + (r.event == EventKind::Warning ? "Warning" : "Normal") + " | " +
               std::string(r.text) + " |\n";
  };
  section(Shown::Ready, "Ready is True");
  section(Shown::Paused, "Ready is False as requested");
  section(Shown::Reconciling, "Reconciling is True: recovers automatically");
  section(Shown::Stalled, "Stalled is True: needs manual action; continues once the cause is fixed");
  section(Shown::Event, "In events only");
  return out;
}

TEST(OperatorReasonsPage, matches_the_code) {
  const std::string path = PROJECT_SOURCE_DIR "/docs/operator-reasons.md";
  if (std::getenv("UPDATE_DOCS") != nullptr) std::ofstream(path) << page();
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), page()) << "run with UPDATE_DOCS=1";
}

// Alerts and `kubectl get events` separate by type: a failure, and what needs a user, is a Warning.
TEST(EventKinds, of_every_reason) {
  const std::set<std::string_view> normal{// the operator's
                                          "Streaming", "Snapshotting", "AgentsReady", "Completed", "Paused", "Starting",
                                          "ReplacingLeftover", "CleanupRunning", "CleanupDone", "ManagedElsewhere",
                                          // the agents'
                                          "Stopping", "Superseded"};
  std::size_t met = 0;
  const auto check = [&](std::string_view name) {
    met += normal.count(name);
    EXPECT_EQ(event_kind(name), normal.contains(name) ? EventKind::Normal : EventKind::Warning) << name;
  };
  for (const auto& r : kReasons) {
    check(r.name);
    if (r.shown == Shown::Stalled) {
      EXPECT_EQ(r.event, EventKind::Warning) << r.name;
    }
  }
  for (const auto& r : base::all_reasons()) check(r.name);
  EXPECT_EQ(met, normal.size()) << "every name is one that there is";
  EXPECT_EQ(event_kind("SecretNotFound"), EventKind::Warning);
  EXPECT_EQ(event_kind("OfANewerAgent"), EventKind::Warning);
}

TEST(OperatorReasonsPage, names_every_reason_once) {
  std::set<std::string_view> names;
  for (const auto& r : kReasons) EXPECT_TRUE(names.insert(r.name).second) << r.name;
}

}  // namespace
}  // namespace datasync::decide
