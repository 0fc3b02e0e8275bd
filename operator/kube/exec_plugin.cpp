#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operator/kube/credentials.hpp"

extern char** environ;  // NOLINT: POSIX names it so

namespace datasync::kube {
namespace {

using base::Error;
using base::Reason;
using base::Result;

constexpr std::size_t kMostOutput = 1U << 20;

std::vector<std::string> environment(const ExecPlugin& plugin, const std::string& info) {
  auto wanted = plugin.env;
  wanted["KUBERNETES_EXEC_INFO"] = info;
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string line = *entry;
    if (!wanted.contains(line.substr(0, line.find('=')))) all.push_back(line);
  }
  for (const auto& [name, value] : wanted) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// Reads until the end, the limit of bytes or the deadline; false: cut off.
bool read_all(int fd, std::chrono::steady_clock::time_point deadline, std::string& out) {
  std::array<char, 4096> chunk{};
  for (;;) {
    const auto left = std::chrono::ceil<base::Millis>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || out.size() > kMostOutput) return false;
    pollfd poller{fd, POLLIN, 0};
    const int ready = poll(&poller, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const auto n = read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0;
    out.append(chunk.data(), static_cast<std::size_t>(n));
  }
}

/// Waits for the child's end; kills it at the deadline.
int reap(pid_t pid, std::chrono::steady_clock::time_point deadline, bool kill_now) {
  int status = 0;
  for (;;) {
    if (kill_now || std::chrono::steady_clock::now() >= deadline) kill(pid, SIGKILL);
    const auto got = waitpid(pid, &status, kill_now ? 0 : WNOHANG);
    if (got == pid) return status;
    if (got < 0 && errno != EINTR) return -1;
    std::this_thread::sleep_for(base::Millis(5));
  }
}

}  // namespace

Result<ExecCredential> run_plugin(const ExecPlugin& plugin, const std::string& info, base::Millis limit) {
  std::vector<std::string> args{plugin.command};
  args.insert(args.end(), plugin.args.begin(), plugin.args.end());
  auto env = environment(plugin, info);
  auto argv = pointers(args);
  auto envp = pointers(env);

  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0)
    return Error(Reason::Internal, "cannot create a pipe for the credential plugin");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  if (!plugin.interactive || isatty(STDIN_FILENO) == 0) {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  // This process blocks its stop signals in all threads; the plugin must be able to be stopped.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, plugin.command.c_str(), &actions, &attributes, argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe[1]);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::string out;
  const bool whole = failed == 0 && read_all(pipe[0], deadline, out);
  close(pipe[0]);
  if (failed != 0) {
    return Error(Reason::CredentialsRejected,
                 fmt::format("the credential plugin {} cannot be run: {}{}{}", plugin.command, std::strerror(failed),
                             plugin.install_hint.empty() ? "" : "; ", plugin.install_hint));
  }
  const int status = reap(pid, deadline, !whole);
  if (!whole) {
    return Error(Reason::CredentialsRejected,
                 fmt::format("the credential plugin {} printed too much or took longer than {} s", plugin.command,
                             std::chrono::duration_cast<std::chrono::seconds>(limit).count()));
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Error(Reason::CredentialsRejected,
                 fmt::format("the credential plugin {} failed with status {}", plugin.command,
                             WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
  }
  auto credential = parse_exec_credential(out);
  if (!credential) return std::move(credential).error().context(plugin.command);
  return credential;
}

}  // namespace datasync::kube
