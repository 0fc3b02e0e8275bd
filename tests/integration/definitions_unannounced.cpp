// Definitions that change and no statement in the binlog says so.

#include "tests/integration/definitions_fixture.hpp"

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

// Nothing but the table maps shows it.
TEST_F(Definitions, definition_changed_without_a_statement_in_the_binlog) {
  run({"CREATE TABLE {0}.copied (id INT PRIMARY KEY, v INT)", "INSERT INTO {0}.copied VALUES (1, 1)"});
  start({"t", "copied"});
  run({"INSERT INTO {0}.t VALUES (4, 'four', NULL, 4)", "SET sql_log_bin = 0",
       "ALTER TABLE {0}.t ADD COLUMN quiet INT NULL DEFAULT 3",
       "ALTER TABLE {0}.copied ADD COLUMN quiet INT NULL DEFAULT 3", "SET sql_log_bin = 1",
       "INSERT INTO {0}.t VALUES (5, 'five', NULL, 5, 5)", "INSERT INTO {0}.copied VALUES (2, 2, 5)"});
  EXPECT_TRUE(equal({"t", "copied"}));
}

// No map of the same connection came before: rows of before stayed NULL in the new column.
TEST_F(Definitions, definition_changed_without_a_statement_before_a_restart) {
  run({"CREATE TABLE {0}.still (id INT PRIMARY KEY, v INT)", "INSERT INTO {0}.still VALUES (1, 1)"});
  start({"t", "still"});
  run({"INSERT INTO {0}.t VALUES (4, 'four', NULL, 4)"});
  EXPECT_TRUE(equal({"t", "still"}));
  stop_capture();
  run({"SET sql_log_bin = 0", "ALTER TABLE {0}.t ADD COLUMN quiet INT NULL DEFAULT 3",
       "ALTER TABLE {0}.still ADD COLUMN quiet INT NULL DEFAULT 3", "SET sql_log_bin = 1",
       "INSERT INTO {0}.t VALUES (5, 'five', NULL, 5, 5)", "INSERT INTO {0}.still VALUES (2, 2, 5)"});
  fixture_->start_capture(capture_config({"t", "still"}, {}));
  EXPECT_TRUE(equal({"t", "still"}));
  // It is known from here on: nothing is copied at another restart.
  stop_capture();
  run({"INSERT INTO {0}.t VALUES (6, 'six', NULL, 6, 6)", "INSERT INTO {0}.still VALUES (3, 3, 3)"});
  fixture_->start_capture(capture_config({"t", "still"}, {}));
  EXPECT_TRUE(equal({"t", "still"}));
  EXPECT_EQ(fixture_->capture().metric("datasync_capture_snapshot_rows_total"), 0);
}

// Rows of before had no value in the new column: any logged statement made the definition of after it the known one.
TEST_F(Definitions, statement_after_or_before_a_change_without_one_does_not_hide_it) {
  const Texts tables{"t", "after", "before", "behind"};
  for (const auto* table : {"after", "before", "behind"})
    run({fmt::format("CREATE TABLE {{0}}.{} (id INT PRIMARY KEY, v INT)", table),
         fmt::format("INSERT INTO {{0}}.{} VALUES (1, 1), (2, 2)", table)});
  start(tables);
  run({"INSERT INTO {0}.after VALUES (3, 3)", "INSERT INTO {0}.before VALUES (3, 3)"});
  ASSERT_TRUE(equal(tables));
  const auto change = [&](const std::string& table, const std::string& column, const Texts& then) {
    Texts all{"SET sql_log_bin = 0", fmt::format("ALTER TABLE {{0}}.{} ADD COLUMN {} INT DEFAULT 5", table, column),
              "SET sql_log_bin = 1"};
    all.insert(all.end(), then.begin(), then.end());
    run(all);
  };
  change("after", "x", {"OPTIMIZE TABLE {0}.after"});
  ASSERT_TRUE(equal(tables)) << "no row of the table follows";
  change("after", "y", {"CREATE INDEX i ON {0}.after (v)", "INSERT INTO {0}.after VALUES (4, 4, 4, 4)"});
  run({"CREATE INDEX i ON {0}.before (v)", "INSERT INTO {0}.t VALUES (5, 'five', NULL, 5)"});
  ASSERT_TRUE(equal({"t"}));
  change("before", "x", {"INSERT INTO {0}.before VALUES (4, 4, 4)"});
  ASSERT_TRUE(equal(tables));
  // Others are executed before capture reads the statement: the definition is that of no place that it reads.
  fixture_->capture().process().freeze();
  change("behind", "x",
         {"ALTER TABLE {0}.behind ADD COLUMN y INT NULL", "INSERT INTO {0}.behind VALUES (3, 3, 3, 3)",
          "ALTER TABLE {0}.behind ADD COLUMN z INT NULL", "INSERT INTO {0}.behind VALUES (4, 4, 4, 4, 4)"});
  fixture_->capture().process().thaw();
  EXPECT_TRUE(equal(tables));
}

