// The apply agent on a real server and a real broker. Records are made by hand, no capture agent is needed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/apply_fixture.hpp"

namespace datasync::test {
namespace {

using apply_world::Row;
using message::End;
using testing::HasSubstr;

TEST_F(ApplyTest, rows_reach_a_table_it_makes_itself) {
  auto& w = world();
  w.start_agent();
  w.transaction({w.insert(1, "a"), w.insert(2, "b"), w.update(1, "a", 1, "c"), w.insert(3, "x"), w.erase(3, "x")});
  EXPECT_TRUE(w.becomes("1=c 2=b")) << w.story();
  w.transaction({w.erase(2, "b")});
  EXPECT_TRUE(w.becomes("1=c")) << w.story();
  EXPECT_EQ(w.duplicates(), 0U);
}

TEST_F(ApplyTest, a_million_inserts_stay_within_memory) {
  auto& w = world();
  constexpr int kRecords = 1000;
  constexpr int kRowsEach = 1000;
  for (int r = 0; r < kRecords; ++r) {
    std::vector<Row> rows;
    rows.reserve(kRowsEach);
    for (int i = 0; i < kRowsEach; ++i) rows.push_back(w.insert(r * kRowsEach + i, "some text of a row"));
    w.fragment(rows, static_cast<std::uint32_t>(r), r + 1 == kRecords ? End::Transaction : End::Group);
  }
  w.end_transaction();
  const auto begun = std::chrono::steady_clock::now();
  w.start_agent();
  EXPECT_TRUE(w.counts_to(kRecords * kRowsEach, std::chrono::minutes(4))) << w.story();
  const auto& process = w.agent().process();
  EXPECT_LT(process.peak_resident_bytes(), 256ULL << 20U);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::printf("a million rows: peak %llu MiB, agent's cpu %lld ms, %.1f s\n",
              static_cast<unsigned long long>(process.peak_resident_bytes() >> 20U),
              static_cast<long long>(process.cpu_time().count()), took.count());
}

TEST_F(ApplyTest, kill_at_any_moment_loses_and_repeats_nothing) {
  auto& w = world();
  w.create_table();
  w.start_agent();
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 50; ++i) {
      const int id = round * 50 + i;
      w.transaction({w.insert(id, "new"), w.update(id, "new", id, "old")});
      if (i == 20) w.agent().kill_and_restart();
    }
  }
  EXPECT_TRUE(w.counts_to(400)) << w.story();
  EXPECT_EQ(w.destination().number("SELECT COUNT(*) FROM " + w.table() + " WHERE name='old'"), 400);
  EXPECT_EQ(w.duplicates(), 0U);
}

TEST_F(ApplyTest, a_second_instance_takes_over_and_the_first_ends) {
  auto& w = world();
  w.start_agent();
  w.transaction({w.insert(1, "a")});
  ASSERT_TRUE(w.becomes("1=a")) << w.story();
  w.agent().process().freeze();
  auto& second = w.start_second();
  w.transaction({w.insert(2, "b")});
  EXPECT_TRUE(w.becomes("1=a 2=b")) << w.story();
  w.agent().process().thaw();
  const auto end = w.agent().process().wait(std::chrono::seconds(20));
  ASSERT_TRUE(end) << w.story();
  EXPECT_EQ(end->code, 3) << w.story();
  w.transaction({w.insert(3, "c")});
  EXPECT_TRUE(w.becomes("1=a 2=b 3=c")) << second.log_tail();
}

TEST_F(ApplyTest, lost_connections_during_commits_lose_and_repeat_nothing) {
  auto& w = world();
  w.create_table();
  w.start_agent(w.proxied());
  for (int i = 0; i < 300; ++i) {
    w.transaction({w.insert(i, "new"), w.update(i, "new", i, "old")});
    if (i % 20 == 19) w.proxy().cut();
  }
  EXPECT_TRUE(w.counts_to(300)) << w.story();
  EXPECT_EQ(w.duplicates(), 0U);
}

