// Definitions that change while they are captured: what follows by itself, what is copied again, what halts, and that
// each way on ends equal.

#include <thread>

#include "tests/integration/definitions_fixture.hpp"

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

// The cut-over of gh-ost was taken for a table that was renamed away.
TEST_F(Definitions, cut_over_of_gh_ost_succeeds) {
  start();
  run({"CREATE TABLE {0}._t_gho LIKE {0}.t",
       "ALTER TABLE {0}._t_gho ADD COLUMN extra INT NULL DEFAULT 7, DROP COLUMN w",
       "INSERT INTO {0}._t_gho (id, v, secret) SELECT id, CONCAT(v, '!'), secret FROM {0}.t WHERE id <> 2",
       "UPDATE {0}.t SET v = 'late' WHERE id = 1", "RENAME TABLE {0}.t TO {0}._t_del, {0}._t_gho TO {0}.t",
       "INSERT INTO {0}.t (id, v, secret) VALUES (4, 'four', NULL)", "DELETE FROM {0}.t WHERE id = 3",
       "DROP TABLE {0}._t_del"});
  EXPECT_TRUE(equal());
}

TEST_F(Definitions, cut_over_in_two_statements_succeeds) {
  start();
  run({"CREATE TABLE {0}.n (id INT PRIMARY KEY, v VARCHAR(50), added INT)",
       "INSERT INTO {0}.n VALUES (2, 'new', 5), (9, 'nine', 9)", "RENAME TABLE {0}.t TO {0}.old",
       "RENAME TABLE {0}.n TO {0}.t", "UPDATE {0}.t SET added = 6 WHERE id = 9"});
  EXPECT_TRUE(equal());
}

TEST_F(Definitions, table_dropped_and_created_again) {
  start();
  run({"DROP TABLE {0}.t", "CREATE TABLE {0}.t (id INT PRIMARY KEY, v VARCHAR(50))",
       "INSERT INTO {0}.t VALUES (2, 'again')"});
  EXPECT_TRUE(equal());
  run({"CREATE OR REPLACE TABLE {0}.t (id INT PRIMARY KEY) SELECT 2 AS id, 'selected' AS v UNION SELECT 8, 'eight'",
       "INSERT INTO {0}.t VALUES (1, 'after')"});
  EXPECT_TRUE(equal());
  run({"CREATE OR REPLACE TABLE {0}.t (id INT PRIMARY KEY, v VARCHAR(50))"});
  EXPECT_TRUE(equal());
}

// Its name was missing at every replica, and no other table was read after a restart.
TEST_F(Definitions, dropped_table_keeps_no_other_one_from_a_restart) {
  run({"CREATE TABLE {0}.other (id INT PRIMARY KEY)", "INSERT INTO {0}.other VALUES (1)"});
  start({"t", "other"});
  stop_capture();
  run({"DROP TABLE {0}.other", "INSERT INTO {0}.t VALUES (4, 'four', NULL, 4)"});
  auto apply = fixture_->apply_config(name_, name_);
  apply.schema_changes = config::SchemaChanges::ApplyAll;
  fixture_->apply().process().terminate();
  fixture_->forget(fixture_->apply());
  fixture_->start_apply(apply);
  fixture_->start_capture(capture_config({"t", "other"}, {}));
  EXPECT_TRUE(equal());
  stop_capture();
  run({"INSERT INTO {0}.t VALUES (5, 'five', NULL, 5)"});
  fixture_->start_capture(capture_config({"t", "other"}, {}));
  EXPECT_TRUE(equal());
}

// It was reported with its old name alone, and the recommended skip was followed by rows of two tables in one.
TEST_F(Definitions, table_that_is_renamed_and_later_renamed_back) {
  start();
  run({"RENAME TABLE {0}.t TO {0}.elsewhere"});
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "TableDropped"));
  const auto message = fixture_->apply().status()->message;
  EXPECT_NE(message.find("elsewhere"), std::string::npos) << message;
  run({"CREATE TABLE {0}.t (id INT PRIMARY KEY, v VARCHAR(50))", "INSERT INTO {0}.t VALUES (3, 'other'), (5, 'five')"});
  apply_after_skip();
  EXPECT_TRUE(equal());
}

