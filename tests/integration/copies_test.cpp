// Copies that do not hold any more: what was not on the stream for a while, or changes rows without row events, is
// copied again.

#include <set>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

class Copies : public testing::Test {
 protected:
  static void SetUpTestSuite() { fixture_ = new Fixture({}); }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }
  void TearDown() override { fixture_->end_agents(); }

  /// A database and a topic of this name, with tables a and b.
  void prepare(const std::string& name) {
    name_ = name;
    run({"CREATE DATABASE " + name});
    for (const auto* table : {"a", "b"}) {
      run({fmt::format("CREATE TABLE {}.{} (id INT PRIMARY KEY, v VARCHAR(50), at DATETIME(6) NULL)", name, table),
           fmt::format("INSERT INTO {}.{} VALUES (1, 'one', '2026-01-02 03:04:05.678901'), (2, 'two', NULL), "
                       "(3, 'three', '2026-01-02 03:04:05.999999')",
                       name, table)});
    }
  }
  void start_capture(const Texts& tables, const Texts& excluded = {}, const std::string& type = "things") {
    config::Type chosen{.name = type, .tables = {}, .exclude_columns = {}};
    for (const auto& table : tables) chosen.tables.push_back(name_ + "." + table);
    for (const auto& column : excluded) chosen.exclude_columns.push_back(name_ + "." + column);
    auto capture = fixture_->capture_config({chosen}, name_);
    if (chunk_rows_ != 0) capture.chunk_rows = chunk_rows_;
    fixture_->start_capture(capture);
  }
  /// Another selection, as after a change of the resource.
  void restart_capture(const Texts& tables, const Texts& excluded = {}) {
    fixture_->capture().process().terminate();
    fixture_->forget(fixture_->capture());
    start_capture(tables, excluded);
  }
  void start_both() {
    start_capture({"a", "b"});
    fixture_->start_apply(fixture_->apply_config(name_, name_));
    ASSERT_TRUE(equal({"a", "b"}));
  }
  static void run(const Texts& statements) {
    auto session = fixture_->source().connect();
    session.execute("USE mysql");  // sequence tables want some database
    for (const auto& statement : statements) session.query(statement);
  }
  [[nodiscard]] std::string in(const std::string& statement) const {
    return fmt::format(fmt::runtime(statement), name_);
  }
  testing::AssertionResult equal(const Texts& tables, const std::set<std::string>& excluded = {}) {
    std::vector<TablePair> pairs;
    for (const auto& table : tables) pairs.push_back({name_ + "." + table, "", excluded});
    return fixture_->becomes_equal(pairs);
  }

  static inline Fixture* fixture_ = nullptr;
  std::string name_;
  std::uint32_t chunk_rows_ = 0;  ///< of captures that are started; 0: as they are
};

// It was not copied again: what happened meanwhile was missing, and the status said Streaming.
TEST_F(Copies, table_removed_and_added_back) {
  prepare("out_and_back");
  start_both();
  restart_capture({"a"});
  run({in("DELETE FROM {}.b WHERE id = 1"), in("UPDATE {}.b SET v = 'changed' WHERE id = 2"),
       in("INSERT INTO {}.b VALUES (4, 'four', NULL)"), in("INSERT INTO {}.a VALUES (4, 'four', NULL)")});
  ASSERT_TRUE(equal({"a"}));
  EXPECT_EQ(fixture_->destination().number(in("SELECT COUNT(*) FROM {}.b WHERE id = 1")), 1) << "left as it was";
  restart_capture({"a", "b"});
  EXPECT_TRUE(equal({"a", "b"}));
  run({in("UPDATE {}.b SET v = 'later' WHERE id = 4")});
  EXPECT_TRUE(equal({"a", "b"}));
}

