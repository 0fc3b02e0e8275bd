#pragma once
// One agent as a child process. Boost.Process stays in the .cpp.

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
  /// Gets each line the child writes to stdout or stderr, without its end, on a thread of the child's.
  std::function<void(std::string_view)> on_line;
};

/// A running or ended child. It gets no file of ours but its output pipe, an empty stdin, default signals, and a
/// process group of its own, so that Ctrl-C reaches only us and the child is stopped in order. It dies with the thread
/// that started it, and so with this process, even by kill -9 (PR_SET_PDEATHSIG): start children on the main thread
/// only. The destructor kills it.
class Child {
 public:
  /// Errors: ConfigInvalid naming the program when it cannot be started.
  static base::Result<std::unique_ptr<Child>> start(const ChildOptions& options);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const;
  /// Nothing while it runs; then how it ended, "exit 1" or "signal 9".
  [[nodiscard]] std::optional<std::string> ended();
  void send(int signal);  ///< no effect once it has ended

 private:
  struct Impl;
  explicit Child(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::cli