TEST_F(Definitions, partitions_exchanged_in_either_direction) {
  run(
      {"CREATE TABLE {0}.archive (id INT PRIMARY KEY, v VARCHAR(50), secret VARCHAR(50), w INT NULL) PARTITION BY "
       "RANGE (id) "
       "(PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN MAXVALUE)",
       "INSERT INTO {0}.archive VALUES (50, 'fifty', NULL, 1), (150, 'more', NULL, 2)"});
  start({"t", "archive"});
  run({"ALTER TABLE {0}.archive EXCHANGE PARTITION p0 WITH TABLE {0}.t",
       "INSERT INTO {0}.t VALUES (60, 'sixty', NULL, 6)"});
  EXPECT_TRUE(equal({"t", "archive"}));
  run({"ALTER TABLE {0}.archive DROP PARTITION p1"});
  EXPECT_TRUE(equal({"t", "archive"}));
}

// A cascade removes rows without row events: the child's rows stayed, and nothing was reported.
TEST_F(Definitions, foreign_key_with_a_cascade_added_while_streaming) {
  run({"CREATE TABLE {0}.parent (id INT PRIMARY KEY)", "INSERT INTO {0}.parent VALUES (1), (2), (3)"});
  start({"t", "parent"});
  run({"ALTER TABLE {0}.t ADD CONSTRAINT goes FOREIGN KEY (w) REFERENCES {0}.parent (id) ON DELETE CASCADE",
       "DELETE FROM {0}.parent WHERE id = 2"});
  capture_stalls("PreflightFailed", {"goes", name_ + ".t"});
  run({"ALTER TABLE {0}.t DROP FOREIGN KEY goes"});
  EXPECT_TRUE(equal({"t", "parent"}));
}

TEST_F(Definitions, system_versioning_added_while_streaming) {
  start();
  run({"ALTER TABLE {0}.t ADD SYSTEM VERSIONING", "UPDATE {0}.t SET v = 'changed' WHERE id = 1",
       "DELETE FROM {0}.t WHERE id = 2"});
  capture_stalls("PreflightFailed", {"system-versioned"});
  run({"ALTER TABLE {0}.t DROP SYSTEM VERSIONING", "INSERT INTO {0}.t VALUES (4, 'four', NULL, 4)"});
  EXPECT_TRUE(equal());
}

TEST_F(Definitions, engine_and_key_that_were_lost_and_restored) {
  start();
  run({"ALTER TABLE {0}.t ENGINE=Aria", "BEGIN", "INSERT INTO {0}.t VALUES (7, 'stays', NULL, 7)", "ROLLBACK"});
  capture_stalls("EngineNotTransactional", {name_ + ".t"});
  run({"ALTER TABLE {0}.t ENGINE=InnoDB"});
  EXPECT_TRUE(equal());
  run({"ALTER TABLE {0}.t DROP PRIMARY KEY", "UPDATE {0}.t SET id = 20 WHERE id = 2"});
  capture_stalls("KeyMissing", {name_ + ".t"});
  run({"ALTER TABLE {0}.t ADD PRIMARY KEY (id)"});
  EXPECT_TRUE(equal());
}

// The copy that makes up for rows that cannot be carried began again for each of them.
TEST_F(Definitions, many_unsupported_rows_are_replaced_by_one_copy) {
  start();
  stop_capture();
  Texts statements{"ALTER TABLE {0}.t DROP PRIMARY KEY"};
  for (int id = 10; id < 60; ++id)
    statements.push_back(fmt::format("INSERT INTO {{0}}.t VALUES ({0}, 'x', '', 1)", id));
  statements.push_back("ALTER TABLE {0}.t ADD PRIMARY KEY (id)");
  statements.push_back("DELETE FROM {0}.t WHERE id = 11");
  run(statements);
  fixture_->start_capture(capture_config({"t"}, {}));
  EXPECT_TRUE(equal());
  const auto log = read_file(fixture_->capture().folder() / "log");
  std::size_t begun = 0;
  for (std::size_t at = 0; (at = log.find("a snapshot begins", at)) != std::string::npos; ++at) ++begun;
  EXPECT_GE(begun, 1U);
  EXPECT_LE(begun, 4U) << "the first one, one for each of the two statements, and one for the rows between them";
}

// The column was published under its new name, all rows of it.
TEST_F(Definitions, excluded_column_that_is_renamed_stays_secret) {
  start({"t"}, {"t.secret"});
  run({"ALTER TABLE {0}.t RENAME COLUMN secret TO secret2", "INSERT INTO {0}.t VALUES (4, 'four', 'HUSH-4', 4)",
       "UPDATE {0}.t SET v = 'changed' WHERE id = 1"});
  capture_stalls("PreflightFailed", {"secret"});
  stop_capture();
  fixture_->start_capture(capture_config({"t"}, {"t.secret2"}));
  EXPECT_TRUE(equal({"t"}, {"secret2"}));
  EXPECT_EQ(fixture_->topic_bytes(name_).find("HUSH"), std::string::npos);
}

