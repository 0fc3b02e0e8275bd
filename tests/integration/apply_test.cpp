// The apply agent on a real server and a real broker. Records are made by hand, no capture agent is needed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/apply_fixture.hpp"

namespace datasync::test {
namespace {

using apply_environment::Row;
using message::End;
using testing::HasSubstr;

TEST_F(ApplyTest, rows_reach_a_table_that_apply_creates) {
  auto& env = environment();
  env.start_agent();
  env.transaction(
      {env.insert(1, "a"), env.insert(2, "b"), env.update(1, "a", 1, "c"), env.insert(3, "x"), env.erase(3, "x")});
  EXPECT_TRUE(env.becomes("1=c 2=b")) << env.diagnostics();
  env.transaction({env.erase(2, "b")});
  EXPECT_TRUE(env.becomes("1=c")) << env.diagnostics();
  EXPECT_EQ(env.duplicates(), 0U);
}

TEST_F(ApplyTest, a_million_inserts_stay_within_memory) {
  auto& env = environment();
  constexpr int kRecords = 1000;
  constexpr int kRowsEach = 1000;
  for (int r = 0; r < kRecords; ++r) {
    std::vector<Row> rows;
    rows.reserve(kRowsEach);
    for (int i = 0; i < kRowsEach; ++i) rows.push_back(env.insert(r * kRowsEach + i, "some text of a row"));
    env.fragment(rows, static_cast<std::uint32_t>(r), r + 1 == kRecords ? End::Transaction : End::Group);
  }
  env.end_transaction();
  const auto begun = std::chrono::steady_clock::now();
  env.start_agent();
  EXPECT_TRUE(env.counts_to(kRecords * kRowsEach, std::chrono::minutes(4))) << env.diagnostics();
  const auto& process = env.agent().process();
  EXPECT_LT(process.peak_resident_bytes(), 256ULL << 20U);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::printf("a million rows: peak %llu MiB, agent's cpu %lld ms, %.1f s\n",
              static_cast<unsigned long long>(process.peak_resident_bytes() >> 20U),
              static_cast<long long>(process.cpu_time().count()), took.count());
}

TEST_F(ApplyTest, kill_at_any_moment_loses_and_repeats_nothing) {
  auto& env = environment();
  env.create_table();
  env.start_agent();
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 50; ++i) {
      const int id = round * 50 + i;
      env.transaction({env.insert(id, "new"), env.update(id, "new", id, "old")});
      if (i == 20) env.agent().kill_and_restart();
    }
  }
  EXPECT_TRUE(env.counts_to(400)) << env.diagnostics();
  EXPECT_EQ(env.destination().number("SELECT COUNT(*) FROM " + env.table() + " WHERE name='old'"), 400);
  EXPECT_EQ(env.duplicates(), 0U);
}

TEST_F(ApplyTest, a_second_instance_takes_over_and_the_first_ends) {
  auto& env = environment();
  env.start_agent();
  env.transaction({env.insert(1, "a")});
  ASSERT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.agent().process().freeze();
  auto& second = env.start_second();
  env.transaction({env.insert(2, "b")});
  EXPECT_TRUE(env.becomes("1=a 2=b")) << env.diagnostics();
  env.agent().process().thaw();
  const auto end = env.agent().process().wait(std::chrono::seconds(20));
  ASSERT_TRUE(end) << env.diagnostics();
  EXPECT_EQ(end->code, 3) << env.diagnostics();
  env.transaction({env.insert(3, "c")});
  EXPECT_TRUE(env.becomes("1=a 2=b 3=c")) << second.log_tail();
}

TEST_F(ApplyTest, lost_connections_during_commits_lose_and_repeat_nothing) {
  auto& env = environment();
  env.create_table();
  env.start_agent(env.proxied());
  for (int i = 0; i < 300; ++i) {
    env.transaction({env.insert(i, "new"), env.update(i, "new", i, "old")});
    if (i % 20 == 19) env.proxy().cut();
  }
  EXPECT_TRUE(env.counts_to(300)) << env.diagnostics();
  EXPECT_EQ(env.duplicates(), 0U);
}

TEST_F(ApplyTest, a_conflict_names_table_key_columns_and_record_and_recovers) {
  auto& env = environment();
  env.create_table();
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (1, 'theirs')");
  env.start_agent();
  env.transaction({env.insert(5, "fine")});
  env.transaction({env.insert(1, "ours")});
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict");
  EXPECT_THAT(status.message, HasSubstr("insert of " + env.plain_table() + " (key id): the row is there already"));
  EXPECT_THAT(status.message, HasSubstr("partition 0, offsets 2 to 2, of topic"));
  env.destination().execute("DELETE FROM " + env.table() + " WHERE id=1");
  EXPECT_TRUE(env.becomes("1=ours 5=fine")) << env.diagnostics();
}

