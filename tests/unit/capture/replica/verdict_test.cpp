#include "agents/capture/replica/verdict.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using base::Reason;

TEST(Verdict, keeps_a_reason_that_all_share_and_lists_every_fix) {
  const auto same =
      verdict("r1:3306", {{Reason::KeyMissing, "a", "correct a"}, {Reason::KeyMissing, "b", "correct b"}});
  EXPECT_TRUE(same.error().is(Reason::KeyMissing));
  EXPECT_EQ(same.error().what, "r1:3306: a. Fix: correct a\nr1:3306: b. Fix: correct b");
  const auto mixed = verdict("r1:3306", {{Reason::KeyMissing, "a", "x"}, {Reason::PermissionDenied, "b", "y"}});
  EXPECT_TRUE(mixed.error().is(Reason::PreflightFailed));
  EXPECT_TRUE(verdict("r1:3306", {}));
}

}  // namespace
}  // namespace datasync::capture