// Its values came as those of a column that was computed from it.
TEST_F(Definitions, excluded_column_in_an_expression_or_exchange_stays_secret) {
  start({"t"}, {"t.secret"});
  run({"ALTER TABLE {0}.t ADD COLUMN shown VARCHAR(60) AS (CONCAT('x', secret)) STORED",
       "INSERT INTO {0}.t (id, v, secret, w) VALUES (6, 'six', 'HUSH-6', 6)"});
  capture_stalls("PreflightFailed", {"shown"});
  run({"ALTER TABLE {0}.t DROP COLUMN shown", "INSERT INTO {0}.t VALUES (4, 'four', 'HUSH-4', 4)"});
  EXPECT_TRUE(equal({"t"}, {"secret"}));
  run({"ALTER TABLE {0}.t CHANGE v secret VARCHAR(50), CHANGE secret v VARCHAR(50)",
       "INSERT INTO {0}.t VALUES (5, 'HUSH-5', 'five', 5)"});
  capture_stalls("PreflightFailed", {"was renamed to v"});
  stop_capture();
  fixture_->start_capture(capture_config({"t"}, {"t.secret", "t.v"}));
  EXPECT_TRUE(equal({"t"}, {"secret", "v"}));
  EXPECT_EQ(fixture_->topic_bytes(name_).find("HUSH"), std::string::npos);
}

// DB_ROW_HASH_1 became a column of every destination.
TEST_F(Definitions, hidden_column_of_a_long_unique_key_is_left_out) {
  run({"CREATE TABLE {0}.long (id INT PRIMARY KEY, x TEXT, UNIQUE KEY (x))",
       "INSERT INTO {0}.long VALUES (1, 'before')"});
  start({"t", "long"});
  run({"INSERT INTO {0}.long VALUES (2, 'during')", "ALTER TABLE {0}.t ADD UNIQUE KEY (v, secret) USING HASH",
       "ALTER TABLE {0}.t ADD COLUMN big TEXT UNIQUE", "UPDATE {0}.t SET big = 'large' WHERE id = 1"});
  EXPECT_TRUE(equal({"t", "long"}));
  EXPECT_EQ(
      fixture_->destination().number(in("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = '{0}' "
                                        "AND column_name LIKE 'DB_ROW_HASH%'")),
      0);
}

// The server's definition of now was taken for rows of then.
TEST_F(Definitions, lagging_capture_reads_rows_by_the_definition_of_their_time) {
  run({"CREATE TABLE {0}.ids (id INT PRIMARY KEY, u UUID, b BINARY(16), i INET6)",
       "INSERT INTO {0}.ids VALUES (1, '123e4567-e89b-12d3-a456-426614174000', 'abc', '::1')"});
  start({"t", "ids"});
  stop_capture();
  run({"INSERT INTO {0}.ids VALUES (2, '223e4567-e89b-12d3-a456-426614174000', 'def', '::2')",
       "ALTER TABLE {0}.ids ADD COLUMN later UUID NULL",
       "INSERT INTO {0}.ids VALUES (3, '323e4567-e89b-12d3-a456-426614174000', 'ghi', '::3', UUID())",
       "ALTER TABLE {0}.ids DROP COLUMN u, DROP COLUMN later", "INSERT INTO {0}.ids VALUES (4, 'jkl', '::4')",
       "ALTER TABLE {0}.t ADD COLUMN n INT NULL DEFAULT 1", "UPDATE {0}.t SET n = 5 WHERE id = 2"});
  fixture_->start_capture(capture_config({"t", "ids"}, {}));
  EXPECT_TRUE(equal({"t", "ids"}));
  EXPECT_EQ(
      fixture_->destination().value(in("SELECT GROUP_CONCAT(data_type ORDER BY column_name) FROM "
                                       "information_schema.columns WHERE table_schema = '{0}' AND table_name = 'ids' "
                                       "AND column_name IN ('u', 'later')")),
      "binary,uuid")
      << "what is not known of a time is carried as bytes";
}

TEST_F(Definitions, empty_table_and_new_column_arrive_without_a_row) {
  run({"CREATE TABLE {0}.none (id INT PRIMARY KEY, v INT)"});
  start({"t", "none"});
  run({"ALTER TABLE {0}.none ADD COLUMN n INT NULL", "ALTER TABLE {0}.t ADD COLUMN m INT NULL"});
  EXPECT_TRUE(equal({"t", "none"}));
}