TEST_F(ApplyTest, a_missing_row_is_a_conflict_for_update_and_delete) {
  auto& env = environment();
  env.create_table();
  env.start_agent();
  env.transaction({env.update(7, "was", 7, "is")});
  EXPECT_THAT(env.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict").message,
              HasSubstr("the row is missing"));
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (7, 'was')");
  EXPECT_TRUE(env.becomes("7=is")) << env.diagnostics();
  env.agent().wait_for("Streaming", std::chrono::seconds(30));
  env.destination().execute("DELETE FROM " + env.table());
  env.transaction({env.erase(7, "is")});
  EXPECT_THAT(env.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict").message, HasSubstr("delete of"));
}

TEST_F(ApplyTest, overwrite_settles_conflicts) {
  auto& env = environment();
  env.create_table();
  env.destination().execute("INSERT INTO " + env.table() + " VALUES (1, 'theirs'), (4, 'in the way')");
  auto config = env.config();
  config.on_conflict = config::OnConflict::Overwrite;
  env.start_agent(config);
  env.transaction({env.insert(1, "ours"), env.update(2, "gone", 2, "back"), env.erase(3, "gone")});
  EXPECT_TRUE(env.becomes("1=ours 2=back 4=in the way")) << env.diagnostics();
  env.transaction({env.update(2, "back", 4, "moved")});
  EXPECT_TRUE(env.becomes("1=ours 4=moved")) << env.diagnostics();
}

TEST_F(ApplyTest, unique_values_may_be_swapped_and_keys_may_move) {
  auto& env = environment();
  env.create_table(", UNIQUE KEY (name)", "utf8mb4_bin");
  env.start_agent();
  env.transaction({env.insert(1, "a"), env.insert(2, "b")});
  env.transaction({env.update(1, "a", 1, "t"), env.update(2, "b", 2, "a"), env.update(1, "t", 1, "b")});
  env.transaction({env.update(2, "a", 3, "a"), env.update(1, "b", 2, "b"), env.insert(1, "c")});
  EXPECT_TRUE(env.becomes("1=c 2=b 3=a")) << env.diagnostics();
  EXPECT_EQ(env.agent().metric("datasync_apply_row_by_row_total"), 0);
}

TEST_F(ApplyTest, a_constraint_of_the_destination_is_named) {
  auto& env = environment();
  env.create_table(", UNIQUE KEY only_once (name)");
  env.start_agent();
  env.transaction({env.insert(1, "a")});
  env.transaction({env.insert(2, "A")});
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  EXPECT_THAT(status.message, HasSubstr("insert of " + env.plain_table() + " (key id)"));
  EXPECT_THAT(status.message, HasSubstr("Duplicate entry ... for key 'only_once'"));
  EXPECT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.destination().execute("UPDATE " + env.table() + " SET name='z' WHERE id=1");
  EXPECT_TRUE(env.becomes("1=z 2=A")) << env.diagnostics();
}

TEST_F(ApplyTest, a_narrower_column_is_reported_before_anything_is_written) {
  auto& env = environment();
  env.destination().execute("CREATE TABLE " + env.table() +
                            " (id INT PRIMARY KEY, name VARCHAR(3) CHARACTER SET utf8mb4)");
  env.start_agent();
  env.transaction({env.insert(1, "too long")});
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "DestinationSchemaMismatch");
  EXPECT_THAT(status.message, HasSubstr("column name"));
  env.destination().execute("ALTER TABLE " + env.table() + " MODIFY name VARCHAR(40) CHARACTER SET utf8mb4");
  EXPECT_TRUE(env.becomes("1=too long")) << env.diagnostics();
}

TEST_F(ApplyTest, a_column_that_was_added_at_the_source_is_added) {
  auto& env = environment();
  env.start_agent();
  env.transaction({env.insert(1, "a")});
  ASSERT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.add_source_column();
  env.transaction({env.insert(2, "b")});
  EXPECT_TRUE(env.becomes("1=a 2=b")) << env.diagnostics();
  EXPECT_EQ(env.destination().number("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema='" +
                                     env.database() + "' AND column_name='added'"),
            1);
}

TEST_F(ApplyTest, children_and_parents_are_kept_in_order) {
  auto& env = environment();
  env.create_table();
  env.create_child_table();
  env.start_agent();
  env.transaction(
      {env.insert(1, "p"), env.insert_child(10, 1), env.insert(2, "q"), env.update_child(10, 1, 2), env.erase(1, "p")});
  EXPECT_TRUE(env.becomes("2=q")) << env.diagnostics();
  env.transaction({env.erase_child(10, 2), env.erase(2, "q")});
  EXPECT_TRUE(env.becomes("")) << env.diagnostics();
  EXPECT_EQ(env.agent().metric("datasync_apply_row_by_row_total"), 0);
  env.transaction({env.insert_child(11, 99)});
  EXPECT_THAT(env.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated").message,
              HasSubstr("parent_of_child"));
}

TEST_F(ApplyTest, foreign_bytes_stop_at_their_offset_until_a_skip_is_declared) {
  auto& env = environment();
  env.start_agent();
  env.transaction({env.insert(1, "a")});
  const auto offset = env.put_foreign_bytes();
  env.transaction({env.insert(2, "b")});
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "ForeignMessage");
  EXPECT_THAT(status.message, HasSubstr("offset " + std::to_string(offset)));
  EXPECT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.stop_agents();
  auto config = env.config();
  config.skip_offsets = {"0:" + std::to_string(offset)};
  env.start_agent(config);
  EXPECT_TRUE(env.becomes("1=a 2=b")) << env.diagnostics();
  EXPECT_THAT(env.agent().status()->at("/streams/0/skippedOffsets").value_or(""), HasSubstr(std::to_string(offset)));
}

