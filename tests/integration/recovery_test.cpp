// The recoveries that a user has: each ends with source and destination equal, row by row. Tables are copied again on
// request, transactions that capture cannot carry are passed, records are skipped. reason_tests.txt says which test is
// for which reason.

#include "tests/integration/recovery_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

/// A transaction of the source that capture cannot carry; it changes table t, or both.
struct Poison {
  const char* name;
  const char* reason;
  std::vector<std::string> statements;  ///< of one session
  bool all = false;                     ///< what it changed cannot be known
};

class Poisoned : public Recovery, public testing::WithParamInterface<Poison> {};

// There was no declared way past such a transaction: capture stood for ever, or everything was copied from the start.
TEST_P(Poisoned, transaction_is_skipped_and_its_tables_are_copied) {
  const auto& poison = GetParam();
  prepare(poison.name);
  start_both();
  {
    auto session = fixture_->source().connect();
    for (const auto& statement : poison.statements) session.execute(in(statement));
  }
  sql("INSERT INTO {}.u VALUES (5, 'after')");
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", poison.reason));
  const auto gtid = advised("accept-gtid");
  ASSERT_TRUE(std::regex_match(gtid, std::regex("[0-9]+-[0-9]+-[0-9]+"))) << message(fixture_->capture());
  EXPECT_EQ(message(fixture_->capture()).find("secret"), std::string::npos) << message(fixture_->capture());

  capture_.accept_gtid = "0-1-1";  // of another transaction
  restart_capture();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", poison.reason));
  EXPECT_EQ(advised("accept-gtid"), gtid);

  capture_.accept_gtid = gtid;
  restart_capture();
  EXPECT_TRUE(equal());
  EXPECT_EQ(copied_rows() > 4, poison.all) << copied_rows();
  // It is remembered, and not done again.
  capture_.accept_gtid.clear();
  restart_capture();
  sql("UPDATE {}.t SET v = 'later' WHERE id = 2");
  EXPECT_TRUE(equal());
  EXPECT_EQ(copied_rows(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, Poisoned,
    testing::Values(Poison{"statement",
                           "StatementFormat",
                           {"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                            "SET SESSION binlog_format = STATEMENT", "UPDATE {}.t SET v = 'secret' WHERE id = 1"},
                           true},
                    Poison{"partial",
                           "PartialRowImage",
                           {"SET SESSION binlog_row_image = MINIMAL", "UPDATE {}.t SET v = 'secret' WHERE id = 1"}}),
    [](const auto& row) { return row.param.name; });

// The definition that was kept stayed that of before the transaction.
TEST_F(Recovery, definition_in_a_skipped_transaction_is_known_after_it) {
  prepare("defined");
  start_both();
  {
    auto session = fixture_->source().connect();
    for (const auto* statement :
         {"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET SESSION binlog_format = STATEMENT",
          "CREATE OR REPLACE TABLE {}.t (id INT PRIMARY KEY, n INT, u UUID) AS SELECT 7 AS id, 7 AS n, NULL AS u"})
      session.execute(in(statement));
  }
  sql("INSERT INTO {}.t VALUES (8, 8, '00112233-4455-6677-8899-aabbccddeeff')");
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "StatementFormat"));
  capture_.accept_gtid = advised("accept-gtid");
  restart_capture();
  EXPECT_TRUE(equal());
  sql("CREATE TABLE IF NOT EXISTS {}.t (id INT PRIMARY KEY, n INT, u UUID)");
  sql("INSERT INTO {}.t VALUES (9, 9, NULL)");
  EXPECT_TRUE(equal());
}

// What the table map lacks, a copy of the table has.
TEST_F(Recovery, transaction_without_metadata_is_replaced_by_a_copy) {
  prepare("metadata");
  start_both();
  sql("SET GLOBAL binlog_row_metadata = NO_LOG");
  sql("UPDATE {}.t SET v = 'changed' WHERE id = 1");
  sql("SET GLOBAL binlog_row_metadata = FULL");
  sql("DELETE FROM {}.t WHERE id = 2");
  EXPECT_TRUE(equal());
}

TEST_F(Recovery, row_too_large_is_skipped_once_it_is_smaller_at_the_source) {
  prepare("large");
  fixture_->broker().create_topic(name_, 1, {{"max.message.bytes", "50000"}});
  sql("ALTER TABLE {}.t ADD COLUMN b LONGBLOB");
  start_both();
  sql("UPDATE {}.t SET b = REPEAT('x', 100000) WHERE id = 1");
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "RowTooLarge"));
  const auto gtid = advised("accept-gtid");
  sql("UPDATE {}.t SET b = 'small' WHERE id = 1");
  const auto message_text = message(fixture_->capture());
  EXPECT_NE(message_text.find("max.message.bytes"), std::string::npos) << message_text;
  capture_.accept_gtid = gtid;
  restart_capture();
  // The second transaction has the large row as its image of before: it is one more to be named.
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "RowTooLarge"));
  capture_.accept_gtid += "," + advised("accept-gtid");
  restart_capture();
  EXPECT_TRUE(equal());
  sql("UPDATE {}.t SET b = 'later' WHERE id = 1");
  EXPECT_TRUE(equal());
}

