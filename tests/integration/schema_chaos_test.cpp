// Random schema changes, see schema_chaos.hpp. DATASYNC_SEED repeats a run, DATASYNC_DDL sets how many statements,
// DATASYNC_MINUTES runs for so long instead.

#include "tests/integration/schema_chaos.hpp"

#include <chrono>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

namespace datasync::test {
namespace {

constexpr int kStatementsOfAScript = 30;
constexpr int kTriesToShrink = 25;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string shown(const ChaosScript& script) {
  std::string text;
  for (const auto& step : script) text += step.shown() + "\n";
  return text;
}

/// Half of what is asked for: the other half has names of the other kind.
void run_script(bool any_case) {
  const auto seed = from_environment("DATASYNC_SEED", std::random_device()());
  const auto wanted = static_cast<int>(from_environment("DATASYNC_DDL", 320)) / 2;
  const auto seconds = from_environment("DATASYNC_MINUTES", 0) * 30;
  const auto tries = static_cast<int>(from_environment("DATASYNC_SHRINK", kTriesToShrink));
  std::printf("DATASYNC_SEED=%llu\n", static_cast<unsigned long long>(seed));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  SchemaChaos chaos(any_case);
  for (std::uint64_t i = 0; seconds > 0 ? std::chrono::steady_clock::now() < until : chaos.statements() < wanted; ++i) {
    const auto script = make_chaos_script(seed + i, kStatementsOfAScript, any_case);
    const auto failure = chaos.run(script);
    if (failure.empty()) continue;
    std::printf("%s\nDATASYNC_SEED=%llu fails; looking for a shorter script\n", failure.c_str(),
                static_cast<unsigned long long>(seed + i));
    const auto shortest = tries > 0 ? chaos.shrink(script, tries) : script;
    ADD_FAILURE() << "DATASYNC_SEED=" << seed + i << "\n" << failure << "\nshortest script found:\n" << shown(shortest);
    if (seconds == 0) break;
  }
  std::printf("%s", chaos.tally().c_str());
}

TEST(SchemaChaosTest, EndsEqualOrReportsWhatToDo) {
  run_script(false);
}

TEST(SchemaChaosTest, EndsEqualWithNamesWithoutCase) {
  run_script(true);
}

}  // namespace
}  // namespace datasync::test
