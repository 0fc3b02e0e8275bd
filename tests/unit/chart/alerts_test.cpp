// The chart's alerts, as helm renders them, on promtool: tests/data/chart/alerts.yaml has what fires and when.

#include <fstream>
#include <regex>
#include <set>
#include <string>

#include <gmock/gmock.h>

#include "tests/support/process.hpp"
#include "tests/unit/chart/chart.hpp"

namespace datasync {
namespace {

using test::Chart;
using test::Json;
using Names = std::set<std::string>;

Names alerts_in(const Json& rules) {
  Names out;
  for (const auto& group : rules.at("groups"))
    for (const auto& rule : group.at("rules")) out.insert(rule.at("alert").get<std::string>());
  return out;
}

/// promtool's verdict about alerts.yaml with these rules.
test::Ran test_rules(const Chart& chart, const Json& rules) {
  test::write_file(chart.folder() / "rules.yaml", rules.dump());  // JSON is YAML
  test::write_file(chart.folder() / "alerts.yaml", test::read_file(PROJECT_SOURCE_DIR "/tests/data/chart/alerts.yaml"));
  return chart.run("promtool", {"test", "rules", "alerts.yaml"});
}

/// All alerts with one expression instead of their own.
Json with_expression(Json rules, const std::string& expression) {
  for (auto& group : rules.at("groups")) {
    for (auto& rule : group.at("rules")) {
      rule["expr"] = expression;
      rule.erase("for");
    }
  }
  return rules;
}

/// The alerts of the cases that failed and that were expected to fire, or not to fire.
Names failed(const std::string& text, bool expected) {
  const std::regex kCase(expected ? R"(alertname: (\w+), time: [^\n]*\n\s+exp:\[\s*\n\s+0:)"
                                  : R"(alertname: (\w+), time: [^\n]*\n\s+exp:\[\],)");
  Names out;
  for (std::sregex_iterator at(text.begin(), text.end(), kCase), end; at != end; ++at) out.insert((*at)[1]);
  return out;
}

TEST(Alerts, fire_and_clear_and_are_one_for_one_outage) {
  const Chart chart;
  const auto rules = chart.rules();
  const auto ran = test_rules(chart, rules);
  EXPECT_EQ(ran.code, 0) << ran.text;
  const auto check = chart.run("promtool", {"check", "rules", "--lint-fatal", "rules.yaml"});
  EXPECT_EQ(check.code, 0) << check.text;
}

TEST(Alerts, have_each_a_case_that_fires_and_one_that_does_not) {
  const Chart chart;
  const auto rules = chart.rules();
  const auto all = alerts_in(rules);
  EXPECT_GE(all.size(), 10U);
  EXPECT_EQ(failed(test_rules(chart, with_expression(rules, "vector(0) > 1")).text, true), all);
  EXPECT_EQ(failed(test_rules(chart, with_expression(rules, "vector(1)")).text, false), all);
}

// A label that changes during an outage ends one alert and starts another.
TEST(Alerts, have_no_label_of_a_pod_or_a_reason) {
  const std::regex kChanging(R"(by \([^)]*\b(pod|instance|reason|node|container)\b)");
  const auto rules = Chart().rules();
  for (const auto& group : rules.at("groups")) {
    for (const auto& rule : group.at("rules")) {
      const auto expression = rule.at("expr").get<std::string>();
      EXPECT_TRUE(expression.starts_with("absent(") ||
                  std::regex_search(expression, std::regex(R"(^(max|min|sum) by \()")))
          << expression;
      EXPECT_FALSE(std::regex_search(expression, kChanging)) << expression;
    }
  }
}

}  // namespace
}  // namespace datasync
