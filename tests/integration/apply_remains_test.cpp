// What a void transaction, a deleted ledger or a refused row leaves behind: in the ledger, in the tables, in the log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/apply_fixture.hpp"
#include "tests/support/open_transactions.hpp"

namespace datasync::test {
namespace {

using message::End;
using testing::HasSubstr;
using testing::Not;

/// All that the ledger's tables hold, as text.
std::string ledger_text(MariaDbServer& server, const std::string& database) {
  std::string out;
  for (const auto* table : {"ledger", "held", "tables"})
    for (const auto& row : server.query("SELECT * FROM " + database + "." + table))
      for (const auto& value : row) out += value.value_or("NULL") + "\n";
  return out;
}

// That a table has rows was kept in memory after the rows were rolled back, and never written again: a table that was
// recreated by hand was then taken for the one that was written.
TEST_F(ApplyTest, rows_of_an_aborted_transaction_do_not_make_a_table_known) {
  auto& env = environment();
  env.create_table();
  auto config = env.config();
  config.batch_rows = 2;  // so that the open transaction is executed before it is voided
  env.start_agent(config);
  env.fragment({env.insert(1, "x"), env.insert(2, "x"), env.insert(3, "x")}, 0, End::Group);
  ASSERT_TRUE(eventually([&] { return open_transactions(env.destination(), 1) == 1; }, std::chrono::seconds(15)))
      << env.diagnostics();
  env.new_epoch();
  env.transaction({env.insert(5, "e")});
  EXPECT_TRUE(env.becomes("5=e")) << env.diagnostics();
  EXPECT_EQ(env.destination().number("SELECT has_rows FROM " + config.ledger_database +
                                     ".tables WHERE target=" + quote(env.plain_table())),
            1);
}

// CREATE_TIME has whole seconds: the rows that were lost with the first table were never missed.
TEST_F(ApplyTest, a_table_recreated_within_the_same_second_is_detected) {
  auto& env = environment();
  const auto create = [&] {
    env.destination().execute("CREATE TABLE " + env.table() +
                              " (id INT PRIMARY KEY, name VARCHAR(30) CHARACTER SET utf8mb4)");
  };
  const auto created = [&] {
    return env.destination().number(
        "SELECT UNIX_TIMESTAMP(create_time) FROM information_schema.tables WHERE "
        "table_name='t' AND table_schema=" +
        quote(env.database()));
  };
  bool same = false;
  for (int i = 0; i < 10 && !same; ++i) {
    env.stop_agents();
    env.fresh("made_again_" + std::to_string(i));
    env.start_agent();
    env.agent().wait_for("Streaming", std::chrono::seconds(30));
    ASSERT_TRUE(eventually([&] { return env.destination().number("SELECT MICROSECOND(NOW(6))") < 100'000; },
                           std::chrono::seconds(5)));
    create();
    const auto first = created();
    env.transaction({env.insert(1, "a"), env.insert(2, "b"), env.erase(2, "b")});
    ASSERT_TRUE(env.becomes("1=a")) << env.diagnostics();
    env.destination().execute("DROP TABLE " + env.table());
    create();
    same = created() == first;
  }
  ASSERT_TRUE(same) << "the machine is too slow to make a table again within a second";
  env.agent().wait_for("Stalled", std::chrono::seconds(30), "DestinationTableMissing");
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (1, 'a')");  // restored as it was
  env.transaction({env.insert(3, "c")});
  EXPECT_TRUE(env.becomes("1=a 3=c")) << env.diagnostics();
}

// Held tables and known tables outlived the rows of the ledger that they belong to: what came before the place of a
// held table was never stored.
TEST_F(ApplyTest, a_deleted_ledger_starts_everything_from_the_beginning) {
  auto& env = environment();
  env.create_table();
  auto config = env.config();
  config.on_table_error = config::OnTableError::HoldTable;
  env.start_agent(config);
  env.transaction({env.insert(5, "first")});
  ASSERT_TRUE(env.becomes("5=first")) << env.diagnostics();
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (1, 'theirs')");
  env.transaction({env.insert(1, "ours")});
  const auto held = "SELECT COUNT(*) FROM " + config.ledger_database + ".held WHERE task=" + quote(config.common.name);
  ASSERT_TRUE(eventually([&] { return env.destination().number(held) == 1; }, std::chrono::seconds(30)))
      << env.diagnostics();
  env.stop_agents();
  // What the documentation says, and the table is dropped instead of emptied: a known one would be missed.
  env.destination().execute("DROP TABLE " + env.table());
  env.destination().execute("DELETE FROM " + config.ledger_database +
                            ".ledger WHERE task=" + quote(config.common.name));
  env.start_agent(config);
  EXPECT_TRUE(env.becomes("1=ours 5=first")) << env.diagnostics();
  EXPECT_EQ(env.destination().number(held), 0);
}

// A row that was in the way by another unique value lost its key and became the source's row.
TEST_F(ApplyTest, a_copy_into_a_nullable_unique_key_keeps_rows_of_other_keys) {
  auto& env = environment();
  env.destination().execute(
      "CREATE TABLE " + env.table() +
      " (id INT NULL, name VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, UNIQUE KEY (id), "
      "UNIQUE KEY (name))");
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (9, 'taken')");
  env.start_agent();
  env.snapshot_begin();
  env.snapshot_chunk({env.insert(1, "taken"), env.insert(2, "free")});
  env.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  EXPECT_TRUE(env.becomes("9=taken")) << env.diagnostics();
  env.destination().execute("DELETE FROM " + env.table());
  env.snapshot_chunk({env.insert(2, "free")});  // sent again after a crash
  env.snapshot_end();
  EXPECT_TRUE(env.becomes("1=taken 2=free")) << env.diagnostics();
  EXPECT_EQ(env.destination().number("SELECT COUNT(*) FROM " + env.table()), 2);
}

// Its headers were written by a newer version or are damaged: what it changed is unknown.
TEST_F(ApplyTest, skipping_a_record_with_unreadable_headers_copies_all_tables) {
  auto& env = environment();
  env.create_table();
  env.start_agent();
  env.transaction({env.insert(1, "a")});
  const auto offset = env.put_unreadable_headers();
  env.transaction({env.insert(2, "b")});
  env.agent().wait_for("Stalled", std::chrono::seconds(30), "ForeignMessage");
  env.stop_agents();
  auto config = env.config();
  config.skip_offsets = {"0:" + std::to_string(offset)};
  env.start_agent(config);
  const auto status = env.agent().wait_for("Retrying", std::chrono::seconds(30), "AwaitingCopy");
  EXPECT_THAT(status.message, HasSubstr(env.plain_table()));
  EXPECT_TRUE(env.becomes("1=a")) << "rows of a table that may differ are left out: " << env.diagnostics();
  env.snapshot_begin();
  env.snapshot_chunk({env.truncate()});
  env.snapshot_chunk({env.insert(1, "a2"), env.insert(2, "b")});
  env.snapshot_end();
  EXPECT_TRUE(env.becomes("1=a2 2=b")) << env.diagnostics();
}

// The status had the row of the source and that of the destination, and the log the server's words with the value.
TEST_F(ApplyTest, no_value_of_a_row_is_in_a_log_a_status_or_the_ledger) {
  auto& env = environment();
  env.create_table(", UNIQUE KEY only_once (name)");
  std::string seen;
  const auto check_outputs = [&] {
    seen +=
        env.agent().status()->json + env.agent().log() + ledger_text(env.destination(), env.config().ledger_database);
  };
  auto config = env.config();
  config.on_table_error = config::OnTableError::HoldTable;
  config.common.log_level = "debug";
  env.start_agent(config);
  const auto held = [&](const std::string& words) {
    return eventually(
        [&] {
          const auto rows = env.destination().query("SELECT message FROM " + config.ledger_database +
                                                    ".held WHERE task=" + quote(config.common.name));
          return rows.size() == 1 && rows[0][0].value_or("").find(words) != std::string::npos;
        },
        std::chrono::seconds(30));
  };
  env.transaction({env.insert(70, "begin")});
  ASSERT_TRUE(env.becomes("70=begin")) << env.diagnostics();
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (4711, 'MARK it''s')");
  env.transaction({env.insert(4711, "MARK'key'")});
  ASSERT_TRUE(held("the row is there already")) << env.diagnostics();
  check_outputs();
  env.destination().execute("UPDATE " + env.table() + " SET id=4712, name='MARK''key''' WHERE id=4711");
  ASSERT_TRUE(held("Duplicate entry ... for key 'only_once'")) << env.diagnostics();
  check_outputs();
  env.destination().execute("DELETE FROM " + env.table() + " WHERE id=4712");
  ASSERT_TRUE(env.becomes("70=begin 4711=MARK'key'")) << env.diagnostics();
  env.destination().execute("CREATE TRIGGER " + env.database() + ".says BEFORE INSERT ON " + env.table() +
                            " FOR EACH ROW BEGIN DECLARE shown TEXT DEFAULT CONCAT('no ', NEW.name); "
                            "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = shown; END");
  env.transaction({env.insert(4713, "MARKtrig")});
  ASSERT_TRUE(held("trigger")) << env.diagnostics();
  check_outputs();
  env.destination().execute("DROP TRIGGER " + env.database() + ".says");
  ASSERT_TRUE(env.becomes("70=begin 4711=MARK'key' 4713=MARKtrig")) << env.diagnostics();
  ASSERT_TRUE(eventually(
      [&] {
        return env.destination().number("SELECT COUNT(*) FROM " + config.ledger_database +
                                        ".held WHERE task=" + quote(config.common.name)) == 0;
      },
      std::chrono::seconds(30)))
      << env.diagnostics();
  env.stop_agents();
  // The same where the stream waits, and its state has the message.
  config.on_table_error = config::OnTableError::HoldStream;
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (4714, 'MARKthere')");
  env.start_agent(config);
  env.transaction({env.update(4711, "MARK'key'", 4714, "MARKnew")});
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  EXPECT_THAT(status.message, HasSubstr("update of " + env.plain_table() + " (key id)"));
  check_outputs();
  EXPECT_THAT(seen, Not(HasSubstr("MARK")));
  EXPECT_THAT(seen, Not(HasSubstr("=471"))) << "keys are values";
}

}  // namespace
}  // namespace datasync::test
