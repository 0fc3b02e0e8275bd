#include "operator/status/figures.hpp"

#include <gtest/gtest.h>

namespace datasync::status {
namespace {

TEST(Figures, durations_get_coarser_as_they_get_longer) {
  const std::pair<double, const char*> kRows[] = {
      {0, "<1s"}, {0.99, "<1s"}, {-3, "<1s"},  {1, "1s"},          {9.9, "9s"},       {14, "10s"},    {59, "55s"},
      {60, "1m"}, {3599, "59m"}, {3600, "1h"}, {47 * 3600, "47h"}, {48 * 3600, "2d"}, {1e9, "11574d"}};
  for (const auto& [seconds, text] : kRows) EXPECT_EQ(duration_text(seconds), text) << seconds;
}

TEST(Figures, counts_keep_three_digits) {
  const std::pair<std::uint64_t, std::uint64_t> kRows[] = {{0, 0},
                                                           {999, 999},
                                                           {1000, 1000},
                                                           {1009, 1000},
                                                           {12345, 12300},
                                                           {999999, 999000},
                                                           {18446744073709551615U, 18400000000000000000U}};
  for (const auto& [exact, shown] : kRows) EXPECT_EQ(rounded(exact), shown) << exact;
}

TEST(Figures, changing_figures_are_distinguished_from_constant_ones) {
  const auto status = Json::parse(R"({"source":"a","lag":"1s","rows":1,
    "conditions":[{"reason":"x","message":"at 0-1-2"}],
    "capture":{"state":"Streaming","message":"published is 0-1-2","position":"0-1-2","lag":{"capture":"1s"},"rows":1,"transactions":2,
               "binlogHoursLeft":3,"snapshot":{"percent":1},"lostPosition":"x","endpoint":"a"}})");
  EXPECT_EQ(without_figures(status), Json::parse(R"({"source":"a","conditions":[{"reason":"x"}],
    "capture":{"state":"Streaming","lostPosition":"x","endpoint":"a"}})"));
  EXPECT_EQ(without_figures(Json()), Json());
}

}  // namespace
}  // namespace datasync::status
