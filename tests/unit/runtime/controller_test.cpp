#include "operator/runtime/controller.hpp"

#include <algorithm>
#include <future>
#include <stdexcept>

#include <gtest/gtest.h>

#include "agents/base/backoff.hpp"
#include "operator/kube/client.hpp"

namespace datasync::runtime {
namespace {

using base::Millis;

const ObjectKey kA{"ns", "a"};
const ObjectKey kB{"ns", "b"};

struct Fixture {
  std::atomic<base::SteadyTime> now{base::SteadyTime{}};
  health::Metrics metrics;
  std::vector<std::string> runs;
  std::function<Outcome(const ObjectKey&, std::stop_token)> body = [](const ObjectKey&, std::stop_token) {
    return Outcome::done();
  };
  Controller controller{[this] {
                          Controller::Options options;
                          options.object_timeout = Millis(60'000);
                          options.resync = Millis(600'000);
                          options.silence = Millis(100'000);
                          options.queue.first_wait = Millis(1000);
                          options.now = [this] { return now.load(); };
                          return options;
                        }(),
                        [this](const ObjectKey& key, std::stop_token stop) {
                          runs.push_back(key.name);
                          return body(key, stop);
                        },
                        metrics};
  void pass(Millis time) { now = now.load() + time; }
  void run_all() {
    while (controller.run_one()) {
    }
  }
};

TEST(Controller, ReconcilesAnObjectWhenItWasAddedAndAtTheResync) {
  Fixture w;
  w.controller.enqueue(kA);
  w.run_all();
  EXPECT_EQ(w.runs.size(), 1U);
  w.pass(Millis(400'000));
  w.run_all();
  EXPECT_EQ(w.runs.size(), 1U);
  w.pass(Millis(400'000));
  w.run_all();
  EXPECT_EQ(w.runs.size(), 2U);
}

TEST(Controller, ReconcilesAgainAfterTheRequestedDelay) {
  Fixture w;
  w.body = [](const ObjectKey&, std::stop_token) { return Outcome::again(Millis(5000)); };
  w.controller.enqueue(kA);
  w.run_all();
  w.pass(Millis(4999));
  w.run_all();
  EXPECT_EQ(w.runs.size(), 1U);
  w.pass(Millis(1));
  w.run_all();
  EXPECT_EQ(w.runs.size(), 2U);
}

TEST(Controller, BacksOffAfterFailuresAndHeedsRetryAfter) {
  Fixture w;
  w.body = [](const ObjectKey&, std::stop_token) { return Outcome::failed("no"); };
  w.controller.enqueue(kA);
  for (int i = 0; i < 100; ++i) {
    w.run_all();
    w.pass(Millis(1000));
  }
  EXPECT_LE(w.runs.size(), 10U) << "100 s with doubling waits";
  EXPECT_GE(w.runs.size(), 5U);
  w.body = [](const ObjectKey&, std::stop_token) { return Outcome::failed("busy", Millis(3'000'000)); };
  w.controller.enqueue(kA);
  w.run_all();
  const auto before = w.runs.size();
  w.pass(Millis(2'000'000));
  w.run_all();
  EXPECT_LE(w.runs.size(), before + 1) << "at most the turn that was due already";
}

TEST(Controller, ABadObjectDoesNotBlockTheOthers) {
  Fixture w;
  w.body = [](const ObjectKey& key, std::stop_token) -> Outcome {
    if (key == kA) throw std::runtime_error("a defect");
    return Outcome::done();
  };
  w.controller.enqueue(kA);
  w.controller.enqueue(kB);
  w.run_all();
  EXPECT_EQ(w.runs, (std::vector<std::string>{"a", "b"}));
  w.pass(Millis(500));
  EXPECT_EQ(w.controller.last_success_age(kB), Millis(500));
  EXPECT_NE(w.metrics.text().find("datasync_operator_reconciles_total{controller=\"datasync\",result=\"error\"} 1"),
            std::string::npos);
}

TEST(Controller, EndsTheTurnOfAnObjectThatTakesTooLong) {
  Fixture w;
  std::promise<void> running;
  w.body = [&](const ObjectKey&, std::stop_token stop) {
    EXPECT_EQ(kube::CallScope::current(), stop) << "its API calls end too";
    running.set_value();
    base::sleep_for(stop, Millis(60'000));
    return Outcome::failed("stopped in the middle");
  };
  w.controller.enqueue(kA);
  auto turn = std::async(std::launch::async, [&] { return w.controller.run_one(); });
  running.get_future().get();
  w.pass(Millis(59'999));
  EXPECT_TRUE(w.controller.expire());
  w.pass(Millis(1));
  EXPECT_FALSE(w.controller.expire());
  EXPECT_TRUE(turn.get());
  EXPECT_NE(w.metrics.text().find("result=\"timeout\"} 1"), std::string::npos);
}

TEST(Controller, ForgetsAnObjectThatWasDeleted) {
  Fixture w;
  w.controller.enqueue(kA);
  w.run_all();
  EXPECT_NE(w.metrics.text().find("datasync_operator_last_success_seconds"), std::string::npos);
  w.body = [](const ObjectKey&, std::stop_token) { return Outcome::object_gone(); };
  w.controller.enqueue(kA);
  w.run_all();
  EXPECT_EQ(w.controller.objects(), 0U);
  EXPECT_EQ(w.metrics.text().find("name=\"a\""), std::string::npos);
}

// Its status says why; the operator has done what it can, and no alert about the operator may fire.
TEST(Controller, TheAgeOfAnObjectThatTheServerRefusesDoesNotGrow) {
  Fixture w;
  w.body = [](const ObjectKey& key, std::stop_token) {
    return key == kA ? Outcome::refused("422") : Outcome::failed("500");
  };
  w.controller.enqueue(kA);
  w.controller.enqueue(kB);
  for (int i = 0; i < 400; ++i) {
    w.run_all();
    w.pass(Millis(10'000));
  }
  EXPECT_LE(w.controller.last_success_age(kA), Millis(1'000'000)) << "tried again with back-off";
  EXPECT_GE(w.controller.last_success_age(kB), Millis(3'900'000));
  EXPECT_GE(std::ranges::count(w.runs, "a"), 5);
  const auto text = w.metrics.text();
  EXPECT_NE(text.find("datasync_operator_reconciles_total{controller=\"datasync\",result=\"refused\"}"), text.npos);
  EXPECT_NE(text.find("datasync_operator_reconciles_total{controller=\"datasync\",result=\"error\"}"), text.npos);
}

TEST(Controller, AStandbyHasNoSeriesOfObjects) {
  Fixture w;
  w.controller.enqueue(kA);
  EXPECT_EQ(w.metrics.text().find("datasync_operator_last_success_seconds"), std::string::npos)
      << "it would never end when the object is deleted";
  w.run_all();
  EXPECT_NE(w.metrics.text().find("datasync_operator_last_success_seconds"), std::string::npos);
}

TEST(Controller, IsNotLiveWhenAReadyKeyIsNotTaken) {
  Fixture w;
  w.controller.enqueue(kA);
  w.pass(Millis(100'000));
  EXPECT_TRUE(w.controller.live());
  w.pass(Millis(1));
  EXPECT_FALSE(w.controller.live());
  w.run_all();
  EXPECT_TRUE(w.controller.live());
  w.pass(Millis(2'000'000));
  EXPECT_FALSE(w.controller.live()) << "its resync did not happen";
}

TEST(Controller, IsNotLiveWhenAReconcileDoesNotEnd) {
  Fixture w;
  std::promise<void> running, end;
  w.body = [&](const ObjectKey&, std::stop_token) {
    running.set_value();
    end.get_future().get();
    return Outcome::done();
  };
  w.controller.enqueue(kA);
  auto turn = std::async(std::launch::async, [&] { return w.controller.run_one(); });
  running.get_future().get();
  w.pass(Millis(160'001));
  EXPECT_FALSE(w.controller.live());
  EXPECT_NE(w.controller.silent_about().find("ns/a"), std::string::npos);
  end.set_value();
  turn.get();
  EXPECT_TRUE(w.controller.live());
}

TEST(Controller, IsLiveWhileObjectsFail) {
  Fixture w;
  w.body = [](const ObjectKey&, std::stop_token) { return Outcome::failed("no"); };
  w.controller.enqueue(kA);
  for (int i = 0; i < 1000; ++i) {
    w.run_all();
    w.pass(Millis(10'000));
    ASSERT_TRUE(w.controller.live()) << w.controller.silent_about();
  }
  EXPECT_GE(w.controller.oldest_success_age(), Millis(9'000'000));
}

TEST(Controller, AStandbyIsNotLate) {
  Fixture w;
  w.controller.enqueue(kA);
  w.pass(Millis(7'200'000));
  const auto age = [&] {
    const auto text = w.metrics.text();
    const std::string name = "datasync_operator_oldest_success_seconds{controller=\"datasync\"} ";
    const auto at = text.find(name);
    return at == text.npos ? "none" : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
  };
  EXPECT_EQ(age(), "0");
  w.body = [](const ObjectKey&, std::stop_token) { return Outcome::failed("no"); };
  w.controller.start();
  w.controller.stop();
  EXPECT_EQ(age(), "0");
  w.pass(Millis(30'000));
  EXPECT_EQ(age(), "30");
}

TEST(Controller, WorksWithThreadsAndStopsThem) {
  health::Metrics metrics;
  std::atomic<int> runs = 0;
  std::promise<void> both;
  Controller controller(
      {},
      [&](const ObjectKey&, std::stop_token stop) {
        if (++runs == 2) both.set_value();
        base::sleep_for(stop, Millis(3'600'000));
        return Outcome::done();
      },
      metrics);
  controller.start();
  controller.enqueue(kA);
  controller.enqueue(kB);
  both.get_future().get();
  controller.stop();
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace datasync::runtime
