// The capture agent against real servers. What it wrote is judged by an independent reader of the topic.

#include <atomic>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/capture_environment.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

constexpr seconds kPatience{40};

class Capture : public testing::Test {
 protected:
  static void SetUpTestSuite() { environment_ = std::make_unique<CaptureEnvironment>(); }
  static void TearDownTestSuite() { environment_.reset(); }

  MariaDbServer& source() { return environment_->source(); }
  /// A database and a type with one table `t` (id, v, note) of `rows` rows.
  std::vector<config::Type> simple(const std::string& db, int rows = 0) {
    source().execute_all({"CREATE DATABASE " + db,
                          "CREATE TABLE " + db + ".t (id INT PRIMARY KEY, v BIGINT, note VARCHAR(200))",
                          "CREATE TABLE " + db + ".other (id INT PRIMARY KEY AUTO_INCREMENT, v INT)"});
    if (rows > 0)
      source().execute(
          fmt::format("INSERT INTO {0}.t SELECT seq, seq * 3, REPEAT('n', 50) FROM {0}.seq_1_to_{1}", db, rows));
    return {config::Type{"things", {db + ".t"}, {}, {}}};
  }
  CaptureReader reader(const std::string& topic, int streams = 1) {
    return {environment_->broker().bootstrap(), topic, streams};
  }
  testing::AssertionResult equal(CaptureReader& r, const std::string& db, const std::string& table = "t") {
    return topic_has(r, db + "." + table, environment_->rows_of(source(), db, table));
  }

  static std::unique_ptr<CaptureEnvironment> environment_;
};
std::unique_ptr<CaptureEnvironment> Capture::environment_;

TEST_F(Capture, publishes_every_kind_of_change_of_chosen_tables_only) {
  const std::string db = "kinds";
  auto types = simple(db, 500);
  source().execute("CREATE TABLE kinds.secret (a INT, b VARCHAR(9), hidden VARCHAR(20), PRIMARY KEY (a, b))");
  types.push_back({"secrets", {"kinds.secret"}, {"kinds.secret.hidden"}, {}});
  Agent agent(environment_->folder(), db, environment_->config(db, types));
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  source().execute_all({"INSERT INTO kinds.t VALUES (1001, 18446744073709551, 'x'), (1002, NULL, NULL)",
                        "UPDATE kinds.t SET v = v + 1 WHERE id % 7 = 0",
                        "UPDATE kinds.t SET id = id + 5000 WHERE id < 5",
                        "DELETE FROM kinds.t WHERE id BETWEEN 100 AND 200",
                        "REPLACE INTO kinds.t VALUES (300, 1, 'r')",
                        "INSERT INTO kinds.t VALUES (300, 1, 'r') ON DUPLICATE KEY UPDATE v = 77",
                        "INSERT INTO kinds.secret VALUES (1, 'b', 'do not tell'), (2, 'c', 'do not tell')",
                        "UPDATE kinds.secret SET hidden = 'do not tell either'",
                        "INSERT INTO kinds.other (v) VALUES (1)",
                        "BEGIN",
                        "INSERT INTO kinds.t VALUES (2000, 1, 'gone')",
                        "ROLLBACK",
                        "BEGIN",
                        "INSERT INTO kinds.t VALUES (2001, 1, 'kept')",
                        "SAVEPOINT s",
                        "INSERT INTO kinds.t VALUES (2002, 1, 'gone')",
                        "ROLLBACK TO s",
                        "INSERT INTO kinds.secret VALUES (3, 'd', NULL)",
                        "COMMIT",
                        "ALTER TABLE kinds.t ADD COLUMN extra INT NOT NULL DEFAULT 5 AFTER v",
                        "UPDATE kinds.t SET extra = 6"});
  environment_->drain(agent, source());
  auto r = reader(db);
  EXPECT_TRUE(equal(r, db));
  EXPECT_TRUE(topic_has(r, "kinds.secret", environment_->rows_of(source(), db, "secret", {"hidden"})));
  EXPECT_EQ(r.types(), (std::set<std::string>{"secrets", "things"}));
  source().execute_all({"TRUNCATE kinds.t", "INSERT INTO kinds.t VALUES (1, 2, 3, 'after')"});
  environment_->drain(agent, source());
  EXPECT_TRUE(equal(r, db));
  source().execute("DROP TABLE kinds.secret");
  environment_->drain(agent, source());
  r.catch_up();
  ASSERT_EQ(r.notes().size(), 1U);
  EXPECT_EQ(r.notes()[0].table, "secret");
}

