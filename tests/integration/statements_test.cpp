// Every way a client can change rows: what the source has at the end, the destinations have.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

const Texts kTables{
    "CREATE DATABASE st",
    "CREATE DATABASE outside",
    "CREATE TABLE outside.noise (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))",
    "CREATE TABLE st.noise (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))",
    "CREATE TABLE st.plain (id INT PRIMARY KEY, v INT, note VARCHAR(50))",
    "CREATE TABLE st.uniq (id INT PRIMARY KEY, u INT NULL UNIQUE, w VARCHAR(20) UNIQUE, v INT)",
    "CREATE TABLE st.counters (k VARCHAR(20) PRIMARY KEY, n INT NOT NULL)",
    "CREATE TABLE st.big (id INT PRIMARY KEY AUTO_INCREMENT, v MEDIUMTEXT)",
    "CREATE TABLE st.parent (id INT PRIMARY KEY, v INT)",
    "CREATE TABLE st.child (id INT PRIMARY KEY, parent INT NOT NULL, v INT, "
    "CONSTRAINT child_parent FOREIGN KEY (parent) REFERENCES st.parent (id))",
    "CREATE TABLE st.tree (id INT PRIMARY KEY, up INT NULL, CONSTRAINT tree_up FOREIGN KEY (up) REFERENCES st.tree "
    "(id))",
    "CREATE TABLE st.owner (id INT PRIMARY KEY)",
    "CREATE TABLE st.owned (id INT PRIMARY KEY, owner INT NULL, note VARCHAR(20), CONSTRAINT owned_owner FOREIGN KEY "
    "(owner) REFERENCES st.owner (id) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE st.customers (id INT PRIMARY KEY, name VARCHAR(100), secret VARCHAR(100), mail VARCHAR(100))",
    "CREATE TABLE st.trail (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(50))",
    "CREATE TABLE outside.aria (id INT PRIMARY KEY, v INT) ENGINE=Aria",
    "CREATE TABLE st.grows (id INT PRIMARY KEY, v INT)",
    "CREATE TABLE st.selected (id INT, v BIGINT, PRIMARY KEY (id)) SELECT seq AS id, seq * 2 AS v FROM st.seq_1_to_100",
    "CREATE TABLE st.second (id INT PRIMARY KEY, v VARCHAR(50))",
    "CREATE TRIGGER st.plain_trail AFTER DELETE ON st.plain FOR EACH ROW INSERT INTO st.trail (what) VALUES (OLD.id)",
};
const Texts kForeignKeyTables{"parent", "child", "tree", "owner", "owned"};

class Statements : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fixture_ = new Fixture({});
    other_ = new MariaDbServer(fixture_->folder(), {.name = "other"});
    other_->create_writer(Fixture::kWriter, Fixture::kPassword);
    fixture_->source().execute_all(kTables);
    fixture_->source().execute("INSERT INTO st.customers VALUES (1, 'before', 'SECRET-BEFORE', 'SHOWN-BEFORE')");
    // The tables with foreign keys are there beforehand, with the same keys.
    fixture_->destination().execute("CREATE DATABASE st");
    for (const auto& table : kForeignKeyTables) {
      const auto made = fixture_->source().query("SHOW CREATE TABLE st." + table).at(0).at(1).value();
      auto at_destination = fixture_->destination().connect();
      at_destination.execute("USE st");
      at_destination.execute(made);
    }
    fixture_->start_capture(capture_config());
    fixture_->start_apply(apply_config());
    auto second = fixture_->apply_config("second");
    second.destination.port = other_->port();
    second.types = {"second"};
    second.rename = {{"st.second", "back_office.renamed"}};
    fixture_->start_apply(second);
  }
  static void TearDownTestSuite() {
    delete other_;
    delete fixture_;
    other_ = nullptr;
    fixture_ = nullptr;
  }

  static config::Capture capture_config() {
    config::Type main{.name = "main", .tables = {}, .exclude_columns = {"st.customers.secret"}};
    main.tables = main_tables();
    auto capture = fixture_->capture_config({main, {.name = "second", .tables = {"st.second"}}});
    capture.allow_cascades = true;
    capture.record_bytes = 16384;
    return capture;
  }
  static config::Apply apply_config() {
    auto apply = fixture_->apply_config("main");
    apply.types = {"main"};
    return apply;
  }
  static Texts main_tables() {
    return {"st.plain", "st.uniq",  "st.counters", "st.big",   "st.parent",    "st.child",   "st.tree",
            "st.owner", "st.owned", "st.trail",    "st.grows", "st.customers", "st.selected"};
  }

  /// Runs the statements on one connection of the source and compares the tables.
  static void run(const Texts& statements) {
    auto session = fixture_->source().connect();
    session.execute("USE st");
    for (const auto& statement : statements) session.query(statement);  // some have a result
  }
  static testing::AssertionResult equal(const Texts& tables) {
    std::vector<TablePair> pairs;
    for (const auto& table : tables) pairs.push_back({"st." + table, ""});
    return fixture_->becomes_equal(pairs);
  }

  static inline Fixture* fixture_ = nullptr;
  static inline MariaDbServer* other_ = nullptr;
};

