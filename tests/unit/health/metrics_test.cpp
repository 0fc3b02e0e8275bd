#include "agents/health/metrics.hpp"

#include <gmock/gmock.h>

namespace datasync::health {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, counters_gauges_and_histograms_are_shown_in_prometheus_text) {
  Metrics m;
  m.counter("datasync_rows_total", "Rows.", {{"type", "orders"}}).add(5);
  m.gauge("datasync_lag_seconds", "Lag.").set(0.25);
  auto& h = m.histogram("datasync_commit_seconds", "Commits.", {0.1, 1});
  for (const double v : {0.05, 0.1, 0.5, 7.0}) h.observe(v);
  const auto text = m.text();
  EXPECT_THAT(text, HasSubstr("# HELP datasync_rows_total Rows.\n# TYPE datasync_rows_total counter\n"
                              "datasync_rows_total{type=\"orders\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE datasync_lag_seconds gauge\ndatasync_lag_seconds 0.25\n"));
  EXPECT_THAT(text, HasSubstr("datasync_commit_seconds_count 4\ndatasync_commit_seconds_sum 7.65\n"
                              "datasync_commit_seconds_bucket{le=\"0.1\"} 2\n"
                              "datasync_commit_seconds_bucket{le=\"1\"} 3\n"
                              "datasync_commit_seconds_bucket{le=\"+Inf\"} 4\n"));
}

TEST(Metrics, the_same_name_and_labels_give_the_same_handle) {
  Metrics m;
  auto& a = m.counter("c", "h", {{"x", "1"}});
  EXPECT_EQ(&a, &m.counter("c", "h", {{"x", "1"}}));
  EXPECT_NE(&a, &m.counter("c", "h", {{"x", "2"}}));
}

TEST(Metrics, a_name_of_another_kind_gives_a_handle_that_is_not_shown) {
  Metrics m;
  m.counter("c", "h").add(3);
  m.gauge("c", "h").set(9);
  EXPECT_THAT(m.text(), HasSubstr("c 3\n"));
  EXPECT_THAT(m.text(), Not(HasSubstr("c 9\n")));
}

TEST(Metrics, a_sampled_gauge_is_read_at_each_scrape_until_removed) {
  Metrics m;
  double value = 1;
  m.sampled("queue", "h", [&value] { return value; });
  EXPECT_THAT(m.text(), HasSubstr("\nqueue 1\n"));
  value = 2;
  EXPECT_THAT(m.text(), HasSubstr("\nqueue 2\n"));
  m.forget("queue");
  m.forget("never");
  EXPECT_THAT(m.text(), Not(HasSubstr("queue")));
}

TEST(Metrics, a_sampled_total_is_a_counter_and_other_figures_are_gauges) {
  Metrics m;
  m.sampled("rows_total", "h", [] { return 7.0; });
  m.sampled("lag_seconds", "h", [] { return 3.0; });
  EXPECT_THAT(m.text(), HasSubstr("# TYPE rows_total counter\nrows_total 7\n"));
  EXPECT_THAT(m.text(), HasSubstr("# TYPE lag_seconds gauge\nlag_seconds 3\n"));
}

TEST(Metrics, the_process_reports_its_memory_and_cpu) {
  const auto text = Metrics().text();
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes "));
  EXPECT_THAT(text, HasSubstr("process_cpu_seconds_total "));
}

TEST(Metrics, latency_bounds_go_from_100_us_to_30_s) {
  const auto bounds = latency_bounds();
  EXPECT_DOUBLE_EQ(bounds.front(), 0.0001);
  EXPECT_GT(bounds.back(), 25);
  EXPECT_LT(bounds.back(), 40);
}

}  // namespace
}  // namespace datasync::health
