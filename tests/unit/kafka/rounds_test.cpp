#include "agents/kafka/rounds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace datasync::kafka {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kFull = 100;

base::SteadyTime at(int minutes) {
  return base::SteadyTime() + std::chrono::minutes(minutes);
}

class RoundsTest : public testing::Test {
 protected:
  void add(std::uint64_t token, std::size_t bytes = 10, std::int32_t partition = 0) {
    base::Buffer value;
    (void)value.grow(bytes);
    rounds.add(partition, {{}, "", std::move(value), token});
  }
  std::vector<std::uint64_t> next(int minute = 0, std::int32_t partition = 0) {
    std::vector<std::uint64_t> tokens;
    for (const auto& r : rounds.next(partition, at(minute))) tokens.push_back(r.token);
    return tokens;
  }
  /// A first record delivered: the next ones may follow each other.
  void warm_up() {
    add(0);
    (void)next();
    rounds.acknowledged(0, at(0));
  }

  Rounds rounds{kFull};
};

TEST_F(RoundsTest, the_first_record_goes_alone) {
  add(1);
  add(2);
  EXPECT_THAT(next(), ElementsAre(1));
  EXPECT_THAT(next(), IsEmpty());
  rounds.acknowledged(0, at(0));
  EXPECT_THAT(next(), ElementsAre(2));
}

TEST_F(RoundsTest, a_round_takes_all_that_is_queued) {
  warm_up();
  for (std::uint64_t i = 1; i <= 4; ++i) add(i);
  EXPECT_THAT(next(), ElementsAre(1, 2, 3, 4));
}

TEST_F(RoundsTest, a_round_ends_when_it_is_full) {
  warm_up();
  for (std::uint64_t i = 1; i <= 4; ++i) add(i, 60);
  EXPECT_THAT(next(), ElementsAre(1, 2));
}

TEST_F(RoundsTest, the_next_round_waits_for_every_record_of_the_last) {
  warm_up();
  add(1);
  add(2);
  EXPECT_THAT(next(), ElementsAre(1, 2));
  add(3);
  rounds.acknowledged(0, at(0));
  EXPECT_THAT(next(), IsEmpty());
  rounds.acknowledged(0, at(0));
  EXPECT_THAT(next(), ElementsAre(3));
}

TEST_F(RoundsTest, nothing_follows_a_round_with_a_failed_record) {
  warm_up();
  add(1);
  add(2);
  EXPECT_THAT(next(), ElementsAre(1, 2));
  rounds.acknowledged(0, at(0));  // one of the two
  add(3);
  EXPECT_THAT(next(600), IsEmpty());
}

TEST_F(RoundsTest, partitions_do_not_wait_for_each_other) {
  add(1);
  add(2, 10, 1);
  EXPECT_THAT(next(), ElementsAre(1));
  EXPECT_THAT(next(0, 1), ElementsAre(2));
}

TEST_F(RoundsTest, after_a_long_silence_the_first_goes_alone_again) {
  warm_up();
  add(1);
  add(2);
  EXPECT_THAT(next(600), ElementsAre(1));
  rounds.acknowledged(0, at(601));
  EXPECT_THAT(next(601), ElementsAre(2));
}

TEST_F(RoundsTest, what_was_dropped_does_not_come) {
  add(1);
  rounds.clear();
  EXPECT_THAT(next(), IsEmpty());
}

// `flush` waited for nothing in flight: under load a snapshot never completed.
TEST_F(RoundsTest, records_before_a_mark_are_acknowledged_despite_later_ones) {
  EXPECT_TRUE(rounds.acknowledged(rounds.added()));
  add(1);
  add(2, 10, 1);
  const auto mark = rounds.added();
  add(3);
  add(4, 10, 1);
  EXPECT_FALSE(rounds.acknowledged(mark));
  (void)next(0, 0);
  rounds.acknowledged(0, at(0));
  EXPECT_FALSE(rounds.acknowledged(mark));
  (void)next(0, 1);
  rounds.acknowledged(1, at(0));
  EXPECT_TRUE(rounds.acknowledged(mark));
  EXPECT_FALSE(rounds.acknowledged(rounds.added()));
}

}  // namespace
}  // namespace datasync::kafka
