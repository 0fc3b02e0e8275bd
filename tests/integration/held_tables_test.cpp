// onTableError: HoldTable. A table that cannot be applied waits at its place, the others continue; once the cause no
// longer exists it catches up in order, and everything is equal.

#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Texts = std::vector<std::string>;

class HeldTables : public testing::Test {
 protected:
  static void SetUpTestSuite() { fixture_ = new Fixture({}); }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }
  void TearDown() override { fixture_->end_agents(); }

  /// A database and a topic of this name, with tables a, b and c that are copied and equal.
  void begin(const std::string& name, config::OnTableError on_error = config::OnTableError::HoldTable) {
    prepare(name);
    start(on_error);
    ASSERT_TRUE(equal({"a", "b", "c"}));
  }
  void prepare(const std::string& name) {
    name_ = name;
    run({"CREATE DATABASE " + name});
    for (const auto* table : {"a", "b", "c"})
      run({fmt::format("CREATE TABLE {}.{} (id INT PRIMARY KEY, v VARCHAR(50))", name, table),
           fmt::format("INSERT INTO {}.{} VALUES (1, 'one'), (2, 'two')", name, table)});
  }
  using Rules = std::map<std::string, std::string>;
  void restart_with_rename(const Rules& rename) {
    fixture_->apply().process().terminate();
    fixture_->forget(fixture_->apply());
    auto apply = fixture_->apply_config(name_, name_);
    apply.on_table_error = config::OnTableError::HoldTable;
    apply.rename.insert(rename.begin(), rename.end());
    fixture_->start_apply(apply);
  }
  void start(config::OnTableError on_error, config::Mode mode = config::Mode::Continuous, const Texts& more = {},
             const Rules& rename = {}) {
    config::Type chosen{.name = "things", .tables = {}, .exclude_columns = {}};
    for (const auto* table : {"a", "b", "c"}) chosen.tables.push_back(name_ + "." + table);
    for (const auto& table : more) chosen.tables.push_back(name_ + "." + table);
    auto capture = fixture_->capture_config({chosen}, name_);
    auto apply = fixture_->apply_config(name_, name_);
    capture.common.mode = apply.common.mode = mode;
    capture.parallelism = 1;  // the tables are copied in their order
    apply.on_table_error = on_error;
    apply.rename.insert(rename.begin(), rename.end());
    fixture_->start_capture(capture);
    fixture_->start_apply(apply);
  }
  static void run(const Texts& statements) {
    auto session = fixture_->source().connect();
    session.execute("USE mysql");
    for (const auto& statement : statements) session.query(statement);
  }
  /// One source transaction that changes all three tables.
  void change(int id, const std::string& value_of_b) {
    run({"BEGIN", in("INSERT INTO {}.a VALUES (") + fmt::format("{}, 'a{}')", id, id),
         in("INSERT INTO {}.b VALUES (") + fmt::format("{}, '{}')", id, value_of_b),
         in("UPDATE {}.c SET v = CONCAT(") + fmt::format("'c', {}) WHERE id = 1", id), "COMMIT"});
  }
  void at_destination(const std::string& statement) { fixture_->destination().execute(in(statement)); }
  [[nodiscard]] std::string in(const std::string& statement) const {
    return fmt::format(fmt::runtime(statement), name_);
  }
  testing::AssertionResult equal(const Texts& tables) {
    std::vector<TablePair> pairs;
    for (const auto& table : tables) pairs.push_back({name_ + "." + table, ""});
    return fixture_->becomes_equal(pairs);
  }
  std::string held() { return fixture_->held(name_); }
  testing::AssertionResult becomes_held(const std::string& wanted) {
    return fixture_->becomes_held(name_, wanted, seconds(30));
  }
  static std::uint64_t duplicates() {
    const auto status = fixture_->apply().status();
    return status ? status->number("/duplicatesRefused") : 999;
  }

  static inline Fixture* fixture_ = nullptr;
  std::string name_;
};