TEST_F(ApplyTest, a_conflict_names_table_key_columns_and_record_and_heals) {
  auto& w = world();
  w.create_table();
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (1, 'theirs')");
  w.start_agent();
  w.transaction({w.insert(5, "fine")});
  w.transaction({w.insert(1, "ours")});
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict");
  EXPECT_THAT(status.message, HasSubstr("insert of " + w.plain_table() + " (key id): the row is there already"));
  EXPECT_THAT(status.message, HasSubstr("partition 0, offsets 2 to 2, of topic"));
  w.destination().execute("DELETE FROM " + w.table() + " WHERE id=1");
  EXPECT_TRUE(w.becomes("1=ours 5=fine")) << w.story();
}

TEST_F(ApplyTest, a_missing_row_is_a_conflict_for_update_and_delete) {
  auto& w = world();
  w.create_table();
  w.start_agent();
  w.transaction({w.update(7, "was", 7, "is")});
  EXPECT_THAT(w.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict").message,
              HasSubstr("the row is missing"));
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (7, 'was')");
  EXPECT_TRUE(w.becomes("7=is")) << w.story();
  w.agent().wait_for("Streaming", std::chrono::seconds(30));
  w.destination().execute("DELETE FROM " + w.table());
  w.transaction({w.erase(7, "is")});
  EXPECT_THAT(w.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict").message, HasSubstr("delete of"));
}

TEST_F(ApplyTest, overwrite_settles_conflicts) {
  auto& w = world();
  w.create_table();
  w.destination().execute("INSERT INTO " + w.table() + " VALUES (1, 'theirs'), (4, 'in the way')");
  auto config = w.config();
  config.on_conflict = config::OnConflict::Overwrite;
  w.start_agent(config);
  w.transaction({w.insert(1, "ours"), w.update(2, "gone", 2, "back"), w.erase(3, "gone")});
  EXPECT_TRUE(w.becomes("1=ours 2=back 4=in the way")) << w.story();
  w.transaction({w.update(2, "back", 4, "moved")});
  EXPECT_TRUE(w.becomes("1=ours 4=moved")) << w.story();
}

TEST_F(ApplyTest, unique_values_may_be_swapped_and_keys_may_move) {
  auto& w = world();
  w.create_table(", UNIQUE KEY (name)", "utf8mb4_bin");
  w.start_agent();
  w.transaction({w.insert(1, "a"), w.insert(2, "b")});
  w.transaction({w.update(1, "a", 1, "t"), w.update(2, "b", 2, "a"), w.update(1, "t", 1, "b")});
  w.transaction({w.update(2, "a", 3, "a"), w.update(1, "b", 2, "b"), w.insert(1, "c")});
  EXPECT_TRUE(w.becomes("1=c 2=b 3=a")) << w.story();
  EXPECT_EQ(w.agent().metric("datasync_apply_row_by_row_total"), 0);
}

TEST_F(ApplyTest, a_constraint_of_the_destination_is_named) {
  auto& w = world();
  w.create_table(", UNIQUE KEY only_once (name)");
  w.start_agent();
  w.transaction({w.insert(1, "a")});
  w.transaction({w.insert(2, "A")});
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated");
  EXPECT_THAT(status.message, HasSubstr("insert of " + w.plain_table() + " (key id)"));
  EXPECT_THAT(status.message, HasSubstr("Duplicate entry ... for key 'only_once'"));
  EXPECT_TRUE(w.becomes("1=a")) << w.story();
  w.destination().execute("UPDATE " + w.table() + " SET name='z' WHERE id=1");
  EXPECT_TRUE(w.becomes("1=z 2=A")) << w.story();
}

TEST_F(ApplyTest, a_narrower_column_is_told_before_anything_is_written) {
  auto& w = world();
  w.destination().execute("CREATE TABLE " + w.table() + " (id INT PRIMARY KEY, name VARCHAR(3) CHARACTER SET utf8mb4)");
  w.start_agent();
  w.transaction({w.insert(1, "too long")});
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "DestinationSchemaMismatch");
  EXPECT_THAT(status.message, HasSubstr("column name"));
  w.destination().execute("ALTER TABLE " + w.table() + " MODIFY name VARCHAR(40) CHARACTER SET utf8mb4");
  EXPECT_TRUE(w.becomes("1=too long")) << w.story();
}