// The server logs an XA COMMIT before its rows show it: a chunk read in between undid changes that were on the stream
// before it. Each row is changed once in a long round, so that no later change hides this.
TEST_F(Copies, xa_transactions_that_commit_while_a_table_is_copied) {
  prepare("xa_copied");
  constexpr unsigned kChunks = 30, kClients = 3, kMostTransactions = 4000;
  chunk_rows_ = 1000;
  run({in("CREATE TABLE {}.x (id INT PRIMARY KEY, part INT, n INT, KEY (part))"),
       fmt::format("INSERT INTO {}.x SELECT seq, seq % {}, 0 FROM seq_1_to_{}", name_, chunk_rows_,
                   chunk_rows_ * kChunks)});
  start_both();
  {
    std::vector<std::jthread> clients;
    for (unsigned client = 0; client < kClients; ++client)
      clients.emplace_back([this, client](const std::stop_token& stop) {
        auto session = fixture_->source().connect();
        for (auto i = client; i < kMostTransactions && !stop.stop_requested(); i += kClients) {
          const auto xid = fmt::format("'{}-{}'", name_, i);
          const auto update = fmt::format("UPDATE {}.x SET n = {} WHERE part = {}", name_, i + 1, i % chunk_rows_);
          for (const auto& statement : {"XA START " + xid, update, "XA END " + xid, "XA PREPARE " + xid})
            session.execute(statement);
          session.execute("XA COMMIT " + xid);
        }
      });
    restart_capture({"a", "b", "x"});
    ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Snapshotting", ""));
    ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", "", seconds(60)));
  }
  EXPECT_TRUE(equal({"a", "b", "x"}));
}

// Rows of before had no value in it.
TEST_F(Copies, column_that_is_no_longer_excluded) {
  prepare("shown_again");
  start_capture({"a", "b"}, {"a.v"});
  fixture_->start_apply(fixture_->apply_config(name_, name_));
  ASSERT_TRUE(equal({"a"}, {"v"}));
  ASSERT_TRUE(equal({"b"}));
  restart_capture({"a", "b"});
  EXPECT_TRUE(equal({"a", "b"}));
}

// Rows that no client touched afterwards differed for ever.
TEST_F(Copies, column_added_with_a_default) {
  prepare("with_default");
  start_both();
  run({in("ALTER TABLE {}.a ADD COLUMN c INT NULL DEFAULT 5"), in("INSERT INTO {}.a VALUES (4, 'four', NULL, 4)"),
       in("DELETE FROM {}.a WHERE id = 2")});
  EXPECT_TRUE(equal({"a", "b"}));
  EXPECT_EQ(fixture_->destination().number(in("SELECT SUM(c) FROM {}.a")), 14);
}

TEST_F(Copies, values_changed_by_an_alter) {
  prepare("narrowed");
  start_both();
  run({in("ALTER TABLE {}.a MODIFY at DATETIME NULL"), in("INSERT INTO {}.b VALUES (4, 'four', NULL)")});
  EXPECT_TRUE(equal({"b"}));
  // The destination's column stays wider.
  const auto times = in("SELECT GROUP_CONCAT(CAST(at AS DATETIME) ORDER BY id), SUM(MICROSECOND(at)) FROM {}.a");
  const auto expected = fixture_->source().query(times).at(0);
  EXPECT_TRUE(eventually(
      [&] {
        const auto there = fixture_->destination().query(times).at(0);
        return there.at(0) == expected.at(0) && there.at(1) == "0";
      },
      seconds(30)))
      << fixture_->diagnostics();
}

// The destination never drops a column: the new one of the same name had the values of the old one there.
TEST_F(Copies, column_dropped_and_added_again) {
  prepare("dropped_added");
  start_both();
  run({in("ALTER TABLE {}.a DROP COLUMN v"), in("UPDATE {}.a SET at = NULL WHERE id = 3"),
       in("ALTER TABLE {}.a ADD COLUMN v VARCHAR(50) NULL"), in("INSERT INTO {}.b VALUES (4, 'four', NULL)")});
  EXPECT_TRUE(equal({"a", "b"}));
}

