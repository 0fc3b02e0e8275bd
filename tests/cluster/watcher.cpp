#include "tests/cluster/watcher.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "tests/cluster/manifests.hpp"
#include "tests/support/api_server.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

/// NAME=REASON of Ready for every change; kubectl turns tabs into blanks. Ready has the reason of whichever condition
/// matters.
constexpr const char* kLine = R"(jsonpath={.metadata.name}{"="}{.status.conditions[?(@.type=="Ready")].reason}{"\n"})";

}  // namespace

Watcher::Watcher(const Kubectl& kubectl, std::filesystem::path log)
    : kubectl_(kubectl), log_(std::move(log)), thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void Watcher::watch(const std::stop_token& stop) const {
  ProcessOptions options;
  options.args = {kube_tool("kubectl").string(),
                  "--kubeconfig",
                  kubectl_.kubeconfig().string(),
                  "-n",
                  kNamespace,
                  "get",
                  "datasyncs",
                  "--watch",
                  "-o",
                  kLine};
  options.log = log_;
  while (!stop.stop_requested()) {
    auto process = Process::start(options);
    while (!stop.stop_requested() && !process.wait(milliseconds(300))) continue;
  }
}

std::vector<std::string> Watcher::lines() const {
  std::istringstream text(read_file(log_));
  std::vector<std::string> all;
  for (std::string line; std::getline(text, line);) all.push_back(line);
  return all;
}

std::size_t Watcher::mark() const {
  return lines().size();
}

std::set<std::string> Watcher::names() const {
  std::set<std::string> out;
  for (const auto& line : lines()) {
    const auto name = line.substr(0, line.find('='));  // kubectl's complaints are no names
    if (name.size() < line.size() && name.find(' ') == std::string::npos) out.insert(name);
  }
  return out;
}

std::vector<std::string> Watcher::reasons(const std::string& resource, std::size_t mark) const {
  std::vector<std::string> out;
  const auto all = lines();
  for (auto i = mark; i < all.size(); ++i) {
    const auto equals = all[i].find('=');
    if (equals == std::string::npos || all[i].substr(0, equals) != resource || equals + 1 == all[i].size()) continue;
    const auto reason = all[i].substr(equals + 1);
    if (out.empty() || out.back() != reason) out.push_back(reason);
  }
  return out;
}

}  // namespace datasync::test