TEST_F(Capture, advances_the_position_when_only_other_tables_change) {
  const auto types = simple("filtered", 3);
  Agent agent(environment_->folder(), "filtered", environment_->config("filtered", types));
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  for (int i = 0; i < 50; ++i) source().execute("INSERT INTO filtered.other (v) VALUES (1)");
  environment_->drain(agent, source());
  auto r = reader("filtered");
  const auto end = *message::GtidSet::parse(source().gtid());
  EXPECT_TRUE(eventually(
      [&] {
        r.catch_up();
        return r.position(0).contains(end);
      },
      seconds(10)))
      << "a watermark informs readers";
  EXPECT_EQ(r.transactions(), 0U);
}

TEST_F(Capture, holds_prepared_transactions_over_kills) {
  const auto types = simple("xa", 10);
  Agent agent(environment_->folder(), "xa", environment_->config("xa", types));
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  auto one = source().connect();
  for (const auto* sql :
       {"XA START 'one'", "INSERT INTO xa.t VALUES (100, 1, 'one')", "XA END 'one'", "XA PREPARE 'one'"})
    one.execute(sql);
  auto two = source().connect();
  for (const auto* sql :
       {"XA START 'two'", "INSERT INTO xa.t VALUES (200, 1, 'two')", "XA END 'two'", "XA PREPARE 'two'"})
    two.execute(sql);
  source().execute("INSERT INTO xa.t VALUES (300, 1, 'between')");
  auto r = reader("xa");
  EXPECT_TRUE(eventually([&] { return equal(r, "xa"); }, seconds(20))) << "a prepared row is not to be seen";
  std::this_thread::sleep_for(milliseconds(500));  // checkpoints pass over the prepares
  agent.kill_and_restart();
  agent.wait_for("Streaming", seconds(60));
  source().execute("INSERT INTO xa.t VALUES (301, 1, 'after')");
  one.execute("XA COMMIT 'one'");
  two.execute("XA ROLLBACK 'two'");
  auto direct = source().connect();
  for (const auto* sql : {"XA START 'three'", "INSERT INTO xa.t VALUES (400, 1, 'three')", "XA END 'three'",
                          "XA COMMIT 'three' ONE PHASE"})
    direct.execute(sql);
  environment_->drain(agent, source());
  EXPECT_TRUE(equal(r, "xa"));
  agent.kill_and_restart();
  source().execute("INSERT INTO xa.t VALUES (500, 1, 'last')");
  environment_->drain(agent, source());
  EXPECT_TRUE(equal(r, "xa"));
}

/// Transactions of all kinds on a table until destroyed.
class Writing {
 public:
  Writing(MariaDbServer& server, std::string db, unsigned seed) : session_(server.connect()) {
    thread_ = std::jthread([this, db = std::move(db), seed](std::stop_token stop) {
      std::mt19937 random(seed);
      while (!stop.stop_requested()) {
        const auto id = random() % 3000;
        session_.execute("BEGIN");
        session_.execute(fmt::format("REPLACE INTO {}.t VALUES ({}, {}, 'w')", db, id, random()));
        session_.execute(
            fmt::format("UPDATE {}.t SET v = v + 1 WHERE id BETWEEN {} AND {}", db, id, id + random() % 50));
        session_.execute(fmt::format("DELETE FROM {}.t WHERE id = {}", db, random() % 3000));
        session_.execute(random() % 8 == 0 ? "ROLLBACK" : "COMMIT");
        if (random() % 20 == 0) session_.execute("FLUSH BINARY LOGS");
      }
    });
  }

 private:
  Session session_;
  std::jthread thread_;
};

TEST_F(Capture, loses_and_repeats_nothing_when_killed_during_a_snapshot) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const auto types = simple("kills", 20000);
  auto config = environment_->config("kills", types);
  config.chunk_rows = 300;
  config.record_bytes = 4096;
  Agent agent(environment_->folder(), "kills", config);
  agent.start();
  auto r = reader("kills");
  {
    const Writing writing(source(), "kills", seed);
    for (int round = 0; round < 12; ++round) {
      std::this_thread::sleep_for(milliseconds(200 + random() % 1500));
      agent.kill_and_restart();
    }
    agent.wait_for("Streaming", seconds(90));
  }
  environment_->drain(agent, source());
  EXPECT_TRUE(equal(r, "kills"));
  EXPECT_TRUE(r.snapshot_ended());
  EXPECT_GT(r.transactions(), 100U);
}

