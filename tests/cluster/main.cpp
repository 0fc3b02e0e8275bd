// make cluster-test: two real clusters, one Kafka topic, and everything that may go wrong.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/cluster/fixture.hpp"
#include "tests/cluster/images.hpp"
#include "tests/cluster/manifests.hpp"
#include "tests/cluster/sandbox.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// What a user does: operators by Helm, resources by kubectl. Until the first row is at the destination.
void install(Harness& harness) {
  auto& environment = harness.environment();
  for (auto& side : environment.sides()) environment.prepare(side);
  environment.servers().traffic().start();
  const auto begin = std::chrono::steady_clock::now();
  // One operator for the whole cluster, one for a namespace: the two ways to give rights.
  environment.a().values = {"agents.networkPolicy=true"};
  environment.b().values = {fmt::format("watch.namespaces={{{}}}", kNamespace)};
  for (auto& side : environment.sides()) environment.install(side, environment.images().tag);
  harness.times().note("helm install in both clusters, operators ready", since(begin), 120);
  environment.apply(environment.a(), "shop", capture_only());
  environment.apply(environment.b(), "shop", apply_only("shop"));
  environment.apply(environment.b(), "bank", apply_only("bank"));
  environment.apply(environment.a(), "backoffice", full_resource());
  await(
      "the first row", [&] { return environment.servers().reached_at_recovery().order > 0; }, seconds(120));
  harness.times().note("helm install to the first row at the destination", since(begin), 180);
  environment.wait_until_healthy(seconds(120));
  harness.times().note("helm install to everything Ready and caught up", since(begin), 240);
  for (auto& side : environment.sides()) {
    side.kubectl.helm({"-n", kOperators, "test", "datasync", "--timeout", "60s"});
  }
}

int run_tests(const Sandbox* sandbox, const std::filesystem::path& folder, const Images& images) {
  std::unique_ptr<Environment> environment;
  try {
    const auto begin = std::chrono::steady_clock::now();
    environment = std::make_unique<Environment>(sandbox, folder, images);
    Harness the_harness(*environment);
    the_harness.times().note("two clusters, three database servers, two replicas and Kafka up", since(begin), 180);
    set_harness(&the_harness);
    install(the_harness);
    const int result = RUN_ALL_TESTS();
    fmt::print("\n{}", the_harness.times().table());
    return result;
  } catch (const std::exception& error) {
    fmt::print(stderr, "cluster-test: {}\n{}\n", error.what(), environment ? environment->report() : "");
    return 1;
  }
}

}  // namespace
}  // namespace datasync::test

int main(int argc, char** argv) {
  using namespace datasync::test;
  testing::GTEST_FLAG(fail_fast) = true;  // what a failed test has broken stays so, for all tests share the environment
  testing::InitGoogleTest(&argc, argv);
  if (testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
  try {
    return with_clusters(run_tests);
  } catch (const std::exception& error) {
    fmt::print(stderr, "cluster-test: {}\n", error.what());
    return 1;
  }
}
