// Replicas are watched while they are read: what changes on them leads to another replica or to a named reason, and the
// destination ends equal to the source.

#include <fstream>
#include <regex>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/replicas_watch_fixture.hpp"

namespace datasync::test {
namespace {

/// The statements of the README for a user, who gets another name here.
std::vector<std::string> readme_statements(const std::string& user) {
  std::ifstream file(PROJECT_SOURCE_DIR "/README.md");
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("CREATE USER " + user) && !line.ends_with(" TO " + user + ";")) continue;
    line = std::regex_replace(line, std::regex("\\b" + user + "\\b"), "readme_" + user);
    out.push_back(std::regex_replace(line.substr(0, line.find(';')), std::regex("'\\.\\.\\.'"), "'secret'"));
  }
  return out;
}

TEST_F(ReplicasWatch, the_grants_of_the_readme_are_exactly_what_is_needed) {
  source().execute_all(readme_statements("reader"));
  fixture_->destination().execute_all(readme_statements("writer"));
  ASSERT_EQ(source().number("SELECT COUNT(*) FROM mysql.user WHERE user = 'readme_reader'"), 1);
  write_credentials(fixture_->secrets(), "readme-reader", "readme_reader", "secret");
  write_credentials(fixture_->secrets(), "readme-writer", "readme_writer", "secret");
  auto capture = capture_of("grants");
  capture.credentials = {{"readme-reader", "username"}, {"readme-reader", "password"}};
  auto apply = fixture_->apply_config("grants", "grants");
  apply.credentials = {{"readme-writer", "username"}, {"readme-writer", "password"}};
  fixture_->start_capture(capture);
  fixture_->start_apply(apply);
  ASSERT_TRUE(fixture_->becomes_equal(table("grants")));
  ASSERT_EQ(in_use(), 0U);
  replica(0).stop();
  insert("grants");
  EXPECT_TRUE(fixture_->becomes_equal(table("grants"))) << "after a failover";
  EXPECT_TRUE(reads(1));
  replica(0).start();
  // Each one that is missing is named, and granting what the message says is enough.
  for (const std::string privilege : {"REPLICATION SLAVE", "BINLOG MONITOR", "SLAVE MONITOR", "SELECT"}) {
    fixture_->end_agents();
    source().execute("REVOKE " + privilege + " ON *.* FROM readme_reader");
    catch_up(0), catch_up(1);
    auto& agent = fixture_->start_capture(capture);
    EXPECT_TRUE(fixture_->eventually_reason(agent, "PermissionDenied")) << privilege;
    const auto shown = message();
    const auto begin = shown.find("GRANT " + privilege);
    ASSERT_NE(begin, std::string::npos) << shown;
    source().execute(shown.substr(begin, shown.find_first_of("\n;", begin) - begin));
    EXPECT_TRUE(fixture_->becomes(agent, "Streaming", "")) << privilege;
  }
}

// The foreign-key rules in information_schema are hidden from a user with README's grants: the deleted child rows
// stayed.
TEST_F(ReplicasWatch, the_readme_grants_show_foreign_keys_that_delete_rows) {
  auto config = capture_of("cascading");
  source().execute_all(
      {"CREATE TABLE cascading.parent (id INT PRIMARY KEY)",
       "ALTER TABLE cascading.t ADD p INT, ADD CONSTRAINT parental FOREIGN KEY (p) REFERENCES parent (id) "
       "ON DELETE CASCADE"});
  catch_up(0), catch_up(1);
  auto& agent = fixture_->start_capture(config);
  EXPECT_TRUE(fixture_->becomes(agent, "Stalled", "PreflightFailed"));
  EXPECT_NE(message().find("foreign key parental of cascading.t changes rows by ON DELETE CASCADE"), std::string::npos)
      << message();
}

