// What apply expects of every engine of a destination. An engine is added by one line at the end.

#include "tests/integration/destination_conformance.hpp"

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

namespace datasync::test {
namespace {

using apply::Failure;
using apply::RowVerb;
using apply::Savepoint;
using base::Reason;
using Names = std::vector<std::string>;

TEST_P(DestinationConformance, rows_count_with_the_commit_and_not_before_or_without_it) {
  must(server_->begin());
  EXPECT_EQ(insert(1, "one"), 1U);
  EXPECT_TRUE(rows().empty());
  must(server_->commit());
  EXPECT_EQ(rows(), (StoredValues{{1, "one"}}));
  must(server_->begin());
  insert(2, "two");
  server_->rollback();
  EXPECT_EQ(rows(), (StoredValues{{1, "one"}}));
}

TEST_P(DestinationConformance, rows_are_counted_when_they_are_found_also_where_nothing_changes) {
  insert(1, "one");
  EXPECT_EQ(must(run(RowVerb::UpdateAllColumns, ConformanceRow(1, "one"))), 1U);
  EXPECT_EQ(must(run(RowVerb::Update, ConformanceRow(1, std::nullopt))), 1U);
  EXPECT_EQ(must(run(RowVerb::Update, ConformanceRow(2, "two"))), 0U);
  EXPECT_EQ(rows(), (StoredValues{{1, std::nullopt}}));
  EXPECT_TRUE(must(server_->has_key(table_, ConformanceRow(1, "any").values())));
  EXPECT_EQ(must(run(RowVerb::Delete, ConformanceRow(2, "two"))), 0U);
  EXPECT_EQ(must(run(RowVerb::Delete, ConformanceRow(1, "any"))), 1U);
  EXPECT_FALSE(must(server_->has_key(table_, ConformanceRow(1, "any").values())));
  EXPECT_TRUE(rows().empty());
}

TEST_P(DestinationConformance, many_rows_are_one_statement) {
  const ConformanceRow a(1, "a"), b(2, std::nullopt), c(3, "");
  const std::array images{apply::RowImages{a.values(), a.values()}, apply::RowImages{b.values(), b.values()},
                          apply::RowImages{c.values(), c.values()}};
  EXPECT_EQ(must(statements_->run(RowVerb::Insert, 1, table_, images)), 3U);
  EXPECT_EQ(rows(), (StoredValues{{1, "a"}, {2, std::nullopt}, {3, ""}}));
  EXPECT_EQ(must(statements_->run(RowVerb::Delete, 1, table_, images)), 3U);
}

TEST_P(DestinationConformance, an_upsert_inserts_a_row_or_replaces_it) {
  must(run(RowVerb::Upsert, ConformanceRow(1, "one")));
  must(run(RowVerb::Upsert, ConformanceRow(1, "uno")));
  must(run(RowVerb::Upsert, ConformanceRow(2, "two")));
  EXPECT_EQ(rows(), (StoredValues{{1, "uno"}, {2, "two"}}));
}

TEST_P(DestinationConformance, a_duplicate_is_known_as_one_and_a_savepoint_keeps_what_came_before) {
  must(server_->begin());
  insert(1, "one");
  must(server_->set_savepoint(Savepoint::Run));
  const auto refused = run(RowVerb::Insert, ConformanceRow(1, "uno"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::ConstraintViolated);
  EXPECT_EQ(refused.error().what.find("uno"), std::string::npos) << "a value: " << refused.error().what;
  EXPECT_EQ(server_->last_failure(), Failure::DuplicateKey);
  must(server_->rollback_to(Savepoint::Run));
  insert(2, "two");
  must(server_->commit());
  EXPECT_EQ(rows(), (StoredValues{{1, "one"}, {2, "two"}}));
}

TEST_P(DestinationConformance, a_table_is_emptied_by_batches) {
  for (std::int64_t id = 1; id <= 5; ++id) insert(id, "x");
  EXPECT_FALSE(must(server_->is_empty(kTable)));
  std::uint64_t deleted = 0;
  for (std::uint64_t batch = 1; batch != 0; deleted += batch) batch = must(server_->delete_batch(kTable));
  EXPECT_EQ(deleted, 5U);
  EXPECT_TRUE(must(server_->is_empty(kTable)));
}

TEST_P(DestinationConformance, a_table_is_described_as_it_was_made) {
  const auto info = must(server_->table(kTable));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->schema, schema_);
  EXPECT_TRUE(info->transactional);
  EXPECT_TRUE(info->foreign_keys.empty());
  const auto facts = must(server_->facts(kTable));
  EXPECT_EQ(facts.required, Names{"id"});
  EXPECT_TRUE(facts.triggers.empty());
  EXPECT_FALSE(facts.created.empty());
  EXPECT_TRUE(must(server_->other_kind(kTable)).empty());
  EXPECT_TRUE(must(server_->has_database("a")));
  must(server_->check_grants(table_));
  const auto listed = must(server_->tables({"a"}));
  const auto at = std::ranges::find_if(listed, [](const auto& one) { return one.name.qualified() == "a.t"; });
  ASSERT_NE(at, listed.end());
  EXPECT_EQ(at->columns, (Names{"id", "v"}));
}

TEST_P(DestinationConformance, what_is_missing_is_named_by_its_reason) {
  must(server_->see(kTable, {}));
  must(server_->see(kTable, {"v"}));
  EXPECT_EQ(server_->see(kTable, {"w"}).error().reason, Reason::DestinationSchemaMismatch);
  must(server_->define(dialect().drop_table("a", "t")));
  EXPECT_EQ(server_->see(kTable, {}).error().reason, Reason::DestinationTableMissing);
  EXPECT_FALSE(must(server_->table(kTable)));
  EXPECT_FALSE(must(server_->created(kTable)));
  EXPECT_FALSE(must(server_->altered_at(std::array{kTable})).at(0));
  EXPECT_EQ(run(RowVerb::Insert, ConformanceRow(1, "one")).error().reason, Reason::DestinationTableMissing);
}

TEST_P(DestinationConformance, a_column_that_is_added_has_no_value_of_its_own) {
  insert(1, "one");
  auto column = schema_.columns[1];
  column.name = "w";
  must(server_->define(dialect().add_column(column, "a", "t")));
  must(server_->define(dialect().add_column(column, "a", "t")));
  ASSERT_EQ(must(server_->table(kTable))->schema.columns.size(), 3U);
  EXPECT_FALSE(must(server_->has_value(kTable, "w")));
  EXPECT_FALSE(must(server_->has_own_value(kTable, "w", true)));
  EXPECT_TRUE(must(server_->has_value(kTable, "v")));
  EXPECT_TRUE(must(server_->has_own_value(kTable, "v", false)));
  column.length *= 2;
  must(server_->define(dialect().modify_column(column, "", "a", "t")));
  EXPECT_EQ(must(server_->table(kTable))->schema.columns[2], column);
}

TEST_P(DestinationConformance, a_connection_that_is_aborted_stays_failed) {
  server_->abort();
  EXPECT_FALSE(run(RowVerb::Insert, ConformanceRow(1, "one")));
  EXPECT_FALSE(server_->begin() && server_->commit());
}

// The ledger.

TEST_P(DestinationConformance, the_place_of_a_stream_counts_with_the_rows_of_its_transaction) {
  auto mine = ledger("one");
  auto state = must(mine.take_over(*server_));
  EXPECT_EQ(state.next_offset, -1);
  state.next_offset = 7;
  state.epoch = message::Epoch(3);
  state.gtids = *message::GtidSet::parse("0-1-5");
  state.last_record = UINT64_MAX;
  state.snapshot = {"snapshot", {"a.t", "a.u\n"}};
  state.awaited = {{"a.v", "request\\1"}};
  must(server_->begin());
  must(mine.write(*server_, state));
  insert(1, "one");
  server_->rollback();
  EXPECT_EQ(must(mine.next_offset(*server_)), -1);
  must(server_->begin());
  must(mine.write(*server_, state));
  insert(1, "one");
  must(server_->commit());
  mine.committed(state);
  const auto again = must(ledger("one").take_over(*connect()));
  EXPECT_EQ(again.next_offset, 7);
  EXPECT_EQ(again.epoch, state.epoch);
  EXPECT_EQ(again.gtids, state.gtids);
  EXPECT_EQ(again.last_record, state.last_record);
  EXPECT_EQ(again.snapshot, state.snapshot);
  EXPECT_EQ(again.awaited, state.awaited);
}

TEST_P(DestinationConformance, a_stream_that_was_taken_over_is_written_by_its_new_holder_only) {
  auto old = ledger("one"), next = ledger("one");
  auto state = must(old.take_over(*server_));
  const auto other = connect();
  must(next.take_over(*other));
  EXPECT_GT(next.token(), old.token());
  must(server_->begin());
  EXPECT_EQ(old.write(*server_, state).error().reason, Reason::Superseded);
  EXPECT_EQ(old.hold(*server_).error().reason, Reason::Superseded);
  server_->rollback();
  EXPECT_EQ(old.check(*server_).error().reason, Reason::Superseded);
  must(next.check(*server_));
  EXPECT_EQ(ledger("two").take_over(*server_).error().reason, Reason::Superseded) << "another instance has the stream";
  must(next.check(*server_));
}

TEST_P(DestinationConformance, taking_over_waits_for_the_transaction_of_the_holder) {
  auto old = ledger("one"), next = ledger("one");
  auto state = must(old.take_over(*server_));
  state.next_offset = 3;
  must(server_->begin());
  must(old.write(*server_, state));
  std::optional<base::Result<apply::LedgerState>> taken;
  const auto other = connect();
  std::thread waits([&] { taken = next.take_over(*other); });
  insert(1, "one");
  const auto committed = server_->commit();
  waits.join();
  must(committed);
  ASSERT_TRUE(*taken) << taken->error().what;
  EXPECT_EQ((*taken)->next_offset, 3) << "what the holder had committed";
}

TEST_P(DestinationConformance, the_newest_instance_may_write) {
  const auto of = [&](const std::string& name) {
    return apply::Instances(config_.ledger_database, {"task", "topic", name});
  };
  must(of("one").claim(*server_, 2, {}));
  must(of("one").check(*server_));
  must(of("two").claim(*server_, 2, {}));
  EXPECT_EQ(of("one").check(*server_).error().reason, Reason::Superseded);
  EXPECT_EQ(of("one").claim(*server_, 2, {}).error().reason, Reason::Superseded);
  must(of("two").check(*server_));
  auto& store = server_->ledger();
  const apply::InstanceKey key{"task", "topic", "two"};
  EXPECT_FALSE(store.insert_instance(config_.ledger_database, key, 9));
  EXPECT_EQ(server_->last_failure(), Failure::DuplicateKey);
  must(store.trim_instances(config_.ledger_database, key, 0));
  const auto left = must(store.instances(config_.ledger_database, key, false));
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].instance, "two");
}

