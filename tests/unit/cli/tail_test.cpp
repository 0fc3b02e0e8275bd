// `datasync tail` on librdkafka's in-process cluster.
#include "cli/topic/tail.hpp"

#include <gmock/gmock.h>

#include "agents/kafka/logs.hpp"
#include "agents/kafka/testing/mock_cluster.hpp"
#include "tests/unit/cli/records.hpp"

namespace datasync::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct TailTest : testing::Test {
  kafka::MockCluster cluster;
  kafka::Access access = cluster.access();

  TailTest() {
    cluster.create_topic("shop");
    cluster.create_topic("shop.state");
    const auto state = kafka::open_state_log(access, "shop.state").value();
    EXPECT_TRUE(state->append(message::Kind::SchemaBody, message::schema_key(shop_schema().id()),
                              message::serialize(shop_schema())));
    const auto stream = kafka::open_stream_log(access, "shop").value();
    const message::Headers start{message::Kind::Start, "", message::Epoch(1), message::End::None};
    EXPECT_TRUE(stream->append(0, start, message::encode(message::Start{message::Epoch(1), "pod-1"})));
    const message::Headers change{message::Kind::Change, "orders", message::Epoch(1), message::End::Transaction};
    EXPECT_TRUE(stream->append(0, change, shop_change()));
  }

  std::vector<std::string> lines(TailOptions options) {
    std::vector<std::string> out;
    options.partition = 0;
    if (options.topic.empty()) options.topic = "shop";
    const auto done = tail(access, options, {}, [&out](std::string_view line) { out.emplace_back(line); });
    EXPECT_TRUE(done) << done.error().what;
    return out;
  }
};

TEST_F(TailTest, prints_the_stream_with_rows_decoded_by_their_schemas) {
  EXPECT_THAT(
      lines({.topic = "shop", .filter = {}, .partition = {}, .from_beginning = true, .offset = {}}),
      ElementsAre(HasSubstr("\"kind\":\"start\""), HasSubstr("\"op\":\"insert\""), HasSubstr("\"op\":\"update\"")));
}

TEST_F(TailTest, starts_at_an_offset_or_before_the_end_and_stops_at_a_maximum) {
  TailOptions options;
  options.offset = 1;
  EXPECT_EQ(lines(options).size(), 2U);
  options.offset = -1;
  EXPECT_EQ(lines(options).size(), 2U);
  options.offset = -100;
  EXPECT_EQ(lines(options).size(), 3U);
  options.offset = 100;
  EXPECT_EQ(lines(options).size(), 0U);
  options.offset = 0;
  options.max = 2;
  EXPECT_EQ(lines(options).size(), 2U);
}

TEST_F(TailTest, prints_the_state_topic_too) {
  TailOptions options;
  options.topic = "shop.state";
  EXPECT_THAT(lines(options), ElementsAre(HasSubstr("\"table\":\"shop.orders\",\"columns\":[{\"name\":\"id\"")));
}

TEST_F(TailTest, a_foreign_message_is_shown_as_an_error_with_its_offset) {
  kafka::produce_raw(access, "shop", {}, "hello");
  TailOptions options;
  options.offset = -1;
  EXPECT_THAT(lines(options), ElementsAre(HasSubstr("{\"partition\":0,\"offset\":2,\"error\":")));
}

TEST_F(TailTest, follows_until_it_is_stopped) {
  TailOptions options{
      .topic = "shop", .filter = {}, .partition = 0, .from_beginning = true, .offset = {}, .follow = true};
  std::stop_source stop;
  std::size_t seen = 0;
  const auto done = tail(access, options, stop.get_token(), [&](std::string_view) {
    if (++seen == 3) stop.request_stop();
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(seen, 3U);
}

}  // namespace
}  // namespace datasync::cli
