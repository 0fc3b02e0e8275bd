// A thousand resources with two agents each that report their status: memory, the time a change takes, and the quiet.

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/fake_status.hpp"
#include "tests/integration/operator_environment.hpp"
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
  OperatorEnvironment environment;
  ApiProxy proxy(environment.server());
  const FakeStatus agent(R"({"state":"Streaming","live":true,"ready":true,"position":"0-1-9","rows":12345})");
  // Each resource is reconciled again twice in the quiet minute.
  auto op = environment.start(proxy.kubeconfig(), {"--workers", "8", "--resync", "25"});
  for (int i = 0; i < kResources; ++i) {
    const auto name = fmt::format("shop-{}", i);
    const auto change = fmt::format(R"({{"spec":{{"channel":{{"topic":"{}"}}}}}})", name);
    ASSERT_EQ(environment.apply(OperatorEnvironment::resource(change.c_str(), name)), "");
  }
  const auto all_there = [&] {
    return environment.list(kube::kDeployments).size() == 2 * kResources &&
           environment.observed(fmt::format("shop-{}", kResources - 1));
  };
  ASSERT_TRUE(eventually(all_there, seconds(600))) << environment.log();
  for (int i = 0; i < kResources; ++i)
    for (const auto* name : {"capture", "apply"}) environment.make_pod(name, agent.port(), fmt::format("shop-{}", i));
  const auto all_ready = [&] {
    return std::ranges::all_of(environment.list(kube::kDataSyncs), [](const Json& r) {
      const auto conditions = r.value("/status/conditions"_json_pointer, Json::array());
      return std::ranges::any_of(conditions, [](const Json& c) {
        return c.at("type") == "Ready" && c.at("status") == "True" && c.at("reason") == "Streaming";
      });
    });
  };
  ASSERT_TRUE(eventually(all_ready, seconds(120))) << environment.log();
  // The first status writes of the last ones, and what they set going.
  ASSERT_TRUE(eventually(
      [&] {
        const auto before = proxy.writes();
        std::this_thread::sleep_for(seconds(5));
        return proxy.writes() == before;
      },
      seconds(300)));
  const auto before = proxy.calls().size();
  std::this_thread::sleep_for(kQuiet);
  const auto calls = proxy.calls();
  for (auto i = before; i < calls.size(); ++i)
    EXPECT_FALSE(calls[i].is_write()) << "in a quiet minute nothing is written: " << calls[i].text();
  std::printf("%zu calls in the quiet minute\n", calls.size() - before);
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_EQ(environment.apply(OperatorEnvironment::resource(
                R"({"spec":{"paused":true,"channel":{"topic":"shop-500"}}})", "shop-500")),
            "");
  ASSERT_TRUE(
      eventually([&] { return environment.get(kube::kDeployments, "shop-500-capture").at("spec").at("replicas") == 0; },
                 seconds(30)));
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_LT(took, kChange);
  std::printf("a change reached its child in %lld ms\n",
              static_cast<long long>(std::chrono::duration_cast<milliseconds>(took).count()));
  std::printf("resident %.1f MiB, peak %.1f MiB\n", static_cast<double>(op.resident_bytes()) / 1048576.0,
              static_cast<double>(op.peak_resident_bytes()) / 1048576.0);
  EXPECT_LE(op.peak_resident_bytes(), kMostBytes);
}

}  // namespace
}  // namespace datasync::test
