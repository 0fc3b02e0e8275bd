#include "agents/capture/plan/position_loss.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

message::GtidSet at(const char* text) {
  return message::GtidSet::parse(text).value();
}

struct Row {
  const char* name;
  config::OnPositionLost declared;
  const char* accepted;
  const char* lost;
  bool may;
  const char* accepted_later;
};

class PositionLossRule : public testing::TestWithParam<Row> {};

TEST_P(PositionLossRule, accepts_only_the_declared_loss) {
  const auto& row = GetParam();
  config::Capture config;
  config.on_position_lost = row.declared;
  config.accept_position_lost = row.accepted;
  PositionLoss loss(config);
  EXPECT_EQ(loss.may_give_up(at(row.lost)), row.may);
  EXPECT_EQ(loss.accepted(), row.accepted_later);
  EXPECT_EQ(loss.lost(), *row.lost == '\0' ? "unknown" : row.lost);
  loss.regained();
  EXPECT_EQ(loss.lost(), "");
  EXPECT_EQ(loss.accepted(), row.accepted_later) << "stays reported";
}

using enum config::OnPositionLost;
INSTANTIATE_TEST_SUITE_P(
    Capture, PositionLossRule,
    testing::Values(Row{"halts_by_default", Halt, "", "0-1-7", false, ""},
                    Row{"does_not_halt_when_declared", Resnapshot, "", "0-1-7", true, ""},
                    Row{"takes_the_word_for_the_named_position", Halt, "0-1-7", "0-1-7", true, "0-1-7"},
                    Row{"takes_no_word_for_another_position", Halt, "0-1-7", "0-1-8", false, ""},
                    Row{"an_unknown_position_has_a_name_too", Halt, "unknown", "", true, "unknown"},
                    Row{"no_word_accepts_nothing", Halt, "", "", false, ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(PositionLoss, what_a_replica_may_still_have_is_given_up_only_if_a_user_accepts_it) {
  config::Capture config;
  config.on_position_lost = Resnapshot;
  PositionLoss loss(config);
  EXPECT_FALSE(loss.accepts(at("0-1-7")));
  EXPECT_EQ(loss.lost(), "0-1-7") << "what the user has to name";
  config.accept_position_lost = "0-1-7";
  EXPECT_FALSE(loss.accepts(at("0-1-8")));
  EXPECT_TRUE(loss.accepts(at("0-1-7")));
  EXPECT_EQ(loss.accepted(), "0-1-7");
}

}  // namespace
}  // namespace datasync::capture
