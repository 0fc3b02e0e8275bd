#include <gtest/gtest.h>

#include "agents/kafka/testing/mock_cluster.hpp"
#include "tests/unit/kafka/support.hpp"

namespace datasync::kafka {
namespace {

using message::End;
using message::Epoch;
using message::Kind;

struct Row {
  const char* name;
  message::Headers headers;
};

class Headers : public testing::TestWithParam<Row> {};

TEST_P(Headers, survive_a_round_trip_through_kafka) {
  MockCluster cluster;
  cluster.create_topic("t");
  const auto& headers = GetParam().headers;
  auto producer = Producer::open(cluster.access(), "t", {}, [](auto, auto) {});
  ASSERT_TRUE(producer);
  ASSERT_TRUE((*producer)->produce(0, headers, "the key", buffer("value"), 1, {}));
  ASSERT_TRUE((*producer)->flush({}));
  auto consumer = Consumer::open(cluster.access(), "t", 0, 0);
  ASSERT_TRUE(consumer);
  const auto record = (*consumer)->next(milliseconds(5000));
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((**record).headers().value(), headers);
  EXPECT_EQ((**record).key(), "the key");
  EXPECT_EQ(base::as_text((**record).value()), "value");
}

INSTANTIATE_TEST_SUITE_P(Kafka, Headers,
                         testing::Values(Row{"all_set",
                                             {Kind::Change, "orders", Epoch(18446744073709551615U), End::Transaction}},
                                         Row{"no_type_no_end", {Kind::Start, "", Epoch(1), End::None}},
                                         Row{"state_record_without_epoch", {Kind::Claim, "", Epoch(), End::None}},
                                         Row{"abort", {Kind::Change, "a b/ü", Epoch(2), End::Abort}}),
                         [](const auto& row) { return row.param.name; });

class ForeignRecord : public testing::TestWithParam<std::map<std::string, std::string>> {};

TEST_P(ForeignRecord, is_refused_naming_its_place) {
  MockCluster cluster;
  cluster.create_topic("t");
  produce_raw(cluster.access(), "t", GetParam(), "value");
  auto consumer = Consumer::open(cluster.access(), "t", 0, 0);
  ASSERT_TRUE(consumer);
  const auto record = (*consumer)->next(milliseconds(5000));
  ASSERT_TRUE(record && *record);
  const auto headers = (**record).headers();
  ASSERT_FALSE(headers);
  EXPECT_TRUE(headers.error().is(base::Reason::ForeignMessage));
  EXPECT_NE(headers.error().what.find("topic t, partition 0, offset 0"), std::string::npos) << headers.error().what;
}

INSTANTIATE_TEST_SUITE_P(Kafka, ForeignRecord,
                         testing::Values(std::map<std::string, std::string>{},
                                         std::map<std::string, std::string>{{"epoch", "1"}},
                                         std::map<std::string, std::string>{{"kind", "invoice"}},
                                         std::map<std::string, std::string>{{"kind", "change"}, {"epoch", "1x"}},
                                         std::map<std::string, std::string>{{"kind", "change"}, {"epoch", ""}},
                                         std::map<std::string, std::string>{{"kind", "change"}, {"end", "soon"}}));

}  // namespace
}  // namespace datasync::kafka
