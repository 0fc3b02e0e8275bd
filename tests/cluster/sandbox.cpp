#include "tests/cluster/sandbox.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cluster/child_wait.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kCgroups = "/sys/fs/cgroup";
constexpr std::string_view kPrefix = "datasync.";

/// The roots of the cgroup hierarchies: several with version 1, one with version 2.
std::vector<fs::path> hierarchies() {
  if (fs::exists(fs::path(kCgroups) / "cgroup.controllers")) return {kCgroups};
  std::vector<fs::path> all;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(kCgroups, none)) {
    if (entry.is_directory() && !entry.is_symlink()) all.push_back(entry.path());
  }
  return all;
}

void remove_cgroup(const fs::path& group) {
  std::vector<fs::path> folders{group};
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(group, none)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::ranges::sort(folders, std::greater<>{});  // children first
  for (const auto& folder : folders) rmdir(folder.c_str());
}

/// Those of this process, and those that killed ones left.
void remove_cgroups(pid_t own) {
  for (const auto& hierarchy : hierarchies()) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(hierarchy, none)) {
      const auto name = entry.path().filename().string();
      if (!name.starts_with(kPrefix)) continue;
      const auto pid = static_cast<pid_t>(std::strtol(name.c_str() + kPrefix.size(), nullptr, 10));
      if (pid == own || (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH)) remove_cgroup(entry.path());
    }
  }
}

void mount_or_throw(const char* kind, const char* where, unsigned long flags) {
  if (mount(kind, where, kind, flags, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), fmt::format("mounting {} on {}", kind, where));
  }
}

void prepare(const Sandbox& sandbox) {
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), "making mounts private");
  }
  mount_or_throw("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  for (const char* folder : {"/run", "/var/lib", "/var/log"}) mount_or_throw("tmpfs", folder, MS_NOSUID | MS_NODEV);
  fs::create_directories("/run/netns");
  setenv("TMPDIR", sandbox.folder.c_str(), 1);
  run({"ip", "link", "set", "lo", "up"});
  write_file("/proc/sys/net/ipv4/ip_forward", "1");
}

int guarded(const std::function<int(const Sandbox&)>& body, const Sandbox& sandbox) {
  try {
    return body(sandbox);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

/// The first process of the namespace: makes the place, starts the worker, and reaps what no other process does, such
/// as the shims of containers. When it ends, so does all else.
[[noreturn]] void be_first(const std::function<int(const Sandbox&)>& body, const Sandbox& sandbox) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const pid_t worker = fork();
  if (worker == 0) {
    const int code = guarded(
        [&](const Sandbox& place) {
          prepare(place);
          return body(place);
        },
        sandbox);
    std::fflush(nullptr);
    _exit(code);
  }
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended == worker) _exit(exit_code(status));
    if (ended < 0 && errno != EINTR) _exit(1);
  }
}

/// Version 1 leaves cpuset empty in a new group, and no process may enter it so.
void fill_cpuset(const fs::path& group) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    if (fs::exists(group / file)) write_file(group / file, read_file(group.parent_path() / file));
  }
}

/// Version 2 gives a group the controllers that its parent hands down, where this machine has them.
void hand_down_controllers(const fs::path& parent) {
  for (const char* controller : {"+cpu", "+cpuset", "+memory", "+pids", "+io", "+hugetlb"}) {
    std::ofstream(parent / "cgroup.subtree_control") << controller;
  }
}

}  // namespace

void make_cgroup(const std::string& name) {
  const bool unified = hierarchies() == std::vector<fs::path>{kCgroups};
  for (const auto& hierarchy : hierarchies()) {
    const auto group = hierarchy / fs::path(name).relative_path();
    if (unified) hand_down_controllers(group.parent_path());
    std::error_code refused;
    fs::create_directory(group, refused);
    if (!unified && !refused) fill_cpuset(group);
  }
}

pid_t Sandbox::pid_outside() const {
  return static_cast<pid_t>(std::strtol(read_file(folder / "pid").c_str(), nullptr, 10));
}

int run_in_sandbox(const std::function<int(const Sandbox&)>& body) {
  remove_cgroups(0);
  const TempDir folder;
  const Sandbox sandbox{folder.path(), fmt::format("/{}{}", kPrefix, getpid())};
  make_cgroup(sandbox.cgroup);
  const ChildWait waiting;
  // The child alone goes into the namespaces, so that this program sees neither its mounts nor its network.
  const auto first =
      static_cast<pid_t>(syscall(SYS_clone, CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | SIGCHLD, nullptr,
                                 nullptr, nullptr, nullptr));
  if (first == 0) {
    waiting.in_child();
    be_first(body, sandbox);
  }
  if (first < 0) {
    const int error = errno;
    remove_cgroups(getpid());
    throw std::runtime_error(
        fmt::format("clusters for tests need root and namespaces: {}", std::generic_category().message(error)));
  }
  write_file(sandbox.folder / "pid", std::to_string(first));
  const int code = waiting.until_end_of(first);
  remove_cgroups(getpid());
  return code;
}

}  // namespace datasync::test
