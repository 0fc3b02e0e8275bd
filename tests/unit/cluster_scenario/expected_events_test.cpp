#include "tests/cluster/expected_events.hpp"

#include <gtest/gtest.h>

namespace datasync::test {
namespace {

constexpr const char* kBegun = "2026-01-31T12:00:00.000000Z";
constexpr const char* kBefore = "2026-01-31T11:59:59.000000Z";
constexpr const char* kAfter = "2026-01-31T12:00:01.000000Z";

Observed seen(std::vector<Shown> shown, std::vector<ObservedEvent> events) {
  return {.uid = "u1", .begun = kBegun, .shown = std::move(shown), .events = std::move(events)};
}

TEST(ExpectedEvents, HasNoDifferenceWhenAllEventsArrive) {
  const auto reported = seen({{"Starting", "no pod"}, {"Streaming", ""}}, {{"u1", "Starting", "no pod", kAfter}});
  EXPECT_EQ(differences(reported, replaced()), "");
}

TEST(ExpectedEvents, FailWhenTheOperatorReportsNothing) {
  EXPECT_EQ(differences(seen({}, {}), replaced()), "conditions do not report Starting\n");
  EXPECT_EQ(differences(seen({{"Streaming", ""}}, {}), replaced()), "conditions do not report Starting\n");
}

TEST(ExpectedEvents, FailOnARestartWhereNothingIsExpected) {
  const auto reported = seen({{"Starting", "no pod"}, {"Streaming", ""}}, {{"u1", "Starting", "no pod", kAfter}});
  EXPECT_EQ(differences(reported, {}), "conditions report Starting\nEvents report Starting\n");
  EXPECT_EQ(differences(seen({{"Streaming", ""}, {"Snapshotting", ""}}, {}), {}), "") << "all is well";
}

TEST(ExpectedEvents, IgnoreEventsOfAnEarlierScenario) {
  const ExpectedEvents golden{.always = {"ImagePullFailed"}};
  const auto with = [](const ObservedEvent& event) { return seen({{"ImagePullFailed", "pod b: none"}}, {event}); };
  EXPECT_EQ(differences(with({"u1", "ImagePullFailed", "pod a: none", kBefore}), golden),
            "Events do not report ImagePullFailed\n");
  EXPECT_EQ(differences(with({"u0", "ImagePullFailed", "pod b: none", kBefore}), golden),
            "Events do not report ImagePullFailed\n")
      << "about a former resource";
  EXPECT_EQ(differences(with({"u1", "ImagePullFailed", "pod b: none", kAfter}), golden), "");
}

TEST(ExpectedEvents, AcceptARepeatedMessageThatIsOnlyCounted) {
  const auto reported = seen({{"Starting", "no pod"}}, {{"u1", "Starting", "no pod", kBefore}});
  EXPECT_EQ(differences(reported, replaced()), "");
}

TEST(ExpectedEvents, CountAnEventWithoutItsCondition) {
  const auto reported = seen({}, {{"u1", "CleanupDone", "deleted", kAfter}});
  EXPECT_EQ(differences(reported, {}), "Events report CleanupDone\n");
  EXPECT_EQ(differences(reported, {.events = {"CleanupDone"}}), "");
  EXPECT_EQ(differences(seen({}, {}), {.events = {"CleanupDone"}}), "Events do not report CleanupDone\n");
}

TEST(ExpectedEvents, AllowReasonsThatDependOnTimingToBeMissing) {
  EXPECT_EQ(differences(seen({}, {}), maybe_replaced()), "");
  const auto gone = seen({{"AgentGone", "pod a"}}, {{"u1", "AgentGone", "pod a", kAfter}});
  EXPECT_EQ(differences(gone, maybe_replaced()), "");
  EXPECT_EQ(differences(gone, {.sometimes = {"Starting"}}), "conditions report AgentGone\nEvents report AgentGone\n");
}

}  // namespace
}  // namespace datasync::test
