// Definitions that are not what they seem at the place that is read: tables that the server does not have any more,
// names that were exchanged, foreign keys that did not act or refer to another table.

#include "tests/integration/definitions_fixture.hpp"

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

// Capture stopped for all tables and could not continue: the definition of a table that did not exist any more was
// needed for its TRUNCATE, rows without a key were refused, and those of a sequence were taken for a table's.
TEST_F(Definitions, dropped_tables_stop_no_other_one) {
  run({"CREATE TABLE {0}.other (id INT PRIMARY KEY)", "INSERT INTO {0}.other VALUES (1)",
       "CREATE TABLE {0}.keyless (id INT PRIMARY KEY, v INT)", "INSERT INTO {0}.keyless VALUES (1, 1), (2, 2)",
       "CREATE TABLE {0}.counter (id INT PRIMARY KEY, v INT)", "INSERT INTO {0}.counter VALUES (1, 1), (2, 2)"});
  const Texts tables{"t", "other", "keyless", "counter"};
  fixture_->start_capture(capture_config(tables, {}));
  start_apply_of_all();
  ASSERT_TRUE(equal(tables));
  stop_capture();
  run({"TRUNCATE TABLE {0}.t", "INSERT INTO {0}.t VALUES (7, 'seven', NULL, 7)", "DROP TABLE {0}.t",
       "ALTER TABLE {0}.keyless DROP PRIMARY KEY", "INSERT INTO {0}.keyless VALUES (3, 3), (3, 3)",
       "DROP TABLE {0}.keyless", "DROP TABLE {0}.counter", "CREATE SEQUENCE {0}.counter", "SELECT NEXTVAL({0}.counter)",
       "INSERT INTO {0}.other VALUES (2)"});
  fixture_->start_capture(capture_config(tables, {}));
  EXPECT_TRUE(equal({"other"}));
  run({"DROP SEQUENCE {0}.counter", "CREATE TABLE {0}.counter (id INT PRIMARY KEY, v INT)",
       "INSERT INTO {0}.counter VALUES (2, 5)", "CREATE TABLE {0}.keyless (id INT PRIMARY KEY, v INT)",
       "INSERT INTO {0}.keyless VALUES (3, 4)", "CREATE TABLE {0}.n (id INT PRIMARY KEY, v VARCHAR(50))",
       "INSERT INTO {0}.n VALUES (7, 'again'), (8, 'eight')", "RENAME TABLE {0}.n TO {0}.t",
       "DELETE FROM {0}.t WHERE id = 7"});
  EXPECT_TRUE(equal(tables));
}

// A table that was due for a copy and disappeared before it kept all tables from being captured.
TEST_F(Definitions, table_dropped_before_its_copy_stops_no_other_one) {
  run({"CREATE TABLE {0}.other (id INT PRIMARY KEY, secret INT)", "INSERT INTO {0}.other VALUES (1, 1)"});
  fixture_->start_capture(capture_config({"t", "other"}, {"other.secret"}));
  start_apply_of_all();
  ASSERT_TRUE(equal({"t", "other"}, {"secret"}));
  stop_capture();
  run({"DROP TABLE {0}.other", "INSERT INTO {0}.t VALUES (4, 'four', NULL, 4)"});
  fixture_->start_capture(capture_config({"t", "other"}, {}));
  EXPECT_TRUE(equal());
  run({"CREATE TABLE {0}.other (id INT PRIMARY KEY, secret INT)", "INSERT INTO {0}.other VALUES (1, 2), (5, 5)"});
  EXPECT_TRUE(equal({"t", "other"}));
}

// The table had the columns of before, and the excluded column's values came under another name.
TEST_F(Definitions, excluded_column_exchanged_by_statements_stays_secret) {
  run({"CREATE TABLE {0}.s (id INT PRIMARY KEY, secret VARCHAR(50))", "INSERT INTO {0}.s VALUES (1, 'HUSH-A')"});
  const std::set<std::string> ignored{"secret", "v", "b"};
  fixture_->start_capture(capture_config({"t", "s"}, {"t.secret", "s.secret"}));
  fixture_->start_apply(fixture_->apply_config(name_, name_));
  ASSERT_TRUE(equal({"t", "s"}, ignored));
  stop_capture();
  run({"ALTER TABLE {0}.t RENAME COLUMN secret TO tmp", "INSERT INTO {0}.t VALUES (4, 'four', 'HUSH-4', 4)",
       "ALTER TABLE {0}.t RENAME COLUMN v TO secret", "INSERT INTO {0}.t VALUES (5, 'five', 'HUSH-5', 5)",
       "ALTER TABLE {0}.t RENAME COLUMN tmp TO v", "INSERT INTO {0}.t VALUES (6, 'six', 'HUSH-6', 6)",
       "ALTER TABLE {0}.s RENAME COLUMN secret TO a", "INSERT INTO {0}.s VALUES (2, 'HUSH-B')",
       "ALTER TABLE {0}.s RENAME COLUMN a TO b, ADD COLUMN secret INT", "INSERT INTO {0}.s VALUES (3, 'HUSH-C', 3)"});
  fixture_->start_capture(capture_config({"t", "s"}, {"t.secret", "s.secret"}));
  capture_stalls("PreflightFailed", {"renamed to v"});
  stop_capture();
  fixture_->start_capture(capture_config({"t", "s"}, {"t.secret", "t.v", "s.secret"}));
  capture_stalls("PreflightFailed", {"renamed to b"});
  stop_capture();
  fixture_->start_capture(capture_config({"t", "s"}, {"t.secret", "t.v", "s.secret", "s.b"}));
  EXPECT_TRUE(equal({"t", "s"}, ignored));
  EXPECT_EQ(fixture_->topic_bytes(name_).find("HUSH"), std::string::npos);
}

