// Nothing is left behind: not after success, not after failure, not after Ctrl-C or kill -9.

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class SandboxTest : public testing::Test {
 protected:
  /// A run of datasync-cluster whose traces are distinguished by its TMPDIR.
  Process start(int clusters, const std::string& command) {
    ProcessOptions options;
    options.args = {CLUSTER_PROGRAM, "-n", std::to_string(clusters), "--", "bash", "-c", command};
    options.env = {{"TMPDIR", dir_.path().string()}};
    options.log = log_;
    return Process::start(options);
  }
  void await_line(const std::string& line, seconds limit) {
    await(
        "the line " + line, [&] { return read_file(log_).find(line + "\n") != std::string::npos; }, limit);
  }

  /// Processes whose command line or environment names our folder; the test's own do not count.
  [[nodiscard]] std::vector<std::string> processes() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto pid = std::strtol(entry.path().filename().c_str(), nullptr, 10);
      if (pid <= 0 || pid == getpid()) continue;
      const auto environment = read_file(entry.path() / "environ");
      const auto command = read_file(entry.path() / "cmdline");
      if ((environment + command).find(dir_.path().string()) != std::string::npos) found.push_back(command);
    }
    return found;
  }
  /// Mounts, folders and control groups.
  [[nodiscard]] std::vector<std::string> things(pid_t pid) const {
    std::vector<std::string> found;
    if (read_file("/proc/self/mounts").find(dir_.path().string()) != std::string::npos) found.emplace_back("mounts");
    for (const auto& entry : fs::directory_iterator(dir_.path())) {
      if (entry.path() != log_) found.push_back(entry.path().string());
    }
    for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup")) {
      const auto group = hierarchy.path() / fmt::format("datasync.{}", pid);
      if (fs::exists(group)) found.push_back(group.string());
    }
    if (fs::exists(fmt::format("/sys/fs/cgroup/datasync.{}", pid))) found.emplace_back("control group");
    return found;
  }
  void expect_nothing_left(pid_t pid) {
    EXPECT_TRUE(eventually([&] { return processes().empty(); }, seconds(20))) << processes().front();
    EXPECT_EQ(things(pid), std::vector<std::string>());
  }

  TempDir dir_;
  fs::path log_ = dir_.path() / "log";
};

constexpr const char* kUntidy =
    "mkdir $TMPDIR/m && mount -t tmpfs tmpfs $TMPDIR/m && ip link add left type veth peer name behind && "
    "(setsid sleep 1000 &) && echo ready && ";

TEST_F(SandboxTest, ExitStatusIsTheCommandsAndNothingIsLeft) {
  for (const int code : {0, 7}) {
    auto run = start(0, kUntidy + fmt::format("exit {}", code));
    const auto pid = run.pid();
    const auto end = run.wait(seconds(30));
    ASSERT_TRUE(end);
    EXPECT_EQ(end->code, code);
    expect_nothing_left(pid);
  }
}

TEST_F(SandboxTest, CtrlCLeavesNothing) {
  for (const int clusters : {0, 1}) {
    fs::remove(log_);
    auto run = start(clusters, kUntidy + std::string("sleep 1000"));
    await_line("ready", seconds(120));
    run.send(SIGINT);
    const auto end = run.wait(seconds(30));
    ASSERT_TRUE(end);
    EXPECT_EQ(end->code, 128 + SIGINT);
    expect_nothing_left(run.pid());
  }
}

TEST_F(SandboxTest, TheNextRunCleansUpAfterAKill) {
  auto run = start(1, kUntidy + std::string("sleep 1000"));
  const auto pid = run.pid();
  await_line("ready", seconds(120));
  run.kill();
  EXPECT_TRUE(eventually([&] { return processes().empty(); }, seconds(20))) << processes().front();
  EXPECT_TRUE(start(0, "true").wait(seconds(30))->clean());
  expect_nothing_left(pid);
}

TEST_F(SandboxTest, SeesNoNetworkOfTheMachine) {
  auto run = start(0, "ip -o link | grep -v ': lo:' | wc -l; ip route show | wc -l; echo ready");
  ASSERT_TRUE(run.wait(seconds(30))->clean());
  EXPECT_EQ(read_file(log_), "0\n0\nready\n");
}

}  // namespace
}  // namespace datasync::test
