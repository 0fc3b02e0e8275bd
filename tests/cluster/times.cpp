#include "tests/cluster/times.hpp"

#include <stdexcept>

#include <fmt/format.h>

namespace datasync::test {

void Times::note(const std::string& what, double seconds, double limit) {
  lines_.push_back({what, seconds, limit});
  fmt::print("cluster: {}: {:.1f} s (limit {:.0f} s)\n", what, seconds, limit);
  if (seconds > limit)
    throw std::runtime_error(fmt::format("{} took {:.1f} s, more than {:.0f} s", what, seconds, limit));
}

std::string Times::table() const {
  std::string text = fmt::format("{:<64} {:>8} {:>8}\n", "what happened", "seconds", "limit");
  for (const auto& line : lines_)
    text += fmt::format("{:<64} {:>8.1f} {:>8.0f}\n", line.what, line.seconds, line.limit);
  return text;
}

}  // namespace datasync::test