TEST_F(Capture, newer_instance_takes_over_and_the_older_one_ends) {
  const auto types = simple("twins", 100);
  const auto config = environment_->config("twins", types);
  Agent first(environment_->folder(), "twins1", config), second(environment_->folder(), "twins2", config);
  first.start();
  first.wait_for("Streaming", seconds(60));
  const Writing writing(source(), "twins", 7);
  first.process().freeze();
  second.start();
  second.wait_for("Streaming", seconds(60));
  std::this_thread::sleep_for(seconds(1));
  first.process().thaw();
  const auto ended = first.process().wait(seconds(30));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 3) << first.log_tail();
  EXPECT_EQ(second.wait_for("Streaming", seconds(30)).epoch, 2U);
}

TEST_F(Capture, follows_tables_on_four_streams) {
  source().execute("CREATE DATABASE four");
  std::vector<config::Type> types;
  for (const auto* name : {"a", "b", "c", "d", "e"}) {
    source().execute(fmt::format("CREATE TABLE four.{} (id INT PRIMARY KEY, v INT)", name));
    source().execute(fmt::format("INSERT INTO four.{} SELECT seq, seq FROM four.seq_1_to_2000", name));
    types.push_back({name, {std::string("four.") + name}, {}, {}});
  }
  auto config = environment_->config("four", types);
  config.common.channel.partitions = 4;
  config.chunk_rows = 300;
  config.parallelism = 4;
  Agent agent(environment_->folder(), "four", config);
  agent.start();
  for (int i = 0; i < 300; ++i) {
    source().execute_all({"BEGIN", fmt::format("UPDATE four.a SET v = v + 1 WHERE id = {}", 1 + i % 50),
                          fmt::format("UPDATE four.b SET v = v - 1 WHERE id = {}", 1 + i % 50),
                          fmt::format("INSERT INTO four.e VALUES ({}, 1)", 10000 + i), "COMMIT"});
    if (i % 100 == 50) agent.kill_and_restart();
  }
  agent.wait_for("Streaming", seconds(60));
  environment_->drain(agent, source());
  auto r = reader("four", 4);
  for (const auto* name : {"a", "b", "c", "d", "e"}) EXPECT_TRUE(equal(r, "four", name));
}

TEST_F(Capture, continues_at_the_next_replica_when_one_fails) {
  const auto types = simple("moves", 2000);
  auto config = environment_->replica_config("moves", types);
  config.chunk_rows = 200;
  Agent agent(environment_->folder(), "moves", config);
  for (std::size_t i = 0; i < 2; ++i) environment_->replica(i).wait_for_gtid(source().gtid());
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  {
    const Writing writing(source(), "moves", 11);
    for (std::size_t i = 0; i < 4; ++i) {
      auto& replica = environment_->replica(i % 2);
      const auto other = fmt::format("127.0.0.1:{}", environment_->replica(1 - i % 2).port());
      std::this_thread::sleep_for(milliseconds(700));
      replica.kill();
      EXPECT_TRUE(eventually(
          [&] {
            const auto status = agent.status();
            return status && status->state == "Streaming" && status->at("/replica") == other;
          },
          seconds(60)))
          << agent.log_tail();
      replica.start();
    }
  }
  environment_->drain(agent, source());
  auto r = reader("moves");
  EXPECT_TRUE(equal(r, "moves"));
  EXPECT_GT(agent.status()->number("/failovers"), 0U);
}

TEST_F(Capture, stalls_on_purged_binlogs_and_copies_again_when_declared) {
  const auto types = simple("purged", 50);
  auto config = environment_->config("purged", types);
  {
    Agent agent(environment_->folder(), "purged1", config);
    agent.start();
    agent.wait_for("Streaming", seconds(60));
    source().execute("INSERT INTO purged.t VALUES (600, 1, 'seen')");
    environment_->drain(agent, source());
  }
  source().execute_all({"INSERT INTO purged.t VALUES (601, 1, 'lost')", "DELETE FROM purged.t WHERE id = 7",
                        "FLUSH BINARY LOGS", "FLUSH BINARY LOGS"});
  // A binlog that a client reads is not purged: replicas and the dump of the killed agent let go of it after a while.
  const auto newest = *source().query("SHOW BINARY LOGS").back()[0];
  await(
      "old binlogs are purged",
      [&] {
        source().execute("PURGE BINARY LOGS TO '" + newest + "'");
        return source().query("SHOW BINARY LOGS").size() == 1;
      },
      seconds(60));
  {
    Agent agent(environment_->folder(), "purged2", config);
    agent.start();
    EXPECT_TRUE(becomes(agent, "Stalled", "BinlogPurged", kPatience));
  }
  config.on_position_lost = config::OnPositionLost::Resnapshot;
  Agent agent(environment_->folder(), "purged3", config);
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  source().execute("INSERT INTO purged.t VALUES (602, 1, 'after')");
  environment_->drain(agent, source());
  auto r = reader("purged");
  EXPECT_TRUE(equal(r, "purged"));
}

