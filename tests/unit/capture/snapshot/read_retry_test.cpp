#include "agents/capture/snapshot/read_retry.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;
using std::chrono::seconds;

struct ReadRetryTest : testing::Test {
  ReadRetryTest() { stopped.request_stop(); }
  base::Result<void> fail(Reason reason) { return tries.failed("a.t", Error(reason, "why"), stopped.get_token()); }

  ChunkGate gate;
  base::SteadyTime now = base::steady_now();
  std::optional<Reason> reported;
  ReadRetry tries{gate, [this](const Error* e) { reported = e == nullptr ? std::nullopt : std::optional(e->reason); },
                  [this] { return now; }};
  std::stop_source stopped;  // no wait takes time
};

// A place that was passed again and again was read again at once, for ever.
TEST_F(ReadRetryTest, rows_whose_place_was_passed_are_retried_like_any_failure) {
  EXPECT_EQ(place_passed().outcome(), base::Outcome::Retry);
  const auto waited = fail(place_passed().reason);
  ASSERT_FALSE(waited);
  EXPECT_TRUE(waited.error().is(Reason::Stopping)) << "it waited";
}

TEST_F(ReadRetryTest, a_permanent_error_is_returned) {
  EXPECT_EQ(fail(Reason::KeyMissing).error().reason, Reason::KeyMissing);
  EXPECT_EQ(fail(Reason::ProducerFailed).error().reason, Reason::ProducerFailed);
}

TEST_F(ReadRetryTest, a_lasting_error_is_reported_until_it_ends) {
  EXPECT_FALSE(fail(Reason::PermissionDenied));
  now += seconds(9);
  EXPECT_FALSE(fail(Reason::PermissionDenied));
  EXPECT_FALSE(reported);
  now += seconds(1);
  EXPECT_FALSE(fail(Reason::PermissionDenied));
  EXPECT_EQ(reported, Reason::PermissionDenied);
  EXPECT_FALSE(gate.doubted());
  tries.succeeded();
  EXPECT_FALSE(reported);
}

TEST_F(ReadRetryTest, rows_that_stay_in_doubt_are_reported_until_they_are_certain) {
  EXPECT_TRUE(tries.in_doubt({}));
  now += seconds(9);
  EXPECT_TRUE(tries.in_doubt({}));
  EXPECT_FALSE(reported);
  now += seconds(1);
  EXPECT_TRUE(tries.in_doubt({}));
  EXPECT_EQ(reported, Reason::SourceRestarted);
  tries.succeeded();
  EXPECT_FALSE(reported);
  EXPECT_TRUE(tries.in_doubt({}));
  EXPECT_FALSE(reported) << "the time begins again";
}

TEST_F(ReadRetryTest, a_host_name_of_another_server_restarts_the_dump_at_times) {
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
