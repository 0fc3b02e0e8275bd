// Rounds of faults under traffic. DATASYNC_SEED repeats a sequence of faults, DATASYNC_ROUNDS sets their number.

#include "tests/integration/chaos.hpp"

#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

namespace datasync::test {
namespace {

constexpr int kRoundsToACheck = 20;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : otherwise;
}

void run(Chaos::Options options, std::uint64_t rounds) {
  options.seed = from_environment("DATASYNC_SEED", std::random_device()());
  rounds = from_environment("DATASYNC_ROUNDS", rounds);
  std::printf("DATASYNC_SEED=%llu DATASYNC_ROUNDS=%llu\n", static_cast<unsigned long long>(options.seed),
              static_cast<unsigned long long>(rounds));
  Chaos chaos(options);
  ASSERT_TRUE(chaos.begin());
  for (std::uint64_t i = 1; i <= rounds; ++i) {
    ASSERT_TRUE(chaos.round()) << "DATASYNC_SEED=" << options.seed;
    if (i % kRoundsToACheck == 0 || i == rounds) {
      ASSERT_TRUE(chaos.check()) << "DATASYNC_SEED=" << options.seed;
    }
  }
  std::printf("%s", chaos.tally().c_str());
}

TEST(ChaosTest, OnePartitionKeepsTransactionsWhole) {
  run({}, 150);
}

TEST(ChaosTest, FourPartitions) {
  run({.partitions = 4, .seed = 1, .databases = {"north", "south"}}, 60);
}

}  // namespace
}  // namespace datasync::test
