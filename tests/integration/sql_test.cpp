// Connections, table definitions and the dump stream of the sql layer against a real server.

#include <chrono>
#include <thread>

#include "agents/base/identifier.hpp"
#include "agents/source/mariadb/binlog_stream.hpp"
#include "tests/integration/sql_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::sql {
namespace {

using base::Reason;
using namespace std::chrono_literals;

TEST_F(SqlTest, the_session_depends_on_no_server_default) {
  server_->execute("SET GLOBAL sql_mode='', GLOBAL time_zone='+05:00', GLOBAL foreign_key_checks=0");
  const auto connection = connect();
  server_->execute("SET GLOBAL sql_mode=DEFAULT, GLOBAL time_zone=DEFAULT, GLOBAL foreign_key_checks=1");
  EXPECT_EQ(connection->query_one("SELECT CONCAT_WS(' ', @@time_zone, @@foreign_key_checks, @@autocommit)").value(),
            "+00:00 ON ON");
  EXPECT_NE(connection->query_one("SELECT @@sql_mode").value()->find("STRICT_ALL_TABLES"), std::string::npos);
  EXPECT_TRUE(connection->is_mariadb());
  EXPECT_EQ(connection->query_one("SELECT NULL").value(), std::nullopt);
  EXPECT_EQ(connection->query_one("SELECT " + quote_text("a\\'b\"😀")).value(), "a\\'b\"😀");
}

TEST_F(SqlTest, identifiers_fold_as_the_server_folds_each_code_point) {
  const auto connection = connect();
  ASSERT_TRUE(connection->query("SET NAMES utf8mb4 COLLATE utf8mb4_general_ci"));
  const auto rows = connection->query(
      "SELECT u, LOWER(u) FROM (SELECT CONVERT(CONVERT(UNHEX(LPAD(HEX(seq),4,'0')) USING ucs2) USING utf8mb3) u "
      "FROM mysql.seq_1_to_65535 WHERE seq NOT BETWEEN 0xD800 AND 0xDFFF) t");
  ASSERT_TRUE(rows) << rows.error().what;
  ASSERT_EQ(rows->size(), 65535U - 0x800U);
  for (const auto& row : *rows) EXPECT_EQ(base::fold_identifier(row[0].value()), row[1].value());
  // The same table decides whether two columns have one name.
  EXPECT_FALSE(connection->query("CREATE TABLE a.folded (`\u0130` INT, i INT)"));
  EXPECT_TRUE(connection->query("CREATE TABLE a.folded (`\u00DF` INT, `\u1E9E` INT, `\u03C2` INT, `\u03C3` INT)"));
}

TEST_F(SqlTest, a_refused_password_is_not_in_the_message) {
  auto o = options();
  o.password = base::Secret("geheim");
  const auto connection = Connection::open(o);
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().reason, Reason::CredentialsRejected);
  EXPECT_NE(connection.error().what.find("(error 1045)"), std::string::npos);
  EXPECT_EQ(connection.error().what.find("geheim"), std::string::npos);
}

// A check of keys that took longer than the read timeout failed for ever, and the server went on with each of them.
TEST_F(SqlTest, a_check_of_keys_takes_its_time_and_no_more) {
  auto session = server_->connect();
  session.execute("CREATE TABLE a.t (k INT NOT NULL, v INT)");
  session.execute("INSERT INTO a.t VALUES (1, 1), (2, 2)");
  auto schema = schema_of("a", "t");
  schema.key = {0};
  auto impatient = options(Role::Source);
  impatient.read_timeout = 1s;
  const auto checked = [&](Connection& connection, std::chrono::milliseconds time) {
    return repeats_a_key(connection, schema, "a", "t", {}, time);
  };
  auto connection = Connection::open(impatient).value();
  session.execute("LOCK TABLES a.t WRITE");
  const auto late = checked(*connection, 1500ms);
  ASSERT_TRUE(late) << late.error().what;
  EXPECT_FALSE(late->has_value()) << "the server ended it";
  std::jthread unlock([&] {
    std::this_thread::sleep_for(1500ms);
    session.execute("UNLOCK TABLES");
  });
  const auto slow = checked(*connection, 60s);
  unlock.join();
  ASSERT_TRUE(slow) << slow.error().what;
  EXPECT_EQ(*slow, std::optional(false));
  session.execute("INSERT INTO a.t VALUES (2, 3)");
  EXPECT_EQ(checked(*connection, 60s).value(), std::optional(true));
}

TEST_F(SqlTest, abort_wakes_a_blocked_call_and_the_connection_stays_failed) {
  const auto connection = connect();
  std::thread waker([&] {
    std::this_thread::sleep_for(100ms);
    connection->abort();
  });
  const auto began = std::chrono::steady_clock::now();
  const auto result = connection->query("SELECT SLEEP(30)");
  waker.join();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::DestinationUnreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_FALSE(connection->query("SELECT 1"));
  connection->rollback();
}