TEST_F(ApplyTest, a_column_that_was_added_at_the_source_is_added) {
  auto& w = world();
  w.start_agent();
  w.transaction({w.insert(1, "a")});
  ASSERT_TRUE(w.becomes("1=a")) << w.story();
  w.add_source_column();
  w.transaction({w.insert(2, "b")});
  EXPECT_TRUE(w.becomes("1=a 2=b")) << w.story();
  EXPECT_EQ(w.destination().number("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema='" +
                                   w.database() + "' AND column_name='added'"),
            1);
}

TEST_F(ApplyTest, children_and_parents_are_kept_in_order) {
  auto& w = world();
  w.create_table();
  w.create_child_table();
  w.start_agent();
  w.transaction({w.insert(1, "p"), w.insert_child(10, 1), w.insert(2, "q"), w.update_child(10, 1, 2), w.erase(1, "p")});
  EXPECT_TRUE(w.becomes("2=q")) << w.story();
  w.transaction({w.erase_child(10, 2), w.erase(2, "q")});
  EXPECT_TRUE(w.becomes("")) << w.story();
  EXPECT_EQ(w.agent().metric("datasync_apply_row_by_row_total"), 0);
  w.transaction({w.insert_child(11, 99)});
  EXPECT_THAT(w.agent().wait_for("Stalled", std::chrono::seconds(30), "ConstraintViolated").message,
              HasSubstr("parent_of_child"));
}

TEST_F(ApplyTest, foreign_bytes_halt_at_their_offset_and_go_on_only_as_declared) {
  auto& w = world();
  w.start_agent();
  w.transaction({w.insert(1, "a")});
  const auto offset = w.put_foreign_bytes();
  w.transaction({w.insert(2, "b")});
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "ForeignMessage");
  EXPECT_THAT(status.message, HasSubstr("offset " + std::to_string(offset)));
  EXPECT_TRUE(w.becomes("1=a")) << w.story();
  w.stop_agents();
  auto config = w.config();
  config.skip_offsets = {"0:" + std::to_string(offset)};
  w.start_agent(config);
  EXPECT_TRUE(w.becomes("1=a 2=b")) << w.story();
  EXPECT_THAT(w.agent().status()->at("/streams/0/skippedOffsets").value_or(""), HasSubstr(std::to_string(offset)));
}

TEST_F(ApplyTest, an_epoch_that_ends_in_a_transaction_leaves_nothing_of_it) {
  auto& w = world();
  auto config = w.config();
  config.batch_rows = 2;  // so that the open transaction is executed before it is voided
  w.start_agent(config);
  w.transaction({w.insert(1, "a")});
  w.fragment({w.insert(2, "x"), w.insert(3, "x"), w.insert(4, "x")}, 0, End::Group);
  ASSERT_TRUE(w.becomes("1=a")) << w.story();
  w.new_epoch();
  w.transaction({w.insert(2, "again")});
  EXPECT_TRUE(w.becomes("1=a 2=again")) << w.story();
}

