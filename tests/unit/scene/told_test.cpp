#include "tests/cluster/told.hpp"

#include <gtest/gtest.h>

namespace datasync::test {
namespace {

constexpr const char* kBegun = "2026-01-31T12:00:00.000000Z";
constexpr const char* kBefore = "2026-01-31T11:59:59.000000Z";
constexpr const char* kAfter = "2026-01-31T12:00:01.000000Z";

Observed seen(std::vector<Shown> shown, std::vector<EventTold> events) {
  return {.uid = "u1", .begun = kBegun, .shown = std::move(shown), .events = std::move(events)};
}

TEST(Told, AStoryThatIsToldAsItShallBeHasNoDifference) {
  const auto told = seen({{"Starting", "no pod"}, {"Streaming", ""}}, {{"u1", "Starting", "no pod", kAfter}});
  EXPECT_EQ(differences(told, replaced()), "");
}

TEST(Told, AnOperatorThatTellsNothingFails) {
  EXPECT_EQ(differences(seen({}, {}), replaced()), "conditions do not tell Starting\n");
  EXPECT_EQ(differences(seen({{"Streaming", ""}}, {}), replaced()), "conditions do not tell Starting\n");
}

TEST(Told, WhereNothingMayBeToldARestartIsTooMuch) {
  const auto told = seen({{"Starting", "no pod"}, {"Streaming", ""}}, {{"u1", "Starting", "no pod", kAfter}});
  EXPECT_EQ(differences(told, {}), "conditions tell Starting\nEvents tell Starting\n");
  EXPECT_EQ(differences(seen({{"Streaming", ""}, {"Snapshotting", ""}}, {}), {}), "") << "all is well";
}

TEST(Told, AnEventOfAnEarlierStoryIsNone) {
  const Told golden{.always = {"ImagePullFailed"}};
  const auto with = [](const EventTold& event) { return seen({{"ImagePullFailed", "pod b: none"}}, {event}); };
  EXPECT_EQ(differences(with({"u1", "ImagePullFailed", "pod a: none", kBefore}), golden),
            "Events do not tell ImagePullFailed\n");
  EXPECT_EQ(differences(with({"u0", "ImagePullFailed", "pod b: none", kBefore}), golden),
            "Events do not tell ImagePullFailed\n")
      << "about a former resource";
  EXPECT_EQ(differences(with({"u1", "ImagePullFailed", "pod b: none", kAfter}), golden), "");
}

TEST(Told, TheSameWordsOnceMoreAreCountedNotToldAgain) {
  const auto told = seen({{"Starting", "no pod"}}, {{"u1", "Starting", "no pod", kBefore}});
  EXPECT_EQ(differences(told, replaced()), "");
}

TEST(Told, AnEventWithoutItsConditionIsOne) {
  const auto told = seen({}, {{"u1", "CleanupDone", "deleted", kAfter}});
  EXPECT_EQ(differences(told, {}), "Events tell CleanupDone\n");
  EXPECT_EQ(differences(told, {.events = {"CleanupDone"}}), "");
  EXPECT_EQ(differences(seen({}, {}), {.events = {"CleanupDone"}}), "Events do not tell CleanupDone\n");
}

TEST(Told, WhatDependsOnTheMomentMayBeMissing) {
  EXPECT_EQ(differences(seen({}, {}), maybe_replaced()), "");
  const auto gone = seen({{"AgentGone", "pod a"}}, {{"u1", "AgentGone", "pod a", kAfter}});
  EXPECT_EQ(differences(gone, maybe_replaced()), "");
  EXPECT_EQ(differences(gone, {.sometimes = {"Starting"}}), "conditions tell AgentGone\nEvents tell AgentGone\n");
}

}  // namespace
}  // namespace datasync::test
