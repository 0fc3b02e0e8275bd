#include "agents/kafka/watchdog.hpp"

#include <gtest/gtest.h>

namespace datasync::kafka {
namespace {

base::SteadyTime at(int seconds) {
  return base::SteadyTime() + std::chrono::seconds(seconds);
}

class Watchdog : public testing::Test {
 protected:
  DeliveryWatchdog dog{base::Millis(30000)};
};

TEST_F(Watchdog, does_not_fire_with_nothing_in_flight) {
  EXPECT_FALSE(dog.suspicious(at(1000)));
  EXPECT_FALSE(dog.look(true, at(1000)));
}

TEST_F(Watchdog, fires_when_no_report_comes_although_brokers_answer) {
  dog.produced(0, at(0));
  EXPECT_FALSE(dog.suspicious(at(14)));
  EXPECT_TRUE(dog.suspicious(at(15)));
  EXPECT_FALSE(dog.look(true, at(15)));
  EXPECT_FALSE(dog.look(true, at(44)));
  EXPECT_EQ(dog.look(true, at(45)), base::Millis(30000));
}

TEST_F(Watchdog, an_outage_does_not_count) {
  dog.produced(0, at(0));
  EXPECT_FALSE(dog.look(true, at(15)));
  EXPECT_FALSE(dog.look(false, at(16)));
  EXPECT_FALSE(dog.look(false, at(3600)));
  EXPECT_FALSE(dog.look(true, at(3601)));
  EXPECT_FALSE(dog.look(true, at(3630)));
  EXPECT_TRUE(dog.look(true, at(3631)));
}

TEST_F(Watchdog, one_stuck_partition_is_enough) {
  dog.produced(0, at(0));
  dog.produced(1, at(0));
  dog.look(true, at(0));
  dog.reported(1, at(29));
  dog.produced(1, at(29));
  EXPECT_TRUE(dog.look(true, at(30)));
}

TEST_F(Watchdog, a_report_restarts_the_wait) {
  dog.look(true, at(0));
  dog.produced(0, at(0));
  dog.produced(0, at(0));
  dog.reported(0, at(29));
  EXPECT_FALSE(dog.look(true, at(58)));
  EXPECT_TRUE(dog.look(true, at(59)));
}

TEST_F(Watchdog, what_was_not_sent_is_not_waited_for) {
  dog.look(true, at(0));
  dog.produced(0, at(0));
  dog.withdrawn(0);
  EXPECT_FALSE(dog.look(true, at(100)));
}

}  // namespace
}  // namespace datasync::kafka
