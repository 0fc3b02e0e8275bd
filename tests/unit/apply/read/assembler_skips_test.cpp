// Records that are skipped, and tables whose copy is awaited.

#include "tests/unit/apply/read/assembler_fixture.hpp"

namespace datasync::apply {
namespace {

TEST_F(AssemblerTest, a_skipped_record_still_ends_its_transaction) {
  ASSERT_TRUE(skip({Kind::Schema, "t", Epoch(1), End::Group}, encode(dropped(1, "orders"))));
  ASSERT_TRUE(skip({Kind::Schema, "t", Epoch(1), End::Transaction}, encode(dropped(1, "items"))));
  ASSERT_TRUE(simple(2, 2));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 2 @3"}));
}

TEST_F(AssemblerTest, a_note_before_a_skipped_end_is_still_reported) {
  ASSERT_TRUE(put({Kind::Schema, "t", Epoch(1), End::Group}, encode(dropped(1, "orders"))));
  ASSERT_TRUE(skip({Kind::Schema, "t", Epoch(1), End::Transaction}, encode(dropped(1, "items"))));
  EXPECT_EQ(take_log(), (Log{"gone orders @0"}));
}

TEST_F(AssemblerTest, other_rows_of_a_partly_skipped_transaction_are_applied) {
  ASSERT_TRUE(skip_change(1, 0, End::Group, 1));
  ASSERT_TRUE(change(1, 1, End::Group, {rows(orders, 0, {2})}));
  ASSERT_TRUE(skip_change(1, 2, End::Group, 3));
  ASSERT_TRUE(change(1, 3, End::None, {rows(orders, 0, {4})}));
  ASSERT_TRUE(skip({Kind::Change, "t", Epoch(1), End::Transaction}, "\xff\xff"));
  ASSERT_TRUE(simple(2, 5));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 2 4 5 @6"}));
  EXPECT_EQ(sink.ledger.gtids.text(), "0-1-2");
}

// Its end would cut the open transaction in two, and the ledger refuses a second half.
TEST_F(AssemblerTest, a_skipped_copy_of_another_transaction_ends_nothing) {
  ASSERT_TRUE(simple(1, 1));
  ASSERT_TRUE(change(2, 0, End::Group, {rows(orders, 0, {2})}));
  ASSERT_TRUE(skip_change(1, 0, End::Transaction, 1));
  ASSERT_TRUE(skip_change(2, 0, End::Abort, 2));
  ASSERT_TRUE(skip({Kind::Start, "", Epoch(9), End::None}, encode(message::Start{Epoch(9), "x"})));
  ASSERT_TRUE(skip({Kind::Watermark, "", Epoch(1), End::None}, "?"));
  ASSERT_TRUE(change(2, 1, End::Transaction, {rows(orders, 0, {3})}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 1 2 3 @7"}));
  EXPECT_EQ(assembler->counts().duplicates_refused, 0U);
}

TEST_F(AssemblerTest, a_chunk_ends_at_a_skipped_record_and_may_continue_after_it) {
  message::Snapshot chunk;
  chunk.rows = {rows(orders, 0, {1})};
  ASSERT_TRUE(put({Kind::Snapshot, "t", Epoch(1), End::None}, encode(chunk)));
  ASSERT_TRUE(skip({Kind::Change, "t", Epoch(1), End::Abort}, "?"));
  chunk.last = true;
  ASSERT_TRUE(skip({Kind::Snapshot, "t", Epoch(1), End::None}, "?"));
  ASSERT_TRUE(put({Kind::Snapshot, "t", Epoch(1), End::None}, encode(chunk)));
  ASSERT_TRUE(simple(1, 2));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 1 1 2 @5"}));
}

// Skipping lost rows for good: nothing remembered that the table differed.
TEST_F(AssemblerTest, rows_of_a_skipped_table_are_ignored_until_it_is_emptied) {
  const Awaited differ{{orders.qualified(), "skip/0:0"}};
  ASSERT_TRUE(skip({Kind::Change, "t", Epoch(1), End::Transaction}, "?", differ));
  ASSERT_TRUE(change(2, 0, End::Transaction, {rows(orders, 0, {2}), rows(items, 1, {3})}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 3 @2"}));
  EXPECT_EQ(sink.ledger.awaited, differ);

  start = sink.ledger;  // another session
  restart({});
  ASSERT_TRUE(change(3, 0, End::Group, {rows(orders, 0, {4})}));
  ASSERT_TRUE(change(3, 1, End::Group, {emptied(orders)}));
  ASSERT_TRUE(change(3, 2, End::Transaction, {rows(orders, 0, {5})}));
  ASSERT_TRUE(simple(4, 6));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit empty 5 6 @6"}));
  EXPECT_TRUE(sink.ledger.awaited.empty()) << "with the commit that empties the table";
  EXPECT_EQ(assembler->counts().left_out, 1U);
}

TEST_F(AssemblerTest, an_aborted_transaction_changes_no_awaited_tables) {
  const Awaited differ{{orders.qualified(), "skip/0:7"}};
  start.awaited = differ;
  restart({});
  ASSERT_TRUE(change(1, 0, End::Group, {emptied(orders), rows(orders, 1, {1})}));
  ASSERT_TRUE(put({Kind::Change, "t", Epoch(1), End::Abort}, encode(message::Change{Gtid{0, 1, 1}, 0, 1, false, {}})));
  ASSERT_TRUE(simple(1, 2));
  ASSERT_TRUE(change(2, 0, End::Group, {rows(items, 0, {3})}));
  ASSERT_TRUE(skip({Kind::Change, "t", Epoch(1), End::None}, "?", {{items.qualified(), "skip/0:4"}}));
  ASSERT_TRUE(put({Kind::Change, "t", Epoch(1), End::Abort}, encode(message::Change{Gtid{0, 1, 2}, 0, 9, false, {}})));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(sink.ledger.awaited, differ);
  EXPECT_EQ(take_log(), (Log{"commit @6"}));
}

TEST_F(AssemblerTest, awaited_tables_are_stored_and_removed_without_rows) {
  assembler->await({{orders.qualified(), "copy/n/t/d.orders"}});
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(sink.ledger.awaited.size(), 1U);
  assembler->await_no_more(orders.qualified());
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_TRUE(sink.ledger.awaited.empty());
}

}  // namespace
}  // namespace datasync::apply
