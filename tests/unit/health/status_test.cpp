#include "agents/health/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace datasync::health {
namespace {

using base::Millis;
using base::Reason;
using testing::HasSubstr;

struct StatusTest : testing::Test {
  base::SteadyTime now{Millis(1'000'000)};
  Status status{{"capture", "sync/shop", "pod-1"}, Millis(60'000), [this] { return now; }};

  nlohmann::json json() { return nlohmann::json::parse(status.json()); }
};

TEST_F(StatusTest, live_until_the_last_beat_is_older_than_the_limit) {
  now += Millis(60'000);
  EXPECT_TRUE(status.live());
  now += Millis(1);
  EXPECT_FALSE(status.live());
  status.beat();
  EXPECT_TRUE(status.live());
}

TEST_F(StatusTest, ready_only_in_a_working_state_with_recent_progress) {
  const std::pair<State, bool> kRows[] = {{State::Starting, false},    {State::WaitingForReplica, false},
                                          {State::Snapshotting, true}, {State::Streaming, true},
                                          {State::Retrying, false},    {State::Stalled, false},
                                          {State::Completed, true},    {State::Stopping, false}};
  for (const auto& [state, ready] : kRows) {
    status.set(State::Streaming);
    status.set(state);
    EXPECT_EQ(status.ready(), ready) << to_string(state);
  }
  status.set(State::Streaming);
  now += Millis(60'001);
  EXPECT_FALSE(status.ready());
}

TEST_F(StatusTest, published_as_one_sample_a_state_and_whether_it_is_ready) {
  Metrics metrics;
  status.publish(metrics);
  for (const auto state : {State::Starting, State::Streaming, State::Retrying, State::Stalled}) {
    status.set(state, Reason::KeyMissing, "shop.orders");
    const auto text = metrics.text();
    const auto ready = state == State::Streaming;
    EXPECT_THAT(text, HasSubstr(std::string("datasync_agent_ready{agent=\"capture\"} ") + (ready ? "1\n" : "0\n")));
    for (const auto other : {State::Starting, State::WaitingForReplica, State::Snapshotting, State::Streaming,
                             State::Retrying, State::Stalled, State::Completed, State::Stopping})
      EXPECT_THAT(text, HasSubstr("datasync_agent_state{agent=\"capture\",state=\"" + std::string(to_string(other)) +
                                  (other == state ? "\"} 1\n" : "\"} 0\n")));
  }
}

TEST_F(StatusTest, a_completed_agent_needs_no_beat) {
  status.set(State::Completed);
  now += Millis(1'000'000);
  EXPECT_TRUE(status.live());
  EXPECT_TRUE(status.ready());
}

TEST_F(StatusTest, a_failure_stays_while_the_work_only_restarts) {
  status.set(State::Stalled, Reason::KeyMissing, "shop.orders");
  status.set(State::Starting);
  EXPECT_EQ(status.state(), State::Stalled);
  EXPECT_EQ(status.reason(), Reason::KeyMissing);
  status.set(State::Streaming);
  EXPECT_EQ(status.state(), State::Streaming);
  EXPECT_EQ(status.reason(), std::nullopt);
  EXPECT_EQ(status.message(), "");
}

TEST_F(StatusTest, the_same_reason_keeps_its_time_and_takes_the_newest_message) {
  status.set(State::Retrying, Reason::SourceUnreachable, "db-1");
  const auto since = json()["since"];
  status.set(State::Retrying, Reason::SourceUnreachable, "db-2");
  EXPECT_EQ(json()["since"], since);
  EXPECT_EQ(json()["message"], "db-2");
}

TEST_F(StatusTest, json_has_the_common_keys_and_the_agents_own) {
  status.set(State::Retrying, Reason::BrokerUnreachable, "k:9092");
  status.set_epoch(7);
  status.set_detail([] { return R"({"position":"0-1-5","rows":12})"; });
  const auto j = json();
  EXPECT_EQ(j["agent"], "capture");
  EXPECT_EQ(j["task"], "sync/shop");
  EXPECT_EQ(j["instance"], "pod-1");
  EXPECT_EQ(j["state"], "Retrying");
  EXPECT_EQ(j["reason"], "BrokerUnreachable");
  EXPECT_EQ(j["message"], "k:9092");
  EXPECT_EQ(j["epoch"], 7);
  EXPECT_EQ(j["version"], DATASYNC_VERSION);
  EXPECT_EQ(j["position"], "0-1-5");
  EXPECT_EQ(j["rows"], 12);
  EXPECT_EQ(j["live"], true);
  EXPECT_EQ(j["ready"], false);
}

TEST_F(StatusTest, the_last_detail_stays_after_its_provider_was_removed) {
  int calls = 0;
  status.set_detail([&calls] { return "{\"rows\":" + std::to_string(++calls) + "}"; });
  EXPECT_EQ(json()["rows"], 1);
  status.drop_detail();
  EXPECT_EQ(json()["rows"], 2);
  EXPECT_EQ(json()["rows"], 2);
}

TEST_F(StatusTest, bad_detail_or_invalid_utf8_does_not_break_the_response) {
  status.set(State::Stalled, Reason::RowConflict, "key \xff");
  for (const auto* detail : {"", "[]", "{", "null", "7"}) {
    status.set_detail([detail] { return detail; });
    EXPECT_EQ(json()["reason"], "RowConflict") << detail;
  }
}

}  // namespace
}  // namespace datasync::health
