#include "agents/kafka/consumer.hpp"

#include <optional>

#include <gtest/gtest.h>

#include "agents/kafka/testing/mock_cluster.hpp"
#include "tests/unit/kafka/support.hpp"

namespace datasync::kafka {
namespace {

using base::Reason;

constexpr int kOffsetOutOfRange = 1;
constexpr int kNotLeader = 6;
constexpr int kTopicAuthorizationFailed = 29;

class ConsumerTest : public testing::Test {
 protected:
  ConsumerTest() { cluster.create_topic("t"); }
  void produce(int from, int to) {
    auto producer = Producer::open(cluster.access(), "t", {}, [](auto, auto) {});
    ASSERT_TRUE(producer);
    for (int i = from; i < to; ++i)
      ASSERT_TRUE((*producer)->produce(0, change(), "", buffer(std::to_string(i)), 0, {}));
    ASSERT_TRUE((*producer)->flush({}));
  }
  std::unique_ptr<Consumer> open(std::int64_t offset) {
    auto consumer = Consumer::open(cluster.access(), "t", 0, offset);
    EXPECT_TRUE(consumer) << consumer.error().what;
    return consumer ? std::move(*consumer) : nullptr;
  }
  /// The next record's value; an error's text.
  static std::string next(Consumer& c) {
    auto record = c.next(milliseconds(5000));
    if (!record) return record.error().what;
    return *record ? std::string(base::as_text((**record).value())) : "nothing";
  }