// The message recommended accept-gtid, and the statement was held whole all the same: capture stalled at it for ever.
TEST_F(Recovery, statement_above_the_memory_limit_is_skipped_and_copied) {
  prepare("above_limit");
  ASSERT_EQ(::setenv("DATASYNC_MEMORY_LIMIT_BYTES", "1", 1), 0);  // an event of 4 MiB at most
  const std::string long_text(5'000'000, 'x');
  start_both();
  const auto pass = [&](const std::vector<std::string>& statements) {
    {
      auto session = fixture_->source().connect();
      for (const auto& statement : statements) session.execute(in(statement) + " /* " + long_text + " */");
    }
    ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "RowTooLarge"));
    EXPECT_NE(message(fixture_->capture()).find("limits.memory"), std::string::npos) << message(fixture_->capture());
    capture_.accept_gtid = advised("accept-gtid");
    ASSERT_NE(capture_.accept_gtid, "");
    restart_capture();
    EXPECT_TRUE(equal());
  };
  // In a transaction of several parts, and one that is a transaction of its own and the last one of the binlog.
  pass({"SET SESSION tx_isolation = 'REPEATABLE-READ', binlog_format = STATEMENT",
        "UPDATE {}.t SET v = 'changed' WHERE id = 1"});
  pass({"ALTER TABLE {}.u ADD COLUMN n INT DEFAULT 3"});
  sql("INSERT INTO {}.u VALUES (4, 'd', 4)");
  EXPECT_TRUE(equal());
  ASSERT_EQ(::unsetenv("DATASYNC_MEMORY_LIMIT_BYTES"), 0);
}

// The commit of a prepare that was passed ended in PositionUnknown, whose way on is to copy everything.
TEST_F(Recovery, skipped_xa_prepare_has_its_tables_copied_at_the_commit) {
  prepare("xa_passed");
  start_both();
  const auto prepare_xa = [&](const std::string& xid, int id) {
    auto session = fixture_->source().connect();
    session.execute("SET SESSION binlog_row_image = MINIMAL");
    for (const auto& statement :
         {"XA START '{0}'", "UPDATE {1}.t SET v = '{0}' WHERE id = {2}", "XA END '{0}'", "XA PREPARE '{0}'"})
      session.execute(fmt::format(fmt::runtime(statement), xid, name_, id));
  };
  prepare_xa("committed", 1);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "PartialRowImage"));
  capture_.accept_gtid = advised("accept-gtid");
  restart_capture();
  prepare_xa("rolled back", 2);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "PartialRowImage"));
  capture_.accept_gtid = advised("accept-gtid");
  restart_capture();
  sql("INSERT INTO {}.u VALUES (5, 'between')");
  EXPECT_TRUE(equal());
  EXPECT_EQ(copied_rows(), 0) << "nothing is changed yet";
  sql("XA COMMIT 'committed'");
  EXPECT_TRUE(equal());
  sql("XA ROLLBACK 'rolled back'");
  sql("UPDATE {}.t SET v = 'later' WHERE id = 2");
  EXPECT_TRUE(equal());
}

TEST_F(Recovery, damaged_event_is_skipped_and_everything_is_copied) {
  prepare("damaged");
  start_both();
  fixture_->capture().process().terminate();
  fixture_->source().execute("SET GLOBAL binlog_checksum = CRC32");  // and another file
  const auto file = fixture_->source().value("SHOW MASTER STATUS");
  sql("INSERT INTO {}.t VALUES (8, 'damaged-here')");
  sql("INSERT INTO {}.t VALUES (9, 'whole')");
  damage(file, "damaged-here");
  fixture_->capture().start();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "BinlogCorrupt"));
  fixture_->source().execute("SET GLOBAL binlog_checksum = NONE");
  capture_.accept_gtid = advised("accept-gtid");
  restart_capture();
  EXPECT_TRUE(equal());
  sql("DELETE FROM {}.t WHERE id = 8");
  EXPECT_TRUE(equal());
}

