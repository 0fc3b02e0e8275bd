#include "agents/kafka/producer.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "agents/base/backoff.hpp"
#include "agents/kafka/testing/mock_cluster.hpp"
#include "tests/unit/kafka/support.hpp"

namespace datasync::kafka {
namespace {

using base::Reason;

// Kafka's error codes (https://kafka.apache.org/protocol#protocol_error_codes).
constexpr int kNotLeader = 6;
constexpr int kRequestTimedOut = 7;
constexpr int kMessageTooLarge = 10;
constexpr int kNotEnoughReplicas = 19;
constexpr int kTopicAuthorizationFailed = 29;

class ProducerTest : public testing::Test {
 protected:
  ProducerTest() { cluster.create_topic("t", 2); }
  std::unique_ptr<Producer> open(const ProducerOptions& options = {}) {
    auto producer = Producer::open(cluster.access(), "t", options, reports.callback());
    EXPECT_TRUE(producer) << producer.error().what;
    return producer ? std::move(*producer) : nullptr;
  }
  /// With one record delivered: the next ones may follow each other.
  std::unique_ptr<Producer> open_warm(const ProducerOptions& options = {}) {
    auto producer = open(options);
    EXPECT_TRUE(produce(*producer, 0, "0"));
    EXPECT_TRUE(producer->flush({}));
    return producer;
  }
  static base::Result<void> produce(Producer& p, std::uint64_t token, const std::string& value,
                                    std::stop_token stop = {}) {
    return p.produce(0, change(), "", buffer(value), token, stop);
  }
  /// Values "0", "1", ... with nothing missing in between.
  static void expect_prefix(const std::vector<std::string>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], std::to_string(i));
  }

  MockCluster cluster;
  Reports reports;
};

TEST_F(ProducerTest, reports_every_record_with_its_offset) {
  auto producer = open();
  for (std::uint64_t i = 0; i < 1000; ++i) ASSERT_TRUE(produce(*producer, i, std::to_string(i)));
  ASSERT_TRUE(producer->flush({}));
  const auto offsets = reports.offsets();
  ASSERT_EQ(offsets.size(), 1000U);
  for (const auto& [token, offset] : offsets) EXPECT_EQ(static_cast<std::int64_t>(token), offset);
  EXPECT_EQ(producer->in_flight_bytes(), 0U);
  expect_prefix(read_all(cluster.access(), "t"));
}

TEST_F(ProducerTest, keeps_partitions_apart) {
  auto producer = open();
  ASSERT_TRUE(producer->produce(0, change(), "", buffer("a"), 1, {}));
  ASSERT_TRUE(producer->produce(1, change(), "", buffer("b"), 2, {}));
  ASSERT_TRUE(producer->flush({}));
  EXPECT_EQ(read_all(cluster.access(), "t", 0), std::vector<std::string>{"a"});
  EXPECT_EQ(read_all(cluster.access(), "t", 1), std::vector<std::string>{"b"});
}

TEST_F(ProducerTest, order_survives_errors_that_are_tried_again) {
  auto producer = open({.linger = std::chrono::microseconds(0)});
  cluster.fail_requests(kProduceRequest, {kNotLeader, kNotEnoughReplicas, kRequestTimedOut, kNotLeader});
  for (std::uint64_t i = 0; i < 200; ++i) ASSERT_TRUE(produce(*producer, i, std::to_string(i)));
  ASSERT_TRUE(producer->flush({}));
  const auto values = read_all(cluster.access(), "t");
  EXPECT_EQ(values.size(), 200U);
  expect_prefix(values);
}

TEST_F(ProducerTest, an_outage_freezes_and_loses_nothing) {
  auto producer = open_warm();
  cluster.all_down();
  for (std::uint64_t i = 1; i < 100; ++i) ASSERT_TRUE(produce(*producer, i, std::to_string(i)));
  EXPECT_TRUE(eventually([&] { return producer->brokers_down(); }));
  EXPECT_TRUE(producer->health());
  EXPECT_EQ(reports.offsets().size(), 1U);
  cluster.all_up();
  ASSERT_TRUE(producer->flush({}));
  EXPECT_FALSE(producer->brokers_down());
  const auto values = read_all(cluster.access(), "t");
  EXPECT_EQ(values.size(), 100U);
  expect_prefix(values);
}

TEST_F(ProducerTest, memory_is_bounded_and_a_stop_wakes_waiters) {
  auto producer = open_warm({.max_in_flight_bytes = 100000});
  cluster.all_down();
  const std::string value(10000, 'x');
  std::stop_source stop;
  std::uint64_t taken = 0;
  std::jthread writer([&] {
    while (produce(*producer, taken, value, stop.get_token())) ++taken;
  });
  EXPECT_TRUE(eventually([&] { return producer->in_flight_bytes() > 80000; }));
  EXPECT_LE(producer->in_flight_bytes(), 100000U);
  stop.request_stop();
  writer.join();
  EXPECT_LE(taken, 10U);
  EXPECT_LE(producer->in_flight_bytes(), 100000U);
}

