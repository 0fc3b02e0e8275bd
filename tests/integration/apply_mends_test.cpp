// What once went wrong in the apply agent and must not again.

#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/apply/session.hpp"
#include "agents/kafka/logs.hpp"
#include "tests/integration/apply_fixture.hpp"
#include "tests/support/open_transactions.hpp"

namespace datasync::test {
namespace {

using message::End;
using testing::HasSubstr;
using testing::Not;

// Inserted and deleted within one batch, the row was never sent: a row of somebody else stayed unnoticed.
TEST_F(ApplyTest, a_foreign_row_whose_key_comes_and_goes_within_a_batch_is_a_conflict) {
  auto& w = world();
  w.create_table("", "utf8mb4_bin");
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (1, 'theirs')");
  w.transaction(
      {w.insert(1, "ours"), w.insert(2, "stays"), w.insert(3, "goes"), w.erase(3, "goes"), w.erase(1, "ours")});
  w.start_agent();
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict");
  EXPECT_THAT(status.message, HasSubstr("insert of " + w.plain_table() + " (key id)"));
  w.destination().execute("DELETE FROM " + w.table() + " WHERE id=1");
  EXPECT_TRUE(w.becomes("2=stays")) << w.story();
}

// Overwriting finds no row of the key when the value in the way belongs to a row of another key. That it found none was
// not looked at, and the row of the source was lost while the state was Streaming.
TEST_F(ApplyTest, overwrite_loses_no_row_whose_unique_value_another_row_has) {
  auto& w = world();
  w.create_table(", UNIQUE KEY only_once (name)", "utf8mb4_bin");
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (8, 'taken'), (9, 'taken too')");
  auto config = w.config();
  config.on_conflict = config::OnConflict::Overwrite;
  w.start_agent(config);
  w.transaction({w.insert(1, "taken"), w.insert(2, "free")});
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  EXPECT_THAT(status.message, HasSubstr("only_once"));
  w.destination().execute("DELETE FROM " + w.table() + " WHERE id = 8");
  EXPECT_TRUE(w.becomes("1=taken 2=free 9=taken too")) << w.story();
  w.transaction({w.update(2, "free", 2, "taken too")});
  w.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  w.destination().execute("DELETE FROM " + w.table() + " WHERE id = 9");
  EXPECT_TRUE(w.becomes("1=taken 2=taken too")) << w.story();
}

TEST_F(ApplyTest, missing_grants_on_a_table_are_told_with_their_mend_before_anything_is_written) {
  auto& w = world();
  w.create_table();
  w.destination().create_user("poor", "p", "USAGE");
  w.destination().execute("GRANT ALL ON " + w.config().ledger_database + ".* TO poor@'127.0.0.1'");
  w.destination().execute("GRANT SELECT, UPDATE ON " + w.table() + " TO poor@'127.0.0.1'");
  auto config = w.config();
  config.credentials = write_credentials(config.common.secrets_dir, "poor", "poor", "p");
  w.transaction({w.insert(1, "a")});
  w.start_agent(config);
  const auto status = w.agent().wait_for("Retrying", std::chrono::seconds(30), "PermissionDenied");
  EXPECT_THAT(status.message, HasSubstr(w.plain_table() + ": the user lacks INSERT, DELETE"));
  w.destination().execute(status.message.substr(status.message.find("GRANT ")));  // the mend as it is told
  EXPECT_TRUE(w.becomes("1=a")) << w.story();
}

TEST_F(ApplyTest, a_destination_that_only_reads_is_told_before_anything_else) {
  auto& w = world();
  w.destination().execute("SET GLOBAL read_only = ON");
  w.start_agent();
  const auto status = w.agent().wait_for("Retrying", std::chrono::seconds(30), "DestinationReadOnly");
  EXPECT_THAT(status.message, HasSubstr("SET GLOBAL read_only=OFF"));
  w.destination().execute("SET GLOBAL read_only = OFF");
  w.transaction({w.insert(1, "a")});
  EXPECT_TRUE(w.becomes("1=a")) << w.story();
}

TEST_F(ApplyTest, verification_compares_the_values_of_a_wider_column) {
  auto& w = world();
  w.destination().execute("CREATE TABLE " + w.table() + " (id BIGINT PRIMARY KEY, name TEXT CHARACTER SET utf8mb4)");
  auto config = w.config();
  config.common.mode = config::Mode::Once;
  w.start_agent(config);
  w.transaction({w.insert(-1, "a"), w.insert(2, "b")});
  ASSERT_TRUE(w.becomes("-1=a 2=b")) << w.story();
  w.destination().execute("UPDATE " + w.table() + " SET id=4294967295 WHERE id=-1");
  w.verify({{-1, "a"}, {2, "b"}});
  w.agent().wait_for("Stalled", std::chrono::seconds(30), "VerifyFailed");
  w.destination().execute("UPDATE " + w.table() + " SET id=-1 WHERE id=4294967295");
  w.agent().wait_for("Completed", std::chrono::seconds(30));
}

// Nothing was executed meanwhile: the server ended the idle transaction after 10 s, and again at every try.
TEST_F(ApplyTest, a_long_run_of_other_types_does_not_end_a_streamed_transaction) {
  auto& w = world();
  auto config = w.config();
  config.types = {"orders"};
  config.batch_rows = 2;
  w.create_table();
  w.start_agent(config);
  w.fragment({w.insert(1, "a"), w.insert(2, "b"), w.insert(3, "c")}, 0, End::Group);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(14);
  std::uint32_t number = 1;
  for (; std::chrono::steady_clock::now() < end; ++number) {
    w.fragment({w.insert(9, "not wanted")}, number, End::Group, "others");
    std::this_thread::sleep_for(milliseconds(30));
  }
  w.fragment({w.insert(4, "d")}, number, End::Transaction);
  EXPECT_TRUE(w.becomes("1=a 2=b 3=c 4=d")) << w.story();
  EXPECT_EQ(w.agent().status()->number("/streams/0/token"), 1U) << "it had to begin again: " << w.story();
}

// Capture died inside a large transaction: the destination's transaction stayed open, with its locks, for days.
TEST_F(ApplyTest, a_large_transaction_whose_end_does_not_come_gives_its_locks_back_and_is_applied_later) {
  auto& w = world();
  w.create_table();
  auto config = w.config();
  config.batch_rows = 2;
  w.start_agent(config);
  w.transaction({w.insert(7, "before")});
  ASSERT_TRUE(w.becomes("7=before")) << w.story();
  w.fragment({w.insert(1, "a"), w.insert(2, "b"), w.insert(3, "c")}, 0, End::Group);
  const auto open = [&] { return open_transactions(w.destination(), 1); };
  ASSERT_TRUE(eventually([&] { return open() == 1; }, std::chrono::seconds(15))) << w.story();
  ASSERT_TRUE(eventually([&] { return open() == 0; }, std::chrono::seconds(40))) << w.story();
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (90, 'not blocked')");
  EXPECT_EQ(w.agent().status()->state, "Streaming");
  std::this_thread::sleep_for(std::chrono::seconds(3));
  EXPECT_EQ(open(), 0);
  w.fragment({w.insert(4, "d")}, 1, End::Transaction);
  w.end_transaction();
  w.transaction({w.insert(5, "after")});
  EXPECT_TRUE(w.becomes("1=a 2=b 3=c 4=d 5=after 7=before 90=not blocked")) << w.story();
}

// A deadlock ended the session: it connected, took over the ledger and read everything again, each time.
TEST_F(ApplyTest, a_deadlock_is_tried_again_without_another_session) {
  auto& w = world();
  w.create_table();
  w.destination().execute("CREATE TABLE " + w.database() + ".heavy (id INT PRIMARY KEY)");
  auto config = w.config();
  config.batch_rows = 2;
  w.start_agent(config);
  w.transaction({w.insert(1, "a"), w.insert(2, "b"), w.insert(3, "c")});
  ASSERT_TRUE(w.becomes("1=a 2=b 3=c")) << w.story();
  // The server ends the transaction that changed less: the agent's. It has been executed in part, row 1 first.
  const auto deadlock = [&](int round, const auto& wait_for_row_2) {
    auto other = w.destination().connect();
    other.execute("BEGIN");
    other.execute(fmt::format("INSERT INTO {}.heavy SELECT seq FROM {}.seq_{}_to_{}", w.database(), w.database(),
                              round * 1000, round * 1000 + 999));
    other.execute("SELECT * FROM " + w.table() + " WHERE id=2 FOR UPDATE");
    wait_for_row_2();
    const auto waits = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state='LOCK WAIT'";
    ASSERT_TRUE(eventually(
        [&] {
          std::this_thread::sleep_for(milliseconds(150));  // see open_transactions
          return w.destination().number(waits) == 1;
        },
        std::chrono::seconds(15)))
        << w.story();
    other.execute("SELECT * FROM " + w.table() + " WHERE id=1 FOR UPDATE");  // throws where this one is the victim
    other.execute("COMMIT");
  };
  deadlock(1, [&] { w.transaction({w.update(1, "a", 1, "a2"), w.update(2, "b", 2, "b2")}); });
  EXPECT_TRUE(w.becomes("1=a2 2=b2 3=c")) << w.story();
  // In the middle of a large transaction what was executed of it is lost with the deadlock, too.
  w.fragment({w.update(1, "a2", 1, "a3"), w.update(3, "c", 3, "c3")}, 0, End::Group);
  ASSERT_TRUE(eventually([&] { return open_transactions(w.destination(), 0) == 1; }, std::chrono::seconds(15)));
  deadlock(2, [&] { w.fragment({w.update(2, "b2", 2, "b3"), w.insert(4, "d")}, 1, End::Group); });
  w.fragment({w.insert(5, "e")}, 2, End::Transaction);
  w.end_transaction();
  w.transaction({w.insert(6, "after")});
  EXPECT_TRUE(w.becomes("1=a3 2=b3 3=c3 4=d 5=e 6=after")) << w.story();
  EXPECT_GE(w.agent().metric("datasync_apply_busy_retries_total"), 2);
  EXPECT_EQ(w.agent().status()->number("/streams/0/token"), 1U) << "another session took over: " << w.story();
  EXPECT_EQ(w.duplicates(), 0U);
}

// Emptying a table that takes longer than the liveness patience was killed, rolled back and tried again for ever.
TEST_F(ApplyTest, emptying_a_large_table_shows_that_it_moves) {
  auto& w = world();
  w.create_table();
  w.destination().execute("INSERT INTO " + w.table() + " SELECT seq, 'x' FROM " + w.database() + ".seq_1_to_70000");
  const auto config = w.config();
  const auto dialect = apply::make_dialect(config::Engine::MariaDB);
  const auto connect = [&] { return apply::connect_destination(config, std::chrono::seconds(60)); };
  apply::SchemaBook book([&]() -> base::Result<std::unique_ptr<protocol::StateLog>> {
    DS_ASSIGN(const auto access, kafka::access(config.common.channel, config.common.secrets_dir));
    return kafka::open_state_log(access, config.common.channel.state_topic());
  });
  const auto connection = std::move(connect().value());
  ASSERT_TRUE(apply::Ledger::create(*connection, *dialect, config.ledger_database));
  const apply::LedgerKey key{config.common.name, config.common.channel.topic, 0};
  ASSERT_TRUE(apply::KnownTables::create(*connection, *dialect, config.ledger_database));
  apply::KnownTables known(config.ledger_database, key);
  apply::Catalog catalog(config, *dialect, book, known, connect, [] { return base::Result<void>(); });
  int steps = 0;
  apply::Ledger ledger(config.ledger_database, key, {}, "test");
  auto writer = apply::Writer::open(*connection, *dialect, catalog, config, ledger, [&] { ++steps; });
  ASSERT_TRUE(writer) << writer.error().what;
  catalog.set_token((*writer)->token());
  const auto schema = w.schema();
  ASSERT_TRUE(catalog.activate(schema.id(), {}));
  apply::TableIndex index = 0;
  ASSERT_NE(catalog.active(schema.id(), index), nullptr);
  apply::RowBuffer buffer;
  ASSERT_TRUE(buffer.append(index, schema, w.truncate().bytes));
  const auto done = (*writer)->commit(buffer, buffer.rows(), (*writer)->ledger());
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_GE(steps, 4) << "one for every 20000 rows";
  EXPECT_EQ(w.destination().number("SELECT COUNT(*) FROM " + w.table()), 0);
}

// A task that got a further type stored its changes from then on, and none of its rows of before.
TEST_F(ApplyTest, a_type_added_to_a_task_that_has_begun_stops_it_until_it_is_taken_out_again) {
  auto& w = world();
  w.create_table();
  auto config = w.config();
  config.types = {"orders"};
  w.transaction({w.insert(1, "a")});
  w.start_agent(config);
  ASSERT_TRUE(w.becomes("1=a")) << w.story();
  w.stop_agents();
  auto more = config;
  more.types.emplace_back("another");
  w.transaction({w.insert(2, "b")});
  w.start_agent(more);
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "TypeAdded");
  EXPECT_THAT(status.message, HasSubstr("without the types another,"));
  EXPECT_EQ(w.destination().number("SELECT COUNT(*) FROM " + w.table()), 1);
  w.stop_agents();
  w.start_agent(config);
  EXPECT_TRUE(w.becomes("1=a 2=b")) << w.story();
}

TEST_F(ApplyTest, a_ledger_from_before_it_held_types_goes_on) {
  auto& w = world();
  w.create_table();
  w.transaction({w.insert(1, "a")});
  w.start_agent();
  ASSERT_TRUE(w.becomes("1=a")) << w.story();
  w.stop_agents();
  w.destination().execute("ALTER TABLE " + w.config().ledger_database + ".ledger DROP COLUMN types");
  w.transaction({w.insert(2, "b")});
  w.start_agent();
  EXPECT_TRUE(w.becomes("1=a 2=b")) << w.story();
}

// The advice named rights that the user had already.
TEST_F(ApplyTest, a_ledger_that_may_not_be_widened_is_told_with_the_right_that_lacks) {
  auto& w = world();
  w.create_table();
  w.transaction({w.insert(1, "a")});
  w.start_agent();
  ASSERT_TRUE(w.becomes("1=a")) << w.story();
  w.stop_agents();
  auto config = w.config();
  w.destination().execute("ALTER TABLE " + config.ledger_database + ".ledger DROP COLUMN types");
  w.destination().create_user("narrow", "n", "USAGE");
  w.destination().execute("GRANT SELECT, INSERT, UPDATE, CREATE ON " + config.ledger_database +
                          ".* TO narrow@'127.0.0.1'");
  w.destination().execute("GRANT ALL ON " + w.table() + " TO narrow@'127.0.0.1'");
  config.credentials = write_credentials(config.common.secrets_dir, "narrow", "narrow", "n");
  w.transaction({w.insert(2, "b")});
  w.start_agent(config);
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "PreflightFailed");
  EXPECT_THAT(status.message, HasSubstr("ADD COLUMN")) << "what a DBA may do instead";
  w.destination().execute(status.message.substr(status.message.find("GRANT ")));  // the mend as it is told
  EXPECT_TRUE(w.becomes("1=a 2=b")) << w.story();
}

// Stream and agent told of one change both.
TEST_F(ApplyTest, a_change_of_state_is_logged_once) {
  auto& w = world();
  w.create_table();
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (1, 'theirs')");
  w.start_agent();
  w.transaction({w.insert(1, "ours")});
  w.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict");
  w.destination().execute("DELETE FROM " + w.table() + " WHERE id=1");
  EXPECT_TRUE(w.becomes("1=ours")) << w.story();
  w.agent().wait_for("Streaming", std::chrono::seconds(30));
  const auto log = w.agent().log_tail();
  std::istringstream lines(log);
  std::string line, last;
  std::size_t told = 0;
  while (std::getline(lines, line)) {
    const auto at = line.find("\"msg\":\"state changed\"");
    if (at == std::string::npos) continue;
    ++told;
    EXPECT_NE(line.substr(at), last) << log;
    last = line.substr(at);
  }
  EXPECT_GE(told, 2U) << log;
}

}  // namespace
}  // namespace datasync::test
