#include "operator/runtime/leader.hpp"

#include <future>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_api.hpp"

namespace datasync::runtime {
namespace {

using base::Millis;
using Step = LeaderElector::Step;

const ObjectKey kLease{"ns", "lease"};

struct Process {
  std::atomic<base::SteadyTime> now{base::SteadyTime{}};
  LeaderElector elector;
  Process(FakeApi& api, const std::string& identity)
      : elector(api, [&] {
          LeaderElector::Options options;
          options.lease = kLease;
          options.identity = identity;
          options.now = [this] { return now.load(); };
          options.sleep = [](std::stop_token stop, Millis) { return base::sleep_for(stop, Millis(1)); };
          return options;
        }()) {}
  void pass(Millis time) { now = now.load() + time; }
};

TEST(Leader, OnlyOneOfTwoHoldsTheLease) {
  FakeApi api;
  Process a(api, "a"), b(api, "b");
  EXPECT_EQ(a.elector.step(), Step::Held);
  EXPECT_EQ(b.elector.step(), Step::Other);
  EXPECT_TRUE(a.elector.leading());
  EXPECT_FALSE(b.elector.leading());
  EXPECT_EQ(b.elector.holder(), "a");
}

TEST(Leader, TakesALeaseThatDidNotChangeForItsDurationByOurOwnClock) {
  FakeApi api;
  Process a(api, "a"), b(api, "b");
  EXPECT_EQ(a.elector.step(), Step::Held);
  b.pass(Millis(1'000'000));
  EXPECT_EQ(b.elector.step(), Step::Other) << "seen for the first time: its age is unknown";
  b.pass(Millis(14'999));
  EXPECT_EQ(b.elector.step(), Step::Other);
  a.pass(Millis(1));
  EXPECT_EQ(a.elector.step(), Step::Held);
  b.pass(Millis(2000));
  EXPECT_EQ(b.elector.step(), Step::Other) << "it was renewed";
  b.pass(Millis(15'000));
  EXPECT_EQ(b.elector.step(), Step::Held);
  EXPECT_EQ(api.objects.at(kLease).at("spec").at("leaseTransitions"), 1);
  EXPECT_EQ(a.elector.step(), Step::Failed) << "its write meets a conflict";
  EXPECT_EQ(a.elector.step(), Step::Other);
}

TEST(Leader, DoesNotTakeALeaseWithoutADurationAtOnce) {
  FakeApi api;
  Process a(api, "a"), b(api, "b");
  EXPECT_EQ(a.elector.step(), Step::Held);
  api.objects.at(kLease).at("spec").erase("leaseDurationSeconds");
  EXPECT_EQ(b.elector.step(), Step::Other);
  b.pass(Millis(14'999));
  EXPECT_EQ(b.elector.step(), Step::Other);
  b.pass(Millis(1));
  EXPECT_EQ(b.elector.step(), Step::Held);
}

TEST(Leader, DoesNotLeadAfterTheRenewDeadlineWhateverTheThreadsDo) {
  FakeApi api;
  Process a(api, "a");
  EXPECT_EQ(a.elector.step(), Step::Held);
  a.pass(Millis(9'999));
  EXPECT_TRUE(a.elector.leading());
  a.pass(Millis(1));
  EXPECT_FALSE(a.elector.leading()) << "as after a freeze, before any thread has run";
}

TEST(Leader, ReportsTheLossAtTheDeadlineThoughNoCallReturns) {
  FakeApi api;
  Process a(api, "a");
  ASSERT_TRUE(a.elector.acquire({}));
  std::promise<void> lost;
  {
    const std::lock_guard lock(api.mutex);
    api.refuse = Code::Timeout;
  }
  a.pass(Millis(10'001));
  a.elector.keep([&] { lost.set_value(); });
  lost.get_future().get();
  EXPECT_FALSE(a.elector.leading());
}

TEST(Leader, ReportsTheLossWhenAnotherHolderHasIt) {
  FakeApi api;
  Process a(api, "a");
  ASSERT_TRUE(a.elector.acquire({}));
  std::promise<void> lost;
  {
    const std::lock_guard lock(api.mutex);
    api.objects[kLease]["spec"]["holderIdentity"] = "b";
    api.objects[kLease]["metadata"]["resourceVersion"] = "1000";
  }
  a.elector.keep([&] { lost.set_value(); });
  lost.get_future().get();
  EXPECT_FALSE(a.elector.leading());
  a.elector.release();
  EXPECT_EQ(api.objects[kLease]["spec"]["holderIdentity"], "b") << "what is not ours is not given away";
}

TEST(Leader, ReportsForHowLongTheHolderIsUnknown) {
  FakeApi api;
  Process a(api, "a"), b(api, "b");
  ASSERT_EQ(a.elector.step(), Step::Held);
  std::stop_source stop;
  std::vector<Millis> reported;
  const auto note = [&](Millis unknown) {
    reported.push_back(unknown);
    b.pass(Millis(10'000));
    if (reported.size() == 1) api.refuse = Code::Forbidden;
    if (reported.size() == 4) stop.request_stop();
  };
  EXPECT_FALSE(b.elector.acquire(stop.get_token(), note));
  EXPECT_EQ(reported, (std::vector<Millis>{Millis(0), Millis(10'000), Millis(20'000), Millis(30'000)}))
      << "a standby knows; one without the right does not";
}

TEST(Leader, AReleasedLeaseIsTakenAtOnce) {
  FakeApi api;
  Process a(api, "a"), b(api, "b");
  ASSERT_TRUE(a.elector.acquire({}));
  EXPECT_EQ(b.elector.step(), Step::Other);
  a.elector.keep([] {});
  a.elector.release();
  EXPECT_FALSE(a.elector.leading());
  EXPECT_EQ(b.elector.step(), Step::Held);
}

TEST(Leader, AStopEndsTheWaitForTheLease) {
  FakeApi api;
  Process a(api, "a"), b(api, "b");
  ASSERT_TRUE(a.elector.acquire({}));
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] { return b.elector.acquire(stop.get_token()); });
  stop.request_stop();
  EXPECT_FALSE(waiting.get());
}

}  // namespace
}  // namespace datasync::runtime
