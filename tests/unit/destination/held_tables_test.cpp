#include "agents/destination/held_tables.hpp"

#include <gtest/gtest.h>

#include "agents/message/row.hpp"

namespace datasync::apply {
namespace {

using Names = std::vector<std::string>;

TEST(HeldTables, an_emptied_table_stays_known_after_an_aborted_transaction) {
  HeldTables held("ledger", {"task", "topic", 0});
  StreamLedger ledger(Ledger("ledger", {"task", "topic", 0}, {}, "instance"), held);
  LedgerState before;
  before.next_offset = 5;
  ledger.emptied("d.a", 5, before);
  before.next_offset = 8;
  ledger.emptied("d.a", 9, before);
  ledger.emptied("d.b", 9, before);
  ledger.forget_from(8);
  LedgerState committed;
  committed.next_offset = 12;
  ledger.committed(committed);
  EXPECT_EQ(ledger.take_moved(), (Names{"d.a"}));
}

TEST(HeldTables, foreign_keys_connect_tables_over_others_whatever_their_case) {
  ForeignKeyGraph graph;
  graph.add("d.item", "d.Order");
  graph.add("d.order", "d.customer");
  graph.add("d.tree", "d.tree");
  const Names among{"d.Item", "d.customer", "d.other", "d.tree"};
  EXPECT_EQ(graph.connected("d.item", among), (Names{"d.Item", "d.customer"}));
  EXPECT_EQ(graph.connected("d.tree", among), (Names{"d.tree"}));
  EXPECT_EQ(graph.connected("d.new", among), (Names{}));
}

// The table that is stored in the name was held with the other one that would be stored there too.
TEST(HeldTables, another_table_that_leads_to_the_name_of_a_held_one_is_not_connected) {
  ForeignKeyGraph graph;
  graph.add("d.item", "d.order");
  HeldTable other;
  other.table = "d.order";
  other.source = "s.old_order";
  HeldTable item;
  item.table = "d.item";
  item.source = "s.item";
  EXPECT_EQ(connected_held(graph, "d.order", {other}), (Names{}));
  EXPECT_EQ(connected_held(graph, "d.order", {other, item}), (Names{"s.item"}));
  EXPECT_EQ(connected_held(graph, "d.item", {other}), (Names{"s.old_order"}));
  EXPECT_EQ(connected_held(graph, "d.free", {other, item}), (Names{}));
}

// They were taken for tables that are not held, and applied from the stream's place on.
TEST(HeldTables, rows_that_were_deleted_by_hand_are_missed_until_a_copy_is_awaited) {
  EXPECT_EQ(missing_held({"d.a", "d.b"}, {"d.a", "d.b"}, {}), (Names{}));
  EXPECT_EQ(missing_held({"d.a", "d.b"}, {"d.b"}, {}), (Names{"d.a"}));
  EXPECT_EQ(missing_held({"d.a", "d.b"}, {}, {{"d.b", "copy/x"}}), (Names{"d.a"}));
  EXPECT_EQ(missing_held({}, {"d.c"}, {}), (Names{}));
}

// It ended after 2048 bytes: a table with many columns that must be altered got a message without the statements.
TEST(HeldTables, a_long_message_keeps_what_to_do_at_its_end) {
  std::string text = "d.t: ";
  for (int i = 0; i < 100; ++i)
    text += "column c (VARCHAR(10) at the destination, VARCHAR(40) at the source) is too narrow; ";
  const std::string way_on = "annotate the DataSync with datasync.dev/copy-tables=s.t";
  EXPECT_EQ(held_message(text + way_on), text + way_on);
  std::string very_long = text;
  while (very_long.size() < 70'000) very_long += "\xC3\xA4";
  const auto cut = held_message(very_long + way_on);
  EXPECT_LE(cut.size(), 60'000U);
  EXPECT_TRUE(cut.starts_with("d.t: column c") && cut.ends_with(way_on));
  EXPECT_EQ(held_message(cut), cut) << "no character was cut";
  EXPECT_EQ(held_message("a\xFF"), "a\xEF\xBF\xBD");
}

TEST(HeldTables, rows_that_begin_with_a_truncation_empty_their_table) {
  message::TableRows rows;
  EXPECT_FALSE(empties_table(rows));
  rows.rows = std::string(1, static_cast<char>(message::Op::Truncate));
  EXPECT_TRUE(empties_table(rows));
  rows.rows[0] = static_cast<char>(message::Op::Insert);
  EXPECT_FALSE(empties_table(rows));
}

}  // namespace
}  // namespace datasync::apply
