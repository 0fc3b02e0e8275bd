#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace datasync::test {

/// Asks `predicate` until it is true; false when it was not within `limit`. It is asked at least once, and the first
/// pauses are short, so that what is quick is seen quickly.
template <class Predicate>
[[nodiscard]] bool eventually(Predicate predicate, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (auto pause = std::chrono::milliseconds(2);; pause = std::min(pause * 2, std::chrono::milliseconds(50))) {
    if (predicate()) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
  }
}

/// The same for set-up code: throws naming `what` when it did not become true.
template <class Predicate>
void await(const std::string& what, Predicate predicate, std::chrono::milliseconds limit) {
  if (!eventually(predicate, limit)) throw std::runtime_error("waited in vain: " + what);
}

}  // namespace datasync::test
