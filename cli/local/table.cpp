#include "cli/local/table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "cli/terminal/text.hpp"

namespace datasync::cli {
namespace {

constexpr std::size_t kMinWidth = 60;
constexpr std::size_t kBar = 24;

struct Column {
  std::string_view title;
  std::size_t width;
  bool right;
};

// The position gets the remaining width.
constexpr Column kColumns[] = {{"TASK", 20, false}, {"AGENT", 7, false}, {"STATE", 17, false}, {"SERVER", 22, false},
                               {"ROWS", 13, true},  {"ROWS/S", 9, true}, {"LAG", 30, false},   {"POSITION", 0, false}};

std::string_view color_of(std::string_view state) {
  if (state == "Streaming" || state == "Completed") return "\x1b[32m";
  if (state == "Snapshotting" || state == "Starting" || state == "Paused") return "\x1b[36m";
  if (state == "Stalled") return "\x1b[1;31m";
  return "\x1b[33m";
}

std::string lag_text(const AgentView& a) {
  std::string out;
  for (const auto& [stage, seconds] : a.lag) {
    if (!out.empty()) out += ' ';
    out += fmt::format("{} {}", stage, duration(seconds));
  }
  return out;
}

std::string row(const AgentView& a, std::size_t width, bool color) {
  const std::string cells[] = {
      clean(a.task),   clean(a.agent),
      clean(a.state),  clean(a.endpoint),
      grouped(a.rows), a.rows_per_second ? grouped(static_cast<std::uint64_t>(*a.rows_per_second)) : "",
      lag_text(a),     clean(a.position)};
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < std::size(kColumns) && used < width; ++i) {
    const auto& column = kColumns[i];
    const auto room = std::min(column.width == 0 ? width : column.width, width - used);
    const auto text = pad(cells[i], room, column.right);
    const bool state = color && column.title == "STATE";
    out += state ? fmt::format("{}{}\x1b[0m", color_of(a.state), text) : text;
    used += room;
    if (used < width) {
      out += ' ';
      ++used;
    }
  }
  if (!color) out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string header(std::size_t width) {
  std::string out;
  for (const auto& column : kColumns)
    out += pad(column.title, column.width == 0 ? 8 : column.width, column.right) + " ";
  out.erase(out.find_last_not_of(' ') + 1);
  return cut(out, width);
}

std::string bar(double percent) {
  const auto full = static_cast<std::size_t>(std::clamp(percent, 0.0, 100.0) / 100.0 * static_cast<double>(kBar));
  return "[" + std::string(full, '#') + std::string(kBar - full, '-') + "]";
}

std::string snapshot_line(const SnapshotView& s) {
  auto out = fmt::format("  snapshot {} {:5.1f}%  {} rows/s", bar(s.percent), std::clamp(s.percent, 0.0, 100.0),
                         grouped(static_cast<std::uint64_t>(std::max(0.0, s.rows_per_second))));
  if (s.eta_seconds) out += fmt::format("  {} left", duration(*s.eta_seconds));
  out += fmt::format("  {} of {} tables", s.tables_done, s.tables);
  if (!s.table.empty()) out += "  " + clean(s.table);
  return out;
}

std::string verify_line(const VerifyView& v) {
  if (!v.different.empty())
    return fmt::format("  verify: DIFFERENT {}", clean(fmt::format("{}", fmt::join(v.different, ", "))));
  return fmt::format("  verify: {} table{} equal{}", v.tables, v.tables == 1 ? "" : "s", v.done ? "" : " so far");
}

// Returns the lines below an agent's row.
std::vector<std::string> notes(const AgentView& a) {
  std::vector<std::string> out;
  if (!a.reason.empty()) out.push_back(fmt::format("  {}: {}", clean(a.reason), clean(a.message)));
  if (a.snapshot && a.state != "Streaming" && a.state != "Completed") out.push_back(snapshot_line(*a.snapshot));
  if (a.verify && a.verify->tables > 0) out.push_back(verify_line(*a.verify));
  constexpr double kWarnHours = 24;
  if (a.binlog_hours_left && *a.binlog_hours_left < kWarnHours) {
    out.push_back(fmt::format("  the binlogs still needed are purged in {}", duration(*a.binlog_hours_left * 3600)));
  }
  if (a.duplicates > 0) out.push_back(fmt::format("  {} transactions refused as duplicates", grouped(a.duplicates)));
  if (a.conflicts > 0) out.push_back(fmt::format("  {} conflicting rows", grouped(a.conflicts)));
  for (const auto& h : a.held)
    out.push_back(fmt::format("  {} is held: {}: {}", clean(h.table), clean(h.reason), clean(h.message)));
  if (a.restarts > 0) out.push_back(fmt::format("  restarted {} time{}", a.restarts, a.restarts == 1 ? "" : "s"));
  return out;
}

}  // namespace

std::string grouped(std::uint64_t n) {
  auto out = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3)
    out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  const auto s = static_cast<std::uint64_t>(std::clamp(seconds, 0.0, 1e15));
  if (seconds < 9.95) return fmt::format("{:.1f}s", std::max(0.0, seconds));
  if (s < 100) return fmt::format("{}s", s);
  if (s < 6000) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 360'000) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d", s / 86'400);
}

std::vector<std::string> render(const std::vector<AgentView>& agents, std::size_t width, bool color) {
  width = std::max(width, kMinWidth);
  std::vector<std::string> out{header(width)};
  for (const auto& a : agents) {
    out.push_back(row(a, width, color));
    for (const auto& note : notes(a)) out.push_back(cut(note, width));
  }
  return out;
}

std::string plain_line(const AgentView& a) {
  auto out = fmt::format("{} {}: {}", clean(a.task), clean(a.agent), clean(a.state));
  if (!a.reason.empty()) out += fmt::format(" {}: {}", clean(a.reason), clean(a.message));
  if (!a.endpoint.empty()) out += fmt::format(" server={}", clean(a.endpoint));
  if (!a.position.empty()) out += fmt::format(" position={}", clean(a.position));
  out += fmt::format(" rows={}", a.rows);
  if (a.snapshot && a.state == "Snapshotting") out += fmt::format(" snapshot={:.1f}%", a.snapshot->percent);
  if (a.verify && a.verify->done)
    out += fmt::format(" verified={}", a.verify->different.empty() ? "equal" : "DIFFERENT");
  return out;
}

}  // namespace datasync::cli
