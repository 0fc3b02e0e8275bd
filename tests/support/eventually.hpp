#pragma once

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/support/own_time.hpp"

namespace datasync::test {

/// Asks `predicate` until it is true; false when it was not within `limit` of the own time of this program and its
/// children (OwnTime): they have the same time for their work on a busy machine. It is asked at least once, and the
/// first pauses are short, so that what is quick is seen quickly.
template <class Predicate>
[[nodiscard]] bool eventually(Predicate predicate, std::chrono::milliseconds limit) {
  if (predicate()) return true;
  OwnTime time;
  for (auto pause = std::chrono::milliseconds(2);; pause = std::min(pause * 2, std::chrono::milliseconds(50))) {
    if (time.has_reached(limit)) return false;
    std::this_thread::sleep_for(pause);
    if (predicate()) return true;
  }
}

/// The same for set-up code: throws naming `what` when it did not become true.
template <class Predicate>
void await(const std::string& what, Predicate predicate, std::chrono::milliseconds limit) {
  if (!eventually(predicate, limit)) throw std::runtime_error("waited in vain: " + what);
}

}  // namespace datasync::test
