#include "tests/cluster/story.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

/// What a resource may show whenever an agent is started, moved or replaced.
const std::set<std::string>& everyday() {
  static const std::set<std::string> reasons{"Streaming", "Snapshotting", "AgentsReady",     "Starting",
                                             "AgentGone", "PodPending",   "AgentUnreachable"};
  return reasons;
}

}  // namespace

Stage::Stage(Scene& scene) : scene_(scene) {
  for (auto& side : scene.sides()) {
    watchers_[side.name] =
        std::make_unique<Watcher>(side.kubectl, side.kubectl.scratch() / ("datasyncs-" + side.name + ".log"));
  }
}

void Stage::note(const std::string& what, double seconds, double limit) {
  lines_.push_back({what, seconds, limit});
  fmt::print("cluster: {}: {:.1f} s (limit {:.0f} s)\n", what, seconds, limit);
}

std::string Stage::table() const {
  std::string text = fmt::format("{:<64} {:>8} {:>8}\n", "what happened", "seconds", "limit");
  for (const auto& line : lines_)
    text += fmt::format("{:<64} {:>8.1f} {:>8.0f}\n", line.what, line.seconds, line.limit);
  return text;
}

Story::Story(Stage& stage, std::string name) : stage_(stage), name_(std::move(name)) {
  for (const auto& side : stage_.scene().sides()) marks_[side.name] = stage_.watcher(side).mark();
}

void Story::mended() {
  since_ = std::chrono::steady_clock::now();
}

void Story::ends_well(std::chrono::seconds limit) {
  const auto spent = [this] { return std::chrono::steady_clock::now() - since_; };
  stage_.scene().wait_until_well(limit - std::chrono::duration_cast<std::chrono::seconds>(spent()));
  stage_.note(name_, std::chrono::duration<double>(spent()).count(), static_cast<double>(limit.count()));
}

void Story::shows(const Side& side, const std::string& resource, const std::string& reason, std::chrono::seconds limit,
                  const std::function<void()>& again) {
  const auto seen = [&] { return stage_.watcher(side).reasons(resource, marks_.at(side.name)); };
  auto next = std::chrono::steady_clock::now();
  const bool there = eventually(
      [&] {
        if (std::chrono::steady_clock::now() >= next) {
          again();
          next = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        }
        const auto all = seen();
        return std::ranges::find(all, reason) != all.end();
      },
      limit);
  if (!there) {
    throw std::runtime_error(fmt::format("{}: {}/{} did not show {} within {} s; it showed: {}", name_, side.name,
                                         resource, reason, limit.count(), fmt::join(seen(), ", ")));
  }
}

std::set<std::string> Story::told(const Side& side, const std::string& resource) const {
  std::set<std::string> out;
  for (const auto& reason : stage_.watcher(side).reasons(resource, marks_.at(side.name))) {
    if (!everyday().contains(reason)) out.insert(reason);
  }
  return out;
}

}  // namespace datasync::test