  MockCluster cluster;
};

TEST_F(ConsumerTest, reads_from_the_offset_it_was_given) {
  produce(0, 10);
  auto consumer = open(4);
  for (int i = 4; i < 10; ++i) EXPECT_EQ(next(*consumer), std::to_string(i));
  EXPECT_EQ(consumer->position(), 10);
  EXPECT_FALSE(consumer->next(milliseconds(0)).value());
}

TEST_F(ConsumerTest, sees_what_comes_later) {
  auto consumer = open(0);
  EXPECT_FALSE(consumer->next(milliseconds(10)).value());
  produce(0, 2);
  EXPECT_EQ(next(*consumer), "0");
  EXPECT_EQ(next(*consumer), "1");
}

TEST_F(ConsumerTest, the_end_itself_is_a_place_to_begin) {
  produce(0, 3);
  auto consumer = open(3);
  produce(3, 4);
  EXPECT_EQ(next(*consumer), "3");
}

TEST_F(ConsumerTest, knows_the_watermarks) {
  produce(0, 3);
  auto consumer = open(Consumer::kFirst);
  EXPECT_EQ(consumer->position(), 0);
  const auto marks = consumer->watermarks();
  ASSERT_TRUE(marks);
  EXPECT_EQ(marks->low, 0);
  EXPECT_EQ(marks->high, 3);
}

TEST_F(ConsumerTest, seeks_back_and_forth) {
  produce(0, 10);
  auto consumer = open(0);
  EXPECT_EQ(next(*consumer), "0");
  ASSERT_TRUE(consumer->seek(7));
  EXPECT_EQ(next(*consumer), "7");
  ASSERT_TRUE(consumer->seek(2));
  EXPECT_EQ(next(*consumer), "2");
  EXPECT_EQ(next(*consumer), "3");
}

// What was fetched for the old place may be higher than the new one: it must not pass for what comes next.
TEST_F(ConsumerTest, nothing_fetched_before_a_seek_back_comes_after_it) {
  constexpr int kRecords = 3000;
  produce(0, kRecords);
  auto consumer = open(0);
  for (int round = 0; round < 40; ++round) {
    const auto to = round * 37 % 1000;
    ASSERT_TRUE(consumer->seek(to));
    for (int i = 0; i < 1 + round * 13; ++i) ASSERT_EQ(next(*consumer), std::to_string(to + i)) << "round " << round;
  }
}

TEST_F(ConsumerTest, an_offset_past_the_end_means_the_log_was_cut) {
  produce(0, 3);
  const auto consumer = Consumer::open(cluster.access(), "t", 0, 100);
  ASSERT_FALSE(consumer);
  EXPECT_TRUE(consumer.error().is(Reason::LogTruncated));
  EXPECT_NE(consumer.error().what.find("100"), std::string::npos);
}

// Reading went on at the same offset, of a log that had been cut or recreated and had grown past it: records were lost.
// This client cannot distinguish that from an offset that was not there for a moment, its caller can.
TEST_F(ConsumerTest, an_offset_out_of_range_is_reported_although_it_is_back) {
  produce(0, 5);
  cluster.fail_requests(kFetchRequest, {kOffsetOutOfRange});
  auto consumer = open(0);
  const auto record = consumer->next(milliseconds(5000));
  ASSERT_FALSE(record);
  EXPECT_TRUE(record.error().is(Reason::BrokerRejected)) << record.error().what;
  EXPECT_NE(record.error().what.find("topic t, partition 0, offset 0"), std::string::npos) << record.error().what;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(next(*consumer), std::to_string(i));
}

TEST_F(ConsumerTest, a_leader_that_moves_is_followed) {
  produce(0, 5);
  auto consumer = open(0);
  cluster.fail_requests(kFetchRequest, {kNotLeader, kNotLeader});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(next(*consumer), std::to_string(i));
}

TEST_F(ConsumerTest, a_missing_permission_is_named_and_the_record_not_skipped) {
  produce(0, 5);
  auto consumer = open(0);
  EXPECT_EQ(next(*consumer), "0");
  // More than one: a fetch that was on its way at the seek takes one with it.
  cluster.fail_requests(kFetchRequest, std::vector<int>(5, kTopicAuthorizationFailed));
  ASSERT_TRUE(consumer->seek(1));
  std::optional<base::Error> error;
  std::vector<std::string> values;
  while (values.size() < 4) {
    auto record = consumer->next(milliseconds(5000));
    if (!record)
      error = record.error();
    else if (*record)
      values.emplace_back(base::as_text((**record).value()));
  }
  ASSERT_TRUE(error);
  EXPECT_TRUE(error->is(Reason::PermissionDenied)) << error->what;
  EXPECT_EQ(values, (std::vector<std::string>{"1", "2", "3", "4"}));
}

TEST_F(ConsumerTest, an_outage_is_reported_once_and_reading_continues_after_it) {
  produce(0, 1);
  auto consumer = open(0);
  EXPECT_EQ(next(*consumer), "0");
  cluster.all_down();
  EXPECT_TRUE(eventually([&] {
    const auto record = consumer->next(milliseconds(50));
    return !record && record.error().is(Reason::BrokerUnreachable);
  }));
  cluster.all_up();
  produce(1, 2);
  EXPECT_TRUE(eventually([&] {
    const auto record = consumer->next(milliseconds(50));
    return record && *record;
  }));
}

TEST_F(ConsumerTest, watermarks_keep_their_deadline_while_brokers_are_down) {
  auto consumer = open(0);
  cluster.all_down();
  const auto begin = std::chrono::steady_clock::now();
  const auto marks = consumer->watermarks(milliseconds(500));
  ASSERT_FALSE(marks);
  EXPECT_TRUE(marks.error().is(Reason::BrokerUnreachable));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(ConsumerTest, its_records_may_outlive_it) {
  produce(0, 3);
  std::optional<Record> record;
  {
    auto consumer = open(0);
    record = consumer->next(milliseconds(5000)).value();
  }
  ASSERT_TRUE(record);
  EXPECT_EQ(base::as_text(record->value()), "0");
}

TEST_F(ConsumerTest, a_topic_that_does_not_exist_is_named) {
  cluster.topic_error("nothing", kUnknownTopic);
  const auto consumer = Consumer::open(cluster.access(), "nothing", 0, 0);
  ASSERT_FALSE(consumer);
  EXPECT_TRUE(consumer.error().is(Reason::TopicMissing)) << consumer.error().what;
}

TEST_F(ConsumerTest, a_partition_that_does_not_exist_is_named) {
  const auto consumer = Consumer::open(cluster.access(), "t", 9, 0);
  ASSERT_FALSE(consumer);
  EXPECT_TRUE(consumer.error().is(Reason::TopicMissing)) << consumer.error().what;
}

}  // namespace
}  // namespace datasync::kafka
