#include "agents/capture/snapshot/read_retry.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;
using std::chrono::seconds;

struct TriesTest : testing::Test {
  TriesTest() { stopped.request_stop(); }
  base::Result<void> fail(Reason reason) { return tries.failed("a.t", Error(reason, "why"), stopped.get_token()); }

  ChunkGate gate;
  base::SteadyTime now = base::steady_now();
  std::optional<Reason> told;
  ReadRetry tries{gate, [this](const Error* e) { told = e == nullptr ? std::nullopt : std::optional(e->reason); },
                  [this] { return now; }};
  std::stop_source stopped;  // no wait takes time
};

// A place that was passed again and again was read again at once, for ever.
TEST_F(TriesTest, rows_whose_place_was_passed_are_waited_for_like_any_failure) {
  EXPECT_EQ(place_passed().outcome(), base::Outcome::Retry);
  const auto waited = fail(place_passed().reason);
  ASSERT_FALSE(waited);
  EXPECT_TRUE(waited.error().is(Reason::Stopping)) << "it waited";
}

TEST_F(TriesTest, what_does_not_heal_is_returned) {
  EXPECT_EQ(fail(Reason::KeyMissing).error().reason, Reason::KeyMissing);
  EXPECT_EQ(fail(Reason::ProducerFailed).error().reason, Reason::ProducerFailed);
}

TEST_F(TriesTest, what_lasts_is_told_until_it_is_over) {
  EXPECT_FALSE(fail(Reason::PermissionDenied));
  now += seconds(9);
  EXPECT_FALSE(fail(Reason::PermissionDenied));
  EXPECT_FALSE(told);
  now += seconds(1);
  EXPECT_FALSE(fail(Reason::PermissionDenied));
  EXPECT_EQ(told, Reason::PermissionDenied);
  EXPECT_FALSE(gate.doubted());
  tries.succeeded();
  EXPECT_FALSE(told);
}

TEST_F(TriesTest, a_name_that_leads_elsewhere_for_long_makes_the_dump_begin_anew_now_and_then) {
  EXPECT_FALSE(fail(Reason::SourceMoved));
  EXPECT_FALSE(gate.doubted());
  now += seconds(10);
  EXPECT_FALSE(fail(Reason::SourceMoved));
  EXPECT_TRUE(gate.doubted());
  gate.connected("r1:3306", "server 1", {});
  now += seconds(9);
  EXPECT_FALSE(fail(Reason::SourceMoved));
  EXPECT_FALSE(gate.doubted()) << "not at every try";
  now += seconds(1);
  EXPECT_FALSE(fail(Reason::SourceMoved));
  EXPECT_TRUE(gate.doubted());
}

}  // namespace
}  // namespace datasync::capture
