#include "tests/unit/apply/read/assembler_fixture.hpp"

namespace datasync::apply {
namespace {

TEST_F(AssemblerTest, many_transactions_are_committed_as_one_when_the_topic_ends) {
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(simple(static_cast<std::uint64_t>(i), i));
  EXPECT_TRUE(take_log().empty());
  ASSERT_TRUE(assembler->pause(false));
  EXPECT_EQ(take_log(), (Log{"commit 1 2 3 @3"}));
  EXPECT_EQ(sink.ledger.gtids.text(), "0-1-3");
}

TEST_F(AssemblerTest, a_batch_is_committed_when_it_is_full) {
  restart({2, 1U << 20U});
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(simple(static_cast<std::uint64_t>(i), i));
  EXPECT_EQ(take_log(), (Log{"commit 1 2 @2"}));
}

TEST_F(AssemblerTest, a_large_transaction_is_streamed_and_committed_at_its_end) {
  restart({2, 1U << 20U});
  ASSERT_TRUE(simple(1, 1));
  ASSERT_TRUE(change(2, 0, End::Group, {rows(orders, 0, {2, 3})}));
  ASSERT_TRUE(change(2, 1, End::Group, {rows(orders, 1, {4, 5})}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 1 @1", "stream 2 3", "stream 4 5"}));
  ASSERT_TRUE(change(2, 2, End::Transaction, {rows(orders, 2, {6})}));
  EXPECT_EQ(take_log(), (Log{"commit 6 @4"}));
}

TEST_F(AssemblerTest, complete_transactions_are_committed_while_one_is_open) {
  ASSERT_TRUE(simple(1, 1));
  ASSERT_TRUE(change(2, 0, End::Group, {rows(orders, 0, {2})}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 1 @1"}));
  EXPECT_EQ(sink.ledger.gtids.text(), "0-1-1");
  ASSERT_TRUE(change(2, 1, End::Transaction, {}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 2 @3"}));
}

TEST_F(AssemblerTest, a_new_epoch_aborts_the_open_transaction_and_hides_lower_ones) {
  ASSERT_TRUE(simple(1, 1));
  ASSERT_TRUE(change(2, 0, End::Group, {rows(orders, 0, {2})}));
  ASSERT_TRUE(start_epoch(2));
  ASSERT_TRUE(change(2, 1, End::Transaction, {rows(orders, 0, {9})}));  // the replaced writer's late word
  ASSERT_TRUE(simple(2, 22, 2));
  ASSERT_TRUE(assembler->pause(false));
  EXPECT_EQ(take_log(), (Log{"commit 1 22 @5"}));
  EXPECT_EQ(sink.ledger.epoch, Epoch(2));
  EXPECT_EQ(assembler->counts().discarded, 1U);
  EXPECT_EQ(assembler->counts().lower_epochs, 1U);
}

TEST_F(AssemblerTest, a_new_epoch_rolls_back_what_was_streamed) {
  restart({1, 1U << 20U});
  ASSERT_TRUE(change(1, 0, End::Group, {rows(orders, 0, {1})}));
  ASSERT_TRUE(start_epoch(2));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"stream 1", "rollback", "commit @2"}));
  EXPECT_TRUE(sink.ledger.gtids.empty());
}

TEST_F(AssemblerTest, an_aborted_transaction_leaves_nothing_and_may_come_again) {
  ASSERT_TRUE(change(1, 0, End::Group, {rows(orders, 0, {1})}));
  ASSERT_TRUE(change(1, 1, End::Abort, {}));
  ASSERT_TRUE(simple(1, 11));
  ASSERT_TRUE(assembler->pause(false));
  EXPECT_EQ(take_log(), (Log{"commit 11 @3"}));
}

TEST_F(AssemblerTest, rows_of_a_group_are_ordered_across_types) {
  restart({}, {"t", "u"});
  ASSERT_TRUE(change(1, 0, End::None, {rows(orders, 0, {1}), rows(orders, 2, {3})}, "t"));
  ASSERT_TRUE(change(1, 1, End::None, {rows(items, 1, {2})}, "u"));
  ASSERT_TRUE(put({Kind::Change, "other", Epoch(1), End::Transaction}, "not even protobuf \xff\xff"));
  ASSERT_TRUE(assembler->pause(false));
  EXPECT_EQ(take_log(), (Log{"commit 1 2 3 @3"}));
}

TEST_F(AssemblerTest, the_position_moves_over_records_of_other_types_without_rows) {
  restart({}, {"t"});
  ASSERT_TRUE(change(1, 0, End::None, {rows(orders, 0, {1})}, "other"));
  ASSERT_TRUE(change(1, 1, End::Transaction, {}, "other"));
  ASSERT_TRUE(assembler->pause(false));
  EXPECT_TRUE(take_log().empty());
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit @2"}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_TRUE(take_log().empty());
}

TEST_F(AssemblerTest, a_transaction_the_ledger_has_is_refused_and_counted) {
  start.gtids = *message::GtidSet::parse("0-1-5");
  restart({});
  ASSERT_TRUE(simple(5, 5));
  ASSERT_TRUE(simple(6, 6));
  ASSERT_TRUE(assembler->pause(false));
  EXPECT_EQ(take_log(), (Log{"commit 6 @2"}));
  EXPECT_EQ(assembler->counts().duplicates_refused, 1U);
}

TEST_F(AssemblerTest, a_transaction_below_the_ledger_is_never_skipped) {
  start.gtids = *message::GtidSet::parse("0-1-5");
  restart({});
  const auto done = simple(4, 4);
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().is(base::Reason::GtidDiverged)) << done.error().what;
  EXPECT_EQ(assembler->counts().duplicates_refused, 0U);
}

TEST_F(AssemblerTest, a_watermark_moves_the_applied_set) {
  ASSERT_TRUE(put({Kind::Watermark, "", Epoch(1), End::None},
                  encode(message::Watermark{*message::GtidSet::parse("0-1-9"), 1})));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(sink.ledger.gtids.text(), "0-1-9");
}

TEST_F(AssemblerTest, a_new_version_of_a_table_waits_for_all_earlier_changes) {
  ASSERT_TRUE(simple(1, 1));
  sink.deactivate(items.id());
  ASSERT_TRUE(change(2, 0, End::Group, {rows(orders, 0, {2}), rows(items, 1, {3})}));
  EXPECT_EQ(take_log(), (Log{"commit 1 @1", "activate items"})) << "no rows of items are waiting";
  sink.deactivate(items.id());
  ASSERT_TRUE(change(2, 1, End::Transaction, {rows(items, 0, {4})}));
  EXPECT_EQ(take_log(), (Log{"stream 2 3", "activate items", "commit 4 @3"}));
}

// The change of the definition waited for the transaction that had emptied the table, and the server ended that.
TEST_F(AssemblerTest, a_replaced_table_is_emptied_before_its_definition_changes) {
  auto replaced = orders;
  replaced.columns[1].name = "renamed";
  sink.know(replaced);
  sink.deactivate(replaced.id());
  ASSERT_TRUE(change(1, 0, End::Group, {emptied(orders)}));
  ASSERT_TRUE(change(1, 1, End::Transaction, {rows(replaced, 0, {5})}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"in parts empty", "activate orders", "commit 5 @2"}));
}

TEST_F(AssemblerTest, rows_of_a_held_table_are_skipped_and_the_rest_is_committed) {
  sink.deactivate(items.id());
  sink.held = "items";
  ASSERT_TRUE(simple(1, 1));
  ASSERT_TRUE(change(2, 0, End::Group, {rows(orders, 0, {2}), rows(items, 1, {3})}));
  ASSERT_TRUE(change(2, 1, End::Transaction, {rows(items, 0, {4}), rows(orders, 1, {5})}));
  ASSERT_TRUE(assembler->pause(false));
  EXPECT_EQ(take_log(), (Log{"skips items after 1", "skips items after 1", "commit 1 2 5 @3"}));
  EXPECT_EQ(sink.ledger.gtids.text(), "0-1-2");
}

TEST_F(AssemblerTest, an_aborted_transaction_is_reported_with_its_first_record) {
  ASSERT_TRUE(simple(1, 1));
  const auto first = assembler->position().next_offset;
  ASSERT_TRUE(change(2, 0, End::Group, {rows(orders, 0, {2})}));
  EXPECT_TRUE(assembler->in_transaction());
  const auto before = sink.voids;
  ASSERT_TRUE(change(2, 1, End::Abort, {}));
  EXPECT_EQ(sink.voids, before + 1);
  EXPECT_EQ(sink.void_from, first);
  EXPECT_FALSE(assembler->in_transaction());
}

TEST_F(AssemblerTest, uncommitted_records_are_read_again_from_the_ledger) {
  ASSERT_TRUE(simple(1, 1));
  ASSERT_TRUE(assembler->pause(true));
  take_log();
  const auto committed = sink.ledger;
  ASSERT_TRUE(simple(2, 2));
  ASSERT_TRUE(change(3, 0, End::Group, {rows(orders, 0, {3})}));
  assembler->begin_again(committed, {1, 1U << 20U});
  EXPECT_FALSE(assembler->in_transaction());
  EXPECT_FALSE(assembler->has_whole_rows());
  EXPECT_EQ(assembler->position().next_offset, committed.next_offset);
  offset = committed.next_offset;
  ASSERT_TRUE(simple(2, 2)) << "it is no duplicate: nothing of it was committed";
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(sink.ledger.gtids.text(), "0-1-2");
  EXPECT_EQ(assembler->counts().duplicates_refused, 0U);
}

TEST_F(AssemblerTest, a_snapshot_begins_and_ends_at_a_commit) {
  message::Snapshot begin{"s1", message::Snapshot::Phase::Begin, {}, {"d.orders"}, 0, false, {}};
  message::Snapshot chunk{"s1", message::Snapshot::Phase::Rows, {}, {}, 0, true, {rows(orders, 0, {7})}};
  message::Snapshot finish{"s1", message::Snapshot::Phase::End, {}, {}, 0, false, {}};
  ASSERT_TRUE(simple(1, 1));
  ASSERT_TRUE(put({Kind::Snapshot, "t", Epoch(1), End::None}, encode(begin)));
  EXPECT_EQ(take_log(), (Log{"commit 1 @1", "commit @2"}));
  EXPECT_EQ(sink.ledger.snapshot.tables, (std::set<std::string>{"d.orders"}));
  ASSERT_TRUE(put({Kind::Snapshot, "t", Epoch(1), End::Transaction}, encode(chunk)));
  ASSERT_TRUE(put({Kind::Snapshot, "t", Epoch(1), End::None}, encode(finish)));
  EXPECT_EQ(take_log(), (Log{"commit 7 @3", "commit @4"}));
  EXPECT_FALSE(sink.ledger.snapshot.active());
}

TEST_F(AssemblerTest, a_dropped_table_is_reported_after_earlier_commits) {
  ASSERT_TRUE(simple(1, 1));
  const message::SchemaNote note{Gtid{0, 1, 2}, "d", "orders", message::SchemaNote::What::Dropped, "DROP TABLE orders"};
  ASSERT_TRUE(put({Kind::Schema, "t", Epoch(1), End::Transaction}, encode(note)));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 1 @1", "gone orders @1", "commit @2"}));
  EXPECT_EQ(sink.ledger.gtids.text(), "0-1-2");
}

TEST_F(AssemblerTest, tables_dropped_together_are_reported_each_with_its_place) {
  ASSERT_TRUE(put({Kind::Schema, "t", Epoch(1), End::Group}, encode(dropped(1, "orders"))));
  ASSERT_TRUE(put({Kind::Schema, "t", Epoch(1), End::Transaction}, encode(dropped(1, "items"))));
  EXPECT_EQ(take_log(), (Log{"gone orders @0 items @1"}));
}

TEST_F(AssemblerTest, a_verification_happens_exactly_at_its_record) {
  restart({}, {"t"});
  message::Verify verify;
  verify.database = "d";
  verify.table = "orders";
  ASSERT_TRUE(simple(1, 1));
  ASSERT_TRUE(put({Kind::Verify, "t", Epoch(1), End::None}, encode(verify)));
  ASSERT_TRUE(put({Kind::Verify, "other", Epoch(1), End::Transaction}, "unread"));
  EXPECT_EQ(take_log(), (Log{"commit 1 @1", "verify orders", "commit @2", "verify - last"}));
}

TEST_F(AssemblerTest, what_does_not_belong_on_the_stream_is_foreign) {
  const auto reason = [](const base::Result<void>& r) { return r ? base::Reason::Stopping : r.error().reason; };
  EXPECT_EQ(reason(put({Kind::Change, "t", Epoch(1), End::None}, "\xff\xff")), base::Reason::ForeignMessage);
  EXPECT_EQ(reason(simple(1, 1, 7)), base::Reason::ForeignMessage);
  restart({});
  ASSERT_TRUE(change(1, 1, End::None, {}));
  EXPECT_EQ(reason(change(1, 1, End::None, {})), base::Reason::ForeignMessage);
  EXPECT_EQ(reason(change(2, 2, End::None, {})), base::Reason::ForeignMessage);
  restart({});
  auto short_count = rows(orders, 0, {1});
  short_count.count = 2;
  EXPECT_EQ(reason(change(1, 0, End::Transaction, {short_count})), base::Reason::ForeignMessage);
}

TEST_F(AssemblerTest, a_failed_commit_is_returned) {
  sink.fail = true;
  ASSERT_TRUE(simple(1, 1));
  const auto done = assembler->pause(false);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().reason, base::Reason::DestinationUnreachable);
}

// The table was emptied as what it was before, so that the rows that followed found it with rows of other types.
TEST_F(AssemblerTest, a_table_is_emptied_by_the_definition_of_the_next_rows) {
  auto other = orders;
  other.columns[1].nullable = !other.columns[1].nullable;
  sink.know(other);
  sink.deactivate(other.id());
  ASSERT_TRUE(change(1, 0, End::Transaction, {emptied(orders), rows(items, 1, {7}), rows(other, 2, {5})}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"empty and activate orders", "commit empty 7 5 @1"}));
}

}  // namespace
}  // namespace datasync::apply
