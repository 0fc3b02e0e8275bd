#include "agents/capture/plan/route.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

// These numbers are the contract of a topic: a table whose stream changes loses its order.
TEST(Route, never_changes_for_a_type) {
  EXPECT_EQ(stream_of("orders", 1), 0);
  for (const std::int32_t n : {2, 4, 7}) {
    EXPECT_GE(stream_of("orders", n), 0);
    EXPECT_LT(stream_of("orders", n), n);
    EXPECT_EQ(stream_of("orders", n), stream_of("orders", n));
  }
  EXPECT_EQ(stream_of("orders", 4), 3);
  EXPECT_EQ(stream_of("customers", 4), 1);
}

TEST(Route, derives_a_server_id_above_manually_chosen_ones) {
  EXPECT_GE(derived_server_id("sync/shop"), 1U << 30U);
  EXPECT_NE(derived_server_id("sync/shop"), derived_server_id("sync/shop2"));
}

}  // namespace
}  // namespace datasync::capture