TEST_F(HeldTables, refused_row_holds_its_table_and_the_others_continue) {
  begin("refused");
  at_destination("ALTER TABLE {}.b ADD CONSTRAINT not_bad CHECK (v <> 'bad value')");
  change(10, "good");
  change(11, "bad value");
  // Rows of one batch are folded: what is corrected within it is never refused.
  ASSERT_TRUE(becomes_held("b:ConstraintViolated"));
  for (int id = 12; id < 30; ++id) change(id, "later");
  run({in("UPDATE {}.b SET v = 'corrected' WHERE id = 11"), in("DELETE FROM {}.b WHERE id = 1")});
  EXPECT_TRUE(equal({"a", "c"}));
  const auto status = fixture_->apply().wait_for("Streaming", seconds(30));
  EXPECT_THAT(status.at("/held/0/message").value_or(""), HasSubstr("insert: "));
  EXPECT_THAT(status.json, Not(HasSubstr("bad value")));
  EXPECT_EQ(status.at("/held/0/sourceTable"), name_ + ".b");
  EXPECT_GT(status.number("/held/0/since"), 0U);
  EXPECT_GT(status.number("/held/0/refusedOffset"), status.number("/held/0/offset") - 1);
  EXPECT_EQ(fixture_->apply().metric("datasync_apply_held_tables"), 1);
  // All before the refused transaction is there, nothing of it and after it.
  EXPECT_EQ(fixture_->destination().number(in("SELECT COUNT(*) FROM {}.b WHERE id <= 10")), 3);
  EXPECT_EQ(fixture_->destination().number(in("SELECT COUNT(*) FROM {}.b WHERE id > 10")), 0);
  for (int round = 0; round < 3; ++round) {
    fixture_->apply().kill_and_restart();
    change(40 + round, "while held");
    EXPECT_TRUE(equal({"a", "c"}));
  }
  EXPECT_TRUE(becomes_held("b:ConstraintViolated"));
  at_destination("ALTER TABLE {}.b DROP CONSTRAINT not_bad");
  EXPECT_TRUE(equal({"a", "b", "c"}));
  EXPECT_TRUE(becomes_held(""));
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM datasync.held"), 0);
  change(60, "after");
  EXPECT_TRUE(equal({"a", "b", "c"}));
  EXPECT_EQ(duplicates(), 0U);
}

// Each time it has another value: one that was used before asks for nothing.
TEST_F(HeldTables, the_copy_that_the_message_recommends_is_made_each_time) {
  begin("copied_again");
  std::string before;
  for (const int id : {10, 11}) {
    at_destination(fmt::format("INSERT INTO {{}}.b VALUES ({}, 'theirs')", id));
    change(id, "ours");
    ASSERT_TRUE(becomes_held("b:RowConflict"));
    const auto status = fixture_->apply().wait_for("Streaming", seconds(30));
    const auto tables = recommended_annotation(status.at("/held/0/message").value_or(""), "copy-tables");
    EXPECT_THAT(tables, testing::StartsWith("copied_again.b#"));
    EXPECT_NE(tables, before);
    before = tables;
    fixture_->apply().process().terminate();
    fixture_->forget(fixture_->apply());
    auto apply = fixture_->apply_config(name_, name_);
    apply.on_table_error = config::OnTableError::HoldTable;
    apply.copy_tables = tables;
    fixture_->start_apply(apply);
    EXPECT_TRUE(equal({"a", "b", "c"}));
    EXPECT_TRUE(becomes_held(""));
  }
}

TEST_F(HeldTables, kills_while_it_catches_up_lose_and_repeat_nothing) {
  begin("catching_up");
  at_destination("INSERT INTO {}.b VALUES (10, 'theirs')");
  change(10, "ours");
  ASSERT_TRUE(becomes_held("b:RowConflict"));
  run({in("INSERT INTO {}.b SELECT seq, 'many' FROM mysql.seq_1000_to_9999")});
  for (int i = 0; i < 150; ++i)
    run({in("UPDATE {}.b SET v = ") + fmt::format("'round {}' WHERE id BETWEEN {} AND {}", i, 1000 + i, 1100 + i)});
  at_destination("DELETE FROM {}.b WHERE id = 10");
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(milliseconds(300 + 200 * round));
    fixture_->apply().kill_and_restart();
    change(100 + round, "meanwhile");
  }
  EXPECT_TRUE(equal({"a", "b", "c"}));
  EXPECT_TRUE(becomes_held(""));
  EXPECT_EQ(duplicates(), 0U);
}

TEST_F(HeldTables, large_transaction_with_a_refused_row_skips_only_its_table) {
  begin("large");
  at_destination("ALTER TABLE {}.b ADD CONSTRAINT not_bad CHECK (v <> 'bad')");
  run({"BEGIN", in("INSERT INTO {}.a SELECT seq, 'many' FROM mysql.seq_1000_to_5999"),
       in("INSERT INTO {}.b SELECT seq, IF(seq = 4321, 'bad', 'many') FROM mysql.seq_1000_to_5999"),
       in("INSERT INTO {}.c SELECT seq, 'many' FROM mysql.seq_1000_to_5999"), "COMMIT"});
  EXPECT_TRUE(equal({"a", "c"}));
  ASSERT_TRUE(becomes_held("b:ConstraintViolated"));
  EXPECT_EQ(fixture_->destination().number(in("SELECT COUNT(*) FROM {}.b")), 2);
  at_destination("ALTER TABLE {}.b DROP CONSTRAINT not_bad");
  EXPECT_TRUE(equal({"a", "b", "c"}));
}

