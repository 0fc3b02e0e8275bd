#include "agents/capture/replica/replica_picker.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

struct Choice {
  const char* name;
  std::vector<source::ReplicationLag> fit;
  std::size_t chosen;
};

class Choose : public testing::TestWithParam<Choice> {};

TEST_P(Choose, takes) {
  EXPECT_EQ(choose(GetParam().fit), GetParam().chosen);
}

constexpr std::optional<double> kUnknown;

// Lag was not looked at: the first fit candidate was taken, however late.
INSTANTIATE_TEST_SUITE_P(
    Candidates, Choose,
    testing::Values(Choice{"the_only_one_however_late", {{true, 9999}}, 0},
                    Choice{"the_only_one_even_when_it_stands", {{false, kUnknown}}, 0},
                    Choice{"the_first_when_none_is_late", {{true, 5}, {true, 0}}, 0},
                    Choice{"the_first_at_exactly_the_limit", {{true, kLateSeconds}, {true, 0}}, 0},
                    Choice{"the_next_when_the_first_is_late", {{true, 61}, {true, 59}}, 1},
                    Choice{"unknown_as_not_late", {{true, 61}, {true, kUnknown}, {true, 0}}, 1},
                    Choice{"the_next_when_the_first_stands", {{false, kUnknown}, {true, 3}}, 1},
                    Choice{"one_that_stands_as_late_though_it_tells_0", {{false, 0}, {true, 9}}, 1},
                    Choice{"the_least_late", {{true, 900}, {true, 300}, {true, 600}}, 1},
                    Choice{"a_late_one_before_one_that_stands", {{false, kUnknown}, {true, 900}}, 1},
                    Choice{"the_first_when_all_stand", {{false, kUnknown}, {false, kUnknown}}, 0}),
    [](const auto& row) { return row.param.name; });

TEST(Refusals, name_all_replicas_and_wait_before_they_halt) {
  const auto e = combine({{"a", Error(Reason::SourceUnreachable, "a is down")},
                          {"b", Error(Reason::BinlogPurged, "b is purged")},
                          {"c", Error(Reason::WaitingForReplica, "c is behind")}});
  EXPECT_EQ(e.reason, Reason::WaitingForReplica);
  EXPECT_EQ(e.what, "c is behind; a is down; b is purged");
}

TEST(Refusals, list_manual_fixes_before_transient_errors) {
  EXPECT_EQ(combine({{"a", Error(Reason::SourceUnreachable, "a")}, {"b", Error(Reason::PreflightFailed, "b")}}).reason,
            Reason::PreflightFailed);
}

TEST(Refusals, a_position_is_lost_only_when_no_replica_may_have_it) {
  const Refusal purged{"b", Error(Reason::BinlogPurged, "b")};
  EXPECT_EQ(combine({{"a", Error(Reason::SourceUnreachable, "a")}, purged}).reason, Reason::SourceUnreachable);
  EXPECT_EQ(combine({{"a", Error(Reason::PreflightFailed, "a")}, purged}).reason, Reason::PreflightFailed);
  EXPECT_EQ(combine({{"a", Error(Reason::BinlogPurged, "a")}, purged}).reason, Reason::BinlogPurged);
}

}  // namespace
}  // namespace datasync::capture