TEST_F(Statements, PrimaryKeyUpdates) {
  run({"INSERT INTO st.plain SELECT seq, seq, 'x' FROM seq_1_to_50", "UPDATE st.plain SET id = id + 1 ORDER BY id DESC",
       "UPDATE st.plain SET id = id - 1 ORDER BY id", "UPDATE st.plain SET id = -id WHERE id <= 10", "BEGIN",
       "UPDATE st.plain SET id = 1000 WHERE id = 20", "UPDATE st.plain SET id = 20 WHERE id = 21",
       "UPDATE st.plain SET id = 21 WHERE id = 1000", "COMMIT", "UPDATE st.plain SET id = 1000 WHERE id = 30",
       "UPDATE st.plain SET id = 30 WHERE id = 31", "UPDATE st.plain SET id = 31 WHERE id = 1000"});
  EXPECT_TRUE(equal({"plain"}));
}

TEST_F(Statements, KeysInsertedAndDeletedWithinATransaction) {
  run({"BEGIN", "INSERT INTO st.plain VALUES (2001, 1, 'a')", "DELETE FROM st.plain WHERE id = 2001",
       "INSERT INTO st.plain VALUES (2001, 2, 'b')", "UPDATE st.plain SET id = 2002 WHERE id = 2001",
       "INSERT INTO st.plain VALUES (2001, 3, 'c')", "UPDATE st.plain SET id = 2003 WHERE id = 2002",
       "UPDATE st.plain SET id = 2002 WHERE id = 2003", "UPDATE st.plain SET v = 9 WHERE id = 2001", "COMMIT", "BEGIN",
       "INSERT INTO st.plain VALUES (2010, 1, 'gone')", "UPDATE st.plain SET id = 2011 WHERE id = 2010",
       "DELETE FROM st.plain WHERE id = 2011", "COMMIT"});
  EXPECT_TRUE(equal({"plain", "trail"}));
}

TEST_F(Statements, UniqueValuesSwappedInsideATransaction) {
  run({"INSERT INTO st.uniq VALUES (1, 1, 'one', 0), (2, 2, 'two', 0), (3, NULL, NULL, 0), (4, NULL, 'four', 0)"});
  for (int i = 0; i < 30; ++i) {
    run({"BEGIN", "UPDATE st.uniq SET u = 99 WHERE id = 1", "UPDATE st.uniq SET u = 1 + 1 - u + 1 WHERE id = 2",
         fmt::format("UPDATE st.uniq SET u = {} WHERE id = 1", i % 2 == 0 ? 2 : 1),
         "UPDATE st.uniq SET w = NULL WHERE id = 1",
         fmt::format("UPDATE st.uniq SET w = '{}', v = v + 1 WHERE id = 2", i % 2 == 0 ? "one" : "two"),
         fmt::format("UPDATE st.uniq SET w = '{}' WHERE id = 1", i % 2 == 0 ? "two" : "one"), "COMMIT"});
  }
  EXPECT_TRUE(equal({"uniq"}));
}

TEST_F(Statements, UniqueValuesThatMoveAcrossTransactions) {
  run({"INSERT INTO st.uniq VALUES (11, 11, 'eleven', 0), (12, 12, 'twelve', 0), (13, 13, 'thirteen', 0)"});
  for (int i = 0; i < 30; ++i) {
    run({"UPDATE st.uniq SET u = NULL WHERE id = 11", "UPDATE st.uniq SET u = 11 WHERE id = 12",
         "UPDATE st.uniq SET u = 12 WHERE id = 11", "DELETE FROM st.uniq WHERE id = 13",
         fmt::format("INSERT INTO st.uniq VALUES ({}, 13, 'thirteen', {})", 100 + i, i),
         fmt::format("UPDATE st.uniq SET id = 13 WHERE id = {}", 100 + i),
         "UPDATE st.uniq SET u = 1100 + id WHERE id IN (11, 12)", "UPDATE st.uniq SET u = id WHERE id IN (11, 12)"});
  }
  EXPECT_TRUE(equal({"uniq"}));
}