TEST_F(HeldTables, table_missing_at_the_destination_is_held_until_it_is_back) {
  prepare("missing");
  start(config::OnTableError::HoldTable);
  ASSERT_TRUE(equal({"a", "b", "c"}));
  fixture_->apply().process().terminate();
  fixture_->forget(fixture_->apply());
  auto apply = fixture_->apply_config(name_, name_);
  apply.on_table_error = config::OnTableError::HoldTable;
  apply.create_tables = false;
  fixture_->start_apply(apply);
  at_destination("RENAME TABLE {0}.b TO {0}.aside");
  change(10, "while it is missing");
  run({in("UPDATE {}.b SET v = 'x' WHERE id = 1")});
  EXPECT_TRUE(equal({"a", "c"}));
  ASSERT_TRUE(eventually([&] { return held().starts_with("b:"); }, seconds(30))) << fixture_->diagnostics();
  at_destination("RENAME TABLE {0}.aside TO {0}.b");
  EXPECT_TRUE(equal({"a", "b", "c"}));
  EXPECT_TRUE(becomes_held(""));
}

// Rows of the child would be refused, or could never be stored once the parent has continued.
TEST_F(HeldTables, tables_connected_by_foreign_keys_wait_and_catch_up_together) {
  prepare("connected");
  run({in("CREATE TABLE {0}.parent (id INT PRIMARY KEY, v VARCHAR(50))"),
       in("CREATE TABLE {0}.child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES {0}.parent (id))"),
       in("INSERT INTO {}.parent VALUES (1, 'one')"), in("INSERT INTO {}.child VALUES (1, 1)")});
  for (const auto* statement :
       {"CREATE DATABASE IF NOT EXISTS {}", "CREATE TABLE {0}.parent (id INT PRIMARY KEY, v VARCHAR(50))",
        "CREATE TABLE {0}.child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES {0}.parent (id))"})
    at_destination(statement);
  start(config::OnTableError::HoldTable, config::Mode::Continuous, {"parent", "child"});
  ASSERT_TRUE(equal({"a", "b", "c", "parent", "child"}));
  at_destination("ALTER TABLE {}.child ADD CONSTRAINT no_seven CHECK (id <> 7)");
  run({in("INSERT INTO {}.parent VALUES (7, 'seven')"), in("INSERT INTO {}.child VALUES (7, 7)")});
  ASSERT_TRUE(becomes_held("child:ConstraintViolated"));
  // At the source this is in order; with the child's rows missing the parent's could be deleted too early.
  run({in("DELETE FROM {}.child WHERE id = 7"), in("DELETE FROM {}.parent WHERE id = 7"),
       in("INSERT INTO {}.parent VALUES (8, 'eight')"), in("INSERT INTO {}.child VALUES (8, 8)"),
       in("DELETE FROM {}.child WHERE id = 1"), in("DELETE FROM {}.parent WHERE id = 1")});
  change(10, "others");
  EXPECT_TRUE(equal({"a", "b", "c"}));
  ASSERT_TRUE(becomes_held("child:ConstraintViolated parent:ConstraintViolated"));
  fixture_->apply().kill_and_restart();
  EXPECT_TRUE(becomes_held("child:ConstraintViolated parent:ConstraintViolated"));
  at_destination("ALTER TABLE {}.child DROP CONSTRAINT no_seven");
  EXPECT_TRUE(equal({"a", "b", "c", "parent", "child"}));
  EXPECT_TRUE(becomes_held(""));
  run({in("INSERT INTO {}.parent VALUES (9, 'nine')"), in("INSERT INTO {}.child VALUES (9, 9)")});
  EXPECT_TRUE(equal({"parent", "child"}));
}

// What was refused does not matter any more.
TEST_F(HeldTables, table_emptied_at_the_source_is_no_longer_held) {
  begin("emptied");
  at_destination("ALTER TABLE {}.b ADD CONSTRAINT not_bad CHECK (v <> 'bad')");
  change(10, "bad");
  ASSERT_TRUE(becomes_held("b:ConstraintViolated"));
  run({in("TRUNCATE TABLE {}.b"), in("INSERT INTO {}.b VALUES (1, 'again')")});
  EXPECT_TRUE(equal({"a", "b", "c"}));
  EXPECT_TRUE(becomes_held(""));
}

// The rows of before were left out: the table was applied from the stream's place on.
TEST_F(HeldTables, table_whose_name_is_taken_continues_under_the_name_that_a_rule_gives_it) {
  prepare("renamed");
  for (const auto* statement : {"CREATE DATABASE {}", "CREATE VIEW {}.b AS SELECT 1 AS id"}) at_destination(statement);
  start(config::OnTableError::HoldTable);
  EXPECT_TRUE(equal({"a", "c"}));
  ASSERT_TRUE(becomes_held("b:DestinationSchemaMismatch"));
  change(10, "while held");
  EXPECT_TRUE(equal({"a", "c"}));
  restart_with_rename({{"renamed.b", "renamed.b2"}});
  change(11, "renamed");
  EXPECT_TRUE(fixture_->becomes_equal({{"renamed.a", ""}, {"renamed.b", "renamed.b2"}, {"renamed.c", ""}}));
  EXPECT_TRUE(becomes_held(""));
}

