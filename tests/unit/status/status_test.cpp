#include "operator/status/status.hpp"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "operator/status/conditions.hpp"
#include "tests/unit/decide/observed_resource.hpp"

namespace datasync::status {
namespace {

using namespace datasync::decide::testing;
using decide::Level;
using decide::Observed;

void report(Observed& seen, const std::string& agent, const char* json) {
  decide::Report r;
  r.pod = agent + "-pod";
  r.view.emplace();
  ASSERT_TRUE(decide::read_status(json, *r.view));
  seen.reports[agent] = std::move(r);
}

/// Both agents run and stream.
void stream(Observed& seen) {
  seen.pods = {pod(seen, "capture"), pod(seen, "apply")};
  report(seen, "capture",
         R"({"state":"Streaming","live":true,"ready":true,"replica":"db-1:3306","position":"0-1-9","rows":12345,
             "lag":{"replicaSeconds":0.5,"captureSeconds":2.2},"binlogHoursLeft":71.3})");
  report(seen, "apply",
         R"({"state":"Streaming","live":true,"ready":true,"destination":"dr:3306","rows":12001,
             "lag":{"topicSeconds":0.1,"applySeconds":0.1},"streams":[{"stream":0,"gtids":"0-1-9"}]})");
}

/// What is wanted is applied, and its pods run.
void roll_out(Observed& seen) {
  for (const auto& wanted : decide::decide(seen).applies) {
    auto& live = child(seen, wanted.at("kind").get<std::string>(), wanted.at("metadata").at("name").get<std::string>());
    live.merge_patch(wanted);
  }
  seen.pods = {pod(seen, "capture"), pod(seen, "apply")};
}

struct Row {
  const char* name;
  const char* change;
  std::function<void(Observed&)> then;
  const char* reason;
  const char* flags;  ///< which of Ready, Reconciling, Stalled are True
};
class Verdict : public ::testing::TestWithParam<Row> {};

TEST_P(Verdict, is) {
  auto seen = settled(GetParam().change);
  if (GetParam().then) GetParam().then(seen);
  const auto update = build_status(seen, decide::decide(seen), {}, "ns/lease");
  const auto& conditions = update.status.at("conditions");
  std::string flags;
  for (const auto* type : {"Ready", "Reconciling", "Stalled"}) {
    const auto* c = find_condition(conditions, type);
    ASSERT_NE(c, nullptr);
    EXPECT_EQ(c->at("reason"), GetParam().reason) << type << ": " << c->at("message");
    EXPECT_EQ(c->at("observedGeneration"), 3);
    if (c->at("status") == "True") flags += std::string(flags.empty() ? "" : " ") + type;
  }
  EXPECT_EQ(flags, GetParam().flags);
}

void replace(Observed& seen, const char* agent, const char* status) {
  stream(seen);
  report(seen, agent, status);
}

