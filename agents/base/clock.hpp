#pragma once
// Time. The steady clock decides waits and watchdogs; the wall clock is only ever shown or subtracted for a lag, it
// decides nothing (two machines never agree on it).

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
