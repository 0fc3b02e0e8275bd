// cluster-test on clusters that the user gave ($KUBECONFIG_A, $KUBECONFIG_B): they are used, and left as they were.
// Those given here are two of datasync-cluster's, with the images loaded.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cluster/images.hpp"
#include "tests/cluster/kubectl.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr const char* kAddress = "172.31.0.1";  // of the sandbox, where databases and Kafka will listen

class GivenClusters : public testing::Test {
 protected:
  Process start(const std::string& filter) {
    ProcessOptions options;
    options.args = {TEST_PROGRAM, "--gtest_filter=" + filter};
    options.env = {{"CLUSTER_SERVERS_ADDRESS", kAddress}};
    options.log = log_;
    return Process::start(options);
  }
  [[nodiscard]] bool says(const std::string& words) const { return read_file(log_).find(words) != std::string::npos; }

  /// What an installation leaves in a cluster, and what of it is not in a namespace.
  static std::string things(const Kubectl& kubectl) {
    return kubectl.run({"get", "-o", "name",
                        "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,persistentvolumes,"
                        "validatingwebhookconfigurations,mutatingwebhookconfigurations"});
  }
  std::vector<std::string> things() const { return {things(a_), things(b_)}; }
  static std::size_t servers() {
    std::size_t found = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto name = read_file(entry.path() / "comm");
      if (name == "mariadbd\n" || name == "java\n") ++found;
    }
    return found;
  }

  TempDir dir_;
  fs::path log_ = dir_.path() / "log";
  Kubectl a_{std::getenv("KUBECONFIG_A"), dir_.path()};
  Kubectl b_{std::getenv("KUBECONFIG_B"), dir_.path()};
  std::vector<std::string> before_ = things();
};

TEST_F(GivenClusters, ExistingInstallationIsRefusedAndKept) {
  b_.run({"create", "namespace", "dr"});
  const auto with_it = things();
  auto run = start("*");
  const auto end = run.wait(seconds(30));
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->clean());
  EXPECT_TRUE(says("has the namespace dr already")) << read_file(log_);
  EXPECT_EQ(things(), with_it);
  b_.run({"delete", "namespace", "dr", "--timeout=60s"});
}

TEST_F(GivenClusters, CtrlCInTheMiddleOfATestLeavesNothing) {
  auto run = start("Pods.CaptureDeletedWithoutGrace:Pods.ApplyDeletedWithoutGrace");
  const auto begun = [&] { return says("[ RUN      ] Pods.ApplyDeletedWithoutGrace") || !run.is_running(); };
  EXPECT_TRUE(eventually(begun, seconds(300)));
  EXPECT_TRUE(says("[       OK ] Pods.CaptureDeletedWithoutGrace")) << read_file(log_);
  EXPECT_NE(things(), before_);
  run.send(SIGINT);
  const auto end = run.wait(seconds(240));
  ASSERT_TRUE(end) << read_file(log_);
  EXPECT_EQ(end->code, 128 + SIGINT);
  EXPECT_EQ(things(), before_) << read_file(log_);
  EXPECT_EQ(servers(), 0U);
}

constexpr const char* kInside = "--inside";  // a sandbox of ours: a user's clusters are no place for this

/// This program once more, in a sandbox with two clusters.
[[noreturn]] void run_with_clusters(char** argv) {
  for (const char* given : {"KUBECONFIG_A", "KUBECONFIG_B"}) unsetenv(given);
  const auto images = images_for_clusters();
  setenv("CLUSTER_IMAGES", fmt::format("{}:{}", images.repository, images.tag).c_str(), 1);
  std::vector<std::string> args{CLUSTER_PROGRAM, "-n", "2"};
  for (const auto& archive : images.archives) args.insert(args.end(), {"--load", archive.string()});
  args.insert(args.end(), {"--", fs::read_symlink("/proc/self/exe").string(), kInside});
  for (++argv; *argv != nullptr; ++argv) args.emplace_back(*argv);
  std::vector<char*> pointers;
  for (auto& arg : args) pointers.push_back(arg.data());
  pointers.push_back(nullptr);
  execv(CLUSTER_PROGRAM, pointers.data());
  throw std::runtime_error("cannot execute " CLUSTER_PROGRAM);
}

}  // namespace
}  // namespace datasync::test

int main(int argc, char** argv) {
  using namespace datasync::test;
  try {
    if (argc < 2 || std::string(argv[1]) != kInside) run_with_clusters(argv);
    testing::InitGoogleTest(&argc, argv);
    run({"ip", "addr", "add", std::string(kAddress) + "/32", "dev", "lo"});
    return RUN_ALL_TESTS();
  } catch (const std::exception& error) {
    fmt::print(stderr, "given_clusters_test: {}\n", error.what());
    return 1;
  }
}
