// A destination that is not ours alone: other names, collations and types, columns and foreign keys of its own,
// triggers, and tables that users lock. Source and capture are real; every test ends with the
// comparison.

#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/destination_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using testing::HasSubstr;

// Every row got NULL in it.
TEST_F(Destination, column_whose_name_has_another_case) {
  prepare("other_case", {"CREATE TABLE a (id INT PRIMARY KEY, Name VARCHAR(20))", "INSERT INTO a VALUES (1, 'one')"},
          {"CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20), UNIQUE KEY (name, id))"});
  start({"a"});
  ASSERT_TRUE(fixture_->eventually_value(fixture_->destination(), "SELECT name FROM other_case.a WHERE id=1", "one"));
  at_source({"ALTER TABLE a CHANGE Name name VARCHAR(20)", "INSERT INTO a VALUES (2, 'two')",
             "UPDATE a SET name='changed' WHERE id=1"});
  EXPECT_TRUE(equal({"a"}));
  EXPECT_EQ(
      fixture_->destination().number("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema='other_case'"),
      2);
}

// The computed value was kept and the source's was not stored.
TEST_F(Destination, column_that_only_the_destination_computes) {
  prepare("computed", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 5)"},
          {"CREATE TABLE a (id INT PRIMARY KEY, v INT AS (id * 2) STORED)"});
  start({"a"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("is computed by the destination"));
  at_destination({"ALTER TABLE a MODIFY v INT"});
  EXPECT_TRUE(recovers({"a"}));
}

