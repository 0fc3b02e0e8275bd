#include "agents/apply/report.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace datasync::apply {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The value of the sample that begins with `name`; -1: there is none.
double sample(const health::Metrics& metrics, const std::string& name) {
  const auto text = "\n" + metrics.text();
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

TEST(StreamReport, shows_the_lag_of_the_status_as_a_gauge_while_it_exists) {
  constexpr auto kName = "datasync_apply_lag_seconds{stream=\"2\"}";
  health::Metrics metrics;
  {
    StreamReport report(metrics, 2);
    EXPECT_EQ(sample(metrics, kName), 0);
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(base::wall_now().time_since_epoch()).count();
    report.committed({}, {static_cast<std::uint64_t>(now) - 500'000'000U, now / 1000}, 1, base::steady_now());
    EXPECT_THAT(metrics.text(), HasSubstr("# TYPE datasync_apply_lag_seconds gauge\n"));
    const auto shown = sample(metrics, kName);
    const auto reported =
        nlohmann::json::parse(StreamReport::json("d", {&report}))["lag"]["totalSeconds"].get<double>();
    EXPECT_GE(shown, 500);
    EXPECT_GE(reported, shown);
    EXPECT_LT(reported, shown + 100);
    EXPECT_EQ(sample(metrics, "datasync_apply_batch_lag_seconds_count{stream=\"2\"}"), 1);
  }
  EXPECT_THAT(metrics.text(), Not(HasSubstr("datasync_apply_lag_seconds")));
}

TEST(StreamReport, shows_held_tables_and_how_many_there_are) {
  health::Metrics metrics;
  StreamReport report(metrics, 1);
  HeldTable table{"d.t", "s.t", base::Reason::RowConflict, "insert: the row is there already", {}, 7, 1000, 3};
  report.held({table});
  EXPECT_EQ(sample(metrics, "datasync_apply_held_tables{stream=\"1\"}"), 1);
  const auto held = nlohmann::json::parse(StreamReport::json("d", {&report}))["held"];
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0]["table"], "d.t");
  EXPECT_EQ(held[0]["reason"], "RowConflict");
  EXPECT_EQ(held[0]["offset"], 0);
  EXPECT_EQ(held[0]["refusedOffset"], 7);
  report.held({});
  EXPECT_EQ(sample(metrics, "datasync_apply_held_tables{stream=\"1\"}"), 0);
}

// The operator reads no status that is longer than 1 MiB.
TEST(StreamReport, long_messages_of_many_held_tables_keep_their_ends) {
  health::Metrics metrics;
  StreamReport report(metrics, 1);
  HeldTable table{"d.t", "s.t", base::Reason::RowConflict, "d.t: " + std::string(30'000, 'x') + " do this", {}, 7,
                  1,     3};
  report.held({table});
  EXPECT_EQ(nlohmann::json::parse(StreamReport::json("d", {&report}))["held"][0]["message"], table.message);
  report.held(std::vector(100, table));
  const auto json = StreamReport::json("d", {&report});
  EXPECT_LT(json.size(), std::size_t{1} << 20U);
  const auto report_of_all = nlohmann::json::parse(json);
  for (const auto& held : report_of_all["held"]) {
    const auto message = held["message"].get<std::string>();
    EXPECT_TRUE(message.starts_with("d.t: x") && message.ends_with("x do this")) << message;
  }
}

}  // namespace
}  // namespace datasync::apply
