// The operator is killed after each single write that it makes, then started again: it must end with the objects of an
// undisturbed run (FAULTS D1).

#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "tests/integration/operator_environment.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMostWrites = 30;

struct Step {
  const char* name;
  std::function<void(OperatorEnvironment&)> before;  ///< what the operator has settled before the step; null: nothing
  std::function<void(OperatorEnvironment&)> act;
  bool ends = false;             ///< the resource is gone in the end
  std::size_t least_writes = 1;  ///< fewer: the step does not show what it is for
};

void create(OperatorEnvironment& env) {
  ASSERT_EQ(env.apply(OperatorEnvironment::resource()), "");
}
void create_paused(OperatorEnvironment& env) {
  ASSERT_EQ(env.apply(OperatorEnvironment::resource(R"({"spec":{"paused":true}})")), "");
}
void create_to_delete(OperatorEnvironment& env) {
  ASSERT_EQ(env.apply(OperatorEnvironment::resource(R"({"spec":{"deletionPolicy":"Delete"}})")), "");
}
void erase(OperatorEnvironment& env) {
  env.remove(kube::kDataSyncs, "shop");
}

const std::vector<Step>& steps() {
  static const std::vector<Step> all{
      {"create", nullptr, create},
      {"update", create,
       [](OperatorEnvironment& env) {
         ASSERT_EQ(env.apply(OperatorEnvironment::resource(R"({"spec":{"source":{"replicas":[{"host":"db-2"}]},
             "destination":null,"capture":{"resources":{"limits":{"memory":"1Gi"}}}}})")),
                   "");
       }},
      {"pause", create, create_paused},
      {"resume", create_paused, create},
      {"delete", create, erase, true, 0},  // the garbage collector does all
      // Two Deployments, the Job, the finalizer, and what is reported.
      {"delete_with_cleanup", create_to_delete, erase, true, 5},
      {"delete_paused_with_cleanup",
       [](OperatorEnvironment& env) {
         ASSERT_EQ(env.apply(OperatorEnvironment::resource(R"({"spec":{"deletionPolicy":"Delete","paused":true}})")),
                   "");
       },
       erase, true, 5},
      {"recreate_after_cleanup", create_to_delete,
       [](OperatorEnvironment& env) {
         erase(env);
         const auto gone = [&] {
           env.end_job("Complete");
           return env.get(kube::kDataSyncs, "shop").is_null();
         };
         ASSERT_TRUE(eventually(gone, seconds(60)));
         create_to_delete(env);
       },
       false, 10},
      {"recreate", create,
       [](OperatorEnvironment& env) {
         erase(env);
         create(env);
       }},
      {"deletion_policy", create, create_to_delete},
  };
  return all;
}

class OperatorKill : public testing::Test {
 protected:
  static void SetUpTestSuite() { environment_ = std::make_unique<OperatorEnvironment>(); }
  static void TearDownTestSuite() { environment_.reset(); }

  /// The writes have come to an end and the resource's spec was seen.
  bool settled(ApiProxy& proxy, bool gone) {
    return eventually(
        [&] {
          environment_->end_job("Complete");  // as its controller and its pod would
          const auto before = proxy.writes();
          if (!environment_->observed() || environment_->get(kube::kDataSyncs, "shop").is_null() != gone) return false;
          std::this_thread::sleep_for(milliseconds(700));
          return proxy.writes() == before;
        },
        seconds(60));
  }

  /// Does the step; kills after the n-th write (0: never). What is there in the end, `expected` as soon as it is that,
  /// and how many writes it took.
  std::pair<Json, std::size_t> run_step(const Step& step, std::size_t kill_at, const Json& expected = {}) {
    environment_->clear();
    ApiProxy proxy(environment_->server());
    auto op = environment_->start(proxy.kubeconfig());
    if (step.before) {
      step.before(*environment_);
      EXPECT_TRUE(settled(proxy, false)) << environment_->log();
      EXPECT_FALSE(environment_->get(kube::kDeployments, "shop-capture").is_null());
    }
    proxy.reset();
    std::atomic<bool> dead = false;
    const auto pid = op.pid();
    if (kill_at > 0)
      proxy.before_answer([&, pid](const ApiCall&, std::size_t n) {
        if (n == kill_at && !dead.exchange(true)) ::kill(pid, SIGKILL);
      });
    // Beside it, for a step that waits for what only the restarted operator does.
    const auto act = std::async(std::launch::async, [&] { step.act(*environment_); });
    std::size_t writes = 0;
    if (kill_at > 0) {
      std::size_t committed = 0;
      const auto died = [&] {
        environment_->end_job("Complete");
        committed = proxy.count([](const ApiCall& c) { return c.committed(); });
        return !op.is_running();
      };
      // After that it is not killed any more: it would end while the rest of the step is waited for.
      if (eventually(died, seconds(15)) || dead.exchange(true)) {
        ++kills_;
        proxy.reset();
        op = environment_->start(proxy.kubeconfig());
      } else {
        // Two writes of the status may become one, by chance: then there is no such write this time.
        EXPECT_LT(committed, kill_at) << "it was not killed";
      }
    }
    act.wait();
    EXPECT_TRUE(settled(proxy, step.ends)) << environment_->log();
    writes = proxy.writes();
    EXPECT_TRUE(op.is_running()) << environment_->log();
    auto objects = environment_->objects();
    // On a busy machine the pause between two writes may be as long as the quiet at the end.
    static_cast<void>(
        eventually([&] { return kill_at == 0 || (objects = environment_->objects()) == expected; }, seconds(60)));
    return {std::move(objects), writes};
  }

  static inline std::unique_ptr<OperatorEnvironment> environment_;
  std::size_t kills_ = 0;
};

TEST_F(OperatorKill, after_any_write_ends_in_the_same_state) {
  std::size_t points = 0;
  for (const auto& step : steps()) {
    const auto [expected, writes] = run_step(step, 0);
    points += writes;
    std::printf("%s: %zu writes\n", step.name, writes);
    ASSERT_GE(writes, step.least_writes) << step.name;
    ASSERT_LT(writes, kMostWrites) << step.name;
    ASSERT_FALSE(expected.empty()) << step.name;
    for (std::size_t n = 1; n <= writes; ++n) {
      const auto [objects, more] = run_step(step, n, expected);
      EXPECT_TRUE(objects == expected) << step.name << " killed after write " << n << "\n"
                                       << Json::diff(expected, objects).dump(1);
      EXPECT_LT(more, kMostWrites) << step.name << " killed after write " << n;
      if (HasFailure()) return;
    }
  }
  std::printf("%zu kills at %zu writes\n", kills_, points);
  EXPECT_GE(kills_ * 10, points * 8) << "nearly every write of the undisturbed run comes again";
}

}  // namespace
}  // namespace datasync::test
