#include "agents/capture/stream/xa.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

message::GtidSet set(std::string_view text) {
  return *message::GtidSet::parse(text);
}

HeldTransaction held(std::uint64_t bytes) {
  HeldTransaction h;
  h.bytes = bytes;
  return h;
}

TEST(PreparedTransactions, keep_the_dump_before_a_prepare_that_is_open) {
  PreparedTransactions p;
  p.prepare("X'61',X'',1", set("0-1-4"), held(100));
  EXPECT_EQ(p.dump_from(set("0-1-9")), set("0-1-4"));
  EXPECT_EQ(p.bytes_left(), kMostHeldBytes - 100);
}

TEST(PreparedTransactions, keep_it_there_until_the_commit_is_published) {
  PreparedTransactions p;
  p.prepare("x", set("0-1-4"), held(100));
  ASSERT_TRUE(p.commit("x", {0, 1, 9}));
  EXPECT_EQ(p.dump_from(set("0-1-8")), set("0-1-4")) << "the commit is not acknowledged yet";
  EXPECT_EQ(p.dump_from(set("0-1-9")), set("0-1-9"));
  p.settle(set("0-1-9"));
  EXPECT_EQ(p.dump_from(set("0-1-8")), set("0-1-8"));
  EXPECT_EQ(p.bytes_left(), kMostHeldBytes);
}

TEST(PreparedTransactions, forget_one_that_is_rolled_back) {
  PreparedTransactions p;
  p.prepare("x", set("0-1-4"), held(100));
  p.rollback("x");
  p.rollback("never seen");
  EXPECT_EQ(p.open(), 0U);
  EXPECT_EQ(p.dump_from(set("0-1-9")), set("0-1-9"));
}

TEST(PreparedTransactions, do_not_know_a_commit_without_a_prepare) {
  PreparedTransactions p;
  EXPECT_FALSE(p.commit("x", {0, 1, 9}));
}

TEST(PreparedTransactions, take_the_lowest_floor_of_several) {
  PreparedTransactions p;
  p.prepare("x", set("0-1-4,1-1-7"), held(1));
  p.prepare("y", set("0-1-6,1-1-2"), held(1));
  EXPECT_EQ(p.dump_from(set("0-1-9,1-1-9")), set("0-1-4,1-1-2"));
}

}  // namespace
}  // namespace datasync::capture
