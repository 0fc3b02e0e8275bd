#include "agents/kafka/first_alone.hpp"

#include <gtest/gtest.h>

namespace datasync::kafka {
namespace {

base::SteadyTime at(int minutes) {
  return base::SteadyTime() + std::chrono::minutes(minutes);
}

TEST(FirstAlone, the_second_waits_for_the_first) {
  FirstAlone first;
  EXPECT_TRUE(first.may_go(0, at(0)));
  first.sent(0);
  EXPECT_FALSE(first.may_go(0, at(0)));
  first.acknowledged(0, at(1));
  EXPECT_TRUE(first.may_go(0, at(1)));
  first.sent(0);
  EXPECT_TRUE(first.may_go(0, at(1)));
}

TEST(FirstAlone, partitions_do_not_wait_for_each_other) {
  FirstAlone first;
  first.sent(0);
  EXPECT_TRUE(first.may_go(1, at(0)));
}

TEST(FirstAlone, after_a_long_silence_the_next_goes_alone_again) {
  FirstAlone first;
  first.sent(0);
  first.acknowledged(0, at(0));
  EXPECT_TRUE(first.may_go(0, at(600)));
  first.sent(0);
  EXPECT_FALSE(first.may_go(0, at(600)));
  first.acknowledged(0, at(601));
  first.sent(0);
  EXPECT_TRUE(first.may_go(0, at(601)));
}

TEST(FirstAlone, one_that_was_not_handed_over_holds_nobody_back) {
  FirstAlone first;
  first.sent(0);
  first.withdrawn(0);
  EXPECT_TRUE(first.may_go(0, at(0)));
}

}  // namespace
}  // namespace datasync::kafka