TEST_F(SqlTest, a_table_definition_is_read_whole) {
  server_->execute("CREATE TABLE a.parent (x INT, y INT, PRIMARY KEY (y, x))");
  server_->execute(
      "CREATE TABLE a.`chi``ld` (id INT, a INT, b INT, e ENUM('a','it''s','😀?','back\\slash','ü') CHARACTER SET "
      "utf8mb4, "
      "s SET('?','😀') CHARACTER SET utf8mb4, g INT AS (a+1) VIRTUAL, hidden INT INVISIBLE, t VARCHAR(50), "
      "PRIMARY KEY (id), UNIQUE u1 (b, a), UNIQUE u2 (t(5)), "
      "CONSTRAINT f FOREIGN KEY (a, b) REFERENCES parent (y, x) ON DELETE CASCADE)");
  const auto info = read_table_info(*connect(), "a", "chi`ld");
  ASSERT_TRUE(info) << info.error().what;
  ASSERT_TRUE(*info);
  const TableInfo& table = **info;
  EXPECT_EQ(table.engine, "InnoDB");
  EXPECT_EQ(table.schema.key, (std::vector<std::uint16_t>{0}));
  EXPECT_EQ(table.unique_keys, (std::vector<std::vector<std::uint16_t>>{{2, 1}, {7}}));
  EXPECT_TRUE(table.unique_by_prefix);
  EXPECT_EQ(table.schema.columns[3].labels, (std::vector<std::string>{"a", "it's", "😀?", "back\\slash", "ü"}));
  EXPECT_EQ(table.schema.columns[4].labels, (std::vector<std::string>{"?", "😀"}));
  EXPECT_TRUE(table.schema.columns[5].generated);
  EXPECT_EQ(table.invisible_columns, (std::vector<std::string>{"hidden"}));
  ASSERT_EQ(table.foreign_keys.size(), 1U);
  EXPECT_EQ(table.foreign_keys[0].columns, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table.foreign_keys[0].parent_columns, (std::vector<std::string>{"y", "x"}));
  EXPECT_EQ(table.foreign_keys[0].on_delete, "CASCADE");
}

TEST_F(SqlTest, a_missing_table_is_distinguished_from_an_error) {
  server_->execute("CREATE VIEW a.v AS SELECT 1 AS x");
  EXPECT_EQ(read_table_info(*connect(), "a", "v").value().has_value(), false);
  EXPECT_EQ(read_table_info(*connect(), "a", "nothing").value().has_value(), false);
  EXPECT_EQ(read_table_info(*connect(), "no_such_database", "t").value().has_value(), false);
}

// Information_schema.referential_constraints is empty for a user who has SELECT only, without an error.
TEST_F(SqlTest, select_alone_shows_every_foreign_key) {
  server_->execute_all({"CREATE TABLE a.mother (id INT PRIMARY KEY)",
                        "CREATE TABLE a.kid (id INT PRIMARY KEY, p INT, CONSTRAINT ward FOREIGN KEY (p) REFERENCES "
                        "mother (id) ON DELETE CASCADE ON UPDATE SET NULL)",
                        "CREATE USER seer@'127.0.0.1'", "GRANT SELECT ON *.* TO seer@'127.0.0.1'"});
  auto o = options();
  o.user = "seer";
  const auto connection = Connection::open(o);
  ASSERT_TRUE(connection) << connection.error().what;
  const auto info = read_table_info(**connection, "a", "kid");
  ASSERT_TRUE(info) << info.error().what;
  ASSERT_EQ((*info)->foreign_keys.size(), 1U);
  const auto& key = (*info)->foreign_keys[0];
  EXPECT_EQ(key.name + " " + key.parent_database + "." + key.parent_table + " " + key.on_delete + " " + key.on_update,
            "ward a.mother CASCADE SET NULL");
}

// The query for foreign keys opened every table of the server: at 1000 tables 45 ms for each of them.
TEST_F(SqlTest, reading_a_definition_opens_no_other_table) {
  for (int i = 0; i < 60; ++i)
    server_->execute(
        fmt::format("CREATE TABLE a.t{0} (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES t{0} (id) "
                    "ON DELETE CASCADE)",
                    i));
  const auto connection = connect();
  server_->execute("FLUSH TABLES");
  const auto opened = [] {
    return std::stoull(server_->query("SHOW GLOBAL STATUS LIKE 'Opened_tables'")[0][1].value());
  };
  const auto before = opened();
  const auto info = read_table_info(*connection, "a", "t7");
  ASSERT_TRUE(info && *info);
  EXPECT_EQ((*info)->foreign_keys.size(), 1U);
  EXPECT_LT(opened() - before, 10U);
}