// Keys that are no more must not stay behind.
TEST_F(Copies, keys_changed_by_an_alter) {
  prepare("rekeyed");
  run({in("CREATE TABLE {}.c (k DECIMAL(5,1) PRIMARY KEY, v INT)"), in("INSERT INTO {}.c VALUES (1.4, 1), (2.6, 2)")});
  start_capture({"a", "b", "c"});
  fixture_->start_apply(fixture_->apply_config(name_, name_));
  ASSERT_TRUE(equal({"a", "b", "c"}));
  run({in("ALTER TABLE {}.c MODIFY k DECIMAL(4,0)"), in("INSERT INTO {}.c VALUES (7, 7)")});
  EXPECT_TRUE(fixture_->eventually_value(
      fixture_->destination(), in("SELECT GROUP_CONCAT(CONCAT(k, '=', v) ORDER BY k) FROM {}.c"), "1.0=1,3.0=2,7.0=7"))
      << fixture_->diagnostics();
}

// The agent writes down what is to be copied before it continues: a kill at any point loses none of it.
TEST_F(Copies, killed_while_it_copies_again) {
  prepare("killed");
  run({in("INSERT INTO {}.a SELECT seq, CONCAT('row ', seq), NULL FROM seq_1000_to_30000")});
  start_both();
  for (int round = 0; round < 4; ++round) {
    run({fmt::format("ALTER TABLE {}.a ADD COLUMN c{} INT NULL DEFAULT {}", name_, round, round),
         fmt::format("UPDATE {}.a SET v = 'round {}' WHERE id = 3", name_, round)});
    std::this_thread::sleep_for(milliseconds(150 * round));
    fixture_->capture().kill_and_restart();
  }
  EXPECT_TRUE(equal({"a", "b"}));
}

// No snapshot is configured: then a user decides.
TEST_F(Copies, alter_is_reported_when_no_snapshot_is_configured) {
  prepare("never");
  config::Type chosen{.name = "things", .tables = {"never.a", "never.b"}, .exclude_columns = {}};
  auto capture = fixture_->capture_config({chosen}, name_);
  capture.snapshot_mode = config::SnapshotMode::Never;
  fixture_->start_capture(capture);
  fixture_->start_apply(fixture_->apply_config(name_, name_));
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", ""));
  run({in("ALTER TABLE {}.a ADD COLUMN c VARCHAR(20) NULL DEFAULT 'hidden'"), in("DELETE FROM {}.a WHERE id = 2")});
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "SchemaChanged"));
  const auto message = fixture_->capture().status()->message;
  EXPECT_NE(message.find("never.a"), std::string::npos) << message;
  EXPECT_EQ(message.find("hidden"), std::string::npos) << message;
  fixture_->forget(fixture_->capture());
  capture.snapshot_mode = config::SnapshotMode::Initial;
  fixture_->start_capture(capture);
  EXPECT_TRUE(fixture_->eventually_equal({{"never.a", ""}, {"never.b", ""}}, seconds(60)));
}

// The definition counted as known although the copy was refused: nothing was copied once it was allowed.
TEST_F(Copies, change_without_a_statement_is_copied_once_copies_are_configured) {
  prepare("quiet");
  start_both();
  run({in("UPDATE {}.a SET v = 'x' WHERE id = 1")});
  ASSERT_TRUE(equal({"a", "b"}));
  fixture_->capture().process().terminate();
  fixture_->forget(fixture_->capture());
  config::Type chosen{.name = "things", .tables = {"quiet.a", "quiet.b"}, .exclude_columns = {}};
  auto capture = fixture_->capture_config({chosen}, name_);
  capture.snapshot_mode = config::SnapshotMode::Never;
  run({"SET sql_log_bin = 0", in("ALTER TABLE {}.a ADD COLUMN c INT NULL DEFAULT 5"), "SET sql_log_bin = 1",
       in("DELETE FROM {}.a WHERE id = 2")});
  fixture_->start_capture(capture);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "SchemaChanged"));
  fixture_->capture().process().terminate();
  fixture_->forget(fixture_->capture());
  capture.snapshot_mode = config::SnapshotMode::Initial;
  fixture_->start_capture(capture);
  EXPECT_TRUE(fixture_->eventually_equal({{"quiet.a", ""}, {"quiet.b", ""}}, seconds(60)));
}

}  // namespace
}  // namespace datasync::test
