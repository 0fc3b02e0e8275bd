// docs/reasons.md is made from agents/base/reason.hpp. UPDATE_DOCS=1 rewrites it.

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "agents/base/reason.hpp"

namespace datasync::base {
namespace {

std::string page() {
  std::string out =
      "# Reasons\n\n"
      "A status, a log line and an event carry one of these. Alerts can be written on the names: they do not change.\n";
  const auto section = [&](Outcome outcome, const char* title) {
    out += std::string("\n## ") + title + "\n\n| reason | what it means and what to do |\n| --- | --- |\n";
    for (const auto& r : all_reasons())
      if (r.outcome == outcome) out += "| `" + std::string(r.name) + "` | " + std::string(r.text) + " |\n";
  };
  section(Outcome::Retry,
          "Recovers automatically (state `Retrying`, or `WaitingForReplica` for the reason of that name)");
  section(Outcome::Halt,
          "Needs manual action (state `Stalled`); nothing is skipped, and the agent continues once it is fixed");
  section(Outcome::Exit, "Terminates the agent");
  return out;
}

TEST(ReasonsPage, matches_the_code) {
  const std::string path = PROJECT_SOURCE_DIR "/docs/reasons.md";
  if (std::getenv("UPDATE_DOCS") != nullptr) std::ofstream(path) << page();
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), page()) << "run with UPDATE_DOCS=1";
}

}  // namespace
}  // namespace datasync::base