TEST_F(Statements, ReplaceAndOnDuplicateKeyUpdate) {
  run({"INSERT INTO st.uniq VALUES (51, 51, 'a51', 0), (52, 52, 'a52', 0), (53, 53, 'a53', 0)",
       "REPLACE INTO st.uniq VALUES (51, 52, 'a53', 7)",  // takes three rows away
       "REPLACE INTO st.uniq VALUES (54, 54, 'a54', 1), (54, 55, 'a55', 2)",
       "INSERT INTO st.uniq VALUES (60, 54, 'x', 5) ON DUPLICATE KEY UPDATE v = v + 1, u = 61",
       "INSERT INTO st.uniq VALUES (60, 55, 'y', 5) ON DUPLICATE KEY UPDATE id = 60",
       "INSERT IGNORE INTO st.uniq VALUES (60, 1, 'z', 1), (62, 62, 'z62', 2)",
       "INSERT INTO st.counters VALUES ('a', 1), ('b', 1), ('a', 1), ('A', 5) ON DUPLICATE KEY UPDATE n = n + "
       "VALUES(n)",
       "REPLACE INTO st.counters VALUES ('B', 9)"});
  EXPECT_TRUE(equal({"uniq", "counters"}));
}

TEST_F(Statements, SeveralTablesInOneStatement) {
  run({"INSERT INTO st.plain SELECT seq, seq, 'multi' FROM seq_3001_to_3030",
       "INSERT INTO st.counters VALUES ('multi', 3)",
       "UPDATE st.plain p JOIN st.counters c ON c.k = 'multi' SET p.v = p.v + c.n, c.n = c.n + 1 WHERE p.id BETWEEN "
       "3001 AND 3010",
       "DELETE p, c FROM st.plain p JOIN st.counters c ON c.k = 'multi' WHERE p.id > 3020",
       "DELETE FROM st.plain WHERE id > 3000 ORDER BY id LIMIT 3",
       "INSERT INTO st.plain SELECT id + 1000, v, note FROM st.plain WHERE id BETWEEN 3005 AND 3010"});
  EXPECT_TRUE(equal({"plain", "counters", "trail"}));
}

TEST_F(Statements, SavepointsAndRollbacks) {
  run({"BEGIN", "INSERT INTO st.plain VALUES (4201, 1, 'kept')", "SAVEPOINT a",
       "INSERT INTO st.plain VALUES (4202, 1, 'void')", "UPDATE st.plain SET v = 2 WHERE id = 4201", "SAVEPOINT b",
       "DELETE FROM st.plain WHERE id = 4201", "ROLLBACK TO b", "ROLLBACK TO a",
       "INSERT INTO st.plain VALUES (4203, 1, 'kept')", "RELEASE SAVEPOINT a", "COMMIT", "BEGIN",
       "INSERT INTO st.plain VALUES (4204, 1, 'void')", "ROLLBACK",
       // A statement that fails half way is undone alone.
       "BEGIN", "INSERT INTO st.plain VALUES (4205, 1, 'kept')"});
  auto session = fixture_->source().connect();
  session.execute("BEGIN");
  session.execute("INSERT INTO st.plain VALUES (4206, 1, 'kept')");
  EXPECT_THROW(session.execute("INSERT INTO st.plain VALUES (4207, 1, 'void'), (4206, 1, 'dup')"), SqlError);
  session.execute("COMMIT");
  EXPECT_TRUE(equal({"plain"}));
}

TEST_F(Statements, RollbackAfterANontransactionalChange) {
  // The transaction rolls back, yet its change of the Aria table stands and is in the binlog.
  run({"BEGIN", "INSERT INTO st.plain VALUES (4101, 1, 'void')", "INSERT INTO outside.aria VALUES (3, 3)",
       "UPDATE st.plain SET v = 9 WHERE id = 1", "UPDATE outside.aria SET v = 9", "ROLLBACK", "BEGIN",
       "INSERT INTO st.plain VALUES (4102, 1, 'kept')", "INSERT INTO outside.aria VALUES (4, 4)", "COMMIT"});
  EXPECT_TRUE(equal({"plain"}));
}

