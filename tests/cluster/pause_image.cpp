#include "tests/cluster/pause_image.hpp"

#include <nlohmann/json.hpp>

#include "tests/cluster/cluster_files.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

constexpr const char* kProgram = R"(#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void on_end(int signal) { (void)signal; _exit(0); }
static void on_child(int signal) { (void)signal; while (waitpid(-1, 0, WNOHANG) > 0) {} }
int main(void) {
  signal(SIGTERM, on_end);
  signal(SIGINT, on_end);
  signal(SIGCHLD, on_child);
  for (;;) pause();
}
)";

/// An archive as `docker save` writes it: a layer, a configuration, and a manifest that names both.
void make_archive(const std::filesystem::path& folder) {
  const auto file = [&](const char* name) { return (folder / name).string(); };
  write_file(folder / "pause.c", kProgram);
  run({"gcc", "-static", "-O2", "-o", file("pause"), file("pause.c")});
  const std::vector<std::string> tar{"tar",       "--sort=name", "--mtime=@0",   "--owner=0",
                                     "--group=0", "-C",          folder.string()};
  const auto pack = [&](const char* archive, std::vector<std::string> members) {
    auto command = tar;
    command.insert(command.end(), {"-cf", file(archive)});
    command.insert(command.end(), members.begin(), members.end());
    run(command);
  };
  pack("layer.tar", {"pause"});
  const auto digest = run({"sha256sum", file("layer.tar")}).substr(0, 64);
  write_file(folder / "config.json",
             nlohmann::json{{"architecture", DATASYNC_TEST_ARCHITECTURE},
                            {"os", "linux"},
                            {"config", {{"User", "65535:65535"}, {"Entrypoint", {"/pause"}}}},
                            {"rootfs", {{"type", "layers"}, {"diff_ids", {"sha256:" + digest}}}}}
                 .dump());
  write_file(
      folder / "manifest.json",
      nlohmann::json::array({{{"Config", "config.json"}, {"RepoTags", {kPauseImage}}, {"Layers", {"layer.tar"}}}})
          .dump());
  pack("pause-image.tar", {"manifest.json", "config.json", "layer.tar"});
}

}  // namespace

std::filesystem::path pause_image() {
  return cached("pause-image", [](const std::filesystem::path& folder) { make_archive(folder); }) / "pause-image.tar";
}

}  // namespace datasync::test