// Scripts of applications run it at each start: the table was emptied and copied each time.
TEST_F(Definitions, create_if_not_exists_of_a_table_that_exists_copies_nothing) {
  start();
  const auto copied = [&] { return fixture_->capture().metric("datasync_capture_snapshot_rows_total"); };
  ASSERT_EQ(copied(), 3);
  const std::string create =
      "CREATE TABLE IF NOT EXISTS {0}.t (id INT PRIMARY KEY, v VARCHAR(50), secret VARCHAR(50), w INT NULL)";
  run({create, "INSERT INTO {0}.t VALUES (4, 'four', NULL, 4)", create, "DELETE FROM {0}.t WHERE id = 1"});
  EXPECT_TRUE(equal());
  EXPECT_EQ(copied(), 3);
  // One that does make a table.
  run({"DROP TABLE {0}.t", create, "INSERT INTO {0}.t VALUES (9, 'nine', NULL, 9)"});
  EXPECT_TRUE(equal());
}

// A temporary table hides the table of its name, also in what is logged by statement. The table was emptied at readers.
TEST_F(Definitions, temporary_table_that_hides_a_captured_one) {
  start();
  for (const auto* format : {"STATEMENT", "MIXED", "ROW"}) {
    run({fmt::format("SET SESSION binlog_format = {}", format), "CREATE TEMPORARY TABLE {0}.t (id INT PRIMARY KEY)",
         "TRUNCATE TABLE {0}.t", "ALTER TABLE {0}.t ADD COLUMN x INT DEFAULT 5", "ALTER TABLE {0}.t RENAME TO {0}.away",
         "RENAME TABLE {0}.away TO {0}.t", "DROP TABLE {0}.t"});
    run({"UPDATE {0}.t SET w = w + 1 WHERE id = 2"});
    EXPECT_TRUE(equal()) << format;
  }
  // Ended with its session.
  run({"SET SESSION binlog_format = MIXED", "CREATE TEMPORARY TABLE {0}.t (id INT PRIMARY KEY)",
       "TRUNCATE TABLE {0}.t"});
  run({"INSERT INTO {0}.t VALUES (4, 'four', NULL, 4)"});
  EXPECT_TRUE(equal());
}

// What was to be announced later was forgotten with the connection.
TEST_F(Definitions, column_added_before_capture_is_killed_arrives) {
  run({"CREATE TABLE {0}.idle (id INT PRIMARY KEY, v INT)"});
  start({"t", "idle"});
  for (int i = 0; i < 5; ++i) {
    fixture_->capture().process().freeze();
    run({fmt::format("ALTER TABLE {{0}}.idle ADD COLUMN n{} INT NULL", i), "DELETE FROM {0}.t WHERE id = 77"});
    for (int row = 0; row < 200; ++row) run({fmt::format("UPDATE {{0}}.t SET w = {} WHERE id = 1", i * 1000 + row)});
    fixture_->capture().process().thaw();
    std::this_thread::sleep_for(std::chrono::milliseconds(20 * i));
    fixture_->capture().kill_and_restart();
  }
  EXPECT_TRUE(equal({"t", "idle"}));
}

// The copy went to one table and the changes to another.
TEST(DefinitionsOfNames, lower_case_names_are_published_as_the_resource_has_them) {
  Fixture fixture({.source_args = {"--lower-case-table-names=1"}});
  fixture.source().execute_all({"CREATE DATABASE Shop",
                                "CREATE TABLE Shop.Orders (Id INT PRIMARY KEY, Secret INT, V INT)",
                                "INSERT INTO Shop.Orders VALUES (1, 1, 1), (2, 2, 2)"});
  const config::Type type{.name = "things", .tables = {"Shop.Orders"}, .exclude_columns = {"Shop.Orders.SECRET"}};
  fixture.start_capture(fixture.capture_config({type}));
  fixture.start_apply(fixture.apply_config("main"));
  const std::vector<TablePair> pairs{{"shop.orders", "Shop.Orders", {"Secret"}}};
  ASSERT_TRUE(fixture.becomes_equal(pairs));
  fixture.source().execute_all({"INSERT INTO shop.orders VALUES (3, 3, 3)", "UPDATE SHOP.ORDERS SET v = 9 WHERE id = 1",
                                "ALTER TABLE shop.orders ADD COLUMN n INT NULL DEFAULT 4"});
  EXPECT_TRUE(fixture.becomes_equal(pairs));
  EXPECT_EQ(
      fixture.destination().number("SELECT COUNT(*) FROM information_schema.tables WHERE LOWER(table_schema) = 'shop'"),
      1)
      << "one table, not a second one in lower case";
  fixture.source().execute("TRUNCATE TABLE SHOP.orders");
  EXPECT_TRUE(fixture.becomes_equal(pairs));
}

}  // namespace
}  // namespace datasync::test
