#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include <sys/types.h>

namespace datasync::test {

using std::chrono::milliseconds;

/// The time that processes had for themselves since this was made: what one of their threads spent waiting for a free
/// CPU does not count. A limit of it finds a process that hangs, while a busy machine decides nothing. Where the kernel
/// does not count the waits (/proc/PID/task/TID/schedstat), it is the time that passed. One thread at a time.
class OwnTime {
 public:
  /// Of this program and its children (`children()`), also those that it starts later.
  OwnTime();
  explicit OwnTime(pid_t process);

  [[nodiscard]] milliseconds passed();
  /// Whether it is `limit` or more. May be asked often: it reads /proc only now and then.
  [[nodiscard]] bool has_reached(milliseconds limit);

 private:
  using nanoseconds = std::chrono::nanoseconds;
  /// The longest that one thread has waited since the last call.
  nanoseconds longest_wait();

  std::optional<pid_t> process_;
  std::map<pid_t, nanoseconds> waits_;  ///< of each thread, so far
  std::chrono::steady_clock::time_point last_;
  nanoseconds passed_{0}, excused_{0};
};

}  // namespace datasync::test
