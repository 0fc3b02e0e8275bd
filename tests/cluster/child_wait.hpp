#pragma once

#include <csignal>

#include <sys/types.h>

namespace datasync::test {

/// As a shell has it: 128 + N when a signal N ended the child.
int exit_code(int status);

/// While it lives, the signals that would end this program end a child instead (SIGKILL), so that a process is left
/// that clears away. To be made before the child is, by the one thread there is.
class ChildWait {
 public:
  ChildWait();
  ChildWait(const ChildWait&) = delete;
  ChildWait& operator=(const ChildWait&) = delete;
  ~ChildWait();

  /// In the child: signals act as before.
  void in_child() const;
  /// Returns the child's exit code; 128 + N when this program was sent a signal N.
  [[nodiscard]] int until_end_of(pid_t child) const;

 private:
  sigset_t signals_{}, before_{};
};

}  // namespace datasync::test
