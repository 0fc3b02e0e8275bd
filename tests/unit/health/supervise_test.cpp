#include "agents/health/supervise.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace datasync::health {
namespace {

using base::Error;
using base::Millis;
using base::Reason;
using base::Result;

// Runs a script of results; the state that each wait saw is kept. The last result stops the loop.
struct SuperviseTest : testing::Test {
  Status status{{"capture", "sync/shop", "pod-1"}};
  std::stop_source stop;
  std::vector<Millis> waits;
  std::vector<std::string> seen;

  Patience patience() {
    Patience p;
    p.retry = base::Backoff(Millis(100), Millis(10'000), 1);
    p.halt = base::Backoff(Millis(4'000), Millis(15'000), 1);
    p.sleep = [this](std::stop_token token, Millis wait) {
      waits.push_back(wait);
      const auto reason = status.reason();
      seen.push_back(std::string(to_string(status.state())) + " " +
                     std::string(reason ? base::to_string(*reason) : ""));
      return !token.stop_requested();
    };
    return p;
  }

  ExitCode run(std::vector<std::function<Result<void>()>> script) {
    std::size_t step = 0;
    return supervise(
        "capture", status, stop.get_token(),
        [&](std::stop_token) -> Result<void> {
          if (step + 1 == script.size()) stop.request_stop();
          return script[step++]();
        },
        patience());
  }
};

std::function<Result<void>()> fails(Reason reason) {
  return [reason]() -> Result<void> { return Error(reason, "what"); };
}

TEST_F(SuperviseTest, transient_errors_are_retried_and_permanent_errors_stall) {
  EXPECT_EQ(run({fails(Reason::SourceUnreachable), fails(Reason::WaitingForReplica), fails(Reason::KeyMissing),
                 fails(Reason::Stopping)}),
            ExitCode::Done);
  EXPECT_EQ(seen, (std::vector<std::string>{"Retrying SourceUnreachable", "WaitingForReplica WaitingForReplica",
                                            "Stalled KeyMissing"}));
  EXPECT_EQ(status.state(), State::Stopping);
}

TEST_F(SuperviseTest, waits_grow_to_ten_seconds_and_start_again_after_progress) {
  std::vector<std::function<Result<void>()>> script(40, fails(Reason::BrokerUnreachable));
  script.push_back([this]() -> Result<void> {
    status.advance();
    return Error(Reason::BrokerUnreachable, "again");
  });
  script.push_back(fails(Reason::Stopping));
  run(script);
  ASSERT_EQ(waits.size(), 41U);
  EXPECT_GT(*std::max_element(waits.begin(), waits.end()), Millis(5'000));
  EXPECT_LE(*std::max_element(waits.begin(), waits.end()), Millis(10'000));
  EXPECT_LE(waits.back(), Millis(100));
}

TEST_F(SuperviseTest, a_stalled_agent_tries_again_every_2_to_15_seconds) {
  std::vector<std::function<Result<void>()>> script(50, fails(Reason::RowConflict));
  run(script);
  for (const auto wait : waits) {
    EXPECT_GE(wait, Millis(2'000));
    EXPECT_LE(wait, Millis(15'000));
  }
}

// A halt inside a large transaction published all that stands before it again every 2 to 15 s, without end.
TEST_F(SuperviseTest, an_expensive_halt_is_retried_less_and_less_often) {
  std::uint64_t bytes = 0;
  auto p = patience();
  p.spent = [&] { return bytes; };
  int runs = 0;
  supervise(
      "capture", status, stop.get_token(),
      [&](std::stop_token) -> Result<void> {
        if (++runs == 12) return Error(Reason::Stopping, "");
        bytes += 5'000'000;
        status.advance();  // what is published again is acknowledged again
        // Two replicas in turn, at another place in the binlog of each.
        return Error(Reason::RowTooLarge, runs % 2 == 0 ? "row 7 of shop.t, r1-bin.000004:77" : "r2-bin.000009:4");
      },
      p);
  ASSERT_EQ(waits.size(), 11U);
  EXPECT_LE(waits.at(0), Millis(15'000));  // once is no repetition
  for (std::size_t i = 1; i < waits.size(); ++i)
    EXPECT_GE(waits[i], std::min(Millis(15'000) * (1 << (i - 1)), Millis(600'000))) << i;
  EXPECT_LE(waits.back(), Millis(600'000));
}

TEST_F(SuperviseTest, halts_that_differ_or_cost_little_stay_at_2_to_15_seconds) {
  std::uint64_t bytes = 0;
  auto p = patience();
  p.spent = [&] { return bytes; };
  int runs = 0;
  supervise(
      "capture", status, stop.get_token(),
      [&](std::stop_token) -> Result<void> {
        if (++runs == 20) return Error(Reason::Stopping, "");
        const bool differs = runs < 10;
        bytes += differs ? 5'000'000 : 5'000;
        return Error(differs && runs % 2 == 0 ? Reason::BinlogCorrupt : Reason::RowTooLarge, "the same");
      },
      p);
  for (const auto wait : waits) EXPECT_LE(wait, Millis(15'000));
}

TEST_F(SuperviseTest, a_newer_instance_ends_it_with_its_own_exit_code) {
  EXPECT_EQ(run({fails(Reason::Superseded), fails(Reason::Internal)}), ExitCode::Superseded);
  EXPECT_TRUE(waits.empty());
  EXPECT_EQ(status.reason(), Reason::Superseded);
}

TEST_F(SuperviseTest, complete_work_stays_completed_until_it_is_stopped) {
  auto p = patience();
  int idle = 0;
  p.sleep = [&](std::stop_token, Millis) {
    EXPECT_EQ(status.state(), State::Completed);
    return ++idle < 3;
  };
  int runs = 0;
  const auto code = supervise(
      "apply", status, stop.get_token(),
      [&](std::stop_token) -> Result<void> {
        ++runs;
        return {};
      },
      p);
  EXPECT_EQ(code, ExitCode::Done);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(idle, 3);
}

TEST_F(SuperviseTest, a_stop_before_the_start_runs_nothing) {
  stop.request_stop();
  EXPECT_EQ(run({fails(Reason::Internal)}), ExitCode::Done);
  EXPECT_EQ(status.state(), State::Stopping);
}

TEST_F(SuperviseTest, an_error_during_a_stop_is_not_a_failure) {
  EXPECT_EQ(run({fails(Reason::SourceUnreachable)}), ExitCode::Done);
  EXPECT_EQ(status.reason(), std::nullopt);
}

}  // namespace
}  // namespace datasync::health
