#include "operator/runtime/work_queue.hpp"

#include <future>

#include <gtest/gtest.h>

namespace datasync::runtime {
namespace {

using base::Millis;

const ObjectKey kA{"ns", "a"};
const ObjectKey kB{"ns", "b"};

struct Timed {
  base::SteadyTime now{};
  WorkQueue queue{{Millis(100), Millis(1000), [this] { return now; }, 1}};
};

TEST(WorkQueue, HoldsAKeyOnce) {
  Timed w;
  w.queue.add(kA);
  w.queue.add(kB);
  w.queue.add(kA);
  EXPECT_EQ(w.queue.depth(), 2U);
  EXPECT_EQ(w.queue.try_get(), kA);
  EXPECT_EQ(w.queue.try_get(), kB);
  EXPECT_FALSE(w.queue.try_get());
}

TEST(WorkQueue, GivesAKeyToOneWorkerAtATime) {
  Timed w;
  w.queue.add(kA);
  EXPECT_EQ(w.queue.try_get(), kA);
  w.queue.add(kA);
  w.queue.add(kA);
  EXPECT_FALSE(w.queue.try_get());
  EXPECT_TRUE(w.queue.holds(kA));
  w.queue.done(kA);
  EXPECT_EQ(w.queue.try_get(), kA);
  w.queue.done(kA);
  EXPECT_FALSE(w.queue.try_get());
  EXPECT_FALSE(w.queue.holds(kA));
}

TEST(WorkQueue, TheEarliestOfSeveralDelaysCounts) {
  Timed w;
  w.queue.add_after(kA, Millis(300));
  w.queue.add_after(kA, Millis(100));
  w.queue.add_after(kA, Millis(200));
  EXPECT_EQ(w.queue.delayed(), 1U);
  w.now += Millis(99);
  EXPECT_FALSE(w.queue.try_get());
  w.now += Millis(1);
  EXPECT_EQ(w.queue.try_get(), kA);
  w.queue.done(kA);
  w.now += Millis(1000);
  EXPECT_FALSE(w.queue.try_get());
}

TEST(WorkQueue, BacksOffPerKeyUntilForgotten) {
  Timed w;
  std::int64_t whole = 100;
  for (int i = 0; i < 10; ++i, whole = std::min<std::int64_t>(1000, whole * 2)) {
    const auto wait = w.queue.add_failed(kA);
    EXPECT_GE(wait.count(), whole / 2);
    EXPECT_LE(wait.count(), whole);
  }
  EXPECT_LE(w.queue.add_failed(kB), Millis(100)) << "another key has its own";
  EXPECT_EQ(w.queue.failures(kA), 10U);
  w.queue.forget(kA);
  EXPECT_LE(w.queue.add_failed(kA), Millis(100));
  EXPECT_EQ(w.queue.add_failed(kA, Millis(7000)), Millis(7000)) << "Retry-After";
}

TEST(WorkQueue, WakesAWaitingWorkerAndStopsIt) {
  WorkQueue queue;
  std::stop_source stop;
  auto got = std::async(std::launch::async, [&] { return queue.get(stop.get_token()); });
  queue.add(kA);
  EXPECT_EQ(got.get(), kA);
  auto none = std::async(std::launch::async, [&] { return queue.get(stop.get_token()); });
  stop.request_stop();
  EXPECT_FALSE(none.get());
}

TEST(WorkQueue, WakesForADelayThatIsShorterThanTheOneWaitedFor) {
  WorkQueue queue;
  queue.add_after(kA, Millis(3'600'000));
  auto got = std::async(std::launch::async, [&] { return queue.get({}); });
  queue.add_after(kB, Millis(1));
  EXPECT_EQ(got.get(), kB);
}

TEST(WorkQueue, ReportsForHowLongNothingWasTaken) {
  Timed w;
  w.now += Millis(5000);
  EXPECT_EQ(w.queue.stuck_for(), Millis(0));
  w.queue.add(kA);
  w.queue.add(kB);
  w.now += Millis(70);
  EXPECT_EQ(w.queue.stuck_for(), Millis(70));
  w.queue.try_get();
  EXPECT_EQ(w.queue.stuck_for(), Millis(0));
  w.queue.try_get();
  w.queue.add_after(kA, Millis(10));
  w.now += Millis(60);
  EXPECT_EQ(w.queue.stuck_for(), Millis(50)) << "one whose time has come is ready";
}

}  // namespace
}  // namespace datasync::runtime
