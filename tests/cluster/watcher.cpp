#include "tests/cluster/watcher.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "tests/cluster/manifests.hpp"
#include "tests/support/api_server.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

/// NAME=CONDITION for every change: Ready as JSON in one line, whatever its message holds. It has the reason of
/// whichever condition matters.
constexpr const char* kLine = R"(jsonpath={.metadata.name}{"="}{.status.conditions[?(@.type=="Ready")]}{"\n"})";

constexpr std::chrono::seconds kPause{1};  ///< an API server that is away refuses at once

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
  std::mutex mutex;
  std::condition_variable_any ended;
  while (!stop.stop_requested()) {
    auto process = Process::start(options);
    std::optional<Exit> end;
    while (!stop.stop_requested() && !end) end = process.wait(milliseconds(300));
    std::unique_lock lock(mutex);
    if (end && !end->clean()) ended.wait_for(lock, stop, kPause, [] { return false; });
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

std::vector<Shown> Watcher::shown(const std::string& resource, std::size_t mark) const {
  std::vector<Shown> out;
  const auto all = lines();
  for (auto i = mark; i < all.size(); ++i) {
    const auto equals = all[i].find('=');
    if (equals == std::string::npos || all[i].substr(0, equals) != resource) continue;
    const auto ready = nlohmann::json::parse(all[i].substr(equals + 1), nullptr, false);
    if (!ready.is_object()) continue;  // none yet, or a line that is being written
    const Shown now{ready.value("reason", ""), ready.value("message", "")};
    if (out.empty() || out.back() != now) out.push_back(now);
  }
  return out;
}

}  // namespace datasync::test
