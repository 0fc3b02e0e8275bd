#include "agents/capture/plan/before_start.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

TEST(BeforeStart, is_kept_among_the_served_requests) {
  EXPECT_EQ(before_start_id("0-1-12/15"), "before/0-1-12/15");
  EXPECT_EQ(kept_before_start({"accept/0-1-12", before_start_id("0-1-12/15"), "before/1-1-2/9", "copy/a"}),
            (std::vector<std::string>{"0-1-12/15", "1-1-2/9"}));
  EXPECT_TRUE(kept_before_start({"accept/0-1-12"}).empty());
}

}  // namespace
}  // namespace datasync::capture