TEST_F(Statements, LoadData) {
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += fmt::format("{}\t{}\tline {}\n", 10000 + i, i, i);
  const auto file = fixture_->folder() / "load.tsv";
  write_file(file, lines);
  run({fmt::format("LOAD DATA INFILE {} INTO TABLE st.plain", quote(file.string())),
       fmt::format("LOAD DATA INFILE {} REPLACE INTO TABLE st.plain (id, @v, note) SET v = @v * 2",
                   quote(file.string()))});
  EXPECT_TRUE(equal({"plain"}));
}

TEST_F(Statements, Truncate) {
  run({"INSERT INTO st.big (v) SELECT REPEAT('t', seq) FROM seq_1_to_500", "INSERT INTO st.counters VALUES ('t', 1)",
       "TRUNCATE TABLE st.big", "INSERT INTO st.big VALUES (1, 'again')", "TRUNCATE st.counters",
       "INSERT INTO st.counters VALUES ('t', 2)", "/* a comment */ TRUNCATE /* there */ TABLE `st`.`big`", "USE st",
       "INSERT INTO big VALUES (2, 'more')", "truncate big", "INSERT INTO big VALUES (3, 'last')"});
  EXPECT_TRUE(equal({"big", "counters"}));
}

TEST_F(Statements, RowsAndTransactionsLargerThanARecordAndABatch) {
  run({"INSERT INTO st.big VALUES (100, REPEAT('x', 3000000))",
       "UPDATE st.big SET v = REPEAT('y', 2000000) WHERE id = 100",
       "INSERT INTO st.plain SELECT seq, seq, 'many' FROM seq_20001_to_45000",
       "UPDATE st.plain SET v = v + 1 WHERE note = 'many'", "DELETE FROM st.plain WHERE note = 'many' AND id % 2 = 0"});
  EXPECT_TRUE(equal({"plain", "big", "trail"}));
}

TEST_F(Statements, XaCommitAndRollback) {
  run({"XA START 'one'", "INSERT INTO st.plain VALUES (5001, 1, 'xa')", "XA END 'one'", "XA PREPARE 'one'",
       "XA COMMIT 'one'", "XA START 'two'", "INSERT INTO st.plain VALUES (5002, 1, 'void')", "XA END 'two'",
       "XA PREPARE 'two'", "XA ROLLBACK 'two'", "XA START 'three'",
       "INSERT INTO st.plain VALUES (5003, 1, 'one phase')", "UPDATE st.plain SET v = 2 WHERE id = 5001",
       "XA END 'three'", "XA COMMIT 'three' ONE PHASE"});
  EXPECT_TRUE(equal({"plain"}));
}

TEST_F(Statements, XaPreparedWhileOthersCommit) {
  auto held = fixture_->source().connect();
  for (const auto* s : {"XA START X'00FF','branch',7", "INSERT INTO st.plain VALUES (5101, 1, 'xa')",
                        "INSERT INTO st.uniq VALUES (5101, 5101, 'xa', 0)", "XA END X'00FF','branch',7",
                        "XA PREPARE X'00FF','branch',7"}) {
    held.execute(s);
  }
  run({"INSERT INTO st.plain VALUES (5102, 1, 'between')"});
  EXPECT_TRUE(
      fixture_->eventually_value(fixture_->destination(), "SELECT COUNT(*) FROM st.plain WHERE id = 5102", "1"));
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM st.plain WHERE id = 5101"), 0);
  held.execute("XA COMMIT X'00FF','branch',7");
  EXPECT_TRUE(equal({"plain", "uniq"}));
}