TEST_F(ApplyTest, an_epoch_that_ends_in_a_transaction_leaves_nothing_of_it) {
  auto& env = environment();
  auto config = env.config();
  config.batch_rows = 2;  // so that the open transaction is executed before it is voided
  env.start_agent(config);
  env.transaction({env.insert(1, "a")});
  env.fragment({env.insert(2, "x"), env.insert(3, "x"), env.insert(4, "x")}, 0, End::Group);
  ASSERT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.new_epoch();
  env.transaction({env.insert(2, "again")});
  EXPECT_TRUE(env.becomes("1=a 2=again")) << env.diagnostics();
}

TEST_F(ApplyTest, a_snapshot_handles_existing_and_missing_rows) {
  auto& env = environment();
  env.create_table();
  env.create_child_table();
  env.start_agent();
  env.snapshot_begin();
  env.transaction({env.update(3, "old", 3, "new"), env.erase(4, "old"), env.insert_child(1, 5)});  // not there yet
  env.snapshot_chunk({env.insert(1, "a"), env.insert(2, "b"), env.insert(3, "new")});
  env.transaction({env.update(1, "a", 1, "c"), env.erase(2, "b"), env.insert(2, "bb")});
  env.snapshot_chunk({env.insert(5, "e")});
  env.snapshot_end();
  EXPECT_TRUE(env.becomes("1=c 2=bb 3=new 5=e")) << env.diagnostics();
  env.agent().kill_and_restart();
  env.transaction({env.update(9, "x", 9, "y")});
  env.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict");
}

TEST_F(ApplyTest, a_snapshot_repeats_no_row_in_a_table_without_a_unique_key) {
  auto& env = environment();
  env.destination().execute("CREATE TABLE " + env.table() + " (id INT, name VARCHAR(30) CHARACTER SET utf8mb4)");
  env.start_agent();
  env.snapshot_begin();
  env.transaction({env.insert(1, "a"), env.insert(2, "b")});
  env.snapshot_chunk({env.insert(1, "a"), env.insert(2, "b"), env.insert(3, "c")});
  env.snapshot_chunk({env.insert(3, "c")});  // a chunk sent again after a crash
  env.snapshot_end();
  EXPECT_TRUE(env.becomes("1=a 2=b 3=c")) << env.diagnostics();
}

TEST_F(ApplyTest, truncate_empties_the_table_in_its_place) {
  auto& env = environment();
  env.start_agent();
  env.transaction({env.insert(1, "a"), env.insert(2, "b")});
  env.transaction({env.truncate()});
  env.transaction({env.insert(1, "c")});
  EXPECT_TRUE(env.becomes("1=c")) << env.diagnostics();
}

TEST_F(ApplyTest, a_dropped_table_halts_or_is_dropped_as_declared) {
  auto& env = environment();
  env.start_agent();
  env.transaction({env.insert(1, "a")});
  env.drop_note();
  env.agent().wait_for("Stalled", std::chrono::seconds(30), "TableDropped");
  EXPECT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.stop_agents();
  auto config = env.config();
  config.schema_changes = config::SchemaChanges::ApplyAll;
  env.start_agent(config);
  EXPECT_TRUE(env.table_disappears()) << env.diagnostics();
}

TEST_F(ApplyTest, verification_finds_differences_and_completes_mode_once) {
  auto& env = environment();
  auto config = env.config();
  config.common.mode = config::Mode::Once;
  env.start_agent(config);
  env.transaction({env.insert(1, "a"), env.insert(2, "b")});
  ASSERT_TRUE(env.becomes("1=a 2=b")) << env.diagnostics();
  env.destination().execute("UPDATE " + env.table() + " SET name='drift' WHERE id=2");
  env.verify({{1, "a"}, {2, "b"}});
  const auto status = env.agent().wait_for("Stalled", std::chrono::seconds(30), "VerifyFailed");
  EXPECT_THAT(status.message, HasSubstr(env.plain_table()));
  env.destination().execute("UPDATE " + env.table() + " SET name='b' WHERE id=2");
  EXPECT_EQ(env.agent().wait_for("Completed", std::chrono::seconds(30)).at("/verify/done").value_or(""), "true");
}

TEST_F(ApplyTest, another_topic_of_the_same_name_is_detected) {
  auto& env = environment();
  env.start_agent();
  env.transaction({env.insert(1, "a")});
  ASSERT_TRUE(env.becomes("1=a")) << env.diagnostics();
  env.stop_agents();
  env.destination().execute("UPDATE " + env.config().ledger_database +
                            ".ledger SET last_record=last_record+1 WHERE task='" + env.config().common.name + "'");
  env.start_agent();
  env.agent().wait_for("Stalled", std::chrono::seconds(30), "LedgerInvalid");
}

}  // namespace
}  // namespace datasync::test
