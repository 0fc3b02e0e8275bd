#include "agents/capture/replica_picker.hpp"

#include <gtest/gtest.h>

#include "agents/capture/facts.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

message::GtidSet set(std::string_view text) {
  return *message::GtidSet::parse(text);
}

struct Row {
  const char* name;
  const char *executed, *oldest, *from, *newest;
  bool replicated;
  Fitness expected;
};

class Judge : public testing::TestWithParam<Row> {};

TEST_P(Judge, says) {
  const auto& r = GetParam();
  HistoryFacts facts;
  facts.executed = facts.binlog = set(r.executed);
  facts.oldest = set(r.oldest);
  facts.ever_replicated = r.replicated;
  EXPECT_EQ(judge(facts, {set(r.from), set(r.newest)}), r.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Replica, Judge,
    testing::Values(
        Row{"good_when_it_has_the_position_and_the_binlogs_after_it", "0-1-100", "0-1-40", "0-1-50", "0-1-50", true,
            Fitness::Good},
        Row{"good_at_exactly_the_position", "0-1-50", "0-1-50", "0-1-50", "0-1-50", true, Fitness::Good},
        Row{"behind_when_it_has_executed_less", "0-1-49", "", "0-1-50", "0-1-50", true, Fitness::Behind},
        Row{"behind_when_one_stream_has_more", "0-1-60", "", "0-1-50", "0-1-70", true, Fitness::Behind},
        Row{"behind_when_it_lacks_a_domain", "0-1-60", "", "0-1-50,2-1-1", "0-1-50,2-1-1", true, Fitness::Behind},
        Row{"purged_when_its_first_binlog_begins_later", "0-1-100", "0-1-51", "0-1-50", "0-1-50", true,
            Fitness::Purged},
        Row{"purged_when_a_new_domain_is_purged", "0-1-100,1-1-9", "1-1-3", "0-1-50", "0-1-50", true, Fitness::Purged},
        Row{"diverged_when_another_server_wrote_the_same_number", "0-2-50", "", "0-1-50", "0-1-50", true,
            Fitness::Diverged},
        Row{"good_when_another_primary_went_on", "0-2-51", "", "0-1-50", "0-1-50", true, Fitness::Good},
        Row{"diverged_when_a_primary_has_less_than_was_published", "0-1-10", "", "0-1-50", "0-1-50", false,
            Fitness::Diverged}),
    [](const auto& row) { return row.param.name; });

struct Choice {
  const char* name;
  std::vector<Lateness> fit;
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

TEST(LatenessOf, is_that_of_the_latest_of_its_primaries) {
  const auto row = [](const char* io, const char* sql, std::optional<std::string> seconds) {
    sql::Row r(45);
    r[12] = io;
    r[13] = sql;
    r[34] = std::move(seconds);
    return r;
  };
  EXPECT_FALSE(late(lateness_of({})));
  const auto both = lateness_of({row("Yes", "Yes", "4"), row("Yes", "Yes", "70")});
  EXPECT_TRUE(both.replicates);
  EXPECT_EQ(both.seconds, 70);
  EXPECT_FALSE(lateness_of({row("Yes", "No", {}), row("Yes", "Yes", "0")}).replicates);
  EXPECT_FALSE(lateness_of({row("Connecting", "Yes", {})}).replicates);
}

TEST(Refusals, tell_of_all_and_wait_before_they_halt) {
  const auto e = combine({{"a", Error(Reason::SourceUnreachable, "a is down")},
                          {"b", Error(Reason::BinlogPurged, "b is purged")},
                          {"c", Error(Reason::WaitingForReplica, "c is behind")}});
  EXPECT_EQ(e.reason, Reason::WaitingForReplica);
  EXPECT_EQ(e.what, "c is behind; a is down; b is purged");
}

TEST(Refusals, tell_what_a_person_must_mend_before_what_may_heal) {
  EXPECT_EQ(combine({{"a", Error(Reason::SourceUnreachable, "a")}, {"b", Error(Reason::PreflightFailed, "b")}}).reason,
            Reason::PreflightFailed);
}

TEST(Refusals, a_position_is_lost_only_when_no_replica_is_left_that_may_have_it) {
  const Refusal purged{"b", Error(Reason::BinlogPurged, "b")};
  EXPECT_EQ(combine({{"a", Error(Reason::SourceUnreachable, "a")}, purged}).reason, Reason::SourceUnreachable);
  EXPECT_EQ(combine({{"a", Error(Reason::PreflightFailed, "a")}, purged}).reason, Reason::PreflightFailed);
  EXPECT_EQ(combine({{"a", Error(Reason::BinlogPurged, "a")}, purged}).reason, Reason::BinlogPurged);
}

}  // namespace
}  // namespace datasync::capture