TEST_F(Statements, XaPreparedWhileCaptureIsKilled) {
  auto first = fixture_->source().connect();
  auto second = fixture_->source().connect();
  for (const auto* s :
       {"XA START 'k1'", "INSERT INTO st.plain VALUES (5201, 1, 'xa')", "XA END 'k1'", "XA PREPARE 'k1'"}) {
    first.execute(s);
  }
  for (const auto* s :
       {"XA START 'k2'", "INSERT INTO st.plain VALUES (5202, 1, 'void')", "XA END 'k2'", "XA PREPARE 'k2'"}) {
    second.execute(s);
  }
  run({"INSERT INTO st.plain VALUES (5203, 1, 'between')"});
  ASSERT_TRUE(
      fixture_->eventually_value(fixture_->destination(), "SELECT COUNT(*) FROM st.plain WHERE id = 5203", "1"));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // longer than a checkpoint
  fixture_->capture().kill_and_restart();
  run({"INSERT INTO st.plain VALUES (5204, 1, 'after')"});
  ASSERT_TRUE(
      fixture_->eventually_value(fixture_->destination(), "SELECT COUNT(*) FROM st.plain WHERE id = 5204", "1"));
  first.execute("XA COMMIT 'k1'");
  second.execute("XA ROLLBACK 'k2'");
  EXPECT_TRUE(equal({"plain"}));
}

TEST_F(Statements, ForeignKeysKeepTheirOrder) {
  for (int i = 0; i < 20; ++i) {
    run({"BEGIN", fmt::format("INSERT INTO st.parent VALUES ({0}, 0), ({1}, 0)", 2 * i, 2 * i + 1),
         fmt::format("INSERT INTO st.child VALUES ({0}, {0}, 0), ({1}, {0}, 1)", 2 * i, 2 * i + 1), "COMMIT",
         fmt::format("UPDATE st.child SET parent = {1} WHERE id = {0}", 2 * i, 2 * i + 1)});
  }
  run({"BEGIN", "DELETE FROM st.child WHERE parent < 20", "DELETE FROM st.parent WHERE id < 20", "COMMIT", "BEGIN",
       "INSERT INTO st.parent VALUES (1, 1)", "UPDATE st.child SET parent = 1 WHERE parent = 30",
       "DELETE FROM st.parent WHERE id = 30", "INSERT INTO st.parent VALUES (30, 2)", "COMMIT",
       "DELETE FROM st.child WHERE parent = 1", "DELETE FROM st.parent WHERE id = 1"});
  EXPECT_TRUE(equal({"parent", "child"}));
}

TEST_F(Statements, ForeignKeysOfATableToItself) {
  run({"INSERT INTO st.tree VALUES (1, NULL), (2, 1), (3, 2), (4, 4)", "INSERT INTO st.tree VALUES (10, 1)",
       "UPDATE st.tree SET up = 10 WHERE id = 3", "UPDATE st.tree SET up = 3 WHERE id = 2",
       "DELETE FROM st.tree WHERE id = 2", "UPDATE st.tree SET up = NULL WHERE id = 4",
       "DELETE FROM st.tree WHERE id = 4", "BEGIN", "UPDATE st.tree SET up = NULL", "DELETE FROM st.tree WHERE id = 1",
       "INSERT INTO st.tree VALUES (1, 3)", "COMMIT", "UPDATE st.tree SET id = 99 WHERE id = 10"});
  EXPECT_TRUE(equal({"tree"}));
}

TEST_F(Statements, CascadesHappenAtTheDestinationToo) {
  run({"INSERT INTO st.owner VALUES (1), (2), (3)",
       "INSERT INTO st.owned VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c'), (4, NULL, 'd')",
       "DELETE FROM st.owner WHERE id = 1", "UPDATE st.owner SET id = 20 WHERE id = 2",
       "UPDATE st.owned SET note = 'moved' WHERE owner = 20", "INSERT INTO st.owned VALUES (1, 3, 'again')",
       "DELETE FROM st.owner WHERE id = 3"});
  EXPECT_TRUE(equal({"owner", "owned"}));
}

TEST_F(Statements, CreateTableSelect) {
  // st.selected was made like this before the agents started; here it happens beside a captured table.
  run({"INSERT INTO st.plain SELECT seq, seq, 'ctas' FROM seq_6001_to_6100",
       "CREATE TABLE outside.selected (PRIMARY KEY (id)) SELECT id, v, note FROM st.plain WHERE note = 'ctas'",
       "INSERT INTO st.selected SELECT id, v FROM outside.selected",
       "CREATE OR REPLACE TABLE outside.selected SELECT 1 AS one", "UPDATE st.selected SET v = v + 1 WHERE id < 6050",
       "CREATE TEMPORARY TABLE st.temporary SELECT * FROM st.selected", "UPDATE st.temporary SET v = 0",
       "DROP TEMPORARY TABLE st.temporary"});
  EXPECT_TRUE(equal({"plain", "selected"}));
}