const Texts kFamily{"parent", "child"};

// No foreign key acted at the source, and at the destination it did.
TEST_F(Definitions, parent_changed_without_checks_takes_no_child_along) {
  start_family();
  run({"SET foreign_key_checks = 0", "BEGIN", "DELETE FROM {0}.parent WHERE id = 1",
       "UPDATE {0}.parent SET id = 7 WHERE id = 2", "REPLACE INTO {0}.parent VALUES (3, 9)",
       "INSERT INTO {0}.parent VALUES (1, 1), (2, 2)", "COMMIT"});
  EXPECT_TRUE(equal(kFamily));
  run({"DELETE FROM {0}.parent WHERE id IN (1, 4)"});
  EXPECT_TRUE(equal(kFamily));
}

// Foreign keys that act on one of both only: the first change of a parent's rows decided for all of its transaction.
TEST_F(Definitions, parent_updated_and_deleted_without_checks_is_judged_for_both) {
  const Texts tables{"CREATE TABLE {0}.parent (id INT PRIMARY KEY, v INT)",
                     "CREATE TABLE {0}.deleted (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES {0}.parent (id) "
                     "ON DELETE CASCADE)",
                     "CREATE TABLE {0}.updated (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES {0}.parent (id) "
                     "ON UPDATE CASCADE)"};
  const Texts names{"parent", "deleted", "updated"};
  run(tables);
  fixture_->destination().execute(in("CREATE DATABASE {0}"));
  for (const auto& table : tables) fixture_->destination().execute(in(table));
  run({"INSERT INTO {0}.parent VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
       "INSERT INTO {0}.deleted VALUES (10, 1), (40, 4)", "INSERT INTO {0}.updated VALUES (30, 3)"});
  auto config = capture_config(names, {});
  config.allow_cascades = true;
  fixture_->start_capture(config);
  fixture_->start_apply(fixture_->apply_config(name_, name_));
  ASSERT_TRUE(equal(names));
  run({"SET foreign_key_checks = 0", "BEGIN", "UPDATE {0}.parent SET v = 5 WHERE id = 2",
       "DELETE FROM {0}.parent WHERE id = 1", "INSERT INTO {0}.parent VALUES (1, 1)", "COMMIT"});
  EXPECT_TRUE(equal(names));
  run({"SET foreign_key_checks = 0", "BEGIN", "DELETE FROM {0}.parent WHERE id = 4",
       "UPDATE {0}.parent SET id = 9 WHERE id = 3", "INSERT INTO {0}.parent VALUES (3, 3), (4, 4)", "COMMIT"});
  EXPECT_TRUE(equal(names));
}

// Its rows were left out while it was away, and no statement said that it came back.
TEST_F(Definitions, table_that_was_away_without_a_statement_is_copied) {
  run({"CREATE TABLE {0}.other (id INT PRIMARY KEY)", "INSERT INTO {0}.other VALUES (1)"});
  start({"t", "other"});
  stop_capture();
  run({"SET sql_log_bin = 0", "ALTER TABLE {0}.t DROP PRIMARY KEY", "SET sql_log_bin = 1",
       "INSERT INTO {0}.t VALUES (4, 'four', NULL, 4)", "SET sql_log_bin = 0", "RENAME TABLE {0}.t TO {0}.aside",
       "SET sql_log_bin = 1", "INSERT INTO {0}.other VALUES (2)"});
  fixture_->start_capture(capture_config({"t", "other"}, {}));
  ASSERT_TRUE(equal({"other"}));
  run({"SET sql_log_bin = 0", "ALTER TABLE {0}.aside ADD PRIMARY KEY (id)", "RENAME TABLE {0}.aside TO {0}.t",
       "SET sql_log_bin = 1", "INSERT INTO {0}.t VALUES (5, 'five', NULL, 5)"});
  EXPECT_TRUE(equal({"t", "other"}));
}

// The server took the foreign key along to the parent's new name, and only the tables that the statement names were
// checked.
TEST_F(Definitions, parent_replaced_by_a_rename_takes_its_key_along) {
  start_family();
  run({"CREATE TABLE {0}.p2 LIKE {0}.parent", "INSERT INTO {0}.p2 SELECT * FROM {0}.parent",
       "RENAME TABLE {0}.parent TO {0}.parent_old, {0}.p2 TO {0}.parent", "DELETE FROM {0}.parent WHERE id = 1"});
  capture_stalls("PreflightFailed", {"goes", "parent_old"});
  run({"ALTER TABLE {0}.child DROP FOREIGN KEY goes", "DELETE FROM {0}.child WHERE id = 10",
       "ALTER TABLE {0}.child ADD CONSTRAINT goes FOREIGN KEY (p) REFERENCES {0}.parent (id) ON DELETE CASCADE ON "
       "UPDATE CASCADE"});
  EXPECT_TRUE(equal(kFamily));
  run({"DELETE FROM {0}.parent WHERE id = 2"});
  EXPECT_TRUE(equal(kFamily));
}

}  // namespace
}  // namespace datasync::test
