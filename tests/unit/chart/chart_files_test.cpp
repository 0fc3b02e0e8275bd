// What the chart says beside helm's reach: alerts and panels name metrics that are, and every alert has its runbook.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/chart/chart.hpp"

namespace datasync {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = PROJECT_SOURCE_DIR;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> all_matches(const std::string& text, const char* expression, std::size_t group = 0) {
  const std::regex e(expression);
  std::set<std::string> out;
  for (std::sregex_iterator at(text.begin(), text.end(), e), end; at != end; ++at) out.insert((*at)[group]);
  return out;
}

std::string sources() {
  std::string out;
  for (const auto* top : {"agents", "operator"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / top)) {
      const auto ending = entry.path().extension();
      if (ending == ".cpp" || ending == ".hpp") out += text_of(entry.path());
    }
  }
  return out;
}

using Kinds = std::map<std::string, std::string>;

/// Each metric's name with "counter", "gauge" or "histogram", from the calls that make them.
Kinds kinds_in(const std::string& text) {
  // Capture's `add` samples; a sampled total is a counter (agents/health/metrics.hpp).
  static const std::regex kMade("\\b(counter|gauge|histogram|sampled|add)\\(\\s*\"(datasync_[a-z_]+)\"");
  Kinds out;
  for (std::sregex_iterator at(text.begin(), text.end(), kMade), end; at != end; ++at) {
    const auto name = (*at)[2].str();
    const auto how = (*at)[1].str();
    out[name] = how == "counter" || name.ends_with("_total") ? "counter" : how == "histogram" ? how : "gauge";
  }
  // A name that is forgotten again is a constant; only what is sampled is forgotten.
  for (const auto& name : all_matches(text, "constexpr std::string_view k\\w+ = \"(datasync_[a-z_]+)\"", 1))
    out.emplace(name, name.ends_with("_total") ? "counter" : "gauge");
  return out;
}

/// What is wrong with the metrics that a PromQL expression names; empty: nothing.
std::string wrong_in(const std::string& with_texts, const Kinds& kinds) {
  const auto expression = std::regex_replace(with_texts, std::regex("\"[^\"]*\""), "\"\"");
  static const std::regex kUse("((?:rate|increase)\\()?(datasync_[a-z_]+)");
  for (std::sregex_iterator at(expression.begin(), expression.end(), kUse), end; at != end; ++at) {
    const bool over_time = (*at)[1].matched;
    const auto name = (*at)[2].str();
    const auto suffix = all_matches(name, "_(bucket|sum|count)$");
    const auto base = suffix.empty() ? name : name.substr(0, name.size() - suffix.begin()->size());
    if (const auto of = kinds.find(base); !suffix.empty() && of != kinds.end() && of->second == "histogram") {
      if (!over_time) return name + ": a histogram's part without rate or increase";
      continue;
    }
    const auto kind = kinds.find(name);
    if (kind == kinds.end()) return name + ": nothing exports it";
    if (kind->second == "histogram") return name + ": a histogram has no sample of this name";
    if ((kind->second == "counter") != over_time) return name + ": a " + kind->second + " used as the other kind";
  }
  return {};
}

TEST(ChartFiles, use_every_metric_as_the_kind_that_the_programs_export) {
  std::set<std::string> used;
  const auto rules = test::Chart().rules();
  for (const auto& group : rules.at("groups")) {
    for (const auto& rule : group.at("rules")) {
      used.insert(rule.at("expr").get<std::string>());
      // What a template of an annotation asks for.
      used.merge(all_matches(rule.at("annotations").value("description", ""), "`(datasync_[^`]+)`", 1));
    }
  }
  EXPECT_GE(used.size(), 12U);
  const auto dashboard = test::Json::parse(text_of(kRoot / "charts/datasync-operator/files/dashboard.json"));
  const auto alerts = used.size();
  for (const auto& panel : dashboard.at("panels"))
    for (const auto& target : panel.at("targets")) used.insert(target.at("expr").get<std::string>());
  EXPECT_GE(used.size(), alerts + 12U);
  const auto kinds = kinds_in(sources());
  for (const auto& expression : used) {
    EXPECT_NE(expression.find("datasync_"), std::string::npos) << expression;
    EXPECT_EQ(wrong_in(expression, kinds), "") << expression;
  }
}

TEST(ChartFiles, the_check_of_kinds_finds_alerts_that_never_fire) {
  const auto kinds = kinds_in(
      "m.counter(\"datasync_rows_total\", m.sampled(\n  \"datasync_sent_total\", "
      "m.gauge(\"datasync_lag\", add(\"datasync_age\", m.histogram(\"datasync_time\",");
  EXPECT_EQ(kinds, (Kinds{{"datasync_rows_total", "counter"},
                          {"datasync_sent_total", "counter"},
                          {"datasync_lag", "gauge"},
                          {"datasync_age", "gauge"},
                          {"datasync_time", "histogram"}}));
  for (const auto* good : {"label_replace(datasync_lag, \"name\", \"$1\", \"datasync_dev_name\", \"(.+)\")",
                           "rate(datasync_rows_total[5m]) > 0", "(datasync_lag >= 0) < 24", "absent(datasync_age)",
                           "histogram_quantile(0.9, rate(datasync_time_bucket[5m]))"})
    EXPECT_EQ(wrong_in(good, kinds), "") << good;
  for (const auto* bad : {"datasync_time > 300", "rate(datasync_time[5m])", "datasync_rows_total > 0", "datasync_other",
                          "rate(datasync_lag[5m])", "datasync_time_bucket", "rate(datasync_lag_count[5m])"})
    EXPECT_NE(wrong_in(bad, kinds), "") << bad;
}

TEST(ChartFiles, link_every_alert_to_its_runbook) {
  const auto rules = text_of(kRoot / "charts/datasync-operator/templates/prometheusrule.yaml");
  const auto pages = text_of(kRoot / "docs/runbooks.md");
  const auto alerts = all_matches(rules, "alert: ([A-Za-z]+)", 1);
  EXPECT_GE(alerts.size(), 6U);
  EXPECT_EQ(alerts, all_matches(pages, "\n## ([A-Za-z]+)", 1));
  for (auto alert : alerts) {
    for (auto& c : alert) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_NE(rules.find("runbookUrl }}#" + alert + "\n"), std::string::npos) << alert;
  }
}

}  // namespace
}  // namespace datasync
