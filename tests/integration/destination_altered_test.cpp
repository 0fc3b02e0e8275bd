// Columns of the destination that users alter while rows are stored in them, and statements of data definition that
// apply runs there.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/destination_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

using testing::HasSubstr;

constexpr milliseconds kUntilCertain{2500};  // CREATE_TIME has whole seconds, and is compared about once a second

// A column that a user made narrower became as wide as it was by the next change of the source's table, or by the
// statement of the message, and its values had changed.
TEST_F(Destination, narrowed_column_is_not_taken_for_restored) {
  prepare("narrowed", {"CREATE TABLE a (id INT PRIMARY KEY, ts DATETIME(6), v INT)",
                       "INSERT INTO a VALUES (1, '2026-01-02 03:04:05.678901', 1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(kUntilCertain);
  at_destination({"ALTER TABLE a MODIFY ts DATETIME"});
  at_source({"ALTER TABLE a ADD COLUMN n INT NULL", "INSERT INTO a VALUES (2, NOW(6), 2, 2)"});
  const auto message = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(message, HasSubstr("its column ts altered (DATETIME(6) became DATETIME)"));
  EXPECT_THAT(message, HasSubstr("datasync.dev/copy-tables=narrowed.a"));
  at_destination({"ALTER TABLE a MODIFY ts DATETIME(6)"});
  restart_apply(apply_here());
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("stay changed when it is altered back"));
  auto ordered = apply_here();
  ordered.copy_tables = "narrowed.a";
  restart_apply(ordered);
  EXPECT_TRUE(recovers({"a"}));
}

// The message had no way on, and the computed values stayed when the column was made a plain one.
TEST_F(Destination, column_that_the_destination_computes_now) {
  prepare("computed_now", {"CREATE TABLE a (id INT PRIMARY KEY, c INT, w INT)", "INSERT INTO a VALUES (1, 5, 6)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(kUntilCertain);
  at_destination({"ALTER TABLE a MODIFY c INT AS (id) STORED"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("column c altered"));
  at_source({"INSERT INTO a VALUES (2, 7, 8)"});
  auto ordered = apply_here();
  ordered.copy_tables = "computed_now.a";
  restart_apply(ordered);
  const auto message = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(message, HasSubstr("is computed by the destination"));
  at_destination(recommended_statements(message));
  EXPECT_TRUE(recovers({"a"}));
}

// What takes every value that was stored is no loss.
TEST_F(Destination, columns_that_a_user_widened) {
  prepare("widened", {"CREATE TABLE a (id INT PRIMARY KEY, n INT, s VARCHAR(5), e ENUM('x'))",
                      "INSERT INTO a VALUES (1, 1, 'one', 'x')"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(kUntilCertain);
  at_destination({"ALTER TABLE a MODIFY n BIGINT, MODIFY s VARCHAR(50), MODIFY e ENUM('x','y'), ADD COLUMN note INT"});
  std::this_thread::sleep_for(kUntilCertain);
  at_source({"INSERT INTO a VALUES (2, 2, 'two', 'x')"});
  ASSERT_TRUE(equal({"a"}));
  at_destination({"ALTER TABLE a MODIFY s VARCHAR(5), MODIFY n INT"});  // as wide as the source's
  std::this_thread::sleep_for(kUntilCertain);
  at_source({"INSERT INTO a VALUES (3, 3, 'three', 'x')"});
  EXPECT_TRUE(equal({"a"}));
  EXPECT_EQ(fixture_->apply().wait_for("Streaming", seconds(30)).reason, "");
}

// A ledger of the version before has no definitions; one that was used by it for a while has some that are old.
TEST_F(Destination, ledger_of_a_version_that_did_not_know_the_columns) {
  prepare("upgraded", {"CREATE TABLE a (id INT PRIMARY KEY, v DOUBLE)", "INSERT INTO a VALUES (1, 1.1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(kUntilCertain);
  const auto tables = apply_here().ledger_database + ".tables";
  const auto known = "SELECT definition<>'' FROM " + tables + " WHERE target='upgraded.a'";
  for (const std::string before : {" DROP COLUMN definition", ""}) {
    fixture_->apply().process().terminate();
    if (before.empty())
      at_destination(
          {"UPDATE " + tables + " SET definition=CONCAT(REVERSE(definition), 'old') WHERE target='upgraded.a'"});
    else
      at_destination({"ALTER TABLE " + tables + before});
    restart_apply(apply_here());
    at_source({"UPDATE a SET v=v+1"});
    EXPECT_TRUE(equal({"a"}));
    EXPECT_TRUE(fixture_->eventually_value(fixture_->destination(), known, "1"));
    std::this_thread::sleep_for(kUntilCertain);
  }
  at_destination({"ALTER TABLE a MODIFY v FLOAT"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("DOUBLE became FLOAT"));
  auto ordered = apply_here();
  ordered.copy_tables = "upgraded.a";
  restart_apply(ordered);
  EXPECT_TRUE(recovers({"a"}));
}

// A table that only had the name of the one that the source dropped was dropped, too.
TEST_F(Destination, table_of_a_user_with_the_name_of_a_dropped_one) {
  prepare("not_ours", {"CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)"},
          {"CREATE TABLE a (id INT PRIMARY KEY, own INT)", "INSERT INTO a VALUES (1, 1)"});
  auto capture = capture_of({"a", "b"});
  capture.snapshot_mode = config::SnapshotMode::Never;
  auto apply = apply_here();
  apply.schema_changes = config::SchemaChanges::ApplyAll;
  fixture_->start_capture(capture);
  fixture_->start_apply(apply);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", "", seconds(60)));
  at_source({"DROP TABLE a", "INSERT INTO b VALUES (1)"});
  EXPECT_TRUE(equal({"b"}));
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM not_ours.a"), 1);
}

// An instance that was replaced while it was frozen could still alter a table of its successor.
TEST_F(Destination, table_is_altered_only_while_the_stream_is_held) {
  prepare("fenced", {"CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  {
    auto other = fixture_->destination().connect();
    other.execute("BEGIN");
    (void)other.query("SELECT * FROM fenced.a");
    at_source({"ALTER TABLE a ADD COLUMN n INT NULL", "INSERT INTO a VALUES (2, 5)"});
    ASSERT_TRUE(eventually(
        [] {
          return fixture_->destination().number(
                     "SELECT COUNT(*) FROM information_schema.processlist WHERE state = "
                     "'Waiting for table metadata lock'") == 1;
        },
        seconds(20)));
    const auto ledger = apply_here().ledger_database + ".ledger WHERE task='" + apply_here().common.name + "'";
    EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM " + ledger), 1);
    EXPECT_TRUE(other.query("SELECT token FROM " + ledger + " FOR UPDATE SKIP LOCKED").empty());
  }
  EXPECT_TRUE(recovers({"a"}));
}

}  // namespace
}  // namespace datasync::test
