#include "cli/local/screen.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/ioctl.h>

#include "cli/local/table.hpp"

namespace datasync::cli {
namespace {

constexpr base::Millis kSayAgain{10'000};

struct Size {
  std::size_t width = 120;
  std::size_t height = 50;
};

Size size_of(std::FILE* out) {
  winsize w{};
  if (ioctl(fileno(out), TIOCGWINSZ, &w) != 0 || w.ws_col == 0 || w.ws_row == 0) return {};
  return {w.ws_col, w.ws_row};
}

// The part of a line that must change before the line is printed again; a message in which only numbers change is not
// new.
std::string essence(AgentView a) {
  std::ranges::replace_if(
      a.message, [](char c) { return c >= '0' && c <= '9'; }, '#');
  return plain_line(a);
}

}  // namespace

std::string redraw(std::size_t lines_before, const std::vector<std::string>& lines) {
  std::string out;
  if (lines_before > 0) out += fmt::format("\x1b[{}A", lines_before);
  for (const auto& line : lines) out += "\r" + line + "\x1b[K\n";
  return out + "\x1b[J";
}

void Screen::show(const std::vector<AgentView>& agents, base::SteadyTime now) {
  if (kind_ == Kind::Table) {
    table(agents);
  } else {
    lines(agents, now);
  }
}

void Screen::table(const std::vector<AgentView>& agents) {
  const auto size = size_of(out_);
  auto rows = render(agents, size.width - 1, true);
  rows.resize(
      std::min(rows.size(),
               std::max<std::size_t>(2, size.height - 1)));  // rows that have scrolled off the screen cannot be redrawn
  const auto text = redraw(drawn_, rows);
  drawn_ = rows.size();
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

void Screen::lines(const std::vector<AgentView>& agents, base::SteadyTime now) {
  for (const auto& a : agents) {
    const auto [at, is_new] = said_.try_emplace(a.task + " " + a.agent);
    auto& said = at->second;
    const bool changed = is_new || said.state != a.state || said.reason != a.reason;
    auto gist = essence(a);
    if (!changed && (now - said.at < kSayAgain || said.gist == gist)) continue;
    fmt::print(out_, "{}\n", plain_line(a));
    said = {a.state, a.reason, std::move(gist), now};
  }
  std::fflush(out_);
}

}  // namespace datasync::cli
