#include "agents/apply/read/gap_watch.hpp"

#include <gtest/gtest.h>

namespace datasync::apply {
namespace {

// Offsets with a hole passed unseen: the policy of a topic was changed to compact, and rows were missing for ever.
TEST(GapWatch, AnOffsetThatDoesNotComeIsALostRecord) {
  GapWatch watch("shop", 3);
  watch.start(10);
  EXPECT_TRUE(watch.see(10));
  EXPECT_TRUE(watch.end(11));
  EXPECT_TRUE(watch.see(11));
  const auto gap = watch.see(15);
  ASSERT_FALSE(gap);
  EXPECT_EQ(gap.error().reason, base::Reason::OffsetExpired);
  EXPECT_NE(gap.error().what.find("topic shop, partition 3: the records at the offsets 12 to 14 were removed"),
            std::string::npos)
      << gap.error().what;
  EXPECT_FALSE(watch.see(15)) << "a gap is no gap any more when it is asked for again";
  EXPECT_FALSE(watch.end(13));
}

TEST(GapWatch, ReadingRestartsAtTheGivenOffset) {
  GapWatch watch("shop", 0);
  watch.start(10);
  EXPECT_TRUE(watch.see(10));
  watch.start(5);
  EXPECT_TRUE(watch.see(5));
  EXPECT_FALSE(watch.see(7));
}

}  // namespace
}  // namespace datasync::apply
