// What users alter at the destination while apply waits for something else, and undo before it continues.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/destination_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr milliseconds kUntilCertain{2500};  // CREATE_TIME has whole seconds, and is compared about once a second

// Only the first table that failed was judged; the fractions of the other one became zero.
TEST_F(Destination, two_tables_narrowed_by_one_script_and_widened_again) {
  const std::string columns = " (id INT PRIMARY KEY, ts DATETIME(6))";
  prepare("both_narrowed",
          {"CREATE TABLE a" + columns, "CREATE TABLE b" + columns, "INSERT INTO a VALUES (1, '2026-01-02 03:04:05.6')",
           "INSERT INTO b VALUES (1, '2026-01-02 03:04:05.7')"});
  start({"a", "b"});
  ASSERT_TRUE(equal({"a", "b"}));
  std::this_thread::sleep_for(kUntilCertain);
  at_destination({"ALTER TABLE a MODIFY ts DATETIME", "ALTER TABLE b MODIFY ts DATETIME"});
  const auto first = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(first, HasSubstr("both_narrowed.a, where"));
  EXPECT_TRUE(change_is_noted("b"));
  at_destination({"ALTER TABLE a MODIFY ts DATETIME(6)", "ALTER TABLE b MODIFY ts DATETIME(6)"});
  copy_as_recommended(first, apply_here());
  std::string second;
  EXPECT_TRUE(eventually(
      [&] {
        second = fixture_->apply().status().value_or(AgentStatus{}).message;
        return second.find("both_narrowed.b, where") != std::string::npos;
      },
      seconds(60)));
  copy_as_recommended(second, apply_here());
  EXPECT_TRUE(recovers({"a", "b"}));
}