TEST_F(ApplyTest, a_snapshot_meets_rows_that_are_there_or_missing) {
  auto& w = world();
  w.create_table();
  w.create_child_table();
  w.start_agent();
  w.snapshot_begin();
  w.transaction({w.update(3, "old", 3, "new"), w.erase(4, "old"), w.insert_child(1, 5)});  // not there yet
  w.snapshot_chunk({w.insert(1, "a"), w.insert(2, "b"), w.insert(3, "new")});
  w.transaction({w.update(1, "a", 1, "c"), w.erase(2, "b"), w.insert(2, "bb")});
  w.snapshot_chunk({w.insert(5, "e")});
  w.snapshot_end();
  EXPECT_TRUE(w.becomes("1=c 2=bb 3=new 5=e")) << w.story();
  w.agent().kill_and_restart();
  w.transaction({w.update(9, "x", 9, "y")});
  w.agent().wait_for("Stalled", std::chrono::seconds(30), "RowConflict");
}

TEST_F(ApplyTest, a_snapshot_repeats_no_row_in_a_table_without_a_unique_key) {
  auto& w = world();
  w.destination().execute("CREATE TABLE " + w.table() + " (id INT, name VARCHAR(30) CHARACTER SET utf8mb4)");
  w.start_agent();
  w.snapshot_begin();
  w.transaction({w.insert(1, "a"), w.insert(2, "b")});
  w.snapshot_chunk({w.insert(1, "a"), w.insert(2, "b"), w.insert(3, "c")});
  w.snapshot_chunk({w.insert(3, "c")});  // a chunk sent again after a crash
  w.snapshot_end();
  EXPECT_TRUE(w.becomes("1=a 2=b 3=c")) << w.story();
}

TEST_F(ApplyTest, truncate_empties_the_table_in_its_place) {
  auto& w = world();
  w.start_agent();
  w.transaction({w.insert(1, "a"), w.insert(2, "b")});
  w.transaction({w.truncate()});
  w.transaction({w.insert(1, "c")});
  EXPECT_TRUE(w.becomes("1=c")) << w.story();
}

TEST_F(ApplyTest, a_dropped_table_halts_or_is_dropped_as_declared) {
  auto& w = world();
  w.start_agent();
  w.transaction({w.insert(1, "a")});
  w.drop_note();
  w.agent().wait_for("Stalled", std::chrono::seconds(30), "TableDropped");
  EXPECT_TRUE(w.becomes("1=a")) << w.story();
  w.stop_agents();
  auto config = w.config();
  config.schema_changes = config::SchemaChanges::ApplyAll;
  w.start_agent(config);
  EXPECT_TRUE(w.table_disappears()) << w.story();
}

TEST_F(ApplyTest, verification_tells_equal_from_different_and_ends_mode_once) {
  auto& w = world();
  auto config = w.config();
  config.common.mode = config::Mode::Once;
  w.start_agent(config);
  w.transaction({w.insert(1, "a"), w.insert(2, "b")});
  ASSERT_TRUE(w.becomes("1=a 2=b")) << w.story();
  w.destination().execute("UPDATE " + w.table() + " SET name='drift' WHERE id=2");
  w.verify({{1, "a"}, {2, "b"}});
  const auto status = w.agent().wait_for("Stalled", std::chrono::seconds(30), "VerifyFailed");
  EXPECT_THAT(status.message, HasSubstr(w.plain_table()));
  w.destination().execute("UPDATE " + w.table() + " SET name='b' WHERE id=2");
  EXPECT_EQ(w.agent().wait_for("Completed", std::chrono::seconds(30)).at("/verify/done").value_or(""), "true");
}

TEST_F(ApplyTest, another_topic_of_the_same_name_is_noticed) {
  auto& w = world();
  w.start_agent();
  w.transaction({w.insert(1, "a")});
  ASSERT_TRUE(w.becomes("1=a")) << w.story();
  w.stop_agents();
  w.destination().execute("UPDATE " + w.config().ledger_database +
                          ".ledger SET last_record=last_record+1 WHERE task='" + w.config().common.name + "'");
  w.start_agent();
  w.agent().wait_for("Stalled", std::chrono::seconds(30), "LedgerInvalid");
}

}  // namespace
}  // namespace datasync::test
