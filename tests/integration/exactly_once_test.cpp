// Several living instances of one agent: one works, the others say so and wait.

#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/exactly_once_fixture.hpp"

namespace datasync::test {
namespace {

/// Ends the servers of all suites of the program.
class FixtureCleanup : public testing::Environment {
  void TearDown() override { ExactlyOnce::end_fixture(); }
};
[[maybe_unused]] const auto* const kFixtureCleanup = testing::AddGlobalTestEnvironment(new FixtureCleanup);

// Two apply agents that were restarted at once replaced each other without end, and each could win some of the streams,
// so that both ended.
TEST_F(ExactlyOnce, RestartedApplyInstancesClaimAllStreamsAndSettle) {
  prepare("apply_claims");
  fixture_->start_capture(capture("one", 4));
  auto& older = fixture_->start_apply(apply("older", 4));
  ASSERT_TRUE(equal());
  auto& newer = fixture_->start_apply(apply("newer", 4));
  ASSERT_TRUE(eventually([&] { return !older.process().is_running(); }, seconds(30))) << fixture_->diagnostics();
  EXPECT_EQ(older.process().exit_status()->code, 3);
  ASSERT_TRUE(settle(older, newer));
  const auto before = tokens();
  for (int i = 0; i < 3; ++i) {
    older.kill_and_restart();
    ASSERT_TRUE(fixture_->becomes(older, "Stalled", "Superseded"));
  }
  add_rows(100, 50);
  EXPECT_TRUE(equal());
  EXPECT_EQ(tokens(), before) << "the older instance claimed again";
  EXPECT_EQ(fixture_->destination().value("SELECT GROUP_CONCAT(DISTINCT instance) FROM apply_claims_ledger.ledger"),
            "newer");
}

TEST_F(ExactlyOnce, OfTwoApplyInstancesThatStartAtOnceOneHasAllStreams) {
  prepare("apply_race");
  fixture_->start_capture(capture("one", 4));
  auto& a = fixture_->start_apply(apply("a", 4));
  auto& b = fixture_->start_apply(apply("b", 4));
  const auto settled = [&] {
    restart_what_ends({&a, &b}, milliseconds(200));
    int streaming = 0, waiting = 0;
    for (auto* agent : {&a, &b}) {
      const auto status = agent->status().value_or(AgentStatus{});
      streaming += status.state == "Streaming" ? 1 : 0;
      waiting += status.state == "Stalled" && status.reason == "Superseded" ? 1 : 0;
    }
    return streaming == 1 && waiting == 1;
  };
  ASSERT_TRUE(eventually(settled, seconds(60))) << fixture_->diagnostics();
  EXPECT_EQ(fixture_->destination().value("SELECT COUNT(DISTINCT instance) FROM apply_race_ledger.ledger"), "1");
  const auto before = tokens();
  add_rows(100, 50);
  EXPECT_TRUE(equal());
  EXPECT_EQ(tokens(), before);
}

TEST_F(ExactlyOnce, ALedgerOfAVersionWithoutRanksIsTakenOverAndTakenBack) {
  prepare("apply_upgrade");
  fixture_->start_capture(capture("one"));
  {
    auto& first = fixture_->start_apply(apply("first"));
    ASSERT_TRUE(equal());
    first.process().terminate();
  }
  fixture_->destination().execute_all({"DROP TABLE apply_upgrade_ledger.instances",
                                       "UPDATE apply_upgrade_ledger.ledger SET instance='host-7-0badf00d'"});
  auto& agent = fixture_->start_apply(apply("second"));
  add_rows(100, 10);
  ASSERT_TRUE(equal());
  // What a restart of the old version's container does.
  fixture_->destination().execute("UPDATE apply_upgrade_ledger.ledger SET instance='host-8-0badf00d', token=token+1");
  add_rows(200, 10);
  EXPECT_TRUE(equal());
  EXPECT_TRUE(agent.process().is_running());
  EXPECT_EQ(fixture_->destination().value("SELECT instance FROM apply_upgrade_ledger.ledger"), "second");
}

TEST_F(ExactlyOnce, RestartedCaptureInstancesSettle) {
  prepare("capture_claims");
  fixture_->start_apply(apply("one"));
  auto& older = fixture_->start_capture(capture("older"));
  ASSERT_TRUE(equal());
  auto& newer = fixture_->start_capture(capture("newer"));
  ASSERT_TRUE(eventually([&] { return !older.process().is_running(); }, seconds(30))) << fixture_->diagnostics();
  EXPECT_EQ(older.process().exit_status()->code, 3);
  ASSERT_TRUE(settle(older, newer));
  const auto before = claims("newer");
  for (int i = 0; i < 3; ++i) {
    older.kill_and_restart();
    ASSERT_TRUE(fixture_->becomes(older, "Stalled", "Superseded"));
  }
  add_rows(100, 50);
  EXPECT_TRUE(equal());
  EXPECT_EQ(claims("older"), 1);
  EXPECT_EQ(claims("newer"), before) << "the newer instance was replaced";
}

// Two `datasync run` of one resource fought with endless "AgentEnded: exit 3".
TEST_F(ExactlyOnce, OfTwoRunsOfOneResourceTheNewerOneWorks) {
  prepare("two_runs");
  const auto file = fixture_->folder() / "two_runs.yaml";
  std::ostringstream out;
  out << "apiVersion: datasync.dev/v1alpha1\nkind: DataSync\nmetadata: {name: two, namespace: sync}\n"
      << "spec:\n  source:\n    replicas: [{host: 127.0.0.1, port: " << fixture_->source().port() << "}]\n"
      << "    allowPrimary: true\n    credentials: {secretName: reader}\n"
      << "    types: [{name: t, tables: [two_runs.t]}]\n"
      << "  channel: {bootstrapServers: \"" << fixture_->broker().bootstrap()
      << "\", topic: two, replicationFactor: 1}\n"
      << "  destination: {host: 127.0.0.1, port: " << fixture_->destination().port()
      << ", credentials: {secretName: writer}}\n";
  write_file(file, out.str());
  const auto start = [&](const std::string& log) {
    ProcessOptions options;
    options.args = {built_program("datasync").string(),
                    "run",
                    "-f",
                    file.string(),
                    "--secrets",
                    fixture_->secrets().string(),
                    "--agents-dir",
                    built_program("datasync-capture").parent_path().string(),
                    "--plain"};
    options.log = fixture_->folder() / log;
    return Process::start(options);
  };
  const auto log_of = [&](const std::string& log) { return read_file(fixture_->folder() / log); };
  auto older = start("run1");
  ASSERT_TRUE(equal()) << log_of("run1");
  auto newer = start("run2");
  const auto count = [](const std::string& text, const std::string& part) {
    int found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  const auto waits = [&] { return count(log_of("run1"), "is newer than this one") >= 2; };
  ASSERT_TRUE(eventually(waits, seconds(60))) << log_of("run1") << log_of("run2");
  add_rows(100, 50);
  EXPECT_TRUE(equal()) << log_of("run1") << log_of("run2");
  std::this_thread::sleep_for(seconds(2));
  EXPECT_LE(count(log_of("run1"), "AgentEnded"), 4) << log_of("run1");
  EXPECT_EQ(count(log_of("run2"), "AgentEnded"), 0) << log_of("run2");
  newer.terminate();
  older.terminate();
}

}  // namespace
}  // namespace datasync::test
