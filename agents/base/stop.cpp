#include "agents/base/stop.hpp"

#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace datasync::base {

std::stop_token stop_on_signals(std::function<void()> last) {
  static std::stop_source source;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::thread([set, last = std::move(last)] {
    int number = 0;
    if (sigwait(&set, &number) == 0) source.request_stop();
    if (sigwait(&set, &number) != 0) return;
    if (last) last();
    _exit(130);
  }).detach();
  return source.get_token();
}

void die_with_parent() {
  const auto parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // the parent died between the two calls
}

}  // namespace datasync::base
