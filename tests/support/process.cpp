#include "tests/support/process.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/own_time.hpp"
#include "tests/support/spawn.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

Exit decode(int status) {
  if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

/// One line of /proc/PID/status in bytes, e.g. VmRSS.
std::uint64_t status_bytes(pid_t pid, std::string_view key) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return std::stoull(line.substr(key.size() + 1)) * 1024;
  }
  return 0;
}

}  // namespace

std::string Exit::text() const {
  return signal != 0 ? fmt::format("killed by signal {}", signal) : fmt::format("exit status {}", code);
}

Process Process::start(const ProcessOptions& options) {
  return Process(spawn(options, {{}, options.log, options.log}));
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), exit_(std::exchange(other.exit_, {})) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, 0);
    exit_ = std::exchange(other.exit_, {});
  }
  return *this;
}

Process::~Process() {
  kill();
}

bool Process::is_running() {
  return pid_ != 0 && !exit_status();
}

std::optional<Exit> Process::exit_status() {
  return wait(milliseconds(0));
}

std::optional<Exit> Process::wait(milliseconds limit) {
  if (pid_ == 0 || exit_) return exit_;
  std::optional<OwnTime> time;
  for (auto pause = milliseconds(1);; pause = std::min(pause * 2, milliseconds(20))) {
    int status = 0;
    const auto got = waitpid(pid_, &status, WNOHANG);
    if (got == pid_) return exit_ = decode(status);
    if (got < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
    if (limit <= milliseconds(0)) return {};
    if (!time) time.emplace(pid_);
    if (time->has_reached(limit)) return {};
    std::this_thread::sleep_for(pause);
  }
}

void Process::send(int signal) const {
  if (pid_ != 0 && !exit_) ::kill(pid_, signal);
}

void Process::kill() {
  if (pid_ == 0 || exit_) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_ = decode(status);
}

Exit Process::terminate(milliseconds grace) {
  send(SIGTERM);
  send(SIGCONT);  // a frozen child could not hear it
  if (!wait(grace)) kill();
  return exit_.value_or(Exit{});
}

pid_t Process::release() noexcept {
  exit_.reset();
  return std::exchange(pid_, 0);
}

std::uint64_t Process::resident_bytes() const {
  return exit_ ? 0 : status_bytes(pid_, "VmRSS:");
}
std::uint64_t Process::peak_resident_bytes() const {
  return exit_ ? 0 : status_bytes(pid_, "VmHWM:");
}

milliseconds Process::cpu_time() const {
  const auto text = read_file(fmt::format("/proc/{}/stat", pid_));
  const auto after_name = text.rfind(')');
  if (after_name == std::string::npos) return milliseconds(0);
  std::istringstream fields(text.substr(after_name + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;  // proc(5): utime and stime are fields 14 and 15
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  return milliseconds((user + system) * 1000 / sysconf(_SC_CLK_TCK));
}

std::string run(const std::vector<std::string>& args, const std::string& input, milliseconds limit) {
  const TempDir dir;
  const SpawnFiles files{dir.path() / "in", dir.path() / "out", dir.path() / "err"};
  write_file(files.in, input);
  ProcessOptions options;
  options.args = args;
  Process process(spawn(options, files));
  const auto exit = process.wait(limit);
  if (exit && exit->clean()) return read_file(files.out);
  throw std::runtime_error(fmt::format("{} {}: {}\n{}", args.at(0), input.substr(0, input.find('\n')),
                                       exit ? exit->text() : "took too long", read_file(files.err)));
}

}  // namespace datasync::test
