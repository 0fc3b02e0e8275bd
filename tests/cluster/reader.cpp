#include "tests/cluster/reader.hpp"

#include <utility>

#include <fmt/format.h>

#include "tests/support/api_server.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

namespace fs = std::filesystem;

/// The environment goes from block to block by a file, as blocks are processes of their own.
constexpr const char* kShell = R"([ ! -e "$1/environment" ] || . "$1/environment"
trap 'export -p >"$0.next" && mv "$0.next" "${0%/*}/environment"' EXIT
. "$1/block")";

}  // namespace

Reader::Reader(fs::path home, const fs::path& kubeconfig)
    : home_(std::move(home)), state_(home_.string() + ".state"), kubeconfig_(kubeconfig) {
  const fs::path source = PROJECT_SOURCE_DIR;
  fs::create_directories(home_ / "build" / "release");
  fs::create_directories(state_);
  for (const char* folder : {"charts", "crds"}) copy_tree(source / folder, home_ / folder);
  fs::create_directory_symlink(DATASYNC_TEST_BIN_DIR, home_ / "build" / "release" / "bin");
  path_ = fmt::format("{}/.local/bin:{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", home_.string(),
                      kube_tool("kubectl").parent_path().string());
}

Reader::Answer Reader::type(const std::string& block, std::chrono::seconds limit) const {
  write_file(state_ / "block", block);
  write_file(state_ / "shell", kShell);
  fs::remove(state_ / "output");
  ProcessOptions options;
  options.args = {"bash", "-euo", "pipefail", (state_ / "shell").string(), state_.string()};
  options.env = {{"HOME", home_.string()}, {"PATH", path_}, {"KUBECONFIG", kubeconfig_.string()}};
  options.log = state_ / "output";
  options.working_dir = home_;
  auto process = Process::start(options);
  const auto exit = process.wait(limit);
  if (!exit) process.kill();
  return {!exit ? 124 : exit->signal != 0 ? 128 + exit->signal : exit->code, read_file(state_ / "output")};
}

}  // namespace datasync::test
