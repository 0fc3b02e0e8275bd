// A thousand resources: memory, the time a change takes, and the quiet.

#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/operator_world.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kResources = 1000;
constexpr std::uint64_t kMostBytes = 100ULL << 20U;
constexpr auto kChange = seconds(2);
constexpr auto kQuiet = seconds(60);

TEST(OperatorScale, a_thousand_resources) {
  OperatorWorld world;
  ApiProxy proxy(world.server());
  auto op = world.start(proxy.kubeconfig(), {"--workers", "8"});
  for (int i = 0; i < kResources; ++i) {
    const auto name = fmt::format("shop-{}", i);
    const auto change = fmt::format(R"({{"spec":{{"channel":{{"topic":"{}"}}}}}})", name);
    ASSERT_EQ(world.apply(OperatorWorld::resource(change.c_str(), name)), "");
  }
  const auto all_there = [&] {
    return world.list(kube::kDeployments).size() == 2 * kResources &&
           world.observed(fmt::format("shop-{}", kResources - 1));
  };
  ASSERT_TRUE(eventually(all_there, seconds(600))) << world.log();
  // The first status writes of the last ones, and what they set going.
  ASSERT_TRUE(eventually(
      [&] {
        const auto before = proxy.writes();
        std::this_thread::sleep_for(seconds(5));
        return proxy.writes() == before;
      },
      seconds(300)));
  const auto before = proxy.writes();
  std::this_thread::sleep_for(kQuiet);
  EXPECT_EQ(proxy.writes(), before) << "in a quiet minute nothing is written";
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_EQ(
      world.apply(OperatorWorld::resource(R"({"spec":{"paused":true,"channel":{"topic":"shop-500"}}})", "shop-500")),
      "");
  ASSERT_TRUE(eventually(
      [&] { return world.get(kube::kDeployments, "shop-500-capture").at("spec").at("replicas") == 0; }, seconds(30)));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, kChange);
  std::printf("resident %.1f MiB, peak %.1f MiB\n", static_cast<double>(op.resident_bytes()) / 1048576.0,
              static_cast<double>(op.peak_resident_bytes()) / 1048576.0);
  EXPECT_LE(op.peak_resident_bytes(), kMostBytes);
}

}  // namespace
}  // namespace datasync::test