INSTANTIATE_TEST_SUITE_P(
    Kstatus, Verdict,
    ::testing::Values(
        Row{"no_pods_yet", "{}", nullptr, "Starting", "Reconciling"},
        Row{"data_is_replicated", "{}", stream, "Streaming", "Ready"},
        Row{"one_copies", "{}", [](Observed& s) { replace(s, "capture", R"({"state":"Snapshotting","live":true})"); },
            "Snapshotting", "Ready"},
        Row{"all_copied", "{}",
            [](Observed& s) {
              replace(s, "capture", R"({"state":"Completed","live":true})");
              report(s, "apply", R"({"state":"Completed","live":true})");
            },
            "Completed", "Ready"},
        Row{"one_retries", "{}",
            [](Observed& s) {
              replace(s, "apply", R"({"state":"Retrying","reason":"DestinationUnreachable","message":"m"})");
            },
            "DestinationUnreachable", "Reconciling"},
        Row{"one_needs_a_person", "{}",
            [](Observed& s) { replace(s, "apply", R"({"state":"Stalled","reason":"RowConflict","message":"m"})"); },
            "RowConflict", "Stalled"},
        Row{"a_table_is_held_while_the_others_flow", "{}",
            [](Observed& s) {
              replace(s, "apply", R"({"state":"Streaming","live":true,"held":[{"table":"d.t","reason":"RowConflict",
                "message":"m","stream":0,"offset":5,"since":1000000000}]})");
            },
            "TablesHeld", "Stalled"},
        Row{"a_person_comes_before_a_retry", "{}",
            [](Observed& s) {
              replace(s, "apply", R"({"state":"Stalled","reason":"RowConflict","message":"m"})");
              report(s, "capture", R"({"state":"Retrying","reason":"SourceSilent","message":"m"})");
            },
            "RowConflict", "Stalled"},
        Row{"an_agent_that_hangs_does_not_flow", "{}",
            [](Observed& s) { replace(s, "apply", R"({"state":"Streaming","live":false})"); }, "AgentUnreachable",
            "Reconciling"},
        Row{"an_old_pods_word_does_not_count", "{}",
            [](Observed& s) {
              stream(s);
              s.pods[0]["metadata"]["annotations"]["datasync.dev/template-hash"] = "before";
            },
            "Starting", "Reconciling"},
        Row{"another_pods_word_does_not_count", "{}",
            [](Observed& s) {
              stream(s);
              s.reports["capture"].pod = "before";
              s.pods[0]["status"]["conditions"][0]["status"] = "False";
            },
            "Starting", "Reconciling"},
        Row{"ready_by_the_kubelet_when_nobody_answers", "{}",
            [](Observed& s) {
              stream(s);
              s.reports["capture"].view.reset();
              s.reports["capture"].error = "timeout";
            },
            "AgentsReady", "Ready"},
        Row{"not_ready_and_no_answer", "{}",
            [](Observed& s) {
              stream(s);
              s.reports["capture"].view.reset();
              s.reports["capture"].error = "timeout";
              s.pods[0]["status"]["conditions"][0]["status"] = "False";
            },
            "AgentUnreachable", "Reconciling"},
        Row{"pod_trouble", "{}",
            [](Observed& s) {
              stream(s);
              s.pods[0]["status"]["containerStatuses"][0]["state"] =
                  Json::parse(R"({"waiting":{"reason":"ImagePullBackOff"}})");
            },
            "ImagePullFailed", "Stalled"},
        Row{"paused_with_pods", R"({"spec":{"paused":true}})", [](Observed& s) { s.pods = {pod(s, "capture")}; },
            "Paused", "Reconciling"},
        Row{"paused", R"({"spec":{"paused":true}})", nullptr, "Paused", ""},
        Row{"wrong_spec_while_data_flows", "{}",
            [](Observed& s) {
              stream(s);
              s.resource["spec"]["types"] = {"nothing"};
              reread(s);
            },
            "ConfigInvalid", "Stalled"},
        Row{"secret_missing", "{}", [](Observed& s) { s.secrets.emplace(); }, "SecretNotFound", "Reconciling"},
        Row{"secret_missing_but_nobody_needs_it_now", "{}",
            [](Observed& s) {
              stream(s);
              s.secrets.emplace();
            },
            "Streaming", "Ready"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Status, the_full_picture) {
  auto seen = settled();
  stream(seen);
  auto status = build_status(seen, decide::decide(seen), {}, "ns/lease").status;
  status.erase("conditions");
  EXPECT_EQ(status, Json::parse(R"({"observedGeneration":3,"operator":"one","operatorLease":"ns/lease",
    "source":"db-1:3306","lag":"2s","rows":12000,
    "capture":{"state":"Streaming","pod":"capture-pod","endpoint":"db-1:3306","position":"0-1-9","rows":12300,
      "transactions":0,"lag":{"replica":"<1s","capture":"2s"},"binlogHoursLeft":70.0},
    "apply":{"state":"Streaming","pod":"apply-pod","endpoint":"dr:3306","position":"0-1-9","rows":12000,
      "transactions":0,"lag":{"topic":"<1s","apply":"<1s"}}})"));
}

TEST(Status, names_held_tables_with_reason_place_and_time) {
  auto seen = settled();
  replace(seen, "apply", R"({"state":"Streaming","live":true,"held":[
    {"table":"d.a","sourceTable":"s.a","reason":"RowConflict","message":"insert: x","stream":1,"offset":5,"since":1000000000},
    {"table":"d.b"},{"table":"d.c"},{"table":"d.d"},7]})");
  const auto update = build_status(seen, decide::decide(seen), {}, "ns/lease");
  EXPECT_EQ(update.status["apply"]["held"][0],
            Json::parse(R"({"table":"d.a","reason":"RowConflict","message":"insert: x",
    "stream":1,"offset":5,"since":"2001-09-09T01:46:40Z"})"));
  EXPECT_EQ(update.status["apply"]["held"].size(), 4U);
  const auto message = find_condition(update.status["conditions"], "Ready")->at("message").get<std::string>();
  EXPECT_TRUE(message.starts_with("d.a is held (RowConflict: insert: x); d.b")) << message;
  EXPECT_TRUE(message.ends_with("and 1 more; all other tables are applied")) << message;
}

