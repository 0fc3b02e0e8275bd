// What the chart says beside helm's reach: alerts and panels name metrics that are, and every alert has its runbook.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

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

TEST(ChartFiles, name_only_metrics_that_the_programs_have) {
  const auto chart = kRoot / "charts/datasync-operator";
  const auto text = text_of(chart / "templates/prometheusrule.yaml") + text_of(chart / "files/dashboard.json");
  const auto named = all_matches(text, "datasync_(apply|capture|operator)_[a-z_]+");
  const auto known = all_matches(sources(), "datasync_(apply|capture|operator)_[a-z_]+");
  EXPECT_GT(named.size(), 10U);
  for (const auto& metric : named) EXPECT_TRUE(known.contains(metric)) << metric;
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