TEST_F(Recovery, request_at_the_source_copies_its_tables_again_only_once) {
  prepare("asked");
  start_both();
  destination_sql("DELETE FROM {}.t WHERE id = 1");
  destination_sql("INSERT INTO {}.t VALUES (77, 'not of the source')");
  destination_sql("UPDATE {}.t SET v = 'changed here' WHERE id = 2");
  destination_sql("DELETE FROM {}.u WHERE id = 3");
  capture_.copy_tables = in("{0}.t");
  restart_capture();
  EXPECT_TRUE(fixture_->eventually_equal({{name_ + ".t", ""}}, seconds(60)));
  EXPECT_EQ(fixture_->destination().number(in("SELECT COUNT(*) FROM {}.u")), 2) << "no copy of this one was requested";

  // The value stays in the resource: it was served.
  destination_sql("DELETE FROM {}.t WHERE id = 1");
  restart_capture();
  sql("INSERT INTO {}.t VALUES (4, 'd')");
  EXPECT_TRUE(fixture_->eventually_value(fixture_->destination(), in("SELECT COUNT(*) FROM {}.t"), "3"));
  EXPECT_EQ(copied_rows(), 0);

  // With another token it is another request, also for several tables.
  capture_.copy_tables = in("{0}.t,{0}.u#2");
  restart_capture();
  EXPECT_TRUE(equal());
  sql("UPDATE {}.t SET v = 'later'");
  EXPECT_TRUE(equal());
}

TEST_F(Recovery, request_at_the_destination_copies_a_differing_table_again) {
  prepare("conflict");
  start_both();
  destination_sql("DELETE FROM {}.t WHERE id = 2");
  destination_sql("INSERT INTO {}.t VALUES (78, 'not of the source')");
  sql("UPDATE {}.t SET v = 'changed' WHERE id = 2");
  sql("INSERT INTO {}.u VALUES (4, 'behind it')");
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "RowConflict"));
  apply_.copy_tables = advised("copy-tables", fixture_->apply());
  EXPECT_NE(apply_.copy_tables.find(in("{}.t#")), std::string::npos) << message(fixture_->apply());
  restart_apply();
  EXPECT_TRUE(equal());
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Streaming", ""));
  // The same value again: it was served.
  fixture_->apply().kill_and_restart();
  sql("UPDATE {}.t SET v = 'later' WHERE id = 2");
  EXPECT_TRUE(equal());
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Streaming", ""));
}

// The rows of a skipped record were missing for good, and the status said Streaming.
TEST_F(Recovery, tables_of_a_skipped_record_are_copied_again) {
  prepare("skipped");
  start_both();
  fixture_->apply().process().terminate();
  const auto before = end_of_topic();
  sql("INSERT INTO {}.t VALUES (4, 'skipped')");
  ASSERT_TRUE(eventually([&] { return end_of_topic() > before; }, seconds(30)));
  // Watermarks stand between: every record of the time is declared void.
  const auto after = end_of_topic();
  fixture_->forget(fixture_->apply());
  for (auto offset = before; offset < after; ++offset) apply_.skip_offsets.push_back(fmt::format("0:{}", offset));
  sql("UPDATE {}.t SET v = 'of a row that never came' WHERE id = 4");
  sql("INSERT INTO {}.u VALUES (4, 'goes on')");
  fixture_->start_apply(apply_);
  EXPECT_TRUE(equal());
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Streaming", ""));
  sql("DELETE FROM {}.t WHERE id = 4");
  EXPECT_TRUE(equal());
}

TEST_F(Recovery, dropped_and_recreated_table_is_copied_after_the_skip) {
  prepare("remade");
  start_both();
  sql("DROP TABLE {}.t");
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "TableDropped"));
  apply_.skip_offsets = {advised("skip-offsets", fixture_->apply())};
  sql("CREATE TABLE {}.t (id INT PRIMARY KEY, v VARCHAR(50))");
  sql("INSERT INTO {}.t VALUES (2, 'new'), (9, 'new')");
  restart_apply();
  EXPECT_TRUE(equal());
  sql("UPDATE {}.t SET v = 'later'");
  EXPECT_TRUE(equal());
}

