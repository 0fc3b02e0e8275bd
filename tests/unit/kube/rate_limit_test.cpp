#include "operator/kube/rate_limit.hpp"

#include <gtest/gtest.h>

#include "operator/kube/client.hpp"

namespace datasync::kube {
namespace {

using base::Millis;

struct Limited {
  base::SteadyTime now{};
  RateLimit limit;
  Limited(double qps, unsigned burst) : limit(qps, burst, [this] { return now; }) {}
};

TEST(RateLimit, LetsABurstThroughAndThenKeepsTheRate) {
  Limited w(10, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(w.limit.reserve(), Millis(0));
  EXPECT_EQ(w.limit.reserve(), Millis(100));
  EXPECT_EQ(w.limit.reserve(), Millis(200)) << "each one stands behind those before it";
  w.now += Millis(200);
  EXPECT_EQ(w.limit.reserve(), Millis(100));
  w.now += Millis(60'000);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(w.limit.reserve(), Millis(0));
  EXPECT_EQ(w.limit.reserve(), Millis(100)) << "a long pause saves up no more than the burst";
}

TEST(RateLimit, HeedsAPause) {
  Limited w(0, 0);
  EXPECT_EQ(w.limit.reserve(), Millis(0));
  w.limit.pause(Millis(5000));
  w.limit.pause(Millis(1000));
  EXPECT_EQ(w.limit.reserve(), Millis(5000));
  w.now += Millis(4000);
  EXPECT_EQ(w.limit.reserve(), Millis(1000));
  w.now += Millis(2000);
  EXPECT_EQ(w.limit.reserve(), Millis(0));
}

TEST(RateLimit, AStopEndsTheWait) {
  Limited w(0, 0);
  w.limit.pause(Millis(3'600'000));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(w.limit.wait(stop.get_token()));
}

TEST(CallScope, IsOfItsBlock) {
  std::stop_source outer, inner;
  EXPECT_FALSE(CallScope::current().stop_possible());
  {
    const CallScope a(outer.get_token());
    {
      const CallScope b(inner.get_token());
      EXPECT_EQ(CallScope::current(), inner.get_token());
    }
    EXPECT_EQ(CallScope::current(), outer.get_token());
  }
  EXPECT_FALSE(CallScope::current().stop_possible());
}

}  // namespace
}  // namespace datasync::kube
