#include "cli/local/view.hpp"

#include <gtest/gtest.h>

namespace datasync::cli {
namespace {

constexpr const char* kCapture =
    R"({"agent":"capture","task":"sync/shop","state":"Snapshotting","reason":"","message":"",
  "since":1,"instance":"i","epoch":3,"version":"0.1.0","live":true,"replica":"db-1:3306","position":"0-1-5",
  "lag":{"replicaSeconds":0.5,"captureSeconds":1},"rows":12,"transactions":3,"binlogHoursLeft":7.5,
  "snapshot":{"id":"s","tables":[{"table":"shop.a","rowsDone":5,"rowsEstimate":5,"done":true},
  {"table":"shop.b","rowsDone":1,"rowsEstimate":9,"done":false}],"percent":42.5,"rowsPerSecond":1000,"etaSeconds":9}})";

constexpr const char* kApply = R"({"agent":"apply","state":"Stalled","reason":"RowConflict","message":"shop.a id=7",
  "streams":[{"stream":0,"offset":5,"epoch":1,"gtids":"0-1-4"}],"rows":8,"transactions":2,
  "lag":{"topicSeconds":0.1,"applySeconds":0.2},"duplicatesRefused":1,"conflicts":2,
  "verify":{"id":"v","tables":[{"table":"shop.a","equal":true},{"table":"shop.b","equal":false}],"done":true}})";

TEST(View, a_captures_status_is_taken_over) {
  AgentView v;
  ASSERT_TRUE(read_status(kCapture, v));
  EXPECT_EQ(v.state, "Snapshotting");
  EXPECT_EQ(v.endpoint, "db-1:3306");
  EXPECT_EQ(v.position, "0-1-5");
  EXPECT_EQ(v.lag, (std::vector<std::pair<std::string, double>>{{"replica", 0.5}, {"capture", 1}}));
  EXPECT_EQ(v.rows, 12U);
  EXPECT_EQ(v.binlog_hours_left, 7.5);
  ASSERT_TRUE(v.snapshot);
  EXPECT_EQ(v.snapshot->percent, 42.5);
  EXPECT_EQ(v.snapshot->eta_seconds, 9);
  EXPECT_EQ(v.snapshot->tables, 2U);
  EXPECT_EQ(v.snapshot->tables_done, 1U);
  EXPECT_EQ(v.snapshot->table, "shop.b");
}

TEST(View, an_applys_status_is_taken_over) {
  AgentView v;
  v.endpoint = "dr:3306";
  ASSERT_TRUE(read_status(kApply, v));
  EXPECT_EQ(v.endpoint, "dr:3306");
  EXPECT_EQ(v.position, "0-1-4");
  EXPECT_EQ(v.reason, "RowConflict");
  EXPECT_EQ(v.duplicates, 1U);
  EXPECT_EQ(v.conflicts, 2U);
  ASSERT_TRUE(v.verify);
  EXPECT_TRUE(v.verify->done);
  EXPECT_EQ(v.verify->different, std::vector<std::string>{"shop.b"});
}

TEST(View, an_invalid_status_changes_nothing_and_does_not_throw) {
  for (const auto* text : {"", "[]", "{", "null", "{}"}) {
    AgentView v;
    EXPECT_FALSE(read_status(text, v)) << text;
    EXPECT_EQ(v.state, "Starting");
  }
  AgentView v;
  EXPECT_TRUE(read_status(R"({"state":7,"reason":[],"rows":"x","lag":3,"snapshot":[],"streams":{},"verify":null,
    "position":null,"live":"yes","replica":{}})",
                          v));
  EXPECT_EQ(v.state, "Starting");
  EXPECT_TRUE(
      read_status(R"({"state":"Streaming","streams":[1,2],"snapshot":{"tables":[1]},"verify":{"tables":[2]}})", v));
  EXPECT_EQ(v.position, "2 streams");
}

struct OnceRow {
  const char* name;
  std::vector<AgentView> agents;
  Once expected;
};

AgentView agent(const char* kind, const char* state, std::optional<VerifyView> verify = {}, const char* reason = "") {
  AgentView v;
  v.agent = kind;
  v.state = state;
  v.reason = reason;
  v.verify = std::move(verify);
  return v;
}

class OnceState : public testing::TestWithParam<OnceRow> {};
TEST_P(OnceState, follows_from_the_agents_of_the_task) {
  std::vector<const AgentView*> agents;
  for (const auto& a : GetParam().agents) agents.push_back(&a);
  EXPECT_EQ(once_state(agents), GetParam().expected);
}

const VerifyView kEqual{.done = true, .tables = 2, .different = {}};
const VerifyView kDifferent{.done = true, .tables = 2, .different = {"shop.b"}};
const VerifyView kGoing{.done = false, .tables = 1, .different = {}};

INSTANTIATE_TEST_SUITE_P(
    All, OnceState,
    testing::Values(
        OnceRow{"no_agents", {}, Once::Running},
        OnceRow{"both_complete_and_equal",
                {agent("capture", "Completed"), agent("apply", "Completed", kEqual)},
                Once::Done},
        OnceRow{"source_only", {agent("capture", "Completed")}, Once::Done},
        OnceRow{"one_still_works", {agent("capture", "Completed"), agent("apply", "Streaming", kEqual)}, Once::Running},
        OnceRow{"not_verified", {agent("apply", "Completed")}, Once::Running},
        OnceRow{"verification_continues", {agent("apply", "Completed", kGoing)}, Once::Running},
        OnceRow{
            "a_table_differs", {agent("capture", "Streaming"), agent("apply", "Streaming", kDifferent)}, Once::Failed},
        OnceRow{"the_agent_says_so", {agent("apply", "Stalled", {}, "VerifyFailed")}, Once::Failed},
        OnceRow{"another_stall_can_recover", {agent("apply", "Stalled", {}, "RowConflict")}, Once::Running}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace datasync::cli
