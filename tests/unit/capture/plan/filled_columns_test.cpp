#include "agents/capture/plan/filled_columns.hpp"

#include <map>

#include <gtest/gtest.h>

#include "agents/capture/plan/table_moves.hpp"

namespace datasync::capture {
namespace {

using Texts = std::vector<std::string>;
using Moves = std::vector<message::MovedColumn>;

/// "b: CONCAT secret; c: b"
std::string filled(std::string_view sql, const binlog::StatementContext& context = {}) {
  std::string out;
  for (const auto& column : filled_columns(sql, context)) {
    out += (out.empty() ? "" : "; ") + column.column + ":";
    for (const auto& name : column.names) out += " " + name;
  }
  return out;
}

// What gave a column its values was asked of the server, which knows nothing of it once the expression is removed.
TEST(FilledColumns, have_the_names_in_their_expressions) {
  EXPECT_EQ(filled("ALTER TABLE d.t ADD COLUMN b VARCHAR(20) DEFAULT (secret)"), "b: secret");
  EXPECT_EQ(filled("ALTER TABLE t ADD b VARCHAR(20) CHARACTER SET utf8mb4 NULL DEFAULT `secret`"), "b: secret");
  EXPECT_EQ(filled("ALTER TABLE t ADD b INT DEFAULT CONCAT(secret, 'x') COMMENT 'secret' AFTER v"), "b: secret");
  EXPECT_EQ(filled("ALTER TABLE t ADD b INT DEFAULT CASE WHEN secret > 1 THEN v ELSE 0 END NOT NULL AFTER secret"),
            "b: CASE WHEN secret 1 THEN v ELSE 0 END");
  EXPECT_EQ(filled("ALTER ONLINE TABLE IF EXISTS t ADD COLUMN IF NOT EXISTS (a INT, b INT AS (secret + 1) STORED)"),
            "b: secret 1");
  EXPECT_EQ(filled("ALTER TABLE t MODIFY COLUMN b INT GENERATED ALWAYS AS (a) VIRTUAL, CHANGE v w INT AS (t.secret)"),
            "b: a; w: t secret");
  EXPECT_EQ(filled("ALTER TABLE t ADD INDEX i (secret), ALTER COLUMN b SET DEFAULT (secret), ALTER c DROP DEFAULT"),
            "b: secret");
  EXPECT_EQ(
      filled("CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, secret INT, b INT DEFAULT (secret), CHECK (secret > 1),"
             " KEY (secret)) ENGINE=InnoDB"),
      "b: secret");
  EXPECT_EQ(filled("SET STATEMENT lock_wait_timeout=1 FOR ALTER TABLE t ADD b INT DEFAULT (secret)"), "b: secret");
}

// Each of these forms hid an expression: the server takes them all.
TEST(FilledColumns, are_found_in_every_form_of_the_statement) {
  for (const auto* sql :
       {"ALTER TABLE t WAIT 5 ADD b INT DEFAULT (secret)", "ALTER TABLE IF EXISTS t NOWAIT MODIFY b INT AS (secret)",
        "ALTER TABLE t ADD COLUMN t.b INT DEFAULT (secret)", "ALTER TABLE d.t MODIFY d.t.b INT DEFAULT (secret)",
        "ALTER TABLE t CHANGE t.a t.b INT DEFAULT (secret)", "ALTER TABLE t ALTER .b SET DEFAULT (secret)",
        "ALTER TABLE t ALTER COLUMN t.b SET DEFAULT (secret)", "CREATE TABLE t (a INT, t.b INT DEFAULT (secret))",
        "ALTER TABLE t ADD k INT REFERENCES p (id) ON DELETE SET DEFAULT, ADD b INT DEFAULT (secret)",
        "CREATE TABLE t (k INT, FOREIGN KEY (k) REFERENCES p (id) ON DELETE SET DEFAULT, b INT DEFAULT (secret))",
        "ALTER TABLE t /*!50000 ADD b INT DEFAULT (secret) */", "ALTER TABLE t /*M!100000 ADD b INT AS (secret) */",
        "ALTER TABLE t ENGINE=InnoDB COMMENT 'ADD', ADD UNIQUE u (a, c), ADD b INT DEFAULT (secret)"})
    EXPECT_EQ(filled(sql), "b: secret") << sql;
  EXPECT_EQ(filled("CREATE TABLE t (start INT, end INT, length INT AS (end - start), b INT DEFAULT (secret))"),
            "length: end start; b: secret");
  EXPECT_EQ(filled("ALTER TABLE t ADD \"b\" INT DEFAULT (\"secret\")", {.quoting = {.ansi_quotes = true}}),
            "b: secret");
  EXPECT_EQ(added_columns("ALTER TABLE t WAIT 5 ADD t.b INT, ADD .c INT", {}), (Texts{"b", "c"}));
}

TEST(FilledColumns, are_none_where_no_value_comes_from_a_column) {
  for (const auto* sql :
       {"ALTER TABLE t ADD b INT AFTER secret", "ALTER TABLE t ADD b INT DEFAULT 5 AFTER secret",
        "ALTER TABLE t ADD b INT CHECK (secret > 1) REFERENCES p (secret)", "ALTER TABLE t ADD b TEXT COMMENT 'secret'",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (secret > 1), ADD UNIQUE (secret), DROP COLUMN secret",
        "ALTER TABLE t PARTITION BY HASH (secret)", "CREATE TABLE t LIKE secret", "CREATE INDEX i ON t (secret)"})
    EXPECT_EQ(filled(sql).find("secret"), std::string::npos) << sql;
  EXPECT_EQ(filled("ALTER TABLE t ADD b DATE DEFAULT (date(v))"), "b: v") << "a function is no column";
  EXPECT_EQ(filled("ALTER TABLE t ADD b INT DEFAULT 1 COLLATE secret AFTER secret PARTITION BY HASH (secret)"), "b: 1");
}

TEST(FilledColumns, added_columns_are_not_those_that_were_there) {
  EXPECT_EQ(added_columns("ALTER TABLE t ADD a INT, ADD COLUMN (b INT, c INT), ADD COLUMN IF NOT EXISTS d INT", {}),
            (Texts{"a", "b", "c"}));
  EXPECT_TRUE(
      added_columns("ALTER TABLE t ADD INDEX (x), ADD UNIQUE KEY u (x), MODIFY a INT, CHANGE b c INT", {}).empty());
}

TEST(FilledColumns, names_that_cannot_be_read_are_uncertain) {
  EXPECT_TRUE(names_are_certain("ALTER TABLE t ADD b INT DEFAULT (secret)", {}));
  EXPECT_FALSE(names_are_certain("ALTER TABLE t ADD b INT DEFAULT ('secret", {})) << "a string without an end";
  EXPECT_FALSE(
      names_are_certain("SET STATEMENT sql_mode='ANSI_QUOTES' FOR ALTER TABLE t ADD b INT DEFAULT (\"s\")", {}));
  EXPECT_TRUE(names_are_certain("ALTER TABLE t ADD b TEXT DEFAULT (\"s\")", {}));
  EXPECT_FALSE(names_are_certain("ALTER TABLE t ADD b TEXT DEFAULT (\"s\")", {.quoting_known = false}));
  const binlog::StatementContext gbk{.charset = "gbk"};
  EXPECT_TRUE(names_are_known("ALTER TABLE t ADD b INT DEFAULT (secret)", gbk));
  EXPECT_FALSE(names_are_known("ALTER TABLE t ADD b INT DEFAULT (\xce\xd2)", gbk)) << "no server converts it";
  EXPECT_TRUE(names_are_known("CREATE TABLE t (`\xc3\xa9` INT)", gbk)) << "the server writes this in UTF-8";
  EXPECT_TRUE(names_any("ALTER TABLE t FUTURE Secret", {}, {"x", "secret"}));
  EXPECT_FALSE(names_any("ALTER TABLE t FUTURE 'secret'", {}, {"secret"}));
}

/// What is known of the tables d.NAME, and one statement after the other.
class Tables {
 public:
  void run(const std::string& sql) {
    const binlog::StatementContext context{.database = "d"};
    const auto judgement = binlog::judge(sql, context);
    const auto names = column_names_of(sql, context, judgement.certain);
    for (auto& t : moves_after(judgement, names, excluded_, base::TableNames(), like_table(sql, context),
                               [&](const binlog::NamedTable& name) { return known_[name.table]; })) {
      taken_[t.name.table] = std::move(t.taken);
      next_[t.name.table] = std::move(t.moved);
    }
    for (auto& [name, moved] : next_) known_[name] = std::move(moved);
    next_.clear();
  }
  /// "secret>s2 secret>b"
  std::string operator[](const std::string& table) { return text(known_[table]); }
  std::string taken(const std::string& table) { return text(taken_[table]); }

