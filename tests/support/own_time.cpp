#include "tests/support/own_time.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "tests/support/spawn.hpp"

namespace datasync::test {
namespace {

constexpr milliseconds kLook{200};

}  // namespace

OwnTime::OwnTime() : last_(std::chrono::steady_clock::now()) {
  longest_wait();
}

OwnTime::OwnTime(pid_t process) : process_(process), last_(std::chrono::steady_clock::now()) {
  longest_wait();
}

OwnTime::nanoseconds OwnTime::longest_wait() {
  auto processes = process_ ? std::vector{*process_} : children();
  if (!process_) processes.push_back(getpid());
  nanoseconds longest{0};
  std::map<pid_t, nanoseconds> now;
  for (const auto process : processes) {
    std::error_code ignored;
    for (std::filesystem::directory_iterator at(fmt::format("/proc/{}/task", process), ignored), end;
         !ignored && at != end; at.increment(ignored)) {
      std::ifstream file(at->path() / "schedstat");
      std::int64_t ran = 0;
      std::int64_t waited = 0;
      if (!(file >> ran >> waited)) continue;  // it ended
      const auto thread = static_cast<pid_t>(std::stol(at->path().filename().string()));
      const auto before = waits_.find(thread);
      now[thread] = nanoseconds(waited);
      longest = std::max(longest, now[thread] - (before == waits_.end() ? nanoseconds(0) : before->second));
    }
  }
  waits_ = std::move(now);
  return longest;
}

milliseconds OwnTime::passed() {
  const auto now = std::chrono::steady_clock::now();
  const nanoseconds since = now - last_;
  last_ = now;
  // The kernel reports a wait when it has ended: it may be longer than the time since the last call.
  excused_ += longest_wait();
  const auto excused = std::min(excused_, since);
  excused_ -= excused;
  passed_ += since - excused;
  return std::chrono::duration_cast<milliseconds>(passed_);
}

bool OwnTime::has_reached(milliseconds limit) {
  const auto since = std::chrono::steady_clock::now() - last_;
  if (since < kLook && passed_ + since < limit) return false;
  return passed() >= limit;
}

}  // namespace datasync::test