// Rows were refused and the table was copied again with every row: MariaDB logs a UNIQUE key as the primary key.
TEST_F(Definitions, declared_key_beside_unique_keys_names_the_rows) {
  run({"CREATE TABLE {0}.u (k INT NOT NULL, k2 INT NOT NULL, v INT, UNIQUE (k2), UNIQUE (k))",
       "INSERT INTO {0}.u VALUES (1, 10, 1), (2, 20, 2)", "CREATE TABLE {0}.one (k INT NOT NULL, v INT, UNIQUE (k))",
       "INSERT INTO {0}.one VALUES (1, 1), (2, 2)"});
  const Texts tables{"u", "one"};
  auto config = capture_config(tables, {});
  for (const auto& table : tables) config.types[0].key_columns[name_ + "." + table] = {"k"};
  fixture_->start_capture(config);
  fixture_->start_apply(fixture_->apply_config(name_, name_));
  ASSERT_TRUE(equal(tables));
  const auto copied = [&] { return fixture_->capture().metric("datasync_capture_snapshot_rows_total"); };
  ASSERT_EQ(copied(), 4);
  run({"UPDATE {0}.u SET k2 = 11 WHERE k = 1", "INSERT INTO {0}.u VALUES (3, 30, 3)",
       "ALTER TABLE {0}.u ADD COLUMN x INT NULL", "UPDATE {0}.u SET v = 4, x = 4", "DELETE FROM {0}.u WHERE k = 2",
       "ALTER TABLE {0}.one ADD COLUMN x INT NULL", "INSERT INTO {0}.one VALUES (3, 3, 3)",
       "UPDATE {0}.one SET v = 5 WHERE k = 1"});
  ASSERT_TRUE(equal(tables));
  EXPECT_EQ(copied(), 4);
  stop_capture();
  run({"INSERT INTO {0}.u VALUES (5, 50, 5, 5)", "INSERT INTO {0}.one VALUES (5, 5, 5)"});
  fixture_->start_capture(config);
  ASSERT_TRUE(equal(tables));
  EXPECT_EQ(copied(), 0);
}

// The server computed STORED columns again, with other results, and no row event said so.
TEST_F(Definitions, stored_columns_that_an_alter_computes_again) {
  run({"CREATE TABLE {0}.parts (id INT PRIMARY KEY, n INT, m INT, part DECIMAL(20,9) AS (n / m) STORED)",
       "INSERT INTO {0}.parts (id, n, m) VALUES (1, 1, 3), (2, 2, 3)"});
  start({"t", "parts"});
  const auto sum = in("SELECT SUM(part) FROM {0}.parts");
  const auto before = fixture_->source().value(sum);
  run({"FLUSH TABLES", "SET div_precision_increment = 0", "ALTER TABLE {0}.parts FORCE, ALGORITHM=COPY",
       "INSERT INTO {0}.t VALUES (4, 'four', NULL, 4)"});
  ASSERT_NE(fixture_->source().value(sum), before) << "the server did not compute it again";
  EXPECT_TRUE(equal({"t", "parts"}));
}

// No function shows that a TIME becomes a date by the day of today: the destination kept the day of the copy.
TEST_F(Definitions, virtual_columns_that_are_not_proved_steady_are_refused) {
  run(
      {"CREATE TABLE {0}.shifts (id INT PRIMARY KEY, at TIME, kind CHAR(1), d DATE, n INT AS (IF(kind = 'a', id, "
       "NULL)) "
       "VIRTUAL UNIQUE, y INT AS (YEAR(d)) VIRTUAL, late INT AS (HOUR(at) > 18) VIRTUAL)",
       "INSERT INTO {0}.shifts (id, at, kind, d) VALUES (1, '19:30', 'a', '2026-01-02'), (2, '08:00', 'b', NULL)"});
  start({"t", "shifts"});
  run({"UPDATE {0}.shifts SET at = '08:30', d = '2025-12-31' WHERE id = 1",
       "ALTER TABLE {0}.shifts ADD COLUMN begin DATETIME AS (at) VIRTUAL",
       "INSERT INTO {0}.shifts (id, at, kind) VALUES (3, '20:00', 'a')"});
  capture_stalls("PreflightFailed", {"VIRTUAL column begin", "column at of type TIME", "excludeColumns"});
  run({"ALTER TABLE {0}.shifts DROP COLUMN begin"});
  EXPECT_TRUE(equal({"t", "shifts"}));
}

}  // namespace
}  // namespace datasync::test
