#include "cli/local/child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>

#include <boost/process.hpp>
#include <boost/process/extend.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace datasync::cli {
namespace {

namespace bp = boost::process;

constexpr std::size_t kMaxLine = 64U << 10U;

// Runs in the forked child: only calls that are safe between fork and exec.
void prepare_child(int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the parent died before prctl was called
  setpgid(0, 0);
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int empty = open("/dev/null", O_RDONLY);
  dup2(empty, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  // Boost.Process 1.74 lets a child inherit every open file of its parent. The files are closed at exec, not here,
  // because Boost still needs its pipe.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

// Passes on line after line until the child and all its descendants have closed the pipe.
void drain(int input, const std::function<void(std::string_view)>& on_line) {
  std::string pending;
  char buffer[16384];
  while (true) {
    const auto n = read(input, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    pending.append(buffer, static_cast<std::size_t>(n));
    std::size_t start = 0;
    for (auto end = pending.find('\n'); end != pending.npos; end = pending.find('\n', start)) {
      on_line(std::string_view(pending).substr(start, end - start));
      start = end + 1;
    }
    pending.erase(0, start);
    if (pending.size() > kMaxLine) {
      on_line(pending);
      pending.clear();
    }
  }
  if (!pending.empty()) on_line(pending);
  close(input);
}

}  // namespace

struct Child::Impl {
  bp::child process;
  std::thread reader;
};

Child::Child(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

base::Result<std::unique_ptr<Child>> Child::start(const ChildOptions& options) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return base::Error(base::Reason::Internal, fmt::format("cannot create a pipe: {}", std::strerror(errno)));
  }
  auto impl = std::make_unique<Impl>();
  bp::environment environment = boost::this_process::environment();
  environment["DATASYNC_DIE_WITH_PARENT"] = "1";
  std::error_code error;
  const auto setup = [output = ends[1], parent = getpid()](auto& /*executor*/) { prepare_child(output, parent); };
  try {
    impl->process = bp::child(bp::exe = options.program.string(), bp::args = options.args, environment, error,
                              bp::extend::on_exec_setup = setup);
  } catch (const std::exception& e) {
    error = std::make_error_code(std::errc::invalid_argument);
  }
  close(ends[1]);
  if (error) {
    close(ends[0]);
    return base::Error(base::Reason::ConfigInvalid,
                       fmt::format("cannot start {}: {}", options.program.string(), error.message()));
  }
  impl->reader = std::thread(drain, ends[0], options.on_line);
  return std::unique_ptr<Child>(new Child(std::move(impl)));
}

Child::~Child() {
  if (!ended()) {
    send(SIGKILL);
    std::error_code error;
    impl_->process.wait(error);
  }
  impl_->reader.join();
}

pid_t Child::pid() const {
  return impl_->process.id();
}

std::optional<std::string> Child::ended() {
  std::error_code error;
  if (impl_->process.running(error)) return std::nullopt;
  const auto status = impl_->process.native_exit_code();
  return WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status)) : fmt::format("exit {}", WEXITSTATUS(status));
}

void Child::send(int signal) {
  // This process has not reaped the child while it runs, so its process id cannot belong to another process.
  if (!ended()) ::kill(pid(), signal);
}

}  // namespace datasync::cli