// The table that was stored in the name was left out with the other one.
TEST_F(HeldTables, of_two_tables_that_lead_to_one_name_the_first_continues) {
  prepare("one_name");
  start(config::OnTableError::HoldTable, config::Mode::Continuous, {}, {{"one_name.c", "one_name.b"}});
  ASSERT_TRUE(becomes_held("b:DestinationSchemaMismatch"));
  const auto status = fixture_->apply().wait_for("Streaming", seconds(30));
  ASSERT_EQ(status.at("/held/0/sourceTable"), "one_name.c");
  change(10, "while held");
  EXPECT_TRUE(equal({"a", "b"}));
  restart_with_rename({{"one_name.c", "one_name.c2"}});
  change(11, "renamed");
  EXPECT_TRUE(fixture_->becomes_equal({{"one_name.a", ""}, {"one_name.b", ""}, {"one_name.c", "one_name.c2"}}));
  EXPECT_TRUE(becomes_held(""));
}

// The changes that the table had waited for were left out.
TEST_F(HeldTables, rows_of_held_tables_that_are_deleted_by_hand_are_missed) {
  begin("by_hand");
  at_destination("ALTER TABLE {}.b ADD CONSTRAINT not_bad CHECK (v <> 'bad')");
  change(10, "bad");
  ASSERT_TRUE(becomes_held("b:ConstraintViolated"));
  change(11, "while held");
  EXPECT_TRUE(equal({"a", "c"}));
  fixture_->apply().process().terminate();
  fixture_->forget(fixture_->apply());
  at_destination("DELETE FROM datasync.held");
  at_destination("ALTER TABLE {}.b DROP CONSTRAINT not_bad");
  auto apply = fixture_->apply_config(name_, name_);
  apply.on_table_error = config::OnTableError::HoldTable;
  fixture_->start_apply(apply);
  const auto status = fixture_->apply().wait_for("Stalled", seconds(30), "LedgerInvalid");
  apply.copy_tables = recommended_annotation(status.message, "copy-tables");
  EXPECT_THAT(apply.copy_tables, testing::StartsWith("by_hand.b#"));
  fixture_->apply().process().terminate();
  fixture_->forget(fixture_->apply());
  fixture_->start_apply(apply);
  EXPECT_TRUE(equal({"a", "b", "c"}));
  fixture_->apply().kill_and_restart();
  change(12, "after");
  EXPECT_TRUE(equal({"a", "b", "c"}));
}

TEST_F(HeldTables, hold_stream_keeps_source_transactions_whole) {
  begin("whole", config::OnTableError::HoldStream);
  at_destination("ALTER TABLE {}.b ADD CONSTRAINT not_bad CHECK (v <> 'bad')");
  change(10, "good");
  change(11, "bad");
  change(12, "later");
  fixture_->apply().wait_for("Stalled", seconds(30), "ConstraintViolated");
  EXPECT_EQ(fixture_->destination().number(in("SELECT MAX(id) FROM {}.a")), 10);
  EXPECT_EQ(held(), "");
  at_destination("ALTER TABLE {}.b DROP CONSTRAINT not_bad");
  EXPECT_TRUE(fixture_->eventually_equal({{name_ + ".a", ""}, {name_ + ".b", ""}, {name_ + ".c", ""}}, seconds(60)));
}

TEST_F(HeldTables, once_is_not_completed_while_a_table_is_held) {
  prepare("once");
  for (const auto* statement :
       {"CREATE DATABASE {}", "CREATE TABLE {}.b (id INT PRIMARY KEY, v VARCHAR(50), CHECK (v <> 'two'))"})
    at_destination(statement);
  start(config::OnTableError::HoldTable, config::Mode::Once);
  EXPECT_TRUE(fixture_->eventually_equal({{name_ + ".a", ""}, {name_ + ".c", ""}}, seconds(60)));
  ASSERT_TRUE(becomes_held("b:ConstraintViolated"));
  const auto status = fixture_->apply().wait_for("Stalled", seconds(60), "ConstraintViolated");
  EXPECT_THAT(status.message, HasSubstr(name_ + ".b is held"));
  fixture_->apply().kill_and_restart();
  fixture_->apply().wait_for("Stalled", seconds(60), "ConstraintViolated");
  at_destination("ALTER TABLE {}.b DROP CONSTRAINT CONSTRAINT_1");
  fixture_->apply().wait_for("Completed", seconds(60));
  EXPECT_TRUE(equal({"a", "b", "c"}));
}

}  // namespace
}  // namespace datasync::test
