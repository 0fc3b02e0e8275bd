#include "cli/local/table.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "cli/local/screen.hpp"

namespace datasync::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

AgentView capture() {
  AgentView v;
  v.task = "sync/shop";
  v.agent = "capture";
  v.endpoint = "db-1:3306";
  v.state = "Streaming";
  v.position = "0-1-100";
  v.lag = {{"replica", 0.24}, {"capture", 200}};
  v.rows = 1'234'567;
  v.rows_per_second = 12'345.6;
  return v;
}

TEST(Table, a_row_shows_state_server_figures_lag_and_position) {
  EXPECT_THAT(
      render({capture()}, 150, false),
      ElementsAre("TASK                 AGENT   STATE             SERVER                          ROWS    ROWS/S LAG"
                  "                            POSITION",
                  "sync/shop            capture Streaming         db-1:3306                  1,234,567    12,345 "
                  "replica 0.2s capture 3m20s     0-1-100"));
}

TEST(Table, errors_and_snapshot_progress_are_below_the_row) {
  auto v = capture();
  v.state = "Snapshotting";
  v.snapshot = SnapshotView{50, 45'000, 75, 3, 1, "shop.orders"};
  v.binlog_hours_left = 2;
  v.duplicates = 1;
  v.restarts = 2;
  v.reason = "SourceUnreachable";
  v.message = "db-1 does not answer";
  const auto lines = render({v}, 150, false);
  EXPECT_THAT(lines,
              ElementsAre(testing::_, testing::_, "  SourceUnreachable: db-1 does not answer",
                          "  snapshot [############------------]  50.0%  45,000 rows/s  75s left  1 of 3 tables  "
                          "shop.orders",
                          "  the binlogs still needed are purged in 2h00m", "  1 transactions refused as duplicates",
                          "  restarted 2 times"));
}

TEST(Table, verification_names_the_tables_that_differ) {
  auto v = capture();
  v.verify = VerifyView{true, 3, {"shop.a", "shop.b"}};
  EXPECT_THAT(render({v}, 120, false).back(), "  verify: DIFFERENT shop.a, shop.b");
  v.verify = VerifyView{true, 3, {}};
  EXPECT_THAT(render({v}, 120, false).back(), "  verify: 3 tables equal");
}

TEST(Table, no_line_is_wider_than_the_screen_whatever_the_text) {
  auto v = capture();
  v.task = std::string(300, 'x');
  v.position = std::string(300, 'y');
  v.reason = "RowConflict";
  for (int i = 0; i < 100; ++i) v.message += "ü€";
  for (const std::size_t width : {60UL, 61UL, 80UL, 99UL, 200UL}) {
    for (const auto& line : render({v}, width, false)) {
      const auto shown =
          std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
      EXPECT_LE(static_cast<std::size_t>(shown), width) << line;
    }
  }
}

TEST(Table, colour_has_no_width_and_foreign_text_moves_no_cursor) {
  auto v = capture();
  v.position = "\x1b[2J\n";
  const auto lines = render({v}, 150, true);
  EXPECT_THAT(lines[1], HasSubstr("\x1b[32mStreaming        \x1b[0m"));
  EXPECT_THAT(lines[1], HasSubstr("?[2J?"));
}

TEST(Table, numbers_and_durations_are_easy_to_read) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
  EXPECT_EQ(duration(-3), "0.0s");
  EXPECT_EQ(duration(0.26), "0.3s");
  EXPECT_EQ(duration(45), "45s");
  EXPECT_EQ(duration(200), "3m20s");
  EXPECT_EQ(duration(18'420), "5h07m");
  EXPECT_EQ(duration(86'400 * 12), "12d");
  EXPECT_EQ(duration(std::nan("")), "?");
  EXPECT_EQ(duration(1e300), duration(1e300));
}

TEST(PlainLine, shows_state_reason_and_figures) {
  auto v = capture();
  EXPECT_EQ(plain_line(v), "sync/shop capture: Streaming server=db-1:3306 position=0-1-100 rows=1234567");
  v.state = "Stalled";
  v.reason = "BinlogPurged";
  v.message = "see\nonPositionLost";
  EXPECT_EQ(
      plain_line(v),
      "sync/shop capture: Stalled BinlogPurged: see?onPositionLost server=db-1:3306 position=0-1-100 rows=1234567");
}

TEST(Redraw, goes_up_over_what_was_drawn_and_clears_what_is_left) {
  EXPECT_EQ(redraw(0, {"a"}), "\ra\x1b[K\n\x1b[J");
  EXPECT_EQ(redraw(3, {"a", "b"}), "\x1b[3A\ra\x1b[K\n\rb\x1b[K\n\x1b[J");
}

struct ScreenLines : testing::Test {
  std::FILE* out = std::tmpfile();
  Screen screen{Screen::Kind::Lines, out};
  base::SteadyTime now{base::Millis(1)};
  ~ScreenLines() override { std::fclose(out); }
  std::size_t lines() {
    std::rewind(out);
    std::size_t n = 0;
    for (int c = std::fgetc(out); c != EOF; c = std::fgetc(out)) n += c == '\n' ? 1 : 0;
    std::fseek(out, 0, SEEK_END);
    return n;
  }
};

TEST_F(ScreenLines, show_a_new_state_at_once_and_figures_every_ten_seconds) {
  auto v = capture();
  screen.show({v}, now);
  EXPECT_EQ(lines(), 1U);
  v.rows += 1;
  screen.show({v}, now += base::Millis(9'000));
  EXPECT_EQ(lines(), 1U);
  screen.show({v}, now += base::Millis(1'000));
  EXPECT_EQ(lines(), 2U);
  screen.show({v}, now += base::Millis(60'000));
  EXPECT_EQ(lines(), 2U) << "nothing moved";
  v.state = "Retrying";
  screen.show({v}, now);
  EXPECT_EQ(lines(), 3U);
  v.reason = "BrokerUnreachable";
  screen.show({v}, now);
  EXPECT_EQ(lines(), 4U);
}

}  // namespace
}  // namespace datasync::cli