TEST_F(Capture, recovers_when_password_grant_and_key_are_fixed) {
  const auto types = simple("recovers", 5);
  source().execute("CREATE TABLE recovers.nokey (a INT)");
  auto all = types;
  all[0].tables.push_back("recovers.nokey");
  auto config = environment_->config("recovers", all);
  source().create_user("poor", "secret", "BINLOG MONITOR, SLAVE MONITOR");
  source().execute_all({"GRANT SELECT ON recovers.t TO poor", "GRANT SELECT ON recovers.nokey TO poor"});
  config.credentials = write_credentials(environment_->folder() / "secrets", "poor", "poor", "wrong");
  Agent agent(environment_->folder(), "recovers", config);
  agent.start();
  EXPECT_TRUE(becomes(agent, "Retrying", "CredentialsRejected", kPatience));
  write_credentials(environment_->folder() / "secrets", "poor", "poor", "secret");
  EXPECT_TRUE(becomes(agent, "Stalled", "PreflightFailed", kPatience));  // both that follow
  const auto message_text = agent.status()->message;
  EXPECT_NE(message_text.find("GRANT REPLICATION SLAVE ON *.* TO 'poor'@"), std::string::npos) << message_text;
  EXPECT_NE(message_text.find("recovers.nokey has no primary key"), std::string::npos) << message_text;
  source().execute("ALTER TABLE recovers.nokey ADD PRIMARY KEY (a)");
  EXPECT_TRUE(becomes(agent, "Retrying", "PermissionDenied", kPatience));
  const auto denied = agent.status()->message;
  source().execute(denied.substr(denied.find("GRANT ")));  // the fix that the message names
  EXPECT_TRUE(becomes(agent, "Streaming", "", kPatience));
}

TEST_F(Capture, carries_a_million_rows_in_bounded_memory) {
  const auto types = simple("million");
  Agent agent(environment_->folder(), "million", environment_->config("million", types));
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  const auto before = agent.process().cpu_time();
  source().execute("INSERT INTO million.t SELECT seq, seq * 3, REPEAT('n', 150) FROM million.seq_1_to_1000000");
  environment_->drain(agent, source());
  EXPECT_EQ(agent.status()->number("/rows"), 1000000U);
  EXPECT_LE(agent.process().peak_resident_bytes(), 128U << 20U);
  std::cout << "cpu " << (agent.process().cpu_time() - before).count() << " ms, peak "
            << (agent.process().peak_resident_bytes() >> 20U) << " MiB\n";
}

TEST_F(Capture, aborts_a_transaction_that_was_sent_and_rolled_back) {
  const auto types = simple("voids");
  source().execute("CREATE TABLE voids.log (a INT) ENGINE=MyISAM");
  auto config = environment_->config("voids", types);
  config.record_bytes = 4096;
  Agent agent(environment_->folder(), "voids", config);
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  source().execute_all({"BEGIN", "INSERT INTO voids.t SELECT seq, 1, REPEAT('v', 100) FROM voids.seq_1_to_500",
                        "INSERT INTO voids.log VALUES (1)", "ROLLBACK",
                        "INSERT INTO voids.t VALUES (9000, 1, 'kept')"});
  environment_->drain(agent, source());
  auto r = reader("voids");
  EXPECT_TRUE(equal(r, "voids"));
}

TEST_F(Capture, copies_verifies_and_completes_when_asked_once) {
  const auto types = simple("once", 5000);
  auto config = environment_->config("once", types);
  config.common.mode = config::Mode::Once;
  Agent agent(environment_->folder(), "once", config);
  agent.start();
  agent.wait_for("Completed", seconds(60));
  auto r = reader("once");
  EXPECT_TRUE(equal(r, "once"));
  ASSERT_EQ(r.verified().size(), 1U);
  EXPECT_EQ(r.verified()[0].rows, 5000U);
  EXPECT_TRUE(r.verified()[0].last);
}

TEST_F(Capture, halts_at_a_statement_that_changes_a_captured_table) {
  const auto types = simple("mixed", 5);
  Agent agent(environment_->folder(), "mixed", environment_->config("mixed", types));
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  auto session = source().connect();
  session.execute("SET SESSION binlog_format = STATEMENT, tx_isolation = 'REPEATABLE-READ'");
  session.execute("INSERT INTO mixed.other (v) VALUES (1)");
  environment_->drain(agent, source());
  session.execute("UPDATE mixed.t SET v = 1");
  EXPECT_TRUE(becomes(agent, "Stalled", "StatementFormat", kPatience));
}

}  // namespace
}  // namespace datasync::test