TEST_F(SqlTest, a_definition_that_privileges_hide_is_refused_with_the_grant) {
  server_->execute_all({"CREATE TABLE a.half (id INT PRIMARY KEY, secret INT)", "CREATE USER squinter@'127.0.0.1'"});
  auto o = options();
  o.user = "squinter";
  const auto refused = [&] {
    const auto connection = Connection::open(o);
    if (!connection) return connection.error();
    const auto info = read_table_info(**connection, "a", "half");
    return info ? base::Error(Reason::Internal, *info ? "it was read" : "no table") : info.error();
  };
  const auto unseen = refused();
  EXPECT_EQ(unseen.reason, Reason::PermissionDenied) << unseen.what;
  server_->execute("GRANT SELECT (id) ON a.half TO squinter@'127.0.0.1'");
  const auto error = refused();
  EXPECT_EQ(error.reason, Reason::PermissionDenied) << error.what;
  EXPECT_NE(error.what.find("GRANT SELECT ON `a`.`half` TO"), std::string::npos) << error.what;
}

class Dump : public SqlTest {
 protected:
  static base::Result<std::unique_ptr<BinlogStream>> open(const std::string& position, std::uint32_t id = 4711,
                                                          std::chrono::milliseconds heartbeat = 200ms) {
    return BinlogStream::open(options(Role::Source),
                              {.position = position, .server_id = id, .heartbeat = heartbeat, .watchdog = 1000ms});
  }
  /// The error that ends the stream, within `most` events.
  static Reason end_of(BinlogStream& stream, int most = 1000) {
    for (int i = 0; i < most; ++i) {
      const auto event = stream.next();
      if (!event) {
        last_error = event.error().what;
        return event.error().reason;
      }
    }
    return Reason::Internal;
  }
  static inline std::string last_error;
};

TEST_F(Dump, events_stream_from_a_position_with_heartbeats) {
  server_->execute("CREATE TABLE a.t (id INT PRIMARY KEY, v LONGBLOB)");
  const std::string position = server_->gtid();
  server_->execute("INSERT INTO a.t VALUES (1, REPEAT('x', 15000000))");
  auto stream = open(position);
  ASSERT_TRUE(stream) << stream.error().what;
  std::size_t longest = 0;
  bool heartbeat = false;
  for (int i = 0; i < 100 && !heartbeat; ++i) {
    const auto event = (*stream)->next();
    ASSERT_TRUE(event) << event.error().what;
    longest = std::max(longest, event->size());
    heartbeat = (*event)[4] == std::byte{27};
  }
  EXPECT_TRUE(heartbeat);
  EXPECT_GT(longest, 15000000U);
}

TEST_F(Dump, silence_without_heartbeats_is_detected) {
  auto stream = open(server_->gtid(), 4712, 60000ms);
  ASSERT_TRUE(stream);
  EXPECT_EQ(end_of(**stream), Reason::SourceSilent) << last_error;
}

TEST_F(Dump, abort_wakes_a_blocked_next) {
  auto stream = open(server_->gtid(), 4713, 60000ms);
  ASSERT_TRUE(stream);
  std::thread waker([&] {
    std::this_thread::sleep_for(200ms);
    (*stream)->abort();
  });
  EXPECT_EQ(end_of(**stream), Reason::SourceUnreachable) << last_error;
  waker.join();
}

TEST_F(Dump, a_second_reader_with_the_same_server_id_ends_the_first) {
  auto first = open(server_->gtid(), 4714);
  ASSERT_TRUE(first);
  ASSERT_TRUE((*first)->next());
  auto second = open(server_->gtid(), 4714);
  ASSERT_TRUE(second);
  EXPECT_EQ(end_of(**first, 100), Reason::DuplicateServerId) << last_error;
  EXPECT_TRUE((*second)->next());
}

TEST_F(Dump, a_position_that_never_existed_is_diverged) {
  auto ahead = open("0-1-4000000000");
  ASSERT_TRUE(ahead);
  EXPECT_EQ(end_of(**ahead), Reason::GtidDiverged) << last_error;
}

TEST_F(Dump, a_position_whose_binlogs_are_purged_is_named_so) {
  const std::string old = server_->gtid();
  server_->execute("CREATE OR REPLACE TABLE a.t (id INT)");
  server_->execute("CREATE OR REPLACE TABLE a.t (id INT)");
  server_->execute("FLUSH BINARY LOGS");
  server_->execute("CREATE OR REPLACE TABLE a.t (id INT)");
  const auto logs = server_->query("SHOW BINARY LOGS");
  server_->execute("PURGE BINARY LOGS TO '" + logs.back()[0].value() + "'");
  auto stream = open(old);
  ASSERT_TRUE(stream);
  EXPECT_EQ(end_of(**stream), Reason::BinlogPurged) << last_error;
  stream = open("");
  ASSERT_TRUE(stream);
  EXPECT_EQ(end_of(**stream), Reason::BinlogPurged) << last_error;
}

TEST_F(Dump, a_server_that_stops_ends_the_stream) {
  auto stream = open(server_->gtid());
  ASSERT_TRUE(stream);
  ASSERT_TRUE((*stream)->next());
  server_->kill();
  EXPECT_EQ(end_of(**stream), Reason::SourceRestarted) << last_error;
  const auto refused = open("");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::SourceUnreachable);
  server_->start();
}

}  // namespace
}  // namespace datasync::sql
