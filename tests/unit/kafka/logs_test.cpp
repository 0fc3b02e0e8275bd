#include "agents/kafka/logs.hpp"

#include <gtest/gtest.h>

#include "agents/kafka/testing/mock_cluster.hpp"
#include "agents/protocol/capture_epoch.hpp"
#include "agents/protocol/state_writer.hpp"
#include "tests/unit/kafka/support.hpp"

namespace datasync::kafka {
namespace {

using base::Reason;
using message::Kind;

class Logs : public testing::Test {
 protected:
  Logs() {
    cluster.create_topic("t", 2);
    cluster.create_topic("t.state");
  }
  std::unique_ptr<protocol::StateLog> state() { return open_state_log(cluster.access(), "t.state").value(); }
  std::unique_ptr<protocol::StreamLog> streams() { return open_stream_log(cluster.access(), "t").value(); }

  MockCluster cluster;
};

TEST_F(Logs, the_state_log_reads_to_the_end_that_was) {
  auto a = state();
  auto b = state();
  EXPECT_TRUE(a->read_to_end({})->empty());
  EXPECT_EQ(a->append(Kind::Claim, "k1", "v1").value(), 0);
  EXPECT_EQ(b->append(Kind::Checkpoint, "k2", "v2").value(), 1);
  const auto records = a->read_to_end({}).value();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].key, "k1");
  EXPECT_EQ(records[0].kind, Kind::Claim);
  EXPECT_EQ(records[1].offset, 1);
  EXPECT_EQ(records[1].value, "v2");
  EXPECT_TRUE(a->read_to_end({})->empty());
  EXPECT_EQ(b->read_to_end({})->size(), 2U);
}

TEST_F(Logs, tombstones_on_the_state_topic_are_skipped) {
  produce_raw(cluster.access(), "t.state", {{"kind", "ckpt"}}, nullptr);
  auto log = state();
  EXPECT_TRUE(log->read_to_end({})->empty());
  ASSERT_TRUE(log->append(Kind::Claim, "k", "v"));
  EXPECT_EQ(log->read_to_end({})->size(), 1U);
}

TEST_F(Logs, a_tombstone_of_a_key_names_what_was_removed) {
  auto log = state();
  ASSERT_TRUE(log->append(Kind::Claim, "k", "v"));
  ASSERT_TRUE(log->remove(Kind::Claim, "k"));
  const auto records = log->read_to_end({}).value();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_FALSE(records[0].removed);
  EXPECT_TRUE(records[1].removed);
  EXPECT_EQ(records[1].kind, Kind::Claim);
  EXPECT_EQ(records[1].key, "k");
}

TEST_F(Logs, a_foreign_record_is_never_skipped) {
  auto log = state();
  ASSERT_TRUE(log->append(Kind::Claim, "k", "v"));
  produce_raw(cluster.access(), "t.state", {}, "rubbish");
  for (int i = 0; i < 2; ++i) {
    const auto read = log->read_to_end({});
    ASSERT_FALSE(read);
    EXPECT_TRUE(read.error().is(Reason::ForeignMessage)) << read.error().what;
    EXPECT_NE(read.error().what.find("offset 1"), std::string::npos);
  }
}

TEST_F(Logs, a_possibly_recreated_state_topic_is_read_from_the_start) {
  constexpr int kOffsetOutOfRange = 1;
  auto log = state();
  ASSERT_TRUE(log->append(Kind::Claim, "k1", "v"));
  EXPECT_EQ(log->read_to_end({})->size(), 1U);
  ASSERT_TRUE(log->append(Kind::Claim, "k2", "v"));
  cluster.fail_requests(kFetchRequest, std::vector<int>(5, kOffsetOutOfRange));
  std::size_t most = 0;
  const auto read = [&] {
    const auto records = log->read_to_end({});
    if (records) most = std::max(most, records->size());
    return records.has_value();
  };
  EXPECT_TRUE(eventually([&] { return read() && most == 2; }));
}

TEST_F(Logs, a_stop_ends_reading_and_loses_nothing) {
  auto log = state();
  ASSERT_TRUE(log->append(Kind::Claim, "k", "v"));
  std::stop_source stop;
  stop.request_stop();
  const auto read = log->read_to_end(stop.get_token());
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().is(Reason::Stopping));
  EXPECT_EQ(log->read_to_end({})->size(), 1U);
}

TEST_F(Logs, streams_append_and_read_a_range) {
  auto log = streams();
  EXPECT_EQ(log->ends(1)->next, 0);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(log->append(1, change(), std::to_string(i)).value(), i);
  std::string seen;
  const auto take = [&seen](const protocol::StreamRecord& r) -> base::Result<void> {
    seen += std::to_string(r.offset) + "=" + std::string(base::as_text(r.value)) + " ";
    EXPECT_EQ(r.headers, change());
    return {};
  };
  ASSERT_TRUE(log->read(1, 1, 4, {}, take));
  EXPECT_EQ(seen, "1=1 2=2 3=3 ");
  EXPECT_EQ(log->ends(1)->next, 5);
  EXPECT_EQ(log->ends(1)->first, 0);
  ASSERT_TRUE(log->read(1, 4, 4, {}, take));
  EXPECT_EQ(seen, "1=1 2=2 3=3 ");
}

TEST_F(Logs, an_error_of_the_callback_ends_the_reading) {
  auto log = streams();
  ASSERT_TRUE(log->append(0, change(), "x"));
  const auto read = log->read(0, 0, 1, {}, [](const protocol::StreamRecord&) -> base::Result<void> {
    return base::Error(Reason::Superseded, "enough");
  });
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().is(Reason::Superseded));
}

TEST_F(Logs, a_missing_topic_is_named) {
  cluster.topic_error("nothing", kUnknownTopic);
  EXPECT_TRUE(open_state_log(cluster.access(), "nothing").error().is(Reason::TopicMissing));
  EXPECT_TRUE(open_stream_log(cluster.access(), "nothing").error().is(Reason::TopicMissing));
}

TEST_F(Logs, carry_the_protocol_through_two_epochs) {
  auto state_log = state();
  auto stream_log = streams();
  protocol::StateView view;
  base::Backoff backoff(base::Millis(1), base::Millis(1));
  const auto first = protocol::claim_epoch(*state_log, *stream_log, view, "a", 2, backoff, {});
  ASSERT_TRUE(first) << first.error().what;
  ASSERT_TRUE(protocol::start_and_recover(*state_log, *stream_log, view, *first, "a", 2, {}));

  message::Change change_record;
  change_record.gtid = {0, 1, 10};
  const message::Headers headers{Kind::Change, "orders", *first, message::End::Transaction};
  ASSERT_TRUE(stream_log->append(0, headers, message::encode(change_record)));

  auto other_state = state();
  protocol::StateView other_view;
  const auto second = protocol::claim_epoch(*other_state, *stream_log, other_view, "b", 2, backoff, {});
  ASSERT_TRUE(second);
  const auto states = protocol::start_and_recover(*other_state, *stream_log, other_view, *second, "b", 2, {});
  ASSERT_TRUE(states) << states.error().what;
  EXPECT_EQ(states->at(0).published.text(), "0-1-10");
  EXPECT_FALSE(states->at(0).fresh);
  EXPECT_TRUE(states->at(1).fresh);

  protocol::StateWriter writer(*state_log, view, *first);
  EXPECT_TRUE(writer.check({}).error().is(Reason::Superseded));
}

}  // namespace
}  // namespace datasync::kafka