// Each row cost a scan of the whole index.
TEST_F(Destination, key_in_a_collation_of_the_destination_uses_its_index) {
  prepare("collated",
          {"CREATE TABLE a (k VARCHAR(30) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci PRIMARY KEY, v INT)",
           "INSERT INTO a SELECT CONCAT('key ', seq), 0 FROM seq_1_to_2000"},
          {"CREATE TABLE a (k VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, v INT)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  const auto reads = [] {
    return fixture_->destination().number(
        "SELECT SUM(variable_value) FROM information_schema.global_status WHERE "
        "variable_name IN ('HANDLER_READ_NEXT', 'HANDLER_READ_RND_NEXT')");
  };
  const auto before = reads();
  at_source({"UPDATE a SET v=1"});
  EXPECT_TRUE(equal({"a"}));
  EXPECT_LT(reads() - before, 400'000) << "2000 rows found by the index, not by 2000 scans of it";
}

// "key was too long", and no table.
TEST_F(Destination, key_over_the_front_of_a_long_value) {
  prepare("long_key", {"CREATE TABLE a (k VARCHAR(2000) CHARACTER SET utf8mb4 NOT NULL, v INT, PRIMARY KEY (k(100)))",
                       "INSERT INTO a VALUES ('one', 1), (CONCAT('two', REPEAT('é', 1900)), 2)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  at_source({"UPDATE a SET v=v+1", "DELETE FROM a WHERE v=2", "INSERT INTO a VALUES ('Three', 3)"});
  EXPECT_TRUE(equal({"a"}));
}

// The message had no statement, and nothing followed under ApplyAll.
TEST_F(Destination, wider_column_and_new_label) {
  prepare("wider", {"CREATE TABLE a (id INT PRIMARY KEY, e ENUM('x','y'), n INT, s VARCHAR(10))",
                    "CREATE TABLE b (id INT PRIMARY KEY, n INT NOT NULL DEFAULT 7)",
                    "INSERT INTO a VALUES (1, 'y', 5, 'one')", "INSERT INTO b VALUES (1, 1)"});
  auto halt = apply_here();
  halt.schema_changes = config::SchemaChanges::Halt;
  start({"a", "b"}, halt);
  ASSERT_TRUE(equal({"a", "b"}));
  at_source({"ALTER TABLE b MODIFY n BIGINT NOT NULL", "INSERT INTO b VALUES (2, 5000000000)"});
  const auto message = refusal("DestinationSchemaMismatch");
  const auto statement = message.find("ALTER TABLE");
  ASSERT_NE(statement, std::string::npos) << message;
  at_destination({message.substr(statement)});
  ASSERT_TRUE(recovers({"a", "b"}));
  restart_apply(apply_here());
  at_source({"ALTER TABLE a MODIFY e ENUM('x','y','z')", "INSERT INTO a VALUES (2, 'z', 5, 'two')",
             "ALTER TABLE a MODIFY s VARCHAR(20), MODIFY n BIGINT",
             "INSERT INTO a VALUES (3, 'x', 5000000000, REPEAT('s', 20))"});
  EXPECT_TRUE(recovers({"a", "b"}));
}

// What a POINT refused had no fix but a copy, which was refused too.
TEST_F(Destination, types_that_take_less_than_messages_say) {
  const char* table = "CREATE TABLE a (id INT PRIMARY KEY, price DOUBLE(10,2) NOT NULL DEFAULT 1, p POINT)";
  prepare("takes_less", {table, "INSERT INTO a VALUES (1, 1.25, POINT(1, 2))"}, {table});
  start({"a"});
  const auto run_recommended = [&](const std::string& message) {
    const auto from = message.find("ALTER TABLE");
    ASSERT_NE(from, std::string::npos) << message;
    at_destination({message.substr(from, message.find_first_of(";", from) - from)});
  };
  ASSERT_TRUE(recovers({"a"}));
  at_source({"INSERT INTO a VALUES (2, 1.23, POINT(3, 4))"});
  ASSERT_TRUE(recovers({"a"}));
  at_source(
      {"ALTER TABLE a MODIFY p GEOMETRY", "INSERT INTO a VALUES (3, 4.5, ST_GeomFromText('LINESTRING(0 0, 1 1)'))"});
  run_recommended(refusal("ValueNotStorable"));
  EXPECT_TRUE(recovers({"a"}));
}

// The rows of both were mixed.
TEST_F(Destination, two_tables_that_would_become_one) {
  prepare("one_target", {"CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)",
                         "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (2)"});
  auto apply = apply_here();
  apply.rename = {{"one_target.a", "one_target.b"}};
  start({"a", "b"}, apply);
  const auto message = refusal("DestinationSchemaMismatch");
  EXPECT_THAT(message, HasSubstr("one_target.a"));
  EXPECT_THAT(message, HasSubstr("one_target.b"));
}

// A copy deleted the row and inserted it, without what only the destination has in it.
TEST_F(Destination, copy_keeps_columns_that_only_the_destination_has) {
  prepare("extra",
          {"CREATE TABLE a (id INT PRIMARY KEY, u INT UNIQUE, v INT)",
           "INSERT INTO a SELECT seq, seq, seq FROM seq_1_to_300"},
          {"CREATE TABLE a (id INT PRIMARY KEY, u INT UNIQUE, v INT, note VARCHAR(20) DEFAULT 'new')",
           "INSERT INTO a VALUES (7, 7, 0, 'ours'), (9, NULL, 0, 'ours too')"});
  start({"a"});
  EXPECT_TRUE(equal({"a"}));
  EXPECT_EQ(
      fixture_->destination().value("SELECT GROUP_CONCAT(id, ' ', note ORDER BY id) FROM extra.a WHERE note<>'new'"),
      "7 ours,9 ours too");
}

constexpr const char* kChild =
    "CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT child_of FOREIGN KEY (p) REFERENCES parent (id) "
    "ON DELETE CASCADE)";

// Foreign keys were off for the whole session while any table was copied.
TEST_F(Destination, cascades_happen_while_another_table_is_copied) {
  const Texts tables{"CREATE TABLE parent (id INT PRIMARY KEY)", kChild};
  prepare("beside", tables, tables);
  at_source({"INSERT INTO parent SELECT seq FROM seq_1_to_20", "INSERT INTO child SELECT seq, seq FROM seq_1_to_20",
             "CREATE TABLE big (id INT PRIMARY KEY, v VARCHAR(100))",
             "INSERT INTO big SELECT seq, REPEAT('v', 100) FROM seq_1_to_400"});
  auto capture = capture_of({"parent", "child"});
  capture.allow_cascades = true;
  fixture_->start_capture(capture);
  fixture_->start_apply(apply_here());
  ASSERT_TRUE(equal({"parent", "child"}));
  fixture_->capture().process().terminate();
  fixture_->forget(fixture_->capture());
  capture.types.front().tables.push_back("beside.big");
  capture.chunk_rows = 10;
  capture.parallelism = 1;
  fixture_->start_capture(capture);
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Snapshotting", "", seconds(60)));
  for (int id = 1; id <= 10; ++id) at_source({fmt::format("DELETE FROM parent WHERE id={}", id)});
  EXPECT_TRUE(equal({"parent", "child", "big"}));
}

// A parent that was deleted before its copy came left its children at the destination.
TEST_F(Destination, cascades_of_rows_that_are_deleted_before_they_are_copied) {
  const Texts tables{"CREATE TABLE parent (id INT PRIMARY KEY, v VARCHAR(100))", kChild};
  prepare("before_copy", tables, tables);
  at_source({"INSERT INTO parent SELECT seq, REPEAT('v', 100) FROM seq_1_to_400",
             "INSERT INTO child SELECT seq, seq FROM seq_1_to_400"});
  auto capture = capture_of({"child", "parent"});
  capture.allow_cascades = true;
  capture.chunk_rows = 10;
  fixture_->start_capture(capture);
  fixture_->start_apply(apply_here());
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Snapshotting", "", seconds(60)));
  for (int id = 400; id > 360; id -= 4) at_source({fmt::format("DELETE FROM parent WHERE id={}", id)});
  EXPECT_TRUE(equal({"parent", "child"}));
}

// REPLACE deletes the parent and its children go with it: as one UPDATE nothing happened to them.
TEST_F(Destination, replaced_parent_takes_its_children_along) {
  const Texts tables{"CREATE TABLE parent (id INT PRIMARY KEY, v INT)", kChild};
  prepare("replaced", tables, tables);
  at_source({"INSERT INTO parent VALUES (1, 1), (2, 2)", "INSERT INTO child VALUES (10, 1), (20, 2)"});
  auto capture = capture_of({"parent", "child"});
  capture.allow_cascades = true;
  fixture_->start_capture(capture);
  fixture_->start_apply(apply_here());
  ASSERT_TRUE(equal({"parent", "child"}));
  restart_apply(apply_here());  // it has not seen the child yet
  at_source({"REPLACE INTO parent VALUES (1, 11)"});
  EXPECT_TRUE(equal({"parent", "child"}));
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM replaced.child"), 1);
}

// The writer cannot see triggers without the privilege TRIGGER, and stored what they made of the rows.
TEST_F(Destination, trigger_that_the_user_cannot_see) {
  prepare("triggered", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  at_destination({"CREATE TRIGGER doubles BEFORE UPDATE ON a FOR EACH ROW SET NEW.v = NEW.v * 2"});
  at_source({"UPDATE a SET v=5"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("triggered.a"));
  EXPECT_EQ(fixture_->destination().number("SELECT v FROM triggered.a"), 1);
  at_destination({"DROP TRIGGER doubles"});
  EXPECT_TRUE(recovers({"a"}));
}

// It stayed Streaming and ready for as long as the lock lasted.
TEST_F(Destination, table_that_a_user_locks) {
  prepare("locked", {"CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  {
    auto other = fixture_->destination().connect();
    other.execute("LOCK TABLES locked.a WRITE");
    at_source({"INSERT INTO a VALUES (2)"});
    ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Retrying", "DestinationBusy", seconds(40)));
    EXPECT_THAT(fixture_->apply().status()->message, HasSubstr("locked.a"));
  }
  EXPECT_TRUE(recovers({"a"}));
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Streaming", "", seconds(30)));
  EXPECT_GE(fixture_->apply().metric("datasync_apply_busy_retries_total"), 1);
  EXPECT_EQ(fixture_->apply().status()->number("/streams/0/token"), 1U) << "it was tried again by another session";
}

// A definition waited for a day, without a sign of life, and no stop interrupted it.
TEST_F(Destination, definition_that_waits_for_a_transaction_of_a_user) {
  prepare("waits", {"CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)"});
  start({"a"});
  ASSERT_TRUE(equal({"a"}));
  {
    auto other = fixture_->destination().connect();
    other.execute("BEGIN");
    (void)other.query("SELECT * FROM waits.a");
    at_source({"ALTER TABLE a ADD COLUMN n INT NULL", "INSERT INTO a VALUES (2, 5)"});
    ASSERT_TRUE(eventually(
        [&] {
          return fixture_->destination().number(
                     "SELECT COUNT(*) FROM information_schema.processlist WHERE state = "
                     "'Waiting for table metadata lock'") == 1;
        },
        seconds(20)));
    // The lock is held until the end of this block: nothing but the stop ends the wait for it.
    EXPECT_TRUE(fixture_->apply().process().terminate(seconds(60)).clean());
    fixture_->apply().start();
    ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Retrying", "DestinationBusy", seconds(40)));
  }
  EXPECT_TRUE(recovers({"a"}));
}

// The parent came first, and its child was still there.
TEST_F(Destination, several_tables_dropped_parent_first) {
  const Texts tables{"CREATE TABLE parent (id INT PRIMARY KEY)",
                     "CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id))"};
  prepare("dropped", tables, tables);
  at_source(
      {"CREATE TABLE other (id INT PRIMARY KEY)", "INSERT INTO parent VALUES (1)", "INSERT INTO child VALUES (1, 1)"});
  auto all = apply_here();
  all.schema_changes = config::SchemaChanges::ApplyAll;
  start({"parent", "child", "other"}, all);
  ASSERT_TRUE(equal({"parent", "child"}));
  at_source({"SET foreign_key_checks=0", "DROP TABLE parent, child", "INSERT INTO other VALUES (1)"});
  EXPECT_TRUE(equal({"other"}));
  EXPECT_EQ(
      fixture_->destination().number("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='dropped'"), 1);
}

// Parents in lower case were not found, and children were deleted after them.
TEST_F(Destination, server_that_folds_names) {
  MariaDbServer folds(fixture_->folder(),
                      MariaDbOptions{.name = "folds", .extra_args = {"--lower-case-table-names=1"}});
  folds.create_writer(Fixture::kWriter, Fixture::kPassword);
  const Texts tables{"CREATE TABLE Parent (Id INT PRIMARY KEY)",
                     "CREATE TABLE Child (Id INT PRIMARY KEY, P INT, FOREIGN KEY (P) REFERENCES Parent (Id))"};
  prepare("Folded", tables);
  at_source({"INSERT INTO Parent VALUES (1)", "INSERT INTO Child VALUES (1, 1)"});
  folds.execute_all({"CREATE DATABASE Folded", "USE Folded", tables[0], tables[1]});
  auto apply = apply_here();
  apply.destination.port = folds.port();
  start({"Parent", "Child"}, apply);
  const std::vector<TablePair> pairs{{"Folded.Parent", "folded.parent"}, {"Folded.Child", "folded.child"}};
  ASSERT_TRUE(fixture_->becomes_equal(pairs, folds));
  at_source(
      {"BEGIN", "INSERT INTO Parent VALUES (2)", "UPDATE Child SET P=2", "DELETE FROM Parent WHERE Id=1", "COMMIT"});
  EXPECT_TRUE(fixture_->becomes_equal(pairs, folds));
  EXPECT_EQ(fixture_->apply().metric("datasync_apply_row_by_row_total"), 0);
}

}  // namespace
}  // namespace datasync::test
