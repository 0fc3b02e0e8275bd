// What once went wrong in the apply agent and must not again.

#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/apply_fixture.hpp"
#include "tests/support/open_transactions.hpp"

namespace datasync::test {
namespace {

using message::End;
using testing::HasSubstr;
using testing::Not;

// Inserted and deleted within one batch, the row was never sent: a row of another client stayed unnoticed.
TEST_F(ApplyTest, a_key_inserted_and_deleted_in_one_batch_conflicts_if_foreign) {
  auto& env = environment();
  env.create_table("", "utf8mb4_bin");
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (1, 'theirs')");
  env.transaction({env.insert(1, "ours"), env.insert(2, "stays"), env.insert(3, "goes"), env.erase(3, "goes"),
                   env.erase(1, "ours")});
  env.start_agent();
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict");
  EXPECT_THAT(status.message, HasSubstr("insert of " + env.plain_table() + " (key id)"));
  env.destination().execute("DELETE FROM " + env.table() + " WHERE id=1");
  EXPECT_TRUE(env.becomes("2=stays")) << env.diagnostics();
}

// Overwriting finds no row of the key when the value in the way belongs to a row of another key. That it found none was
// not looked at, and the row of the source was lost while the state was Streaming.
TEST_F(ApplyTest, overwrite_loses_no_row_whose_unique_value_another_row_has) {
  auto& env = environment();
  env.create_table(", UNIQUE KEY only_once (name)", "utf8mb4_bin");
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (8, 'taken'), (9, 'taken too')");
  auto config = env.config();
  config.on_conflict = config::OnConflict::Overwrite;
  env.start_agent(config);
  env.transaction({env.insert(1, "taken"), env.insert(2, "free")});
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  EXPECT_THAT(status.message, HasSubstr("only_once"));
  env.destination().execute("DELETE FROM " + env.table() + " WHERE id = 8");
  EXPECT_TRUE(env.becomes("1=taken 2=free 9=taken too")) << env.diagnostics();
  env.transaction({env.update(2, "free", 2, "taken too")});
  env.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  env.destination().execute("DELETE FROM " + env.table() + " WHERE id = 9");
  EXPECT_TRUE(env.becomes("1=taken 2=taken too")) << env.diagnostics();
}

TEST_F(ApplyTest, missing_table_grants_are_reported_before_anything_is_written) {
  auto& env = environment();
  env.create_table();
  env.destination().create_user("poor", "p", "USAGE");
  env.destination().execute("GRANT ALL ON " + env.config().ledger_database + ".* TO poor@'127.0.0.1'");
  env.destination().execute("GRANT SELECT, UPDATE ON " + env.table() + " TO poor@'127.0.0.1'");
  auto config = env.config();
  config.credentials = write_credentials(config.common.secrets_dir, "poor", "poor", "p");
  env.transaction({env.insert(1, "a")});
  env.start_agent(config);
  const auto status = env.agent().wait_for("Retrying", std::chrono::seconds(30), "PermissionDenied");
  EXPECT_THAT(status.message, HasSubstr(env.plain_table() + ": the user lacks INSERT, DELETE"));
  env.destination().execute(status.message.substr(status.message.find("GRANT ")));  // the fix that the message names
  EXPECT_TRUE(env.becomes("1=a")) << env.diagnostics();
}

TEST_F(ApplyTest, a_read_only_destination_is_reported_before_anything_else) {
  auto& env = environment();
  env.destination().execute("SET GLOBAL read_only = ON");
  env.start_agent();
  const auto status = env.agent().wait_for("Retrying", std::chrono::seconds(30), "DestinationReadOnly");
  EXPECT_THAT(status.message, HasSubstr("SET GLOBAL read_only=OFF"));
  env.destination().execute("SET GLOBAL read_only = OFF");
  env.transaction({env.insert(1, "a")});
  EXPECT_TRUE(env.becomes("1=a")) << env.diagnostics();
}

TEST_F(ApplyTest, verification_compares_the_values_of_a_wider_column) {
  auto& env = environment();
  env.destination().execute("CREATE TABLE " + env.table() +
                            " (id BIGINT PRIMARY KEY, name TEXT CHARACTER SET utf8mb4)");
  auto config = env.config();
  config.common.mode = config::Mode::Once;
  env.start_agent(config);
  env.transaction({env.insert(-1, "a"), env.insert(2, "b")});
  ASSERT_TRUE(env.becomes("-1=a 2=b")) << env.diagnostics();
  env.destination().execute("UPDATE " + env.table() + " SET id=4294967295 WHERE id=-1");
  env.verify({{-1, "a"}, {2, "b"}});
  env.agent().wait_for("Stalled", std::chrono::seconds(30), "VerifyFailed");
  env.destination().execute("UPDATE " + env.table() + " SET id=-1 WHERE id=4294967295");
  env.agent().wait_for("Completed", std::chrono::seconds(30));
}

// Nothing was executed meanwhile: the server ended the idle transaction after 10 s, and again at every try.
TEST_F(ApplyTest, records_of_other_types_do_not_end_a_streamed_transaction) {
  auto& env = environment();
  auto config = env.config();
  config.types = {"orders"};
  config.batch_rows = 2;
  env.create_table();
  env.start_agent(config);
  env.fragment({env.insert(1, "a"), env.insert(2, "b"), env.insert(3, "c")}, 0, End::Group);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(14);
  std::uint32_t number = 1;
  for (; std::chrono::steady_clock::now() < end; ++number) {
    env.fragment({env.insert(9, "not wanted")}, number, End::Group, "others");
    std::this_thread::sleep_for(milliseconds(30));
  }
  env.fragment({env.insert(4, "d")}, number, End::Transaction);
  EXPECT_TRUE(env.becomes("1=a 2=b 3=c 4=d")) << env.diagnostics();
  EXPECT_EQ(env.agent().status()->number("/streams/0/token"), 1U) << "it had to begin again: " << env.diagnostics();
}

// Capture died inside a large transaction: the destination's transaction stayed open, with its locks, for days.
TEST_F(ApplyTest, an_unfinished_large_transaction_releases_its_locks) {
  auto& env = environment();
  env.create_table();
  auto config = env.config();
  config.batch_rows = 2;
  env.start_agent(config);
  env.transaction({env.insert(7, "before")});
  ASSERT_TRUE(env.becomes("7=before")) << env.diagnostics();
  env.fragment({env.insert(1, "a"), env.insert(2, "b"), env.insert(3, "c")}, 0, End::Group);
  const auto open = [&] { return open_transactions(env.destination(), 1); };
  ASSERT_TRUE(eventually([&] { return open() == 1; }, std::chrono::seconds(15))) << env.diagnostics();
  ASSERT_TRUE(eventually([&] { return open() == 0; }, std::chrono::seconds(40))) << env.diagnostics();
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (90, 'not blocked')");
  EXPECT_EQ(env.agent().status()->state, "Streaming");
  std::this_thread::sleep_for(std::chrono::seconds(3));
  EXPECT_EQ(open(), 0);
  env.fragment({env.insert(4, "d")}, 1, End::Transaction);
  env.end_transaction();
  env.transaction({env.insert(5, "after")});
  EXPECT_TRUE(env.becomes("1=a 2=b 3=c 4=d 5=after 7=before 90=not blocked")) << env.diagnostics();
}

// A deadlock ended the session: it connected, took over the ledger and read everything again, each time.
TEST_F(ApplyTest, a_deadlock_is_retried_in_the_same_session) {
  auto& env = environment();
  env.create_table();
  env.destination().execute("CREATE TABLE " + env.database() + ".heavy (id INT PRIMARY KEY)");
  auto config = env.config();
  config.batch_rows = 2;
  env.start_agent(config);
  env.transaction({env.insert(1, "a"), env.insert(2, "b"), env.insert(3, "c")});
  ASSERT_TRUE(env.becomes("1=a 2=b 3=c")) << env.diagnostics();
  // The server ends the transaction that changed less: the agent's. It has been executed in part, row 1 first.
  const auto deadlock = [&](int round, const auto& wait_for_row_2) {
    auto other = env.destination().connect();
    other.execute("BEGIN");
    other.execute(fmt::format("INSERT INTO {}.heavy SELECT seq FROM {}.seq_{}_to_{}", env.database(), env.database(),
                              round * 1000, round * 1000 + 999));
    other.execute("SELECT * FROM " + env.table() + " WHERE id=2 FOR UPDATE");
    wait_for_row_2();
    const auto waits = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state='LOCK WAIT'";
    ASSERT_TRUE(eventually(
        [&] {
          std::this_thread::sleep_for(milliseconds(150));  // see open_transactions
          return env.destination().number(waits) == 1;
        },
        std::chrono::seconds(15)))
        << env.diagnostics();
    other.execute("SELECT * FROM " + env.table() + " WHERE id=1 FOR UPDATE");  // throws where this one is the victim
    other.execute("COMMIT");
  };
  deadlock(1, [&] { env.transaction({env.update(1, "a", 1, "a2"), env.update(2, "b", 2, "b2")}); });
  EXPECT_TRUE(env.becomes("1=a2 2=b2 3=c")) << env.diagnostics();
  // In the middle of a large transaction what was executed of it is lost with the deadlock, too.
  env.fragment({env.update(1, "a2", 1, "a3"), env.update(3, "c", 3, "c3")}, 0, End::Group);
  ASSERT_TRUE(eventually([&] { return open_transactions(env.destination(), 0) == 1; }, std::chrono::seconds(15)));
  deadlock(2, [&] { env.fragment({env.update(2, "b2", 2, "b3"), env.insert(4, "d")}, 1, End::Group); });
  env.fragment({env.insert(5, "e")}, 2, End::Transaction);
  env.end_transaction();
  env.transaction({env.insert(6, "after")});
  EXPECT_TRUE(env.becomes("1=a3 2=b3 3=c3 4=d 5=e 6=after")) << env.diagnostics();
  EXPECT_GE(env.agent().metric("datasync_apply_busy_retries_total"), 2);
  EXPECT_EQ(env.agent().status()->number("/streams/0/token"), 1U) << "another session took over: " << env.diagnostics();
  EXPECT_EQ(env.duplicates(), 0U);
}

// A task that got a further type stored its changes from then on, and none of its rows of before.
TEST_F(ApplyTest, a_type_added_to_a_started_task_stops_it_until_it_is_removed) {
  auto& env = environment();
  env.create_table();
  auto config = env.config();
  config.types = {"orders"};
  env.transaction({env.insert(1, "a")});
  env.start_agent(config);
  ASSERT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.stop_agents();
  auto more = config;
  more.types.emplace_back("another");
  env.transaction({env.insert(2, "b")});
  env.start_agent(more);
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "TypeAdded");
  EXPECT_THAT(status.message, HasSubstr("without the types another,"));
  EXPECT_EQ(env.destination().number("SELECT COUNT(*) FROM " + env.table()), 1);
  env.stop_agents();
  env.start_agent(config);
  EXPECT_TRUE(env.becomes("1=a 2=b")) << env.diagnostics();
}

TEST_F(ApplyTest, a_ledger_of_a_version_without_types_is_accepted) {
  auto& env = environment();
  env.create_table();
  env.transaction({env.insert(1, "a")});
  env.start_agent();
  ASSERT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.stop_agents();
  env.destination().execute("ALTER TABLE " + env.config().ledger_database + ".ledger DROP COLUMN types");
  env.transaction({env.insert(2, "b")});
  env.start_agent();
  EXPECT_TRUE(env.becomes("1=a 2=b")) << env.diagnostics();
}

// The advice named rights that the user had already.
TEST_F(ApplyTest, a_ledger_that_cannot_be_altered_names_the_missing_grant) {
  auto& env = environment();
  env.create_table();
  env.transaction({env.insert(1, "a")});
  env.start_agent();
  ASSERT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.stop_agents();
  auto config = env.config();
  env.destination().execute("ALTER TABLE " + config.ledger_database + ".ledger DROP COLUMN types");
  env.destination().create_user("narrow", "n", "USAGE");
  env.destination().execute("GRANT SELECT, INSERT, UPDATE, CREATE ON " + config.ledger_database +
                            ".* TO narrow@'127.0.0.1'");
  env.destination().execute("GRANT ALL ON " + env.table() + " TO narrow@'127.0.0.1'");
  config.credentials = write_credentials(config.common.secrets_dir, "narrow", "narrow", "n");
  env.transaction({env.insert(2, "b")});
  env.start_agent(config);
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "PreflightFailed");
  EXPECT_THAT(status.message, HasSubstr("ADD COLUMN")) << "what a DBA may do instead";
  env.destination().execute(status.message.substr(status.message.find("GRANT ")));  // the fix that the message names
  EXPECT_TRUE(env.becomes("1=a 2=b")) << env.diagnostics();
}

// Stream and agent reported the same change.
TEST_F(ApplyTest, a_change_of_state_is_logged_once) {
  auto& env = environment();
  env.create_table();
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (1, 'theirs')");
  env.start_agent();
  env.transaction({env.insert(1, "ours")});
  env.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict");
  env.destination().execute("DELETE FROM " + env.table() + " WHERE id=1");
  EXPECT_TRUE(env.becomes("1=ours")) << env.diagnostics();
  env.agent().wait_for("Streaming", std::chrono::seconds(30));
  const auto log = env.agent().log_tail();
  std::istringstream lines(log);
  std::string line, last;
  std::size_t reported = 0;
  while (std::getline(lines, line)) {
    const auto at = line.find("\"msg\":\"state changed\"");
    if (at == std::string::npos) continue;
    ++reported;
    EXPECT_NE(line.substr(at), last) << log;
    last = line.substr(at);
  }
  EXPECT_GE(reported, 2U) << log;
}

}  // namespace
}  // namespace datasync::test
