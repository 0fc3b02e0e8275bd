// The operator is killed after each single write that it makes, then started again: it must end with the objects of an
// undisturbed run (FAULTS D1).

#include <atomic>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "tests/integration/operator_world.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMostWrites = 30;

struct Step {
  const char* name;
  std::function<void(OperatorWorld&)> before;  ///< what the operator has settled before the step; null: nothing
  std::function<void(OperatorWorld&)> act;
};

void create(OperatorWorld& w) {
  ASSERT_EQ(w.apply(OperatorWorld::resource()), "");
}
void create_paused(OperatorWorld& w) {
  ASSERT_EQ(w.apply(OperatorWorld::resource(R"({"spec":{"paused":true}})")), "");
}
void erase(OperatorWorld& w) {
  w.remove(kube::kDataSyncs, "shop");
}

const std::vector<Step>& steps() {
  static const std::vector<Step> all{
      {"create", nullptr, create},
      {"update", create,
       [](OperatorWorld& w) {
         ASSERT_EQ(w.apply(OperatorWorld::resource(R"({"spec":{"source":{"replicas":[{"host":"db-2"}]},
             "destination":null,"capture":{"resources":{"limits":{"memory":"1Gi"}}}}})")),
                   "");
       }},
      {"pause", create, create_paused},
      {"resume", create_paused, create},
      {"delete", create, erase},
      {"recreate", create,
       [](OperatorWorld& w) {
         erase(w);
         create(w);
       }},
      {"deletion_policy", create,
       [](OperatorWorld& w) {
         ASSERT_EQ(w.apply(OperatorWorld::resource(R"({"spec":{"deletionPolicy":"Delete"}})")), "");
       }},
  };
  return all;
}

class OperatorKill : public testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<OperatorWorld>(); }
  static void TearDownTestSuite() { world_.reset(); }

  /// The writes have come to an end and the resource's spec was seen.
  bool settled(ApiProxy& proxy) {
    return eventually(
        [&] {
          const auto before = proxy.writes();
          if (!world_->observed()) return false;
          std::this_thread::sleep_for(milliseconds(700));
          return proxy.writes() == before;
        },
        seconds(60));
  }

  /// Does the step; kills after the n-th write (0: never). What is there in the end, and how many writes it took.
  std::pair<Json, std::size_t> play(const Step& step, std::size_t kill_at) {
    world_->clear();
    ApiProxy proxy(world_->server());
    auto op = world_->start(proxy.kubeconfig());
    if (step.before) {
      step.before(*world_);
      EXPECT_TRUE(settled(proxy)) << world_->log();
      EXPECT_FALSE(world_->get(kube::kDeployments, "shop-capture").is_null());
    }
    proxy.reset();
    std::atomic<bool> dead = false;
    const auto pid = op.pid();
    if (kill_at > 0)
      proxy.before_answer([&, pid](const ApiCall&, std::size_t n) {
        if (n == kill_at && !dead.exchange(true)) ::kill(pid, SIGKILL);
      });
    step.act(*world_);
    std::size_t writes = 0;
    if (kill_at > 0) {
      EXPECT_TRUE(eventually([&] { return !op.is_running(); }, seconds(30))) << "write " << kill_at << " never came";
      proxy.reset();
      op = world_->start(proxy.kubeconfig());
    }
    EXPECT_TRUE(settled(proxy)) << world_->log();
    writes = proxy.writes();
    EXPECT_TRUE(op.is_running()) << world_->log();
    return {world_->objects(), writes};
  }

  static inline std::unique_ptr<OperatorWorld> world_;
};

TEST_F(OperatorKill, after_any_write_the_end_is_that_of_an_undisturbed_run) {
  for (const auto& step : steps()) {
    const auto [expected, writes] = play(step, 0);
    std::printf("%s: %zu writes\n", step.name, writes);
    ASSERT_LT(writes, kMostWrites) << step.name;
    ASSERT_FALSE(expected.empty()) << step.name;
    for (std::size_t n = 1; n <= writes; ++n) {
      const auto [objects, more] = play(step, n);
      EXPECT_EQ(objects, expected) << step.name << " killed after write " << n << "\n"
                                   << Json::diff(expected, objects).dump(1);
      EXPECT_LT(more, kMostWrites) << step.name << " killed after write " << n;
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace datasync::test
