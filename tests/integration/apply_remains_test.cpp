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
// made again by hand was then taken for the one that was written.
TEST_F(ApplyTest, rows_of_a_void_transaction_do_not_count_as_rows_of_a_known_table) {
  auto& w = world();
  w.create_table();
  auto config = w.config();
  config.batch_rows = 2;  // so that the open transaction is executed before it is voided
  w.start_agent(config);
  w.fragment({w.insert(1, "x"), w.insert(2, "x"), w.insert(3, "x")}, 0, End::Group);
  ASSERT_TRUE(eventually([&] { return open_transactions(w.destination(), 1) == 1; }, std::chrono::seconds(15)))
      << w.story();
  w.new_epoch();
  w.transaction({w.insert(5, "e")});
  EXPECT_TRUE(w.becomes("5=e")) << w.story();
  EXPECT_EQ(w.destination().number("SELECT has_rows FROM " + config.ledger_database +
                                   ".tables WHERE target=" + quote(w.plain_table())),
            1);
}

// CREATE_TIME has whole seconds: the rows that were lost with the first table were never missed.
TEST_F(ApplyTest, a_table_that_is_made_again_within_the_second_of_its_creation_is_missed) {
  auto& w = world();
  const auto create = [&] {
    w.destination().execute("CREATE TABLE " + w.table() +
                            " (id INT PRIMARY KEY, name VARCHAR(30) CHARACTER SET utf8mb4)");
  };
  const auto created = [&] {
    return w.destination().number(
        "SELECT UNIX_TIMESTAMP(create_time) FROM information_schema.tables WHERE "
        "table_name='t' AND table_schema=" +
        quote(w.database()));
  };
  bool same = false;
  for (int i = 0; i < 10 && !same; ++i) {
    w.stop_agents();
    w.fresh("made_again_" + std::to_string(i));
    w.start_agent();
    w.agent().wait_for("Streaming", std::chrono::seconds(30));
    ASSERT_TRUE(eventually([&] { return w.destination().number("SELECT MICROSECOND(NOW(6))") < 100'000; },
                           std::chrono::seconds(5)));
    create();
    const auto first = created();
    w.transaction({w.insert(1, "a"), w.insert(2, "b"), w.erase(2, "b")});
    ASSERT_TRUE(w.becomes("1=a")) << w.story();
    w.destination().execute("DROP TABLE " + w.table());
    create();
    same = created() == first;
  }
  ASSERT_TRUE(same) << "the machine is too slow to make a table again within a second";
  w.agent().wait_for("Stalled", std::chrono::seconds(30), "DestinationTableMissing");
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (1, 'a')");  // restored as it was
  w.transaction({w.insert(3, "c")});
  EXPECT_TRUE(w.becomes("1=a 3=c")) << w.story();
}

// Held tables and known tables outlived the rows of the ledger that they belong to: what came before the place of a
// held table was never stored.
TEST_F(ApplyTest, a_deleted_ledger_is_a_first_start_of_everything) {
  auto& w = world();
  w.create_table();
  auto config = w.config();
  config.on_table_error = config::OnTableError::HoldTable;
  w.start_agent(config);
  w.transaction({w.insert(5, "first")});
  ASSERT_TRUE(w.becomes("5=first")) << w.story();
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (1, 'theirs')");
  w.transaction({w.insert(1, "ours")});
  const auto held = "SELECT COUNT(*) FROM " + config.ledger_database + ".held WHERE task=" + quote(config.common.name);
  ASSERT_TRUE(eventually([&] { return w.destination().number(held) == 1; }, std::chrono::seconds(30))) << w.story();
  w.stop_agents();
  // What the documentation says, and the table is dropped instead of emptied: a known one would be missed.
  w.destination().execute("DROP TABLE " + w.table());
  w.destination().execute("DELETE FROM " + config.ledger_database + ".ledger WHERE task=" + quote(config.common.name));
  w.start_agent(config);
  EXPECT_TRUE(w.becomes("1=ours 5=first")) << w.story();
  EXPECT_EQ(w.destination().number(held), 0);
}

// A row that was in the way by another unique value lost its key and became the source's row.
TEST_F(ApplyTest, a_copy_into_a_nullable_unique_key_changes_no_row_of_another_key) {
  auto& w = world();
  w.destination().execute("CREATE TABLE " + w.table() +
                          " (id INT NULL, name VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, UNIQUE KEY (id), "
                          "UNIQUE KEY (name))");
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (9, 'taken')");
  w.start_agent();
  w.snapshot_begin();
  w.snapshot_chunk({w.insert(1, "taken"), w.insert(2, "free")});
  w.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  EXPECT_TRUE(w.becomes("9=taken")) << w.story();
  w.destination().execute("DELETE FROM " + w.table());
  w.snapshot_chunk({w.insert(2, "free")});  // sent again after a crash
  w.snapshot_end();
  EXPECT_TRUE(w.becomes("1=taken 2=free")) << w.story();
  EXPECT_EQ(w.destination().number("SELECT COUNT(*) FROM " + w.table()), 2);
}

// Its headers were written by a newer version or are damaged: nobody knows what it changed.
TEST_F(ApplyTest, a_skipped_record_with_unreadable_headers_has_all_tables_copied_again) {
  auto& w = world();
  w.create_table();
  w.start_agent();
  w.transaction({w.insert(1, "a")});
  const auto offset = w.put_unreadable_headers();
  w.transaction({w.insert(2, "b")});
  w.agent().wait_for("Stalled", std::chrono::seconds(30), "ForeignMessage");
  w.stop_agents();
  auto config = w.config();
  config.skip_offsets = {"0:" + std::to_string(offset)};
  w.start_agent(config);
  const auto status = w.agent().wait_for("Retrying", std::chrono::seconds(30), "AwaitingCopy");
  EXPECT_THAT(status.message, HasSubstr(w.plain_table()));
  EXPECT_TRUE(w.becomes("1=a")) << "rows of a table that may differ are left out: " << w.story();
  w.snapshot_begin();
  w.snapshot_chunk({w.truncate()});
  w.snapshot_chunk({w.insert(1, "a2"), w.insert(2, "b")});
  w.snapshot_end();
  EXPECT_TRUE(w.becomes("1=a2 2=b")) << w.story();
}

// The status had the row of the source and that of the destination, and the log the server's words with the value.
TEST_F(ApplyTest, no_value_of_a_row_is_in_a_log_a_status_or_the_ledger) {
  auto& w = world();
  w.create_table(", UNIQUE KEY only_once (name)");
  std::string seen;
  const auto look = [&] {
    seen += w.agent().status()->json + w.agent().log() + ledger_text(w.destination(), w.config().ledger_database);
  };
  auto config = w.config();
  config.on_table_error = config::OnTableError::HoldTable;
  config.common.log_level = "debug";
  w.start_agent(config);
  const auto held = [&](const std::string& words) {
    return eventually(
        [&] {
          const auto rows = w.destination().query("SELECT message FROM " + config.ledger_database +
                                                  ".held WHERE task=" + quote(config.common.name));
          return rows.size() == 1 && rows[0][0].value_or("").find(words) != std::string::npos;
        },
        std::chrono::seconds(30));
  };
  w.transaction({w.insert(70, "begin")});
  ASSERT_TRUE(w.becomes("70=begin")) << w.story();
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (4711, 'MARK it''s')");
  w.transaction({w.insert(4711, "MARK'key'")});
  ASSERT_TRUE(held("the row is there already")) << w.story();
  look();
  w.destination().execute("UPDATE " + w.table() + " SET id=4712, name='MARK''key''' WHERE id=4711");
  ASSERT_TRUE(held("Duplicate entry ... for key 'only_once'")) << w.story();
  look();
  w.destination().execute("DELETE FROM " + w.table() + " WHERE id=4712");
  ASSERT_TRUE(w.becomes("70=begin 4711=MARK'key'")) << w.story();
  w.destination().execute("CREATE TRIGGER " + w.database() + ".says BEFORE INSERT ON " + w.table() +
                          " FOR EACH ROW BEGIN DECLARE told TEXT DEFAULT CONCAT('no ', NEW.name); "
                          "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = told; END");
  w.transaction({w.insert(4713, "MARKtrig")});
  ASSERT_TRUE(held("trigger")) << w.story();
  look();
  w.destination().execute("DROP TRIGGER " + w.database() + ".says");
  ASSERT_TRUE(w.becomes("70=begin 4711=MARK'key' 4713=MARKtrig")) << w.story();
  ASSERT_TRUE(eventually(
      [&] {
        return w.destination().number("SELECT COUNT(*) FROM " + config.ledger_database +
                                      ".held WHERE task=" + quote(config.common.name)) == 0;
      },
      std::chrono::seconds(30)))
      << w.story();
  w.stop_agents();
  // The same where the stream waits, and its state has the message.
  config.on_table_error = config::OnTableError::HoldStream;
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (4714, 'MARKthere')");
  w.start_agent(config);
  w.transaction({w.update(4711, "MARK'key'", 4714, "MARKnew")});
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  EXPECT_THAT(status.message, HasSubstr("update of " + w.plain_table() + " (key id)"));
  look();
  EXPECT_THAT(seen, Not(HasSubstr("MARK")));
  EXPECT_THAT(seen, Not(HasSubstr("=471"))) << "keys are values";
}

}  // namespace
}  // namespace datasync::test