// The loss of one column hid that the values of another one were changed, and only the loss was undone.
TEST_F(Destination, column_lost_and_another_narrowed_by_one_statement) {
  prepare("lost_and_narrowed", {"CREATE TABLE a (id INT PRIMARY KEY, c INT, ts DATETIME(6))",
                                "INSERT INTO a VALUES (1, 1, '2026-01-02 03:04:05.6'), (2, 2, NULL)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(kUntilCertain);
  at_destination({"ALTER TABLE a DROP COLUMN c, MODIFY ts DATETIME"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("stay changed"));
  at_destination(
      {"ALTER TABLE a ADD COLUMN c INT AFTER id", "UPDATE a SET c=id", "ALTER TABLE a MODIFY ts DATETIME(6)"});
  restart_apply(apply_here());
  const auto message = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(message, HasSubstr("its column ts altered"));
  copy_as_recommended(message, apply_here());
  EXPECT_TRUE(recovers({"a"}));
}

// A column that both sides compute was not missed, and got NULL in all rows when it was added as a plain one.
TEST_F(Destination, column_that_both_sides_computed) {
  const std::string table = "CREATE TABLE a (id INT PRIMARY KEY, n INT, g INT AS (n*2) STORED)";
  prepare("both_compute", {table, "INSERT INTO a (id, n) VALUES (1, 1), (2, 2)"}, {table});
  auto apply = apply_here();
  apply.schema_changes = config::SchemaChanges::ApplyAll;
  start({"a"}, apply);
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(kUntilCertain);
  at_destination({"ALTER TABLE a DROP COLUMN g"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("no longer has the column g"));
  at_source({"INSERT INTO a (id, n) VALUES (3, 3)"});
  at_destination({"ALTER TABLE a ADD COLUMN g INT AS (n*2) STORED"});
  ASSERT_TRUE(recovers({"a"}));
  std::this_thread::sleep_for(kUntilCertain);
  at_destination({"ALTER TABLE a MODIFY g INT"});
  auto message = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(message, HasSubstr("no longer computes the column g"));
  EXPECT_THAT(message, Not(HasSubstr("UPDATE")));
  at_destination({"ALTER TABLE a DROP COLUMN g, ADD COLUMN g INT"});
  at_source({"INSERT INTO a (id, n) VALUES (4, 4)"});
  restart_apply(apply);
  message = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(message, HasSubstr("no longer computes the column g"));
  copy_as_recommended(message, apply);
  EXPECT_TRUE(recovers({"a"}));
}

// There was neither a statement nor an annotation, and ApplyAll did not alter it either.
TEST_F(Destination, collation_of_a_key_that_the_source_changed) {
  prepare("key_collation", {"CREATE TABLE a (name VARCHAR(20) PRIMARY KEY, v INT) CHARACTER SET utf8mb4 COLLATE "
                            "utf8mb4_general_ci",
                            "INSERT INTO a VALUES ('one', 1), ('two', 2)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  at_source({"ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
             "INSERT INTO a VALUES ('three', 3)"});
  const auto message = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(message, HasSubstr("compares differently"));
  do_as_recommended(message, apply_here());
  ASSERT_TRUE(recovers({"a"}));
  auto apply = apply_here();
  apply.schema_changes = config::SchemaChanges::ApplyAll;
  restart_apply(apply);
  at_source({"ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
             "INSERT INTO a VALUES ('four', 4)"});
  EXPECT_TRUE(recovers({"a"}));
  EXPECT_TRUE(fixture_->eventually_value(fixture_->destination(),
                                         "SELECT collation_name FROM information_schema.columns WHERE "
                                         "table_schema='key_collation' AND column_name='name'",
                                         "utf8mb4_general_ci"));
}

// The table of the other one was dropped: names of the source were compared without case.
TEST_F(Destination, table_of_another_case_that_the_source_dropped) {
  prepare("dropped_case", {"CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE A (id INT PRIMARY KEY)"});
  auto capture = capture_of({"a", "A"});
  capture.snapshot_mode = config::SnapshotMode::Never;
  auto apply = apply_here();
  apply.schema_changes = config::SchemaChanges::ApplyAll;
  apply.rename = {{"dropped_case.A", "dropped_case.a"}};
  fixture_->start_capture(capture);
  fixture_->start_apply(apply);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", "", seconds(60)));
  at_source({"INSERT INTO a VALUES (1)"});
  ASSERT_TRUE(equal({"a"}));
  at_source({"DROP TABLE A", "INSERT INTO a VALUES (2)"});
  EXPECT_TRUE(recovers({"a"}));
}

// With neither the columns of before nor the source's former definition it was taken for apply's own and widened.
TEST_F(Destination, column_narrowed_while_nothing_was_known_of_it) {
  prepare("unknown_column", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)"});
  auto apply = apply_here();
  apply.schema_changes = config::SchemaChanges::ApplyAdditive;
  start({"a"}, apply);
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(kUntilCertain);
  fixture_->apply().process().terminate();
  at_destination({"ALTER TABLE a MODIFY v SMALLINT",
                  "UPDATE " + known_tables() + " SET definition='', schema_id=1 WHERE target='unknown_column.a'"});
  at_source({"INSERT INTO a VALUES (2, 2)"});
  restart_apply(apply);
  const auto message = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(message, HasSubstr("Values may have been changed"));
  do_as_recommended(message, apply);
  EXPECT_TRUE(recovers({"a"}));
}

// While the server refused apply's own ALTER TABLE, nothing was known of any column of the table.
TEST_F(Destination, column_narrowed_while_apply_may_not_alter_another_one) {
  prepare("may_not_alter", {"CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(10), ts DATETIME(6))",
                            "INSERT INTO a VALUES (1, 'one', '2026-01-02 03:04:05.6')"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  std::this_thread::sleep_for(kUntilCertain);
  fixture_->apply().process().terminate();
  at_destination({fmt::format("REVOKE ALTER ON *.* FROM {}@'127.0.0.1'", Fixture::kWriter)});
  at_source({"ALTER TABLE a MODIFY s VARCHAR(40)", "INSERT INTO a VALUES (2, REPEAT('s', 40), NOW(6))"});
  restart_apply(apply_here());
  EXPECT_TRUE(fixture_->eventually_reason(fixture_->apply(), "PermissionDenied", seconds(60)));
  at_destination({"ALTER TABLE a MODIFY ts DATETIME"});
  EXPECT_TRUE(change_is_noted("a"));
  at_destination(
      {"ALTER TABLE a MODIFY ts DATETIME(6)", fmt::format("GRANT ALTER ON *.* TO {}@'127.0.0.1'", Fixture::kWriter)});
  copy_as_recommended(refusal("DestinationSchemaMismatch"), apply_here());
  EXPECT_TRUE(recovers({"a"}));
}

// Of tables that are held together only the first one that is refused was judged.
TEST_F(Destination, held_table_narrowed_while_it_waits_for_another_one) {
  const Texts tables{"CREATE TABLE parent (id INT PRIMARY KEY, v INT)",
                     "CREATE TABLE child (id INT PRIMARY KEY, p INT, ts DATETIME(6), FOREIGN KEY (p) REFERENCES "
                     "parent (id))"};
  prepare("held_narrowed", tables, tables);
  at_source({"INSERT INTO parent VALUES (1, 1)", "INSERT INTO child VALUES (1, 1, '2026-01-02 03:04:05.6')"});
  auto apply = apply_here();
  apply.on_table_error = config::OnTableError::HoldTable;
  start({"parent", "child"}, apply);
  ASSERT_TRUE(equal({"parent", "child"}));
  std::this_thread::sleep_for(kUntilCertain);
  at_destination({"ALTER TABLE parent CHANGE v kept INT"});
  at_source({"INSERT INTO parent VALUES (2, 2)", "INSERT INTO child VALUES (2, 2, NOW(6))"});
  ASSERT_TRUE(
      eventually([&] { return !held_message("parent").empty() && !held_message("child").empty(); }, seconds(60)));
  at_destination({"ALTER TABLE child MODIFY ts DATETIME"});
  EXPECT_TRUE(change_is_noted("child"));
  at_destination({"ALTER TABLE child MODIFY ts DATETIME(6)", "ALTER TABLE parent CHANGE kept v INT"});
  ASSERT_TRUE(eventually([&] { return held_message("child").find("stay changed") != std::string::npos; }, seconds(60)));
  copy_as_recommended(held_message("child"), apply);
  EXPECT_TRUE(recovers({"parent", "child"}));
}

}  // namespace
}  // namespace datasync::test
