// Tables of the destination that were written before, and that users drop, make again or alter.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/destination_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

using testing::HasSubstr;

// An empty table was made, and its past was missing.
TEST_F(Destination, table_that_no_longer_exists) {
  prepare("lost", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE b (id INT PRIMARY KEY)",
                   "INSERT INTO a VALUES (1, 1)", "INSERT INTO b VALUES (1)"});
  start({"a", "b"});
  ASSERT_TRUE(equal({"a", "b"}));
  at_destination({"RENAME TABLE a TO kept"});
  const auto message = refusal("DestinationTableMissing");
  EXPECT_THAT(message, HasSubstr("lost.a"));
  EXPECT_THAT(message, HasSubstr("datasync.dev/copy-tables=lost.a"));
  at_source({"INSERT INTO a VALUES (2, 2)"});
  restart_apply(apply_here());
  refusal("DestinationTableMissing");
  at_destination({"RENAME TABLE kept TO a"});
  EXPECT_TRUE(recovers({"a", "b"}));
}

// The same, with a table recreated by hand.
TEST_F(Destination, table_that_was_recreated) {
  prepare("again", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(milliseconds(1100));  // CREATE_TIME counts whole seconds
  at_destination({"RENAME TABLE a TO kept", "CREATE TABLE a LIKE kept"});
  refusal("DestinationTableMissing");
  at_source({"INSERT INTO a VALUES (2, 2)"});
  at_destination({"DROP TABLE a", "RENAME TABLE kept TO a"});
  EXPECT_TRUE(recovers({"a"}));
}

// Altered by apply itself when the source had emptied it, it was taken for one that had lost its rows.
TEST_F(Destination, table_that_the_source_emptied_and_altered) {
  prepare("emptied_altered", {"CREATE TABLE a (id INT PRIMARY KEY, v INT NOT NULL)", "INSERT INTO a VALUES (1, 1)",
                              "CREATE TABLE b (id INT PRIMARY KEY)"});
  start({"a", "b"});
  ASSERT_TRUE(equal({"a", "b"}));
  std::this_thread::sleep_for(milliseconds(3100));  // until CREATE_TIME says which table it is
  at_source({"INSERT INTO a VALUES (2, 2)"});
  ASSERT_TRUE(equal({"a"}));
  fixture_->apply().process().freeze();
  at_source({"TRUNCATE TABLE a", "ALTER TABLE a DROP COLUMN v", "INSERT INTO b VALUES (1)"});
  std::this_thread::sleep_for(milliseconds(500));
  fixture_->apply().process().thaw();
  EXPECT_TRUE(equal({"a", "b"}));
  at_source({"INSERT INTO b VALUES (2)"});
  EXPECT_TRUE(equal({"a", "b"}));
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_EQ(fixture_->apply().wait_for("Streaming", seconds(30)).reason, "");
  at_source({"INSERT INTO a VALUES (3)"});
  EXPECT_TRUE(equal({"a", "b"}));
}

// What the message says to run is not taken for a loss.
TEST_F(Destination, table_that_is_emptied_and_altered_as_the_message_says) {
  prepare("by_hand", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(milliseconds(3100));
  at_source({"INSERT INTO a VALUES (2, 2)"});
  ASSERT_TRUE(equal({"a"}));
  at_source({"CREATE OR REPLACE TABLE a (PRIMARY KEY (id)) AS SELECT 7 id, CAST('x' AS CHAR(9)) v"});
  const auto message = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(message, HasSubstr("A copy replaces its rows"));
  auto session = fixture_->destination().connect();
  for (const auto& statement : recommended_statements(message)) session.query(statement);
  EXPECT_TRUE(recovers({"a"}));
}

// It was added again, with NULL in every row.
TEST_F(Destination, column_that_no_longer_exists) {
  prepare("lost_column", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  at_destination({"ALTER TABLE a CHANGE v kept INT"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("no longer has the column"));
  at_source({"INSERT INTO a VALUES (2, 2)"});
  at_destination({"ALTER TABLE a CHANGE kept v INT"});
  EXPECT_TRUE(recovers({"a"}));
}

// It was accepted with NULL in every row of before.
TEST_F(Destination, lost_column_that_was_added_again_without_its_values) {
  prepare("added_again", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1), (2, 2)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  at_destination({"ALTER TABLE a DROP COLUMN v"});
  refusal("DestinationSchemaMismatch");
  at_destination({"ALTER TABLE a ADD COLUMN v INT"});
  at_source({"INSERT INTO a VALUES (3, 3)"});
  restart_apply(apply_here());
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("nothing but its default value"));
  auto ordered = apply_here();
  ordered.copy_tables = "added_again.a";
  restart_apply(ordered);
  EXPECT_TRUE(recovers({"a"}));
}

// One statement takes the values of a column, and no look in between could see that it was missing.
TEST_F(Destination, column_that_was_dropped_and_added_in_one_statement) {
  prepare("at_once", {"CREATE TABLE a (id INT PRIMARY KEY, v INT, w INT NOT NULL, none INT)",
                      "INSERT INTO a VALUES (1, 1, 5, NULL), (2, 2, 6, NULL)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(milliseconds(2500));  // CREATE_TIME has whole seconds
  at_destination({"ALTER TABLE a ADD INDEX (none), ADD COLUMN more INT"});
  std::this_thread::sleep_for(milliseconds(2500));  // it is compared about once a second
  at_source({"INSERT INTO a VALUES (3, 3, 7, NULL)"});
  ASSERT_TRUE(equal({"a"})) << "a column that never had a value";
  at_destination({"ALTER TABLE a DROP COLUMN v, ADD COLUMN v INT AFTER id"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("its column v has nothing but its default value"));
  at_source({"INSERT INTO a VALUES (4, 4, 8, NULL)"});
  restart_apply(apply_here());
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("nothing but its default value"));
  auto ordered = apply_here();
  ordered.copy_tables = "at_once.a";
  restart_apply(ordered);
  ASSERT_TRUE(recovers({"a"}));
  std::this_thread::sleep_for(milliseconds(2500));
  at_destination({"ALTER TABLE a DROP COLUMN w, ADD COLUMN w INT NOT NULL"});
  at_source({"UPDATE a SET v=9 WHERE id=2"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("its column w has nothing but its default value"));
  ordered.copy_tables = "at_once.a#2";
  restart_apply(ordered);
  EXPECT_TRUE(recovers({"a"}));
}

// A held table that a user recreated empty was released, without its past.
TEST_F(Destination, held_table_that_was_recreated_empty) {
  prepare("held_again", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE b (id INT PRIMARY KEY)",
                         "INSERT INTO a VALUES (1, 1)", "INSERT INTO b VALUES (1)"});
  auto apply = apply_here();
  apply.on_table_error = config::OnTableError::HoldTable;
  start({"a", "b"}, apply);
  ASSERT_TRUE(equal({"a", "b"}));
  std::this_thread::sleep_for(milliseconds(1100));  // CREATE_TIME counts whole seconds
  at_destination({"DROP TABLE a"});
  at_source({"INSERT INTO a VALUES (2, 2)", "INSERT INTO b VALUES (2)"});
  ASSERT_TRUE(fixture_->eventually_equal({{name_ + ".b", "", {}}}, seconds(60)));
  at_destination({"CREATE TABLE a (id INT PRIMARY KEY, v INT)"});
  at_source({"INSERT INTO a VALUES (3, 3)", "INSERT INTO b VALUES (3)"});
  ASSERT_TRUE(fixture_->eventually_equal({{name_ + ".b", "", {}}}, seconds(60)));
  EXPECT_TRUE(eventually(
      [] {
        const auto held = fixture_->apply().status().value_or(AgentStatus{}).at("/held/0/message").value_or("");
        return held.find("no longer has rows") != std::string::npos;
      },
      seconds(60)));
  apply.copy_tables = "held_again.a";
  restart_apply(apply);
  EXPECT_TRUE(recovers({"a", "b"}));
}

// Rows went to a new table, and those of before stayed in the old one.
TEST_F(Destination, table_whose_target_name_changes) {
  prepare("renamed", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  auto apply = apply_here();
  apply.rename = {{"renamed.a", "renamed.other"}};
  restart_apply(apply);
  at_source({"INSERT INTO a VALUES (2, 2)"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("datasync.dev/copy-tables=renamed.a"));
  apply.copy_tables = "renamed.a";
  restart_apply(apply);
  EXPECT_TRUE(fixture_->eventually_equal({{"renamed.a", "renamed.other", {}}}, seconds(90)));
  at_source({"DELETE FROM a WHERE id=1"});
  EXPECT_TRUE(fixture_->eventually_equal({{"renamed.a", "renamed.other", {}}}, seconds(60)));
}

// Nobody said that its rows are elsewhere before its next row came.
TEST_F(Destination, idle_table_that_is_stored_under_another_name_from_now_on) {
  prepare("idle_renamed", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  auto apply = apply_here();
  apply.rename = {{"idle_renamed.a", "idle_renamed.other"}};
  restart_apply(apply);
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("datasync.dev/copy-tables=idle_renamed.a"));
  apply.copy_tables = "idle_renamed.a";
  restart_apply(apply);
  EXPECT_TRUE(fixture_->eventually_equal({{"idle_renamed.a", "idle_renamed.other", {}}}, seconds(90)));
}

// Its past was missing: the first row after it hid that it had been empty.
TEST_F(Destination, table_that_was_made_again_between_two_looks) {
  prepare("quickly", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1), (2, 2)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(milliseconds(2500));  // CREATE_TIME is certain, and the next look is about a second away
  at_source({"INSERT INTO a VALUES (3, 3)"});
  ASSERT_TRUE(equal({"a"}));
  at_destination({"DROP TABLE a", "CREATE TABLE a (id INT PRIMARY KEY, v INT)"});
  at_source({"INSERT INTO a VALUES (4, 4)"});
  EXPECT_THAT(refusal("DestinationTableMissing"), HasSubstr("datasync.dev/copy-tables=quickly.a"));
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM quickly.a"), 0) << "the row would hide it";
  auto apply = apply_here();
  apply.copy_tables = "quickly.a";
  restart_apply(apply);
  EXPECT_TRUE(recovers({"a"}));
}

// NULL for a column with AUTO_INCREMENT is not refused: the row of another key got the key 0.
TEST_F(Destination, row_of_another_automatic_key_is_not_changed) {
  const std::string table = "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, phone BIGINT, v INT";
  prepare("automatic", {table + ")", "INSERT INTO a VALUES (3, 555, 1), (7, 555, 2), (8, 556, 3)"},
          {table + ", UNIQUE KEY phones (phone))"});
  start({"a"});
  EXPECT_THAT(refusal("ConstraintViolated"), HasSubstr("phones"));
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM automatic.a WHERE id=0"), 0);
  at_destination({"ALTER TABLE a DROP KEY phones"});
  EXPECT_TRUE(recovers({"a"}));
}

// The rows of one task were deleted and changed as rows of the other.
TEST_F(Destination, two_tasks_that_would_store_in_one_table) {
  prepare("two_tasks", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)",
                        "CREATE TABLE b (id INT PRIMARY KEY, v INT)", "INSERT INTO b VALUES (2, 2)"});
  auto first = apply_here();
  fixture_->start_capture(capture_of({"a"}));
  fixture_->start_apply(first);
  ASSERT_TRUE(equal({"a"}));
  auto capture = capture_of({"b"});
  capture.common.name += "_second";
  capture.common.channel.topic = "two_tasks_second";
  fixture_->start_capture(capture);
  auto second = fixture_->apply_config("two_tasks_second", "two_tasks_second");
  second.rename = {{"two_tasks.b", "two_tasks.a"}};
  fixture_->start_apply(second);
  const auto reported = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(reported, HasSubstr("is a table of the task " + first.common.name));
  EXPECT_TRUE(equal({"a"}));
  second.rename = {{"two_tasks.b", "two_tasks.b_of_second"}};
  restart_apply(second);
  EXPECT_TRUE(
      fixture_->eventually_equal({{"two_tasks.b", "two_tasks.b_of_second", {}}, {"two_tasks.a", "", {}}}, seconds(90)));
}

// Its rows went through the view, and a WHERE of it hid some.
TEST_F(Destination, view_in_the_place_of_a_table) {
  prepare("viewed", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  at_destination({"RENAME TABLE a TO base", "CREATE VIEW a AS SELECT * FROM base WHERE v > 0"});
  at_source({"INSERT INTO a VALUES (2, 0)"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("VIEW"));
  at_destination({"DROP VIEW a", "RENAME TABLE base TO a"});
  EXPECT_TRUE(recovers({"a"}));
}

// The other way on that the message names.
TEST_F(Destination, lost_table_and_column_are_copied_again) {
  prepare("copied", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE b (id INT PRIMARY KEY, v INT)",
                     "INSERT INTO a VALUES (1, 1), (2, 2)", "INSERT INTO b VALUES (1, 1), (2, 2)"});
  start({"a", "b"});
  ASSERT_TRUE(equal({"a", "b"}));
  at_destination({"DROP TABLE a", "ALTER TABLE b DROP COLUMN v"});
  at_source({"INSERT INTO a VALUES (3, 3)", "UPDATE b SET v=3 WHERE id=1"});
  EXPECT_THAT(refusal("DestinationTableMissing"), HasSubstr("datasync.dev/copy-tables=copied.a"));
  auto ordered = apply_here();
  ordered.copy_tables = "copied.a,copied.b#1";
  restart_apply(ordered);
  EXPECT_TRUE(recovers({"a", "b"}));
}

// The source has NULL in every row of a column that it dropped and added again; the destination had the old values.
TEST_F(Destination, column_that_the_source_dropped_and_added_again) {
  prepare("readded", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  at_source({"ALTER TABLE a DROP COLUMN v", "INSERT INTO a VALUES (2)"});
  ASSERT_TRUE(equal({"a"}));
  at_source({"ALTER TABLE a ADD COLUMN v INT NULL", "INSERT INTO a VALUES (3, 3)"});
  EXPECT_TRUE(recovers({"a"}));
}

// Children disappeared that the source still has.
TEST_F(Destination, foreign_key_that_was_added_at_the_destination) {
  const Texts tables{"CREATE TABLE parent (id INT PRIMARY KEY)", "CREATE TABLE child (id INT PRIMARY KEY, p INT)"};
  prepare("got_key", tables, tables);
  at_source({"INSERT INTO parent VALUES (1), (2)", "INSERT INTO child VALUES (10, 1), (20, 2)"});
  start({"parent", "child"});
  ASSERT_TRUE(equal({"parent", "child"}));
  at_destination({"ALTER TABLE child ADD CONSTRAINT ours FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("ours"));
  at_source({"DELETE FROM parent WHERE id=1"});
  at_destination({"ALTER TABLE child DROP FOREIGN KEY ours"});
  EXPECT_TRUE(recovers({"parent", "child"}));
}

// The same from the beginning: it was taken for one that the source has, too.
TEST_F(Destination, foreign_key_that_only_the_destination_has) {
  const Texts parent{"CREATE TABLE parent (id INT PRIMARY KEY)"};
  const auto child = [](const std::string& key) { return "CREATE TABLE child (id INT PRIMARY KEY, p INT" + key + ")"; };
  const std::string ours = ", CONSTRAINT ours FOREIGN KEY (p) REFERENCES parent (id) ON UPDATE SET NULL";
  prepare("only_here", {parent[0], child("")}, {parent[0], child(ours)});
  at_source({"INSERT INTO parent VALUES (1), (2)", "INSERT INTO child VALUES (10, 1), (20, 2)"});
  start({"parent", "child"});
  const auto reported = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(reported, HasSubstr("ours (ON UPDATE SET NULL"));
  const auto statement = reported.find("ALTER TABLE ");
  ASSERT_NE(statement, std::string::npos) << reported;
  at_destination({reported.substr(statement, reported.find(" at the destination") - statement)});
  EXPECT_TRUE(recovers({"parent", "child"}));
  at_source({"UPDATE parent SET id=3 WHERE id=1", "DELETE FROM parent WHERE id=2"});
  EXPECT_TRUE(recovers({"parent", "child"}));
}

// It was believed to be at the destination too, and the children of a deleted parent stayed there.
TEST_F(Destination, foreign_key_that_the_source_got) {
  const Texts tables{"CREATE TABLE parent (id INT PRIMARY KEY)", "CREATE TABLE child (id INT PRIMARY KEY, p INT)"};
  prepare("source_key", tables);
  at_source({"INSERT INTO parent VALUES (1), (2)", "INSERT INTO child VALUES (10, 1), (20, 2)"});
  auto capture = capture_of({"parent", "child"});
  capture.allow_cascades = true;
  fixture_->start_capture(capture);
  fixture_->start_apply(apply_here());
  ASSERT_TRUE(equal({"parent", "child"}));
  at_source({"ALTER TABLE child ADD CONSTRAINT theirs FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE",
             "DELETE FROM parent WHERE id=1"});
  const auto reported = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(reported, testing::ContainsRegex("theirs \\(ON UPDATE [A-Z ]+ ON DELETE CASCADE\\)"));
  const auto statement = reported.find("SET STATEMENT ");
  ASSERT_NE(statement, std::string::npos) << reported;
  at_destination({reported.substr(statement, reported.find(" at the destination", statement) - statement)});
  EXPECT_TRUE(recovers({"parent", "child"}));
  at_source({"DELETE FROM parent WHERE id=2"});
  EXPECT_TRUE(recovers({"parent", "child"}));
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM source_key.child"), 0);
}

// An empty table that a user altered was taken for one that was recreated.
TEST_F(Destination, table_that_the_source_emptied_may_be_altered) {
  prepare("emptied", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1), (2, 2)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  at_source({"DELETE FROM a"});
  ASSERT_TRUE(equal({"a"}));
  ASSERT_TRUE(fixture_->eventually_value(
      fixture_->destination(),
      "SELECT has_rows FROM " + apply_here().ledger_database + ".tables WHERE target='emptied.a'", "0"));
  std::this_thread::sleep_for(milliseconds(1100));  // CREATE_TIME has whole seconds
  at_destination({"ALTER TABLE a ADD INDEX (v), ADD COLUMN note INT"});
  std::this_thread::sleep_for(milliseconds(2500));  // it is compared about once a second
  at_source({"INSERT INTO a VALUES (3, 3)"});
  EXPECT_TRUE(equal({"a"})) << "it had to be copied again";
}

// The first try forgot what the table was, and the second one did not know that the source had changed it.
TEST_F(Destination, widening_that_fails_at_first_is_retried) {
  prepare("retried", {"CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(10))", "INSERT INTO a VALUES (1, 'one')"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  fixture_->apply().process().terminate();
  at_source({"ALTER TABLE a MODIFY s VARCHAR(40)", "INSERT INTO a VALUES (2, REPEAT('s', 40))"});
  at_destination({fmt::format("REVOKE ALTER ON *.* FROM {}@'127.0.0.1'", Fixture::kWriter)});
  auto copied = apply_here();
  copied.copy_tables = "retried.a";
  restart_apply(copied);
  EXPECT_TRUE(fixture_->eventually_reason(fixture_->apply(), "PermissionDenied", seconds(60)));
  at_destination({fmt::format("GRANT ALTER ON *.* TO {}@'127.0.0.1'", Fixture::kWriter)});
  EXPECT_TRUE(recovers({"a"}));
}

}  // namespace
}  // namespace datasync::test