/// Another table has the name of t now, of other types and with another key.
class Replaced : public Recovery, public testing::WithParamInterface<config::SchemaChanges> {
 protected:
  /// Does what apply says until it says nothing more.
  void follow() {
    const auto idle = [&] {
      const auto status = fixture_->apply().status();
      return status && (status->state == "Stalled" || (status->state == "Streaming" && equal_now()));
    };
    for (int i = 0; i < 8 && eventually(idle, seconds(60)); ++i) {
      const auto text = message(fixture_->apply());
      if (fixture_->apply().status().value_or(AgentStatus{}).state != "Stalled") return;
      EXPECT_NE(GetParam(), config::SchemaChanges::ApplyAll) << text;
      for (const auto& statement : recommended_statements(text)) fixture_->destination().query(statement);
      if (const auto tables = recommended_annotation(text, "copy-tables"); !tables.empty()) apply_.copy_tables = tables;
      restart_apply();
    }
  }
  [[nodiscard]] bool equal_now() const {
    auto left = fixture_->source().connect();
    auto right = fixture_->destination().connect();
    return compare(left, right, {{name_ + ".t", ""}, {name_ + ".u", ""}}).equal();
  }
};

// The statement of the message was refused for the rows that were there, and two changes in a row contradicted each
// other.
TEST_P(Replaced, table_with_other_column_types_replaces_another) {
  prepare(GetParam() == config::SchemaChanges::ApplyAll ? "replaced_all" : "replaced_halt");
  apply_.schema_changes = GetParam();
  start_both();
  sql("CREATE TABLE {}.next (id INT, n INT NOT NULL, v DATE, w INT NULL, PRIMARY KEY (id, n))");
  sql("INSERT INTO {}.next VALUES (1, 1, '2026-01-01', 7), (1, 2, NULL, 8)");
  sql("RENAME TABLE {0}.t TO {0}.old, {0}.next TO {0}.t");
  sql("INSERT INTO {}.t VALUES (2, 1, '2026-01-02', NULL), (2, 2, '2026-01-03', 9)");
  follow();
  ASSERT_TRUE(equal());
  sql("DROP TABLE {}.t");
  sql("CREATE TABLE {}.t (id INT PRIMARY KEY, v BIGINT UNSIGNED, w INT NULL)");
  sql("INSERT INTO {}.t VALUES (3, 18446744073709551615, 1)");
  follow();
  ASSERT_TRUE(equal());
  sql("CREATE OR REPLACE TABLE {}.t (id INT PRIMARY KEY, v VARCHAR(9), w INT NULL) SELECT 4 AS id, 'text' AS v, 2 AS "
      "w");
  sql("INSERT INTO {}.t VALUES (5, 'more', 3)");
  follow();
  ASSERT_TRUE(equal());
  sql("UPDATE {}.t SET v = id");
  sql("ALTER TABLE {}.t MODIFY v SMALLINT NULL");
  sql("UPDATE {}.t SET v = -1 WHERE id = 5");
  follow();
  ASSERT_TRUE(equal());
  sql("CREATE OR REPLACE TABLE {}.t (id INT PRIMARY KEY, v UUID NULL, w INT NULL)");
  sql("INSERT INTO {}.t VALUES (6, UUID(), 3)");
  follow();
  ASSERT_TRUE(equal());
  sql("CREATE OR REPLACE TABLE {}.t (id INT PRIMARY KEY, v INT NULL, w INT NULL)");
  sql("INSERT INTO {}.t VALUES (7, 7, 7)");
  follow();
  EXPECT_TRUE(equal());
}

INSTANTIATE_TEST_SUITE_P(All, Replaced, testing::Values(config::SchemaChanges::ApplyAll, config::SchemaChanges::Halt),
                         [](const auto& row) {
                           return row.param == config::SchemaChanges::ApplyAll ? "ApplyAll" : "Halt";
                         });

TEST_F(Recovery, once_is_complete_after_differing_tables_are_copied_again) {
  prepare("once");
  capture_.common.mode = apply_.common.mode = config::Mode::Once;
  destination_sql("CREATE DATABASE {}");
  destination_sql("CREATE TABLE {}.t (id INT PRIMARY KEY, v VARCHAR(50))");
  destination_sql("INSERT INTO {}.t VALUES (79, 'not of the source')");
  fixture_->start_capture(capture_);
  fixture_->start_apply(apply_);
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "VerifyFailed", seconds(60)));
  apply_.copy_tables = advised("copy-tables", fixture_->apply());
  restart_apply();
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Completed", "", seconds(60)));
  EXPECT_TRUE(equal());
}

}  // namespace
}  // namespace datasync::test
