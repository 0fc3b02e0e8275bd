// Every interleaving over small histories: right as it is, wrong as soon as one
// rule is taken away.

#include <algorithm>
#include <iostream>

#include <gtest/gtest.h>

#include "tests/model/apply_model.hpp"
#include "tests/model/capture_model.hpp"

namespace datasync::model {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSlow = true;
#else
constexpr bool kSlow = false;
#endif

std::string description(const Found& found) {
  std::string out = std::to_string(found.states) + " states";
  if (found.violation) out += "; " + *found.violation;
  for (const auto& step : found.trace) out += "\n  " + step;
  return out;
}

struct Size {
  const char* name;
  CaptureLimits limits;
  bool large = false;
};
class Capture : public testing::TestWithParam<Size> {};

TEST_P(Capture, loses_and_repeats_nothing) {
  if (GetParam().large && kSlow) GTEST_SKIP() << "too slow under a sanitizer";
  CaptureModel model(GetParam().limits, {});
  const auto found = model.run();
  std::cout << description(found) << "\n";
  EXPECT_FALSE(found.violation) << description(found);
  EXPECT_TRUE(found.complete);
}

INSTANTIATE_TEST_SUITE_P(Model, Capture,
                         testing::Values(Size{"two_instances_that_claim_three_times",
                                              {.source = {2, 1}, .instances = 2, .tries = 3}},
                                         Size{"three_instances_one_transaction_in_two_parts", {.source = {2}}},
                                         Size{"three_instances_two_transactions", {.source = {1, 1}}},
                                         Size{"three_instances_that_claim_twice", {.source = {1}, .tries = 2}},
                                         Size{"three_instances_two_transactions_three_parts", {.source = {2, 1}}, true},
                                         Size{"four_instances_one_transaction", {.source = {1}, .instances = 4}}),
                         [](const auto& row) { return row.param.name; });

struct Removed {
  const char* name;
  Mutation mutation;
};
class CaptureWithout : public testing::TestWithParam<Removed> {};

TEST_P(CaptureWithout, a_rule_loses_or_repeats) {
  CaptureModel model({}, GetParam().mutation);
  const auto found = model.run();
  std::cout << description(found) << "\n";
  EXPECT_TRUE(found.violation) << "the search does not notice that the rule is gone";
}

INSTANTIATE_TEST_SUITE_P(Model, CaptureWithout,
                         testing::Values(Removed{"lower_epochs_ignored", {.lower_epochs_counted = true}},
                                         Removed{"the_claim_race_settled", {.claim_race_unsettled = true}},
                                         Removed{"only_certain_checkpoints", {.newest_checkpoint_believed = true}},
                                         Removed{"the_position_behind_the_acknowledgement",
                                                 {.position_before_acknowledgement = true}}),
                         [](const auto& row) { return row.param.name; });

/// The streams that the capture model can leave behind, without those that are the beginning of another.
std::vector<std::vector<StreamRecord>> streams(const Source& source) {
  CaptureModel capture({.source = source}, {});
  EXPECT_TRUE(capture.run().complete);
  std::vector<std::pair<std::string, std::vector<StreamRecord>>> all;
  for (const auto& stream : capture.streams()) {
    std::string key;
    for (const auto& r : stream) put(key, r);
    all.emplace_back(key, stream);
  }
  std::ranges::sort(all, {}, [](const auto& entry) { return entry.first; });
  std::vector<std::vector<StreamRecord>> out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i + 1 == all.size() || !all[i + 1].first.starts_with(all[i].first)) out.push_back(all[i].second);
  return out;
}

class Apply : public testing::TestWithParam<Source> {};

TEST_P(Apply, stores_every_change_of_the_stream_once) {
  std::size_t states = 0;
  const auto all = streams(GetParam());
  for (const auto& stream : all) {
    ApplyModel model(stream, 2, {});
    const auto found = model.run();
    states += found.states;
    ASSERT_FALSE(found.violation) << description(found);
    ASSERT_TRUE(found.complete);
  }
  std::cout << all.size() << " streams, " << states << " states\n";
}

TEST_P(Apply, repeats_when_the_token_is_not_checked) {
  for (const auto& stream : streams(GetParam())) {
    const auto found = ApplyModel(stream, 2, {.token_unchecked = true}).run();
    if (!found.violation) continue;
    std::cout << description(found) << "\n";
    return;
  }
  FAIL() << "the search does not notice that the rule is gone";
}

INSTANTIATE_TEST_SUITE_P(Model, Apply, testing::Values(Source{2}, Source{1, 1}));

TEST(ApplyModel, three_instances_with_a_zombies_records_in_the_stream) {
  const std::vector<StreamRecord> stream{{1, 0, 0, false}, {1, 1, 0, false}, {1, 1, 1, true},  {1, 2, 0, false},
                                         {2, 0, 0, false}, {1, 2, 1, true},  {2, 2, 0, false}, {1, 3, 0, true},
                                         {2, 2, 1, true},  {3, 0, 0, false}, {2, 3, 0, true},  {3, 3, 0, true}};
  const auto found = ApplyModel(stream, 3, {}).run();
  std::cout << description(found) << "\n";
  EXPECT_FALSE(found.violation) << description(found);
  EXPECT_TRUE(found.complete);
}

}  // namespace
}  // namespace datasync::model
