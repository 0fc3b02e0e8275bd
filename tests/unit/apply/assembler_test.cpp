#include "agents/apply/assembler.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/apply/change_maker.hpp"

namespace datasync::apply {
namespace {

using message::End;
using message::Epoch;
using message::Gtid;
using message::Kind;

/// Writes down what reaches the destination: "commit 1 2 @5", "stream 3", "rollback".
class FakeSink final : public Sink {
 public:
  void know(const message::TableSchema& schema) {
    ids_[schema.id()] = static_cast<TableIndex>(schemas_.size());
    schemas_.push_back(schema);
    active_.push_back(true);
  }
  const message::TableSchema* active(message::SchemaId id, TableIndex& index) override {
    const auto at = ids_.find(id);
    if (at == ids_.end() || !active_[at->second]) return nullptr;
    index = at->second;
    return &schemas_[at->second];
  }
  base::Result<std::string> source_table(message::SchemaId id) override { return schemas_[ids_.at(id)].qualified(); }
  base::Result<void> activate(message::SchemaId id) override {
    log.push_back("activate " + schemas_[ids_.at(id)].table);
    active_[ids_.at(id)] = true;
    return {};
  }
  base::Result<void> commit(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState& next,
                            const BatchTimes&) override {
    if (fail) return base::Error(base::Reason::DestinationUnreachable, "gone");
    log.push_back("commit" + text(buffer, rows) + " @" + std::to_string(next.next_offset));
    streaming_ = false;
    ledger = next;
    return {};
  }
  base::Result<void> stream(const RowBuffer& buffer, std::span<const RowChange> rows) override {
    log.push_back("stream" + text(buffer, rows));
    streaming_ = true;
    return {};
  }
  bool streaming() override { return streaming_; }
  void rollback() override {
    log.emplace_back("rollback");
    streaming_ = false;
  }
  base::Result<void> tables_gone(std::span<const GoneTable> gone) override {
    std::string line = "gone";
    for (const auto& [note, offset] : gone) line += " " + note.table + " @" + std::to_string(offset);
    log.push_back(std::move(line));
    return {};
  }
  base::Result<void> verify(const std::optional<message::Verify>& verify, bool last) override {
    log.push_back("verify " + (verify ? verify->table : "-") + (last ? " last" : ""));
    return {};
  }
  void deactivate(const message::SchemaId id) { active_[ids_.at(id)] = false; }

  std::vector<std::string> log;
  LedgerState ledger;
  bool fail = false;

 private:
  std::string text(const RowBuffer& buffer, std::span<const RowChange> rows) {
    std::string out;
    for (const auto& row : rows)
      if (row.op == message::Op::Truncate)
        out += " empty";
      else
        out += " " + std::to_string(*row_at(buffer, row.after, schemas_[row.table].columns.size())[0]);
    return out;
  }
  std::vector<message::TableSchema> schemas_;
  std::vector<bool> active_;
  std::map<message::SchemaId, TableIndex> ids_;
  bool streaming_ = false;
};

class AssemblerTest : public testing::Test {
 protected:
  AssemblerTest() {
    sink.know(orders);
    sink.know(items);
    start.epoch = Epoch(1);
    restart({});
  }
  void restart(const IntakeLimits& limits, const std::set<std::string>& types = {}) {
    assembler.emplace(sink, types, limits, start);
  }
  base::Result<void> put(const message::Headers& headers, const std::string& value) {
    return assembler->take({offset++, 1000 + offset, headers, base::as_bytes(value)});
  }
  base::Result<void> start_epoch(std::uint64_t epoch) {
    return put({Kind::Start, "", Epoch(epoch), End::None}, encode(message::Start{Epoch(epoch), "i"}));
  }
  /// The same, passed over as a person declared.
  base::Result<void> skip(const message::Headers& headers, const std::string& value, const Awaited& differ = {}) {
    return assembler->skip({offset++, 1000 + offset, headers, base::as_bytes(value)}, differ);
  }
  base::Result<void> skip_change(std::uint64_t sequence, std::uint32_t fragment, End end, int id) {
    message::Change change;
    change.gtid = Gtid{0, 1, sequence};
    change.fragment = fragment;
    change.tables = {rows(orders, 0, {id})};
    return skip({Kind::Change, "t", Epoch(1), end}, encode(change));
  }
  static message::SchemaNote dropped(std::uint64_t sequence, const std::string& table) {
    return {Gtid{0, 1, sequence}, "d", table, message::SchemaNote::What::Dropped, "DROP TABLE " + table};
  }
  message::TableRows rows(const message::TableSchema& schema, std::uint32_t order, const std::vector<int>& ids) {
    message::TableRows out;
    out.schema = schema.id();
    out.order = order;
    out.count = static_cast<std::uint32_t>(ids.size());
    for (const int id : ids) {
      const TestRow row{id, 0};
      out.rows += change_bytes(message::Op::Insert, nullptr, &row);
    }
    return out;
  }
  base::Result<void> change(std::uint64_t sequence, std::uint32_t fragment, End end,
                            std::vector<message::TableRows> tables, const std::string& type = "t",
                            std::uint64_t epoch = 1) {
    message::Change change;
    change.gtid = Gtid{0, 1, sequence};
    change.fragment = fragment;
    change.last = end == End::Transaction;
    change.tables = std::move(tables);
    return put({Kind::Change, type, Epoch(epoch), end}, encode(change));
  }
  static message::TableRows emptied(const message::TableSchema& schema) {
    message::TableRows out;
    out.schema = schema.id();
    out.count = 1;
    out.rows.push_back(static_cast<char>(message::Op::Truncate));
    return out;
  }
  base::Result<void> simple(std::uint64_t sequence, int id, std::uint64_t epoch = 1) {
    return change(sequence, 0, End::Transaction, {rows(orders, 0, {id})}, "t", epoch);
  }
  std::vector<std::string> take_log() { return std::exchange(sink.log, {}); }
  using Log = std::vector<std::string>;

