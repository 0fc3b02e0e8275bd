// Several living instances of one agent: one works, the others say so and wait.

#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/exactly_once_fixture.hpp"

namespace datasync::test {
namespace {

/// Ends the servers of all suites of the program.
class World : public testing::Environment {
  void TearDown() override { ExactlyOnce::end_world(); }
};
[[maybe_unused]] const auto* const kWorld = testing::AddGlobalTestEnvironment(new World);

// Two apply agents that were restarted at once replaced each other without end, and each could win some of the streams,
// so that both ended.
TEST_F(ExactlyOnce, RestartedApplyInstancesClaimAllStreamsAndSettle) {
  prepare("apply_claims");
  rig_->start_capture(capture("one", 4));
  auto& older = rig_->start_apply(apply("older", 4));
  ASSERT_TRUE(equal());
  auto& newer = rig_->start_apply(apply("newer", 4));
  ASSERT_TRUE(eventually([&] { return !older.process().is_running(); }, seconds(30))) << rig_->story();
  EXPECT_EQ(older.process().exit_status()->code, 3);
  ASSERT_TRUE(settle(older, newer));
  const auto before = tokens();
  for (int i = 0; i < 3; ++i) {
    older.kill_and_restart();
    ASSERT_TRUE(rig_->becomes(older, "Stalled", "Superseded"));
  }
  add_rows(100, 50);
  EXPECT_TRUE(equal());
  EXPECT_EQ(tokens(), before) << "the older instance claimed again";
  EXPECT_EQ(rig_->destination().value("SELECT GROUP_CONCAT(DISTINCT instance) FROM apply_claims_ledger.ledger"),
            "newer");
}

TEST_F(ExactlyOnce, OfTwoApplyInstancesThatStartAtOnceOneHasAllStreams) {
  prepare("apply_race");
  rig_->start_capture(capture("one", 4));
  auto& a = rig_->start_apply(apply("a", 4));
  auto& b = rig_->start_apply(apply("b", 4));
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
  ASSERT_TRUE(eventually(settled, seconds(60))) << rig_->story();
  EXPECT_EQ(rig_->destination().value("SELECT COUNT(DISTINCT instance) FROM apply_race_ledger.ledger"), "1");
  const auto before = tokens();
  add_rows(100, 50);
  EXPECT_TRUE(equal());
  EXPECT_EQ(tokens(), before);
}

TEST_F(ExactlyOnce, ALedgerOfAVersionWithoutRanksIsTakenOverAndTakenBack) {
  prepare("apply_upgrade");
  rig_->start_capture(capture("one"));
  {
    auto& first = rig_->start_apply(apply("first"));
    ASSERT_TRUE(equal());
    first.process().terminate();
  }
  rig_->destination().execute_all({"DROP TABLE apply_upgrade_ledger.instances",
                                   "UPDATE apply_upgrade_ledger.ledger SET instance='host-7-0badf00d'"});
  auto& agent = rig_->start_apply(apply("second"));
  add_rows(100, 10);
  ASSERT_TRUE(equal());
  // What a restart of the old version's container does.
  rig_->destination().execute("UPDATE apply_upgrade_ledger.ledger SET instance='host-8-0badf00d', token=token+1");
  add_rows(200, 10);
  EXPECT_TRUE(equal());
  EXPECT_TRUE(agent.process().is_running());
  EXPECT_EQ(rig_->destination().value("SELECT instance FROM apply_upgrade_ledger.ledger"), "second");
}

TEST_F(ExactlyOnce, RestartedCaptureInstancesSettle) {
  prepare("capture_claims");
  rig_->start_apply(apply("one"));
  auto& older = rig_->start_capture(capture("older"));
  ASSERT_TRUE(equal());
  auto& newer = rig_->start_capture(capture("newer"));
  ASSERT_TRUE(eventually([&] { return !older.process().is_running(); }, seconds(30))) << rig_->story();
  EXPECT_EQ(older.process().exit_status()->code, 3);
  ASSERT_TRUE(settle(older, newer));
  const auto before = claims("newer");
  for (int i = 0; i < 3; ++i) {
    older.kill_and_restart();
    ASSERT_TRUE(rig_->becomes(older, "Stalled", "Superseded"));
  }
  add_rows(100, 50);
  EXPECT_TRUE(equal());
  EXPECT_EQ(claims("older"), 1);
  EXPECT_EQ(claims("newer"), before) << "the newer instance was replaced";
}

// Two `datasync run` of one resource fought with endless "AgentEnded: exit 3".
TEST_F(ExactlyOnce, OfTwoRunsOfOneResourceTheNewerOneWorks) {
  prepare("two_runs");
  const auto file = rig_->folder() / "two_runs.yaml";
  std::ostringstream out;
  out << "apiVersion: datasync.dev/v1alpha1\nkind: DataSync\nmetadata: {name: two, namespace: sync}\n"
      << "spec:\n  source:\n    replicas: [{host: 127.0.0.1, port: " << rig_->source().port() << "}]\n"
      << "    allowPrimary: true\n    credentials: {secretName: reader}\n"
      << "    types: [{name: t, tables: [two_runs.t]}]\n"
      << "  channel: {bootstrapServers: \"" << rig_->broker().bootstrap() << "\", topic: two, replicationFactor: 1}\n"
      << "  destination: {host: 127.0.0.1, port: " << rig_->destination().port()
      << ", credentials: {secretName: writer}}\n";
  write_file(file, out.str());
  const auto start = [&](const std::string& log) {
    ProcessOptions options;
    options.args = {built_program("datasync").string(),
                    "run",
                    "-f",
                    file.string(),
                    "--secrets",
                    rig_->secrets().string(),
                    "--agents-dir",
                    built_program("datasync-capture").parent_path().string(),
                    "--plain"};
    options.log = rig_->folder() / log;
    return Process::start(options);
  };
  const auto said = [&](const std::string& log) { return read_file(rig_->folder() / log); };
  auto older = start("run1");
  ASSERT_TRUE(equal()) << said("run1");
  auto newer = start("run2");
  const auto count = [](const std::string& text, const std::string& part) {
    int found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  const auto waits = [&] { return count(said("run1"), "is newer than this one") >= 2; };
  ASSERT_TRUE(eventually(waits, seconds(60))) << said("run1") << said("run2");
  add_rows(100, 50);
  EXPECT_TRUE(equal()) << said("run1") << said("run2");
  std::this_thread::sleep_for(seconds(2));
  EXPECT_LE(count(said("run1"), "AgentEnded"), 4) << said("run1");
  EXPECT_EQ(count(said("run2"), "AgentEnded"), 0) << said("run2");
  newer.terminate();
  older.terminate();
}

}  // namespace
}  // namespace datasync::test