// Streaming, ready and lag 0 for as long as it lasted.
TEST_F(ReplicasWatch, a_replica_that_stops_replicating_is_replaced_by_another) {
  const auto first = start("stopped", capture_of("stopped"));
  replica(first).execute("STOP SLAVE IO_THREAD");
  insert("stopped");
  EXPECT_TRUE(fixture_->becomes_equal(table("stopped")));
  EXPECT_TRUE(reads(1 - first));
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", ""));

  replica(1 - first).execute("STOP SLAVE SQL_THREAD");
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Retrying", "ReplicationStopped")) << "no other one replicates";
  EXPECT_NE(message().find("Slave_SQL_Running is No"), std::string::npos) << message();
  EXPECT_TRUE(eventually([&] { return metric("datasync_capture_replica_lag_seconds") == "Nan"; }, seconds(10)))
      << metric("datasync_capture_replica_lag_seconds");
  const auto status = fixture_->capture().status();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->at("/lag/replicaSeconds"), std::nullopt) << status->json;
  EXPECT_EQ(status->at("/lag/replica"), "unknown") << status->json;
  EXPECT_EQ(status->at("/ready"), "false") << status->json;
  insert("stopped");
  replica(1 - first).execute("START SLAVE");
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", ""));
  EXPECT_TRUE(fixture_->becomes_equal(table("stopped")));
  replica(first).execute("START SLAVE");
}

// The dump waited at the end of the file that RESET MASTER had deleted, and what came before a rotation never arrived.
TEST_F(ReplicasWatch, a_binlog_that_is_reset_while_it_is_read_loses_nothing) {
  const auto first = start("reset2", capture_of("reset2"));
  replica(first).execute_all({"STOP SLAVE", "RESET MASTER", "START SLAVE"});
  insert("reset2", 3);
  EXPECT_TRUE(fixture_->becomes_equal(table("reset2")));
  replica(first).execute("FLUSH LOCAL BINARY LOGS");
  insert("reset2");
  EXPECT_TRUE(fixture_->becomes_equal(table("reset2")));
}

TEST_F(ReplicasWatch, the_only_replica_may_reset_a_published_binlog) {
  start("reset1", capture_of("reset1", {0}));
  insert("reset1");
  ASSERT_TRUE(fixture_->becomes_equal(table("reset1")));
  replica(0).execute_all({"STOP SLAVE", "RESET MASTER", "START SLAVE"});
  insert("reset1", 3);
  EXPECT_TRUE(fixture_->eventually_equal(table("reset1"), seconds(40)));
}

TEST_F(ReplicasWatch, rows_lost_by_a_reset_are_read_from_another_replica_or_named) {
  auto config = capture_of("taken");
  const auto first = start("taken", config);
  fixture_->end_agents();
  insert("taken", 3);
  catch_up(0), catch_up(1);
  replica(first).execute_all({"STOP SLAVE", "RESET MASTER", "START SLAVE"});
  auto alone = config;
  alone.replicas = {{"127.0.0.1", replica(first).port()}};
  EXPECT_TRUE(fixture_->becomes(fixture_->start_capture(alone), "Stalled", "BinlogPurged"))
      << "before its binlog goes on";
  insert("taken", 2);
  catch_up(first);
  std::this_thread::sleep_for(seconds(3));
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "BinlogPurged")) << "and after it went on";
  fixture_->end_agents();
  fixture_->start_capture(config);
  fixture_->start_apply(fixture_->apply_config("taken", "taken"));
  EXPECT_TRUE(fixture_->becomes_equal(table("taken")));
}

TEST_F(ReplicasWatch, a_filter_that_is_set_while_it_is_read_is_detected) {
  auto config = capture_of("filtered");
  const auto first = start("filtered", config);
  const std::string set = "SET GLOBAL replicate_wild_ignore_table = ";
  replica(first).execute_all({"STOP SLAVE", set + "'filtered.%'", "START SLAVE"});
  insert("filtered");
  EXPECT_TRUE(fixture_->becomes_equal(table("filtered")));
  EXPECT_TRUE(reads(1 - first));
  fixture_->end_agents();
  config.replicas = {{"127.0.0.1", replica(first).port()}};
  EXPECT_TRUE(fixture_->becomes(fixture_->start_capture(config), "Stalled", "PreflightFailed"));
  EXPECT_NE(message().find("replicate_wild_ignore_table is filtered.%"), std::string::npos) << message();
  replica(first).execute_all({"STOP SLAVE", set + "''", "START SLAVE"});
}

