#include "agents/capture/gtid_order.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using base::Reason;

message::GtidSet set(std::string_view text) {
  return *message::GtidSet::parse(text);
}

message::Gtid gtid(std::string_view text) {
  return *message::Gtid::parse(text);
}

// Gtid_strict_mode was off for a while; the transaction was skipped as one that is published already.
TEST(GtidOrder, a_number_that_falls_is_another_history) {
  GtidOrder order(set("0-1-10"), false);
  EXPECT_TRUE(order.transaction(gtid("0-1-11")));
  EXPECT_TRUE(order.transaction(gtid("0-2-14"))) << "a hole in the middle is the server's own affair";
  EXPECT_TRUE(order.transaction(gtid("3-2-1"))) << "domains are apart";
  EXPECT_EQ(order.transaction(gtid("0-1-12")).error().reason, Reason::GtidDiverged);
  EXPECT_EQ(order.transaction(gtid("0-1-14")).error().reason, Reason::GtidDiverged);
  GtidOrder first(set("0-1-10"), false);
  EXPECT_EQ(first.transaction(gtid("0-1-10")).error().reason, Reason::GtidDiverged);
}

TEST(GtidOrder, a_transaction_cut_off_in_the_binlog_may_come_again) {
  GtidOrder order(set("0-1-10"), false);
  EXPECT_TRUE(order.transaction(gtid("0-1-11")));
  order.broken_off();
  EXPECT_TRUE(order.transaction(gtid("0-1-11")));
  EXPECT_FALSE(order.transaction(gtid("0-1-11")));
}

// A position in a hole was BinlogCorrupt.
TEST(GtidOrder, after_a_hole_only_the_next_number_proves_that_nothing_is_missing) {
  GtidOrder order(set("0-1-10,1-1-5"), true);
  EXPECT_TRUE(order.transaction(gtid("0-2-11")));
  EXPECT_TRUE(order.transaction(gtid("0-2-13"))) << "only the first one after the position";
  EXPECT_EQ(order.transaction(gtid("1-1-7")).error().reason, Reason::BinlogPurged);
  EXPECT_TRUE(order.transaction(gtid("2-1-7"))) << "a domain that the position does not have";
}

// After RESET MASTER the dump waits at the end of a file that was deleted, until the new one is rotated.
TEST(GtidOrder, a_file_that_begins_after_what_was_not_seen_is_noticed) {
  GtidOrder order(set("0-1-10"), false);
  EXPECT_TRUE(order.file(set("0-1-4")));
  EXPECT_TRUE(order.transaction(gtid("0-1-11")));
  EXPECT_TRUE(order.file(set("0-1-11,5-1-1"))) << "a domain that the dump was not asked for";
  EXPECT_EQ(order.file(set("0-1-13")).error().reason, Reason::SourceRestarted);
}

}  // namespace
}  // namespace datasync::capture
