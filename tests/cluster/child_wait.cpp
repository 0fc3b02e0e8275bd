#include "tests/cluster/child_wait.hpp"

#include <initializer_list>

#include <sys/wait.h>

namespace datasync::test {

int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

ChildWait::ChildWait() {
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals_, signal);
  sigprocmask(SIG_BLOCK, &signals_, &before_);
}

ChildWait::~ChildWait() {
  const timespec at_once{};
  while (sigtimedwait(&signals_, nullptr, &at_once) > 0) continue;  // Ctrl-C twice is Ctrl-C
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void ChildWait::in_child() const {
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int ChildWait::until_end_of(pid_t child) const {
  int stopped_by = 0;
  for (;;) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) return stopped_by != 0 ? 128 + stopped_by : exit_code(status);
    const int signal = sigwaitinfo(&signals_, nullptr);
    if (signal <= 0 || signal == SIGCHLD) continue;
    stopped_by = signal;
    kill(child, SIGKILL);
  }
}

}  // namespace datasync::test