  message::TableSchema orders = int_schema("orders", 2), items = int_schema("items", 2);
  FakeSink sink;
  LedgerState start;
  std::optional<Assembler> assembler;
  std::int64_t offset = 0;
};

TEST_F(AssemblerTest, many_transactions_are_committed_as_one_when_no_more_records_are_there) {
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

TEST_F(AssemblerTest, what_is_whole_is_committed_while_the_next_transaction_is_open) {
  ASSERT_TRUE(simple(1, 1));
  ASSERT_TRUE(change(2, 0, End::Group, {rows(orders, 0, {2})}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 1 @1"}));
  EXPECT_EQ(sink.ledger.gtids.text(), "0-1-1");
  ASSERT_TRUE(change(2, 1, End::Transaction, {}));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 2 @3"}));
}

TEST_F(AssemblerTest, a_new_epoch_voids_an_open_transaction_and_lower_epochs_are_ignored) {
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

TEST_F(AssemblerTest, rows_of_a_group_are_put_in_order_across_types_and_other_types_are_never_decoded) {
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

TEST_F(AssemblerTest, a_lower_transaction_than_the_ledger_has_is_never_passed_by) {
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

TEST_F(AssemblerTest, a_new_version_of_a_table_waits_until_everything_before_is_executed) {
  ASSERT_TRUE(simple(1, 1));
  sink.deactivate(items.id());
  ASSERT_TRUE(change(2, 0, End::Group, {rows(orders, 0, {2}), rows(items, 1, {3})}));
  EXPECT_EQ(take_log(), (Log{"commit 1 @1", "stream 2", "activate items"}));
  ASSERT_TRUE(change(2, 1, End::Transaction, {}));
  EXPECT_EQ(take_log(), (Log{"commit 3 @3"}));
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

TEST_F(AssemblerTest, a_dropped_table_is_told_after_everything_before_is_committed) {
  ASSERT_TRUE(simple(1, 1));
  const message::SchemaNote note{Gtid{0, 1, 2}, "d", "orders", message::SchemaNote::What::Dropped, "DROP TABLE orders"};
  ASSERT_TRUE(put({Kind::Schema, "t", Epoch(1), End::Transaction}, encode(note)));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 1 @1", "gone orders @1", "commit @2"}));
  EXPECT_EQ(sink.ledger.gtids.text(), "0-1-2");
}

TEST_F(AssemblerTest, tables_dropped_by_one_statement_are_told_at_once_each_with_its_place) {
  ASSERT_TRUE(put({Kind::Schema, "t", Epoch(1), End::Group}, encode(dropped(1, "orders"))));
  ASSERT_TRUE(put({Kind::Schema, "t", Epoch(1), End::Transaction}, encode(dropped(1, "items"))));
  EXPECT_EQ(take_log(), (Log{"gone orders @0 items @1"}));
}

TEST_F(AssemblerTest, a_skipped_record_ends_what_it_ends) {
  ASSERT_TRUE(skip({Kind::Schema, "t", Epoch(1), End::Group}, encode(dropped(1, "orders"))));
  ASSERT_TRUE(skip({Kind::Schema, "t", Epoch(1), End::Transaction}, encode(dropped(1, "items"))));
  ASSERT_TRUE(simple(2, 2));
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(take_log(), (Log{"commit 2 @3"}));
}

TEST_F(AssemblerTest, a_note_before_a_skipped_end_is_told_still) {
  ASSERT_TRUE(put({Kind::Schema, "t", Epoch(1), End::Group}, encode(dropped(1, "orders"))));
  ASSERT_TRUE(skip({Kind::Schema, "t", Epoch(1), End::Transaction}, encode(dropped(1, "items"))));
  EXPECT_EQ(take_log(), (Log{"gone orders @0"}));
}

TEST_F(AssemblerTest, the_other_rows_of_a_transaction_with_a_skipped_record_are_applied) {
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

TEST_F(AssemblerTest, a_chunk_ends_at_a_skipped_record_and_may_go_on_after_it) {
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
TEST_F(AssemblerTest, rows_of_a_table_with_a_skipped_record_are_left_out_until_it_is_emptied) {
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

TEST_F(AssemblerTest, a_void_transaction_changes_nothing_of_what_is_awaited) {
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

TEST_F(AssemblerTest, awaited_tables_are_written_down_and_forgotten_without_rows) {
  assembler->await({{orders.qualified(), "copy/n/t/d.orders"}});
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_EQ(sink.ledger.awaited.size(), 1U);
  assembler->await_no_more(orders.qualified());
  ASSERT_TRUE(assembler->pause(true));
  EXPECT_TRUE(sink.ledger.awaited.empty());
}

TEST_F(AssemblerTest, a_verification_happens_exactly_where_it_stands) {
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

TEST_F(AssemblerTest, a_failed_commit_is_handed_up) {
  sink.fail = true;
  ASSERT_TRUE(simple(1, 1));
  const auto done = assembler->pause(false);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().reason, base::Reason::DestinationUnreachable);
}

}  // namespace
}  // namespace datasync::apply
