#include "agents/protocol/reader_rule.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace datasync::protocol {
namespace {

using message::Epoch;
using message::Kind;
using Verdict = ReaderRule::Verdict;

struct Row {
  const char* name;
  std::uint64_t current;
  Kind kind;
  std::uint64_t epoch;
  Verdict verdict;
  std::uint64_t after;
};

class Rule : public testing::TestWithParam<Row> {};

TEST_P(Rule, holds) {
  const auto& row = GetParam();
  ReaderRule rule{Epoch(row.current)};
  EXPECT_EQ(rule.see({row.kind, "", Epoch(row.epoch), message::End::None}), row.verdict);
  EXPECT_EQ(rule.epoch(), Epoch(row.after));
}

INSTANTIATE_TEST_SUITE_P(
    Reader, Rule,
    testing::Values(Row{"takes_a_record_of_the_current_epoch", 3, Kind::Change, 3, Verdict::Take, 3},
                    Row{"takes_a_watermark_of_the_current_epoch", 3, Kind::Watermark, 3, Verdict::Take, 3},
                    Row{"ignores_a_record_of_a_lower_epoch", 3, Kind::Change, 2, Verdict::Ignore, 3},
                    Row{"ignores_a_lower_start", 3, Kind::Start, 2, Verdict::Ignore, 3},
                    Row{"ignores_a_repeated_start", 3, Kind::Start, 3, Verdict::Ignore, 3},
                    Row{"a_higher_start_begins_an_epoch", 3, Kind::Start, 4, Verdict::NewEpoch, 4},
                    Row{"epochs_may_be_skipped", 3, Kind::Start, 9, Verdict::NewEpoch, 9},
                    Row{"a_record_of_an_epoch_that_has_not_started_is_foreign", 3, Kind::Change, 4, Verdict::Foreign,
                        3},
                    Row{"a_record_before_any_start_is_foreign", 0, Kind::Change, 1, Verdict::Foreign, 0},
                    Row{"epoch_zero_is_foreign", 0, Kind::Change, 0, Verdict::Foreign, 0},
                    Row{"a_start_of_epoch_zero_is_foreign", 0, Kind::Start, 0, Verdict::Foreign, 0},
                    Row{"a_claim_on_a_stream_is_foreign", 3, Kind::Claim, 3, Verdict::Foreign, 3},
                    Row{"a_checkpoint_on_a_stream_is_foreign", 3, Kind::Checkpoint, 2, Verdict::Foreign, 3}),
    [](const auto& row) { return row.param.name; });

TEST(ReaderRule, stays_with_the_highest_epoch_while_a_zombie_writes_on) {
  ReaderRule rule;
  EXPECT_EQ(rule.see({Kind::Start, "", Epoch(1), {}}), Verdict::NewEpoch);
  EXPECT_EQ(rule.see({Kind::Change, "a", Epoch(1), {}}), Verdict::Take);
  EXPECT_EQ(rule.see({Kind::Start, "", Epoch(2), {}}), Verdict::NewEpoch);
  EXPECT_EQ(rule.see({Kind::Change, "a", Epoch(1), message::End::Transaction}), Verdict::Ignore);
  EXPECT_EQ(rule.see({Kind::Start, "", Epoch(1), {}}), Verdict::Ignore);
  EXPECT_EQ(rule.see({Kind::Change, "a", Epoch(1), {}}), Verdict::Ignore);
  EXPECT_EQ(rule.see({Kind::Change, "a", Epoch(2), {}}), Verdict::Take);
}

}  // namespace
}  // namespace datasync::protocol