 private:
  static std::string text(const Moves& moves) {
    std::string out;
    for (const auto& m : moves) out += (out.empty() ? "" : " ") + m.was + ">" + m.is;
    return out;
  }
  TableChoice excluded_{.exclude = {"secret"}};
  std::map<std::string, Moves> known_, next_, taken_;
};

// gh-ost and pt-online-schema-change alter a table that is not captured, and rename it: what was renamed in it was
// published.
TEST(MovesAfter, follow_a_table_to_its_new_name) {
  Tables tables;
  tables.run("CREATE TABLE _t_gho LIKE t");
  tables.run("ALTER TABLE _t_gho RENAME COLUMN secret TO s2, ADD COLUMN secret INT");
  EXPECT_EQ(tables["_t_gho"], "secret>s2");
  tables.run("RENAME TABLE t TO _t_del, _t_gho TO t");
  EXPECT_EQ(tables["t"], "secret>s2");
  EXPECT_EQ(tables.taken("t"), "secret>s2");
  EXPECT_EQ(tables["_t_del"], "");
  tables.run("RENAME TABLE t TO x, _t_del TO t, x TO _t_del");
  EXPECT_EQ(tables["_t_del"], "secret>s2");
}

TEST(MovesAfter, follow_definitions_and_rows_of_other_tables) {
  Tables tables;
  tables.run("CREATE TABLE n (id INT PRIMARY KEY, secret INT, b INT DEFAULT (secret))");
  EXPECT_EQ(tables["n"], "secret>b");
  tables.run("CREATE TABLE m (LIKE n)");
  EXPECT_EQ(tables["m"], "secret>b");
  tables.run("ALTER TABLE p EXCHANGE PARTITION p0 WITH TABLE m");
  EXPECT_EQ(tables["p"], "secret>b");
  tables.run("ALTER TABLE m DROP COLUMN b, RENAME TO o");
  EXPECT_EQ(tables["o"], "") << "dropped";
  tables.run("ALTER TABLE p ADD COLUMN c INT DEFAULT (b), RENAME TO q");
  EXPECT_EQ(tables["q"], "secret>b secret>c");
  tables.run("RENAME TABLE IF EXISTS q TO r, n TO s");
  EXPECT_NE(tables["s"].find("secret>b"), std::string::npos);
  tables.run("DROP TABLE q, r, s");
  EXPECT_EQ(tables["r"], "");
  tables.run("CREATE TABLE q (id INT PRIMARY KEY, b INT)");
  EXPECT_EQ(tables["q"], "") << "a new table";
}

}  // namespace
}  // namespace datasync::capture
