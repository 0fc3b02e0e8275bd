#include "tests/cluster/story.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/cluster/manifests.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

/// What a resource may show whenever an agent is started, moved or replaced.
const std::set<std::string>& everyday() {
  static const std::set<std::string> reasons{"Streaming", "Snapshotting", "AgentsReady",     "Starting",
                                             "AgentGone", "PodPending",   "AgentUnreachable"};
  return reasons;
}

std::string now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  return fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(seconds.count()),
                     std::chrono::floor<std::chrono::microseconds>(since_epoch - seconds).count());
}

/// Each reason of the Events about a DataSync with the time of its last one.
std::map<std::string, std::string> events_of(const Side& side, const std::string& resource) {
  std::map<std::string, std::string> out;
  const auto list = side.kubectl.get(
      {"-n", kNamespace, "events", "--field-selector", "involvedObject.kind=DataSync,involvedObject.name=" + resource});
  for (const auto& event : list.at("items")) {
    const std::string first = event.at("eventTime");
    const std::string last = event.contains("series") ? event["series"].value("lastObservedTime", first) : first;
    auto& latest = out[event.at("reason")];
    latest = std::max(latest, last);
  }
  return out;
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

Story::Story(Stage& stage, std::string name) : stage_(stage), name_(std::move(name)), begun_(now()) {
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

void Story::compare(const Side& side, const std::string& resource, const Told& told, std::string& out) const {
  const auto shown = stage_.watcher(side).reasons(resource, marks_.at(side.name));
  const auto events = events_of(side, resource);
  const auto say = [&](const char* where, const std::string& reason, const char* what) {
    out += fmt::format("{}/{}: {} {} {}\n", side.name, resource, where, what, reason);
  };
  for (const auto& reason : told.always) {
    if (std::ranges::find(shown, reason) == shown.end()) say("conditions", reason, "do not tell");
  }
  for (const auto& reason : std::set(shown.begin(), shown.end())) {
    if (everyday().contains(reason)) continue;
    if (!told.always.contains(reason) && !told.sometimes.contains(reason)) say("conditions", reason, "tell");
    // What was told with the same words lately is not always told again: the Event may be of an earlier time.
    if (!events.contains(reason)) say("Events", reason, "do not tell");
  }
  for (const auto& [reason, last] : events) {
    if (last < begun_ || everyday().contains(reason)) continue;
    if (!told.always.contains(reason) && !told.sometimes.contains(reason)) say("Events", reason, "tell");
  }
}

std::string Story::differs_from(const Golden& golden, const std::set<std::string>& anywhere) const {
  std::string out;
  std::set<std::string> known;
  for (const auto& side : stage_.scene().sides()) {
    for (const auto& resource : stage_.watcher(side).names()) {
      const auto name = side.name + "/" + resource;
      const auto named = golden.find(name);
      auto told = named == golden.end() ? Told{} : named->second;
      told.sometimes.insert(anywhere.begin(), anywhere.end());
      compare(side, resource, told, out);
      known.insert(name);
    }
  }
  for (const auto& [name, told] : golden) {
    if (!known.contains(name)) out += name + ": was never there\n";
  }
  return out;
}

}  // namespace datasync::test