TEST_F(Statements, ColumnAddedAtTheSource) {
  run({"INSERT INTO st.grows VALUES (1, 1), (2, 2)", "ALTER TABLE st.grows ADD COLUMN extra VARCHAR(20) NULL",
       "INSERT INTO st.grows VALUES (3, 3, 'three')", "UPDATE st.grows SET extra = 'one' WHERE id = 1",
       "ALTER TABLE st.grows ADD COLUMN first INT NULL FIRST", "INSERT INTO st.grows VALUES (9, 4, 4, 'four')",
       "DELETE FROM st.grows WHERE id = 2"});
  EXPECT_TRUE(equal({"grows"}));
}

TEST_F(Statements, ExcludedColumnsNeverReachTheTopic) {
  run({"INSERT INTO st.customers VALUES (2, 'stream', 'SECRET-INSERT', 'SHOWN-INSERT')",
       "UPDATE st.customers SET secret = 'SECRET-UPDATE', mail = 'SHOWN-UPDATE' WHERE id = 1",
       "UPDATE st.customers SET secret = 'SECRET-ALONE' WHERE id = 2",
       "INSERT INTO st.customers VALUES (3, 'x', 'SECRET-3', 'y')", "DELETE FROM st.customers WHERE id = 3"});
  EXPECT_TRUE(fixture_->becomes_equal({{"st.customers", "", {"secret"}}}));
  const auto bytes = fixture_->topic_bytes();
  for (const auto* shown : {"SHOWN-BEFORE", "SHOWN-INSERT", "SHOWN-UPDATE"}) {
    EXPECT_NE(bytes.find(shown), std::string::npos) << shown;
  }
  EXPECT_EQ(bytes.find("SECRET-"), std::string::npos);
}

TEST_F(Statements, TwoTypesGoToTwoDestinations) {
  run({"BEGIN", "INSERT INTO st.second VALUES (1, 'one'), (2, 'two')", "INSERT INTO st.plain VALUES (7001, 1, 'both')",
       "UPDATE st.second SET v = 'changed' WHERE id = 2", "INSERT INTO st.noise (v) VALUES ('n')",
       "INSERT INTO outside.noise (v) VALUES ('n')", "COMMIT", "DELETE FROM st.second WHERE id = 1"});
  EXPECT_TRUE(equal({"plain"}));
  EXPECT_TRUE(fixture_->becomes_equal({{"st.second", "back_office.renamed"}}, *other_));
  EXPECT_TRUE(fixture_->destination().query("SHOW TABLES FROM st LIKE 'second'").empty());
  EXPECT_TRUE(fixture_->destination().query("SHOW TABLES FROM st LIKE 'noise'").empty());
  EXPECT_TRUE(other_->query("SHOW DATABASES LIKE 'st'").empty());
}

TEST_F(Statements, StatementsThatChangeNoCapturedRowAreIgnored) {
  run({"CREATE USER passer",
       "GRANT SELECT ON st.* TO passer",
       "DROP USER passer",
       "ANALYZE TABLE st.plain",
       "OPTIMIZE TABLE st.noise",
       "FLUSH LOCAL PRIVILEGES",
       "CREATE VIEW st.seen AS SELECT * FROM st.plain",
       "DROP VIEW st.seen",
       "CREATE PROCEDURE st.twice() BEGIN INSERT INTO st.plain VALUES (8001, 1, 'p'); INSERT INTO st.plain VALUES "
       "(8002, 1, 'p'); END",
       "CALL st.twice()",
       "DROP PROCEDURE st.twice",
       "CREATE DATABASE passing",
       "DROP DATABASE passing",
       "UPDATE st.plain SET v = v WHERE id = 8001",
       "CREATE TABLE outside.t (id INT PRIMARY KEY)",
       "DROP TABLE outside.t",
       "CREATE SEQUENCE outside.s",
       "SELECT NEXT VALUE FOR outside.s",
       "DROP SEQUENCE outside.s",
       "ALTER TABLE st.noise ADD COLUMN more INT",
       "CREATE INDEX note ON st.plain (note)",
       "DROP INDEX note ON st.plain",
       "DELETE FROM st.plain WHERE id = 8002"});
  EXPECT_TRUE(equal({"plain", "trail"}));
}

}  // namespace
}  // namespace datasync::test
