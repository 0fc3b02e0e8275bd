#include "tests/cluster/images.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include <sys/prctl.h>
#include <unistd.h>

#include "tests/cluster/child_wait.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// REPOSITORY:TAG, where the repository may have a port.
void split(const std::string& reference, std::string& repository, std::string& tag) {
  const auto colon = reference.rfind(':');
  if (colon == std::string::npos || reference.find('/', colon) != std::string::npos) {
    throw std::runtime_error("not REPOSITORY:TAG: " + reference);
  }
  repository = reference.substr(0, colon);
  tag = reference.substr(colon + 1);
}

/// popen, as it needs no thread.
std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string text;
  std::array<char, 4096> buffer{};
  while (const auto n = fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), n);
  if (pclose(pipe) != 0) throw std::runtime_error(command + " failed");
  return text;
}

Images built_images() {
  Images out;
  std::istringstream lines(output_of("'" DATASYNC_TEST_IMAGES_TOOL "' --repository localhost/datasync"));
  std::string part, reference, archive;
  while (lines >> part >> reference >> archive) {
    split(reference, out.repository, out.tag);
    out.repository.erase(out.repository.rfind('/'));
    out.archives.emplace_back(archive);
  }
  if (out.archives.size() != 2) throw std::runtime_error("tools/images did not name two images");
  out.second_tag = out.tag + "-next";
  return out;
}

}  // namespace

bool clusters_are_given() {
  const bool a = !variable("KUBECONFIG_A").empty(), b = !variable("KUBECONFIG_B").empty();
  if (a != b) throw std::runtime_error("set both KUBECONFIG_A and KUBECONFIG_B, or neither");
  if (a && variable("CLUSTER_SERVERS_ADDRESS").empty()) {
    throw std::runtime_error("set CLUSTER_SERVERS_ADDRESS: where pods of the given clusters reach this machine");
  }
  return a;
}

Images images_for_clusters() {
  if (variable("CLUSTER_IMAGES").empty()) {
    if (clusters_are_given())
      throw std::runtime_error("set CLUSTER_IMAGES=REPOSITORY:TAG: what the given clusters can pull");
    return built_images();
  }
  Images out;
  std::istringstream archives(variable("CLUSTER_ARCHIVES"));
  for (std::string archive; archives >> archive;) out.archives.emplace_back(archive);
  split(variable("CLUSTER_IMAGES"), out.repository, out.tag);
  out.second_tag = clusters_are_given() ? out.tag : out.tag + "-next";
  return out;
}

namespace {

/// The body in a child, so that its parent clears away whatever becomes of it.
int run_on_given_clusters(const std::function<int(const std::filesystem::path& folder)>& body) {
  const TempDir folder;
  const ChildWait waiting;
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    waiting.in_child();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int code = 1;
    try {
      code = body(folder.path());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    std::fflush(nullptr);
    _exit(code);
  }
  const int code = waiting.until_end_of(child);
  clean_given_clusters(folder.path());
  return code;
}

}  // namespace

int with_clusters(const std::function<int(const Sandbox*, const std::filesystem::path& folder, const Images&)>& body) {
  const auto images = images_for_clusters();
  if (clusters_are_given()) {
    return run_on_given_clusters([&](const auto& folder) { return body(nullptr, folder, images); });
  }
  return run_in_sandbox([&](const Sandbox& sandbox) { return body(&sandbox, sandbox.folder, images); });
}

}  // namespace datasync::test
