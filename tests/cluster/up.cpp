// datasync-cluster: real single-node Kubernetes clusters on this machine, gone without a trace when it ends.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cluster/cluster.hpp"

namespace datasync::test {
namespace {

struct Options {
  int clusters = 2;
  std::vector<std::string> archives;
  std::vector<std::string> command;
};

/// A, B, ...: as in KUBECONFIG_A.
std::string variable(int number) {
  return fmt::format("KUBECONFIG_{}", static_cast<char>('A' + number - 1));
}

int run_command(const Options& options) {
  std::vector<char*> args;
  for (const auto& arg : options.command) args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    execvp(args[0], args.data());
    std::perror(args[0]);
    _exit(127);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int with_clusters(const Sandbox& sandbox, const Options& options) {
  std::vector<std::unique_ptr<Cluster>> clusters;
  for (int number = 1; number <= options.clusters; ++number) {
    const auto name = std::string(1, static_cast<char>('a' + number - 1));
    clusters.push_back(std::make_unique<Cluster>(sandbox, number, name));
    for (const auto& archive : options.archives) clusters.back()->load(archive);
    const auto kubeconfig = clusters.back()->kubectl().kubeconfig().string();
    setenv(variable(number).c_str(), kubeconfig.c_str(), 1);
    fmt::print("cluster {} is up: {}={}\n", name, variable(number), kubeconfig);
    std::fflush(stdout);
  }
  return run_command(options);
}

}  // namespace
}  // namespace datasync::test

int main(int argc, char** argv) {
  using namespace datasync::test;
  CLI::App app(
      "Brings up Kubernetes clusters, runs a command that sees them as $KUBECONFIG_A, $KUBECONFIG_B, ..., and "
      "takes them down. Needs root.");
  Options options;
  app.add_option("-n,--clusters", options.clusters, "how many; 0: the sandbox alone")
      ->check(CLI::Range(0, 9))
      ->capture_default_str();
  app.add_option("--load", options.archives, "archives of images for every node")->check(CLI::ExistingFile);
  app.add_option("command", options.command, "what to run; default: bash");
  app.positionals_at_end();
  CLI11_PARSE(app, argc, argv);
  if (options.command.empty()) options.command = {"bash"};
  try {
    return run_in_sandbox([&](const Sandbox& sandbox) { return with_clusters(sandbox, options); });
  } catch (const std::exception& error) {
    fmt::print(stderr, "datasync-cluster: {}\n", error.what());
    return 1;
  }
}
