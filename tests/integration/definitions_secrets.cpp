// Values of an excluded column that a statement put into another column: they stay secret, also when the table has no
// trace of it by the time that capture reads the statement.

#include "tests/integration/definitions_fixture.hpp"

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

class DefinitionsOfSecrets : public Definitions {
 protected:
  /// Captures `t` without the column `secret`, stops, executes the statements and captures again.
  void change(const Texts& statements) {
    start({"t"}, {"t.secret"});
    stop_capture();
    run(statements);
    capture({"t.secret"});
  }
  void capture(const Texts& excluded) { fixture_->start_capture(capture_config({"t"}, excluded)); }
  static std::string message() {
    const auto status = fixture_->capture().status();
    return status ? status->message : "";
  }
  /// Neither on the topics nor at the destination.
  void nothing_shown() {
    EXPECT_EQ(fixture_->topic_bytes(name_).find("HUSH"), std::string::npos);
    const auto columns = fixture_->destination().value(
        in("SELECT GROUP_CONCAT(CONCAT('`', column_name, '`')) FROM information_schema.columns WHERE table_schema = "
           "'{0}' AND table_name = 't'"));
    EXPECT_EQ(fixture_->destination().number(
                  in("SELECT COUNT(*) FROM {0}.t WHERE CONCAT_WS(' ', " + columns + ") LIKE '%HUSH%'")),
              0);
  }
};

// The message said to undo the expression; then the column was published with all values that it had been given.
TEST_F(DefinitionsOfSecrets, columns_that_an_expression_has_filled_stay_secret) {
  change({"ALTER TABLE {0}.t ADD COLUMN b VARCHAR(60) DEFAULT (secret)",
          "ALTER TABLE {0}.t ALTER COLUMN b DROP DEFAULT",
          "ALTER TABLE {0}.t WAIT 9 ADD COLUMN t.c VARCHAR(60) AS (CONCAT('x', secret)) STORED",
          "ALTER TABLE {0}.t MODIFY COLUMN c VARCHAR(60)", "UPDATE {0}.t SET w = 9 WHERE id = 1",
          "INSERT INTO {0}.t (id, v, secret) VALUES (4, 'four', 'HUSH-4')"});
  capture_stalls("PreflightFailed", {"or drop b"});
  run({"ALTER TABLE {0}.t DROP COLUMN b"});
  ASSERT_TRUE(eventually([&] { return message().find("or drop c") != std::string::npos; }, seconds(40))) << message();
  stop_capture();
  capture({"t.secret", "t.c"});
  EXPECT_TRUE(equal({"t"}, {"secret", "c"}));
  run({"ALTER TABLE {0}.t ADD COLUMN b VARCHAR(60) DEFAULT (v)", "UPDATE {0}.t SET w = 8 WHERE id = 2"});
  EXPECT_TRUE(equal({"t"}, {"secret", "c"}));
  nothing_shown();
}

// Rows that were inserted while the default was in force.
TEST_F(DefinitionsOfSecrets, rows_of_a_default_that_was_set_for_a_while_stay_secret) {
  run({"ALTER TABLE {0}.t ADD COLUMN b VARCHAR(60)"});
  change({"ALTER TABLE {0}.t ALTER COLUMN b SET DEFAULT (secret)",
          "INSERT INTO {0}.t (id, v, secret) VALUES (4, 'four', 'HUSH-4')",
          "ALTER TABLE {0}.t ALTER b SET DEFAULT 'none'",
          "INSERT INTO {0}.t (id, v, secret) VALUES (5, 'five', 'HUSH-5')"});
  capture_stalls("PreflightFailed", {"or drop b"});
  run({"ALTER TABLE {0}.t DROP COLUMN b"});
  EXPECT_TRUE(equal({"t"}, {"secret"}));
  nothing_shown();
}

// Renames in a table that is not captured were not followed, and it got the name of a captured one later.
TEST_F(DefinitionsOfSecrets, columns_of_a_table_that_gets_a_captured_name_stay_secret) {
  start({"t"}, {"t.secret"});
  run({"CREATE TABLE {0}._t_gho LIKE {0}.t", "ALTER TABLE {0}._t_gho RENAME COLUMN secret TO s2, ADD COLUMN secret INT",
       "INSERT INTO {0}._t_gho (id, v, s2, w) SELECT id, v, secret, w FROM {0}.t",
       "INSERT INTO {0}.t VALUES (4, 'four', 'HUSH-4', 4)"});
  EXPECT_TRUE(equal({"t"}, {"secret"}));
  fixture_->capture().kill_and_restart();
  run({"INSERT INTO {0}._t_gho (id, v, s2, w) VALUES (4, 'four', 'HUSH-4', 4)",
       "RENAME TABLE {0}.t TO {0}._t_del, {0}._t_gho TO {0}.t", "UPDATE {0}.t SET w = 7 WHERE id = 1"});
  capture_stalls("PreflightFailed", {"was renamed to s2"});
  stop_capture();
  capture({"t.secret", "t.s2"});
  EXPECT_TRUE(equal({"t"}, {"secret", "s2"}));
  run(
      {"CREATE TABLE {0}.n (id INT PRIMARY KEY, v VARCHAR(50), secret VARCHAR(50), s2 INT, d VARCHAR(50) DEFAULT "
       "(secret))",
       "INSERT INTO {0}.n (id, v, secret) SELECT id, v, CONCAT('HUSH', id) FROM {0}.t",
       "ALTER TABLE {0}.n ALTER d DROP DEFAULT", "DROP TABLE {0}.t, {0}._t_del", "CREATE TABLE {0}.t LIKE {0}.n",
       "INSERT INTO {0}.t SELECT * FROM {0}.n"});
  capture_stalls("PreflightFailed", {"filled d"});
  run({"ALTER TABLE {0}.t DROP COLUMN d"});
  EXPECT_TRUE(equal({"t"}, {"secret", "s2"}));
  nothing_shown();
}

// A name in double quotes was taken for a text.
TEST_F(DefinitionsOfSecrets, statement_that_cannot_be_judged_waits_for_a_decision) {
  change({"SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR ALTER TABLE {0}.t ADD COLUMN b VARCHAR(60) DEFAULT (\"secret\")",
          "ALTER TABLE {0}.t ALTER b DROP DEFAULT", "UPDATE {0}.t SET w = 9 WHERE id = 1"});
  capture_stalls("UnsupportedEvent", {"excludeColumns", "accept-gtid="});
  const auto advice = message();
  const auto at = advice.find("accept-gtid=") + 12;
  stop_capture();
  auto config = capture_config({"t"}, {"t.secret", "t.b"});
  config.accept_gtid = advice.substr(at, advice.find(' ', at) - at);
  fixture_->start_capture(config);
  EXPECT_TRUE(equal({"t"}, {"secret", "b"}));
  nothing_shown();
}

}  // namespace
}  // namespace datasync::test