TEST_P(DestinationConformance, known_tables_are_read_as_they_were_stored) {
  auto mine = ledger("one");
  must(mine.take_over(*server_));
  auto tables = known();
  apply::KnownTable table{.target = "a.t",
                          .source = "s.t",
                          .schema = message::SchemaId(UINT64_MAX),
                          .columns = {"id", "v\n"},
                          .actions = {"fk (ON UPDATE CASCADE ON DELETE RESTRICT)"},
                          .created = "2026-01-01 00:00:00?",
                          .definition = "abc"};
  must(tables.store(*server_, mine.token(), table));
  must(tables.store_has_rows(*server_, "a.t", true));
  must(tables.store_filled(*server_, "a.t", {"v\n"}));
  table.has_rows = true;
  table.filled = {"v\n"};
  auto again = known();
  must(again.read(*server_));
  ASSERT_NE(again.find("a.t"), nullptr);
  EXPECT_EQ(*again.find("a.t"), table);
  EXPECT_EQ(must(known(1).other_source(*server_, "a.t", "s.u")), "s.t");
  EXPECT_FALSE(must(known(1).other_source(*server_, "a.t", "s.t")));
  EXPECT_EQ(must(known(0, "other").other_task(*server_, "a.t")), "task");
  EXPECT_FALSE(must(tables.other_task(*server_, "a.t")));
  auto changed = table;
  changed.columns = {"id"};
  EXPECT_EQ(again.store(*server_, mine.token() + 1, changed).error().reason, Reason::Superseded);
  must(again.remove(*server_, "a.t", mine.token() + 1));
  must(tables.read(*server_));
  EXPECT_NE(tables.find("a.t"), nullptr) << "only the holder of the stream removes it";
  must(tables.remove(*server_, "a.t", mine.token()));
  must(again.read(*server_));
  EXPECT_TRUE(again.all().empty());
}