// It waited for nothing to be in flight: under load a snapshot, which flushes at its end, was never complete.
TEST_F(ProducerTest, a_flush_ends_although_records_keep_coming) {
  auto producer = open_warm();
  cluster.answer_after(50);
  std::atomic<std::uint64_t> taken = 1;
  std::jthread load([&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); ++taken) {
      if (!produce(*producer, taken, std::to_string(taken), stop)) return;
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  ASSERT_TRUE(eventually([&] { return producer->in_flight_bytes() > 0; }));
  std::stop_source limit;
  const std::jthread timer([&](const std::stop_token& over) {
    if (base::sleep_for(over, base::Millis(20'000))) limit.request_stop();
  });
  for (int i = 0; i < 3; ++i) {
    const auto before = taken.load();
    ASSERT_TRUE(producer->flush(limit.get_token()));
    EXPECT_GE(reports.offsets().size(), before - 1) << "what was there before it";
  }
}

TEST_F(ProducerTest, a_record_larger_than_the_bound_goes_alone) {
  auto producer = open({.max_in_flight_bytes = 1000, .max_message_bytes = 500000});
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(produce(*producer, i, std::string(100000, 'x')));
  ASSERT_TRUE(producer->flush({}));
  EXPECT_EQ(reports.offsets().size(), 5U);
}

TEST_F(ProducerTest, a_record_above_the_topics_limit_is_refused_at_once) {
  auto producer = open({.max_message_bytes = 10000});
  const auto produced = produce(*producer, 1, std::string(20000, 'x'));
  ASSERT_FALSE(produced);
  EXPECT_TRUE(produced.error().is(Reason::RowTooLarge)) << produced.error().what;
  EXPECT_TRUE(producer->health());
  EXPECT_EQ(producer->in_flight_bytes(), 0U);
}

TEST_F(ProducerTest, what_waits_for_the_first_acknowledgement_follows_in_order) {
  auto producer = open();
  cluster.all_down();
  for (std::uint64_t i = 0; i < 50; ++i) ASSERT_TRUE(produce(*producer, i, std::to_string(i)));
  EXPECT_TRUE(eventually([&] { return producer->brokers_down(); }));
  EXPECT_TRUE(reports.offsets().empty());
  cluster.all_up();
  ASSERT_TRUE(producer->flush({}));
  const auto values = read_all(cluster.access(), "t");
  EXPECT_EQ(values.size(), 50U);
  expect_prefix(values);
}

struct Permanent {
  const char* name;
  int code;
  Reason reason;
};
class PermanentError : public ProducerTest, public testing::WithParamInterface<Permanent> {};

// That nothing lands behind the gap is the broker's work: tests/integration/kafka_test.cpp.
TEST_P(PermanentError, fails_the_producer_with_its_reason) {
  auto producer = open_warm({.linger = std::chrono::microseconds(0), .max_message_bytes = 1000});
  cluster.fail_requests(kProduceRequest, {GetParam().code});
  std::uint64_t i = 1;
  while (produce(*producer, i, std::to_string(i))) ++i;
  EXPECT_TRUE(eventually([&] {
    const auto health = producer->health();
    return !health && health.error().is(GetParam().reason);
  }));
  EXPECT_FALSE(producer->flush({}));
}

INSTANTIATE_TEST_SUITE_P(Kafka, PermanentError,
                         testing::Values(Permanent{"too_large", kMessageTooLarge, Reason::RowTooLarge},
                                         Permanent{"not_permitted", kTopicAuthorizationFailed,
                                                   Reason::PermissionDenied}),
                         [](const auto& row) { return row.param.name; });

TEST_F(ProducerTest, a_missing_topic_is_confirmed_before_it_is_reported) {
  cluster.topic_error("gone", kUnknownTopic);
  const auto producer = Producer::open(cluster.access(), "gone", {}, [](auto, auto) {});
  ASSERT_FALSE(producer);
  EXPECT_TRUE(producer.error().is(Reason::TopicMissing));
}

TEST_F(ProducerTest, a_lost_report_is_detected_while_brokers_answer) {
  auto producer = open({.linger = std::chrono::microseconds(0), .delivery_watchdog = milliseconds(1000)});
  std::vector<int> errors(100000, kNotEnoughReplicas);
  cluster.fail_requests(kProduceRequest, errors);
  ASSERT_TRUE(produce(*producer, 1, "1"));
  EXPECT_TRUE(eventually([&] { return !producer->health(); }));
  EXPECT_TRUE(producer->health().error().is(Reason::ProducerFailed)) << producer->health().error().what;
}

TEST_F(ProducerTest, an_outage_longer_than_the_watchdog_is_no_failure) {
  auto producer = open({.delivery_watchdog = milliseconds(300)});
  cluster.all_down();
  ASSERT_TRUE(produce(*producer, 1, "1"));
  const auto until = std::chrono::steady_clock::now() + milliseconds(1500);
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_TRUE(producer->health()) << producer->health().error().what;
    std::this_thread::yield();
  }
  cluster.all_up();
  EXPECT_TRUE(producer->flush({}));
}

TEST_F(ProducerTest, ends_at_once_with_records_still_queued) {
  auto producer = open_warm();
  cluster.all_down();
  for (std::uint64_t i = 1; i < 100; ++i) ASSERT_TRUE(produce(*producer, i, std::to_string(i)));
  const auto begin = std::chrono::steady_clock::now();
  producer.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(reports.offsets().size(), 1U);
}

TEST(Producer, reports_when_no_broker_answers) {
  Access access;
  access.bootstrap_servers = "127.0.0.1:1";
  access.extra["socket.connection.setup.timeout.ms"] = "1000";
  const auto producer = Producer::open(access, "t", {}, [](auto, auto) {});
  ASSERT_FALSE(producer);
  EXPECT_TRUE(producer.error().is(Reason::BrokerUnreachable)) << producer.error().what;
}

}  // namespace
}  // namespace datasync::kafka
