#pragma once
// An agent as a child process. Only the .cpp uses Boost.Process.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "agents/base/result.hpp"

namespace datasync::cli {

struct ChildOptions {
  std::filesystem::path program;
  std::vector<std::string> args;
  /// Receives each line that the child writes to stdout or stderr, without its line end, on a thread of the Child
  /// object.
  std::function<void(std::string_view)> on_line;
};

/// A running or terminated child. It inherits no file of this process except its output pipe, and has an empty stdin,
/// default signals and its own process group, so that Ctrl-C reaches only this process, which then stops the child in
/// order. The child dies with the thread that started it, and therefore with this process, even by kill -9
/// (PR_SET_PDEATHSIG): start children only on the main thread. The destructor kills it.
class Child {
 public:
  /// Starts the program. Errors: ConfigInvalid naming the program when it cannot be started.
  static base::Result<std::unique_ptr<Child>> start(const ChildOptions& options);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const;
  /// Returns nullopt while it runs; then how it terminated, "exit 1" or "signal 9".
  [[nodiscard]] std::optional<std::string> ended();
  void send(int signal);  ///< no effect after it has terminated

 private:
  struct Impl;
  explicit Child(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::cli