TEST_P(DestinationConformance, held_tables_keep_their_places) {
  auto mine = ledger("one");
  must(mine.take_over(*server_));
  const auto held = [&] { return apply::HeldTables(config_.ledger_database, key_); };
  auto tables = held();
  apply::HeldTable table{.table = "a.t", .source = "s.t", .reason = Reason::RowConflict, .message = "refused"};
  table.at.next_offset = 5;
  table.at.gtids = *message::GtidSet::parse("0-1-5");
  table.refused_at = 6;
  must(tables.put(*server_, table));
  must(tables.refused(*server_, "s.t", Reason::ValueNotStorable, "again", 8));
  auto to = table.at;
  to.next_offset = 7;
  must(tables.move(*server_, {"s.t"}, to));
  auto again = held();
  must(again.load(*server_, {}));
  ASSERT_NE(again.find("s.t"), nullptr);
  EXPECT_EQ(again.find("s.t")->at.next_offset, 7);
  EXPECT_EQ(again.find("s.t")->at.gtids, table.at.gtids);
  EXPECT_EQ(again.find("s.t")->reason, Reason::ValueNotStorable);
  EXPECT_EQ(again.find("s.t")->tries, 2U);
  EXPECT_EQ(again.find("s.t")->refused_at, 8);
  must(again.empty_at(*server_, "s.t", to));
  must(again.load(*server_, {}));
  EXPECT_TRUE(again.find("s.t")->begins_empty());
  must(server_->ledger().remove_held(config_.ledger_database, key_, "s.t"));
  EXPECT_EQ(held().load(*server_, {}).error().reason, Reason::LedgerInvalid) << "the ledger names it";
  EXPECT_FALSE(must(server_->ledger().set_place(config_.ledger_database, key_, "s.t", to, false)));
}

TEST_P(DestinationConformance, nothing_is_left_of_a_task_that_was_forgotten) {
  auto mine = ledger("one");
  must(apply::Instances(config_.ledger_database, {"task", "topic", "one"}).claim(*server_, 1, {}));
  must(mine.take_over(*server_));
  auto tables = known();
  must(tables.store(*server_, mine.token(), {.target = "a.t", .source = "s.t"}));
  must(apply::Ledger::forget(*server_, config_.ledger_database, "task"));
  must(tables.read(*server_));
  EXPECT_TRUE(tables.all().empty());
  EXPECT_EQ(must(ledger("two").take_over(*server_)).next_offset, -1);
  EXPECT_TRUE(must(server_->ledger().instances(config_.ledger_database, {"task", "topic", "one"}, false)).empty());
}

// One line for each engine.
INSTANTIATE_TEST_SUITE_P(Engines, DestinationConformance,
                         testing::Values(NamedDestination{"mariadb", mariadb_destination},
                                         NamedDestination{"memory", memory_destination}),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace datasync::test
