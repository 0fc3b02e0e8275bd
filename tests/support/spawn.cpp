#include "tests/support/spawn.hpp"

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;  // NOLINT: POSIX names it

namespace datasync::test {
namespace {

/// What the child needs, made before the fork: between fork and exec only async-signal-safe calls are allowed.
struct Image {
  std::vector<std::string> args, env;
  std::vector<char*> argv, envp;
  std::string working_dir, program;
  int in = -1, out = -1, err = -1, report = -1;
  bool outlives = false;
  pid_t parent = 0;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& changes) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    all[text.substr(0, text.find('='))] = text.substr(std::min(text.size(), text.find('=') + 1));
  }
  for (const auto& [key, value] : changes) all[key] = value;
  std::vector<std::string> result;
  for (const auto& [key, value] : all) result.push_back(fmt::format("{}={}", key, value));
  return result;
}

[[noreturn]] void child(const Image& image) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  setpgid(0, 0);  // Ctrl-C at the terminal is for the parent alone
  if (!image.outlives) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != image.parent) _exit(126);  // it died in between
  }
  dup2(image.in, 0);
  dup2(image.out, 1);
  dup2(image.err, 2);
  // Everything else is close-on-exec by now, also what a library opened without the flag; keep `report` till exec.
  syscall(SYS_close_range, 3U, ~0U, 1U << 2U /* CLOSE_RANGE_CLOEXEC */);
  if (image.working_dir.empty() || chdir(image.working_dir.c_str()) == 0) {
    execvpe(image.program.c_str(), image.argv.data(), image.envp.data());
  }
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(image.report, &error, sizeof error);
  _exit(127);
}

/// A thread that runs what it is given and never ends.
class Spawner {
 public:
  static Spawner& instance() {
    static auto* spawner = new Spawner;  // NOLINT: never destroyed, children hang on its thread
    return *spawner;
  }

  pid_t fork_child(const Image& image) {
    std::packaged_task<pid_t()> task([&image] {
      const pid_t pid = fork();
      if (pid == 0) child(image);
      return pid;
    });
    auto result = task.get_future();
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
    return result.get();
  }

 private:
  Spawner() {
    std::thread([this] { serve(); }).detach();
  }

  [[noreturn]] void serve() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !tasks_.empty(); });
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::packaged_task<pid_t()>> tasks_;
};

/// Every process that was spawned, until it is seen that it has been reaped.
class Children {
 public:
  static Children& instance() {
    static auto* all = new Children;  // NOLINT: never destroyed, threads of tests may still ask
    return *all;
  }
  void add(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.push_back(pid);
  }
  std::vector<pid_t> alive() {
    const std::lock_guard lock(mutex_);
    std::erase_if(pids_, [](pid_t pid) { return ::kill(pid, 0) != 0; });
    return pids_;
  }

 private:
  std::mutex mutex_;
  std::vector<pid_t> pids_;
};

/// An open file that closes itself.
class File {
 public:
  File(const std::filesystem::path& path, int flags)
      : fd_(open(path.empty() ? "/dev/null" : path.c_str(), flags, 0644)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), path.string());
  }
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { reset(); }
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace

pid_t spawn(const ProcessOptions& options, const SpawnFiles& files) {
  Image image;
  image.args = options.args;
  image.env = merged_environment(options.env);
  image.argv = pointers(image.args);
  image.envp = pointers(image.env);
  image.program = options.args.at(0);
  image.working_dir = options.working_dir.string();
  image.outlives = options.outlives;
  image.parent = getpid();
  const File in(files.in, O_RDONLY | O_CLOEXEC);
  const File out(files.out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
  const File err(files.err, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  const File report_in(report[0]);
  File report_out(report[1]);
  image.in = in.get();
  image.out = out.get();
  image.err = err.get();
  image.report = report_out.get();

  const pid_t pid = Spawner::instance().fork_child(image);
  if (pid < 0) throw std::runtime_error("fork failed");
  report_out.reset();
  int error = 0;
  if (::read(report_in.get(), &error, sizeof error) == sizeof error) {
    waitpid(pid, nullptr, 0);
    throw std::system_error(error, std::generic_category(), "starting " + image.program);
  }
  Children::instance().add(pid);
  return pid;
}

std::vector<pid_t> children() {
  return Children::instance().alive();
}

}  // namespace datasync::test
