#include "agents/source/mariadb/gtid_order.hpp"

#include <gtest/gtest.h>

namespace datasync::source::mariadb {
namespace {

using base::Reason;

message::GtidSet set(std::string_view text) {
  return *message::GtidSet::parse(text);
}

message::Gtid gtid(std::string_view text) {
  return *message::Gtid::parse(text);
}

// Gtid_strict_mode was off for a while; the transaction was skipped as one that is published already.
TEST(GtidOrder, a_lower_sequence_number_is_a_diverged_history) {
  GtidOrder order(set("0-1-10"), false);
  EXPECT_TRUE(order.transaction(gtid("0-1-11")));
  EXPECT_TRUE(order.transaction(gtid("0-2-14"))) << "a hole in the middle is the server's own affair";
  EXPECT_TRUE(order.transaction(gtid("3-2-1"))) << "domains are apart";
  EXPECT_EQ(order.transaction(gtid("0-1-12")).error().reason, Reason::GtidDiverged);
  EXPECT_EQ(order.transaction(gtid("0-1-14")).error().reason, Reason::GtidDiverged);
  GtidOrder first(set("0-1-10"), false);
  EXPECT_EQ(first.transaction(gtid("0-1-10")).error().reason, Reason::GtidDiverged);
}

// A dump from 0-1-12 begins with 0-1-15 where numbers fell before it: a new stream could never go on.
TEST(GtidOrder, numbers_that_fell_before_a_new_stream_are_no_part_of_it) {
  const std::vector<FallenNumbers> fallen{{gtid("0-1-12"), 15}};
  GtidOrder order(set("0-1-12,1-1-3"), true, fallen);
  EXPECT_TRUE(order.precedes(gtid("0-1-15")));
  EXPECT_TRUE(order.file(set("0-1-10")));
  EXPECT_TRUE(order.file(set("0-1-15")));
  EXPECT_TRUE(order.precedes(gtid("0-1-11")));
  EXPECT_FALSE(order.precedes(gtid("1-1-4")));
  EXPECT_TRUE(order.precedes(gtid("0-1-12")));
  EXPECT_FALSE(order.precedes(gtid("0-1-14"))) << "after the position";
  EXPECT_TRUE(order.transaction(gtid("0-1-14"))) << "the position was found, so there is no hole";
  EXPECT_FALSE(order.precedes(gtid("0-1-13")));
  EXPECT_EQ(order.transaction(gtid("0-1-13")).error().reason, Reason::GtidDiverged);
}

TEST(GtidOrder, what_comes_after_a_new_stream_began_is_judged_whatever_fell_before) {
  const std::vector<FallenNumbers> fallen{{gtid("0-1-12"), 15}};
  GtidOrder later(set("0-1-16"), false, fallen);
  EXPECT_FALSE(later.precedes(gtid("0-1-15")));
  GtidOrder file(set("0-1-12"), false, fallen);
  EXPECT_TRUE(file.file(set("0-1-12"))) << "the file begins after the position";
  EXPECT_FALSE(file.precedes(gtid("0-1-14")));
  GtidOrder above(set("0-1-12"), true, fallen);
  EXPECT_FALSE(above.precedes(gtid("0-1-16")));
  EXPECT_EQ(above.transaction(gtid("0-1-16")).error().reason, Reason::BinlogPurged) << "the position was not found";
  GtidOrder between(set("0-1-13"), false, fallen);
  EXPECT_TRUE(between.precedes(gtid("0-1-15")));
  EXPECT_TRUE(between.precedes(gtid("0-1-13")));
}

TEST(FallenNumbers, are_found_before_the_position_and_kept_as_texts) {
  FallenSearch search(set("0-1-12,1-1-3"));
  for (const auto* g : {"0-1-14", "0-1-15", "1-1-9", "0-1-11", "0-1-12", "0-1-20"}) search.transaction(gtid(g));
  const std::vector<FallenNumbers> expected{{gtid("0-1-12"), 15}};
  EXPECT_EQ(search.found(), expected);
  EXPECT_EQ(fallen_text(expected[0]), "0-1-12/15");
  EXPECT_EQ(parse_fallen({fallen_text(expected[0]), "0-1-12", "0-1-12/15x"}), expected);
  FallenSearch none(set("0-1-12"));
  for (const auto* g : {"0-1-13", "0-1-14"}) none.transaction(gtid(g));
  EXPECT_TRUE(none.found().empty());
}

TEST(GtidOrder, a_transaction_cut_off_in_the_binlog_may_come_again) {
  GtidOrder order(set("0-1-10"), false);
  EXPECT_TRUE(order.transaction(gtid("0-1-11")));
  order.broken_off();
  EXPECT_TRUE(order.transaction(gtid("0-1-11")));
  EXPECT_FALSE(order.transaction(gtid("0-1-11")));
}

// A position in a hole was BinlogCorrupt.
TEST(GtidOrder, after_a_gap_only_the_next_number_proves_completeness) {
  GtidOrder order(set("0-1-10,1-1-5"), true);
  EXPECT_TRUE(order.transaction(gtid("0-2-11")));
  EXPECT_TRUE(order.transaction(gtid("0-2-13"))) << "only the first one after the position";
  EXPECT_EQ(order.transaction(gtid("1-1-7")).error().reason, Reason::BinlogPurged);
  EXPECT_TRUE(order.transaction(gtid("2-1-7"))) << "a domain that the position does not have";
}

// After RESET MASTER the dump waits at the end of a file that was deleted, until the new one is rotated.
TEST(GtidOrder, a_file_that_starts_after_unseen_events_is_detected) {
  GtidOrder order(set("0-1-10"), false);
  EXPECT_TRUE(order.file(set("0-1-4")));
  EXPECT_TRUE(order.transaction(gtid("0-1-11")));
  EXPECT_TRUE(order.file(set("0-1-11,5-1-1"))) << "a domain that the dump was not asked for";
  EXPECT_EQ(order.file(set("0-1-13")).error().reason, Reason::SourceRestarted);
}

}  // namespace
}  // namespace datasync::source::mariadb