// Transactions of another domain were left out in silence.
TEST_F(ReplicasWatch, a_domain_that_a_replica_ignores_is_detected) {
  auto config = capture_of("ignored");
  const auto first = start("ignored", config);
  replica(first).execute_all({"STOP SLAVE", "CHANGE MASTER TO IGNORE_DOMAIN_IDS = (55)", "START SLAVE"});
  EXPECT_TRUE(reads(1 - first));
  replica(1 - first).execute("SET GLOBAL slave_exec_mode = 'IDEMPOTENT'");
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "PreflightFailed"));
  EXPECT_NE(message().find("replicate_ignore_domain_ids is 55"), std::string::npos) << message();
  EXPECT_NE(message().find("slave_exec_mode is IDEMPOTENT"), std::string::npos) << message();
  replica(first).execute_all({"STOP SLAVE", "CHANGE MASTER TO IGNORE_DOMAIN_IDS = ()", "START SLAVE"});
  replica(1 - first).execute("SET GLOBAL slave_exec_mode = 'STRICT'");
  insert("ignored");
  EXPECT_TRUE(fixture_->eventually_equal(table("ignored"), seconds(40)));
}

TEST_F(ReplicasWatch, a_setting_that_changes_while_it_is_read_is_detected) {
  const auto first = start("settings", capture_of("settings"));
  replica(first).execute("SET GLOBAL binlog_row_image = MINIMAL");
  EXPECT_TRUE(reads(1 - first));
  insert("settings");
  EXPECT_TRUE(fixture_->becomes_equal(table("settings")));
  replica(1 - first).execute("SET GLOBAL read_only = OFF");
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "PreflightFailed"));
  replica(1 - first).execute("SET GLOBAL read_only = ON");
  replica(first).execute("SET GLOBAL binlog_row_image = FULL");
  insert("settings");
  EXPECT_TRUE(fixture_->eventually_equal(table("settings"), seconds(40)));
}

// The lower number was skipped as published already.
TEST_F(ReplicasWatch, a_lower_sequence_number_is_a_diverged_history) {
  const auto first = start("falls", capture_of("falls"));
  replica(first).execute_all({"SET GLOBAL gtid_strict_mode = OFF", "SET SESSION gtid_seq_no = 2",
                              "INSERT INTO falls.t VALUES (5000, 1)", "SET GLOBAL gtid_strict_mode = ON"});
  EXPECT_TRUE(reads(1 - first));
  insert("falls");
  EXPECT_TRUE(fixture_->becomes_equal(table("falls")));
  const auto log = read_file(fixture_->capture().folder() / "log");
  EXPECT_NE(log.find("numbers decreased"), std::string::npos) << log;
  replica(first).execute_all(
      {"SET SESSION sql_log_bin = 0", "DELETE FROM falls.t WHERE id = 5000", "SET SESSION sql_log_bin = 1"});
}

// A position in a hole of a replica's binlog was reported as a corrupt binlog.
TEST_F(ReplicasWatch, a_replica_without_the_positions_transaction_continues) {
  auto config = capture_of("hole");
  replica(1).execute("STOP SLAVE SQL_THREAD");
  config.replicas = {{"127.0.0.1", replica(0).port()}};
  start("hole", config);
  insert("hole");
  ASSERT_TRUE(fixture_->becomes_equal(table("hole")));
  fixture_->end_agents();
  replica(1).execute_all({"SET GLOBAL sql_slave_skip_counter = 1", "START SLAVE SQL_THREAD"});
  insert("hole", 2);
  catch_up(1);
  config.replicas = {{"127.0.0.1", replica(1).port()}};
  fixture_->start_capture(config);
  fixture_->start_apply(fixture_->apply_config("hole", "hole"));
  EXPECT_TRUE(fixture_->becomes_equal(table("hole")));
}