TEST(Status, is_not_ready_by_old_pods_after_a_new_template) {
  auto seen = settled();
  stream(seen);
  seen.resource["spec"]["source"]["replicas"] = {{{"host", "db-2"}}};
  seen.resource["metadata"]["generation"] = 4;
  reread(seen);
  const auto plan = decide::decide(seen);
  const auto written = applied(plan);
  ASSERT_NE(std::ranges::find(written, "Deployment shop-capture"), written.end());
  const auto update = build_status(seen, plan, {}, "");
  const auto& conditions = update.status.at("conditions");
  EXPECT_EQ(update.status.at("observedGeneration"), 4);
  EXPECT_EQ(find_condition(conditions, "Ready")->at("status"), "False");
  EXPECT_EQ(find_condition(conditions, "Reconciling")->at("status"), "True");
  EXPECT_EQ(find_condition(conditions, "Ready")->at("reason"), "Starting");
}

TEST(Status, stays_ready_when_what_was_applied_makes_no_new_pod) {
  auto seen = settled();
  stream(seen);
  child(seen, "Deployment", "shop-apply")["metadata"]["labels"].clear();
  const auto plan = decide::decide(seen);
  ASSERT_EQ(applied(plan), std::vector<std::string>{"Deployment shop-apply"});
  EXPECT_EQ(find_condition(build_status(seen, plan, {}, "").status.at("conditions"), "Ready")->at("status"), "True");
}

TEST(Status, events_come_on_a_change_of_reason_only) {
  auto seen = settled();
  const auto first = build_status(seen, decide::decide(seen), {}, "");
  ASSERT_EQ(first.events.size(), 1U);
  EXPECT_EQ(first.events[0].reason, "Starting");
  seen.resource["status"] = first.status;
  EXPECT_TRUE(build_status(seen, decide::decide(seen), {}, "").events.empty());
  stream(seen);
  const auto flows = build_status(seen, decide::decide(seen), {}, "");
  ASSERT_EQ(flows.events.size(), 1U);
  EXPECT_EQ(flows.events[0].reason, "Streaming");
}

