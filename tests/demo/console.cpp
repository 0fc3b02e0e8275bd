#include "tests/demo/console.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "agents/base/backoff.hpp"

namespace datasync::demo {

using Clock = std::chrono::steady_clock;

void Console::print(const std::string& text) const {
  fmt::print("{:7.1f} s  {}\n", seconds(), text);
  std::fflush(stdout);
}

double Console::seconds() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count();
}

void Console::rest(milliseconds length) const {
  if (!base::sleep_for(stop_, std::max(length, milliseconds(0)))) throw Failed("interrupted");
}

void Console::until(const std::string& what, milliseconds limit, const std::function<bool()>& predicate) const {
  const auto deadline = Clock::now() + limit;
  while (!predicate()) {
    if (Clock::now() >= deadline) throw Failed(fmt::format("waited {} s in vain: {}", limit.count() / 1000, what));
    rest(milliseconds(50));
  }
}

}  // namespace datasync::demo