// A new stream took its position from the binlog alone, which a server made from a backup begins empty.
TEST_F(ReplicasWatch, a_replica_from_a_backup_publishes_nothing_twice) {
  auto config = capture_of("backup", {1});
  replica(1).execute_all({"STOP SLAVE", "RESET MASTER", "SET SESSION gtid_domain_id = 99", "CREATE DATABASE beats",
                          "SET SESSION gtid_domain_id = 0", "START SLAVE"});
  start("backup", config);
  fixture_->end_agents();
  insert("backup");
  catch_up(0);
  config.replicas = {{"127.0.0.1", replica(0).port()}};
  auto& agent = fixture_->start_capture(config);
  fixture_->start_apply(fixture_->apply_config("backup", "backup"));
  EXPECT_TRUE(fixture_->becomes_equal(table("backup")));
  const auto status = agent.status();
  ASSERT_TRUE(status);
  EXPECT_LE(status->number("/transactions") + status->number("/filtered"), 1U) << status->json;
}

// Failover waited for ever for a domain that only the replica before had.
TEST_F(ReplicasWatch, a_domain_of_one_replica_does_not_block_others) {
  auto config = capture_of("beat");
  const auto first = start("beat", config);
  replica(first).execute_all({"SET SESSION gtid_domain_id = 77", "CREATE OR REPLACE DATABASE heartbeat",
                              "CREATE OR REPLACE DATABASE heartbeat", "SET SESSION gtid_domain_id = 0"});
  insert("beat");
  ASSERT_TRUE(fixture_->becomes_equal(table("beat")));
  await(
      "the domain is read",
      [] { return fixture_->capture().status()->at("/position").value_or("").find("77-") != std::string::npos; },
      seconds(20));
  replica(first).stop();
  insert("beat");
  EXPECT_TRUE(fixture_->becomes_equal(table("beat"), seconds(60)));
  replica(first).start();
  EXPECT_TRUE(reads(1 - first));
}

// Its rows were published, and after a failover nothing took them back.
TEST_F(ReplicasWatch, rows_that_a_replica_wrote_in_a_domain_of_its_own_are_not_kept_after_a_failover) {
  auto config = capture_of("own");
  const auto first = start("own", config);
  replica(first).execute_all({"SET SESSION gtid_domain_id = 78", "DELETE FROM own.t WHERE id = 5",
                              "UPDATE own.t SET v = -1 WHERE id = 6", "SET SESSION gtid_domain_id = 0"});
  ASSERT_TRUE(
      eventually([] { return fixture_->destination().number("SELECT COUNT(*) FROM own.t") == 19; }, seconds(20)));
  replica(first).stop();
  insert("own");
  EXPECT_TRUE(fixture_->becomes_equal(table("own"), seconds(60)));
  const auto copied = fixture_->capture().metric("datasync_capture_snapshot_rows_total");
  EXPECT_GE(copied, 20);
  // Once.
  fixture_->capture().kill_and_restart();
  insert("own");
  EXPECT_TRUE(fixture_->becomes_equal(table("own"), seconds(60)));
  EXPECT_EQ(fixture_->capture().metric("datasync_capture_snapshot_rows_total"), 0);
  replica(first).start();
  EXPECT_TRUE(reads(1 - first));
}

// Capture died before its first checkpoint, and the binlogs of what it had published were purged.
TEST_F(ReplicasWatch, published_binlogs_may_be_purged_right_after_the_start) {
  auto config = capture_of("young", {0});
  config.checkpoint_every = std::chrono::minutes(10);
  start("young", config);
  insert("young", 5);
  ASSERT_TRUE(fixture_->becomes_equal(table("young")));
  fixture_->end_agents();
  replica(0).execute("FLUSH LOCAL BINARY LOGS");
  replica(0).execute("PURGE BINARY LOGS TO '" + *replica(0).query("SHOW BINARY LOGS").back()[0] + "'");
  fixture_->start_capture(config);
  fixture_->start_apply(fixture_->apply_config("young", "young"));
  insert("young");
  EXPECT_TRUE(fixture_->becomes_equal(table("young")));
}

}  // namespace
}  // namespace datasync::test