TEST(Status, a_new_pod_that_cannot_start_is_reported_beside_the_old_one) {
  auto seen = settled();
  stream(seen);
  auto stuck = pod(seen, "capture", "new");
  stuck["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z";
  stuck["status"] = Json::parse(
      R"({"phase":"Pending","containerStatuses":[{"name":"agent","state":{"waiting":{"reason":"ErrImagePull"}}}]})");
  seen.pods[0]["metadata"]["annotations"]["datasync.dev/template-hash"] = "before";
  seen.pods.push_back(stuck);
  const auto update = build_status(seen, decide::decide(seen), {}, "");
  const auto* stalled = find_condition(update.status.at("conditions"), "Stalled");
  EXPECT_EQ(stalled->at("reason"), "ImagePullFailed");
  EXPECT_EQ(stalled->at("message"), "pod new: ErrImagePull; pod capture-pod of the previous revision still runs");
  EXPECT_EQ(update.status.at("capture").at("pod"), "capture-pod");
  EXPECT_EQ(update.status.at("capture").at("state"), "Streaming");
}

TEST(Status, pods_that_may_not_be_listed_are_reported) {
  auto seen = settled();
  seen.pods_unknown = decide::Finding{Level::Stalled, "Forbidden", "list pods: no"};
  const auto update = build_status(seen, decide::decide(seen), {}, "");
  EXPECT_EQ(find_condition(update.status.at("conditions"), "Stalled")->at("message"), "list pods: no");
}

TEST(Status, of_a_new_operator_waits_for_the_agents_first_answer) {
  auto seen = settled();
  stream(seen);
  seen.resource["status"] = build_status(seen, decide::decide(seen), {}, "").status;
  EXPECT_FALSE(too_early(seen));
  seen.reports["capture"].view.reset();
  EXPECT_TRUE(too_early(seen));
  seen.reports["capture"].error = "timeout";
  EXPECT_FALSE(too_early(seen)) << "that is an answer";
  seen.reports["capture"].error.clear();
  seen.resource["metadata"]["generation"] = 4;
  EXPECT_FALSE(too_early(seen)) << "another spec is news";
}

TEST(Status, a_refusal_is_reported_with_the_servers_message) {
  auto seen = settled();
  stream(seen);
  const decide::Finding refused{Level::Stalled, "ApplyRefused", "exceeded quota: count/configmaps"};
  const auto update = build_status(seen, decide::decide(seen), {refused}, "");
  EXPECT_EQ(find_condition(update.status.at("conditions"), "Stalled")->at("message"), refused.message);
  ASSERT_EQ(update.events.size(), 1U);
  EXPECT_EQ(update.events[0].reason, "ApplyRefused");
}

TEST(Status, a_lost_position_names_the_fix_and_reports_its_use_once) {
  auto seen = settled();
  stream(seen);
  report(seen, "capture", R"({"state":"Stalled","reason":"BinlogPurged","message":"gone","lostPosition":"0-1-7"})");
  auto update = build_status(seen, decide::decide(seen), {}, "");
  const auto message = find_condition(update.status.at("conditions"), "Stalled")->at("message").get<std::string>();
  EXPECT_EQ(
      message,
      "capture: gone; to accept the loss and copy all tables again, annotate datasync.dev/accept-position-lost=0-1-7");
  seen.document.resource.metadata.annotations["datasync.dev/accept-position-lost"] = "0-1-6";
  roll_out(seen);
  update = build_status(seen, decide::decide(seen), {}, "");
  EXPECT_NE(find_condition(update.status.at("conditions"), "Stalled")
                ->at("message")
                .get<std::string>()
                .find("the annotation has 0-1-6, which is not the lost position"),
            std::string::npos);
  seen.resource["status"] = update.status;
  report(seen, "capture", R"({"state":"Snapshotting","live":true,"acceptedPosition":"0-1-7"})");
  update = build_status(seen, decide::decide(seen), {}, "");
  ASSERT_EQ(update.events.size(), 2U);
  EXPECT_EQ(update.events[1].reason, "PositionLossAccepted");
  EXPECT_EQ(update.status.at("capture").at("acceptedPosition"), "0-1-7");
  seen.resource["status"] = update.status;
  EXPECT_TRUE(build_status(seen, decide::decide(seen), {}, "").events.empty());
}

TEST(Condition, keeps_its_time_while_its_status_stays) {
  auto list = Json::array();
  const Time first{std::chrono::seconds(1'700'000'000)};
  set_condition(list, {"Ready", false, "Starting", "a"}, 1, first);
  set_condition(list, {"Ready", false, "Other", "b"}, 2, first + std::chrono::hours(1));
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].at("lastTransitionTime"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(list[0].at("reason"), "Other");
  EXPECT_EQ(list[0].at("observedGeneration"), 2);
  set_condition(list, {"Ready", true, "Streaming", ""}, 2, first + std::chrono::hours(2));
  EXPECT_EQ(list[0].at("lastTransitionTime"), "2023-11-15T00:13:20Z");
}

// The statements and the annotation of a message about a wide table were cut off.
TEST(Condition, a_long_message_keeps_its_end) {
  auto list = Json::array();
  const std::string columns(15'000, 'x');
  set_condition(list, {"Ready", false, "R", "a.b: " + columns + "; run this"}, 1, {});
  EXPECT_EQ(list[0].at("message"), "a.b: " + columns + "; run this");
  set_condition(list, {"Ready", false, "R", "a.b: " + columns + columns + "; run this"}, 1, {});
  const auto cut = list[0].at("message").get<std::string>();
  EXPECT_LE(cut.size(), 16'384U);
  EXPECT_TRUE(cut.starts_with("a.b: x") && cut.ends_with("x; run this")) << cut;
}

TEST(Due, figures_are_written_rarely_and_anything_else_at_once) {
  const decide::Time now{std::chrono::seconds(1000)};
  const Json a{{"rows", 1}, {"source", "x"}};
  const Json b{{"rows", 2}, {"source", "x"}};
  const Json c{{"rows", 1}, {"source", "y"}};
  EXPECT_FALSE(due(a, a, {}, now).now);
  EXPECT_FALSE(due(a, a, {}, now).later);
  EXPECT_TRUE(due(a, c, now, now).now);
  EXPECT_TRUE(due(a, b, {}, now).now);
  EXPECT_TRUE(due(a, b, now - kFiguresEvery, now).now);
  const auto soon = due(a, b, now - std::chrono::seconds(50), now);
  EXPECT_FALSE(soon.now);
  EXPECT_EQ(soon.later, decide::Millis(10'000));
}

}  // namespace
}  // namespace datasync::status
