#pragma once
// What the demo says, and how it waits.

#include <chrono>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace datasync::demo {

using std::chrono::milliseconds;

/// The demo ends here; `what` says why.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Prints plain lines, each with the seconds since the start, and waits while watching for Ctrl-C. One thread.
class Console {
 public:
  explicit Console(std::stop_token stop) : stop_(std::move(stop)) {}

  void print(const std::string& text) const;
  [[nodiscard]] double seconds() const;
  /// Waits; throws Failed when a stop was asked for.
  void rest(milliseconds length) const;
  /// Waits until `predicate` is true; throws Failed naming `what` after `limit`, or when a stop was asked for.
  void until(const std::string& what, milliseconds limit, const std::function<bool()>& predicate) const;

 private:
  std::stop_token stop_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace datasync::demo
