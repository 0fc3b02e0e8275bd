#pragma once
// Time. Waits and watchdogs use the steady clock. The wall clock is only displayed or subtracted to compute a lag; no
// decision depends on it, because the clocks of two machines never agree.

#include <chrono>

namespace datasync::base {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
using Millis = std::chrono::milliseconds;

inline SteadyTime steady_now() {
  return std::chrono::steady_clock::now();
}
inline WallTime wall_now() {
  return std::chrono::system_clock::now();
}

}  // namespace datasync::base
