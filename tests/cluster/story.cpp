#include "tests/cluster/story.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/cluster/manifests.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

/// An Event and its condition are two writes, and a watch comes after them.
constexpr std::chrono::seconds kAllTold{10};

std::string now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  return fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(seconds.count()),
                     std::chrono::floor<std::chrono::microseconds>(since_epoch - seconds).count());
}

/// The Events about DataSyncs, by resource.
std::map<std::string, std::vector<EventTold>> events_of(const Side& side) {
  std::map<std::string, std::vector<EventTold>> out;
  const auto list = side.kubectl.get({"-n", kNamespace, "events", "--field-selector", "involvedObject.kind=DataSync"});
  for (const auto& event : list.at("items")) {
    const std::string first = event.at("eventTime");
    const std::string last = event.contains("series") ? event["series"].value("lastObservedTime", first) : first;
    const auto& about = event.at("involvedObject");
    out[about.at("name")].push_back({about.value("uid", ""), event.at("reason"), event.value("message", ""), last});
  }
  return out;
}

std::map<std::string, std::string> uids_of(const Side& side) {
  std::map<std::string, std::string> out;
  const auto list = side.kubectl.get({"-n", kNamespace, "datasyncs"});
  for (const auto& item : list.at("items")) out[item["metadata"]["name"]] = item["metadata"]["uid"];
  return out;
}

}  // namespace

Stage::Stage(Scene& scene) : scene_(scene) {
  for (auto& side : scene.sides()) {
    watchers_[side.name] =
        std::make_unique<Watcher>(side.kubectl, side.kubectl.scratch() / ("datasyncs-" + side.name + ".log"));
  }
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
  stage_.times().note(name_, std::chrono::duration<double>(spent()).count(), static_cast<double>(limit.count()));
}

void Story::shows(const Side& side, const std::string& resource, const std::string& reason, std::chrono::seconds limit,
                  const std::function<void()>& again) {
  const auto seen = [&] { return stage_.watcher(side).shown(resource, marks_.at(side.name)); };
  auto next = std::chrono::steady_clock::now();
  const bool there = eventually(
      [&] {
        if (std::chrono::steady_clock::now() >= next) {
          again();
          next = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        }
        const auto all = seen();
        return std::ranges::find(all, reason, &Shown::reason) != all.end();
      },
      limit);
  if (!there) {
    throw std::runtime_error(fmt::format("{}: {}/{} did not show {} within {} s; it showed: {}", name_, side.name,
                                         resource, reason, limit.count(), summary(seen())));
  }
}

std::map<std::string, Observed> Story::observed() const {
  std::map<std::string, Observed> out;
  for (const auto& side : stage_.scene().sides()) {
    const auto& watcher = stage_.watcher(side);
    auto events = events_of(side);
    auto uids = uids_of(side);
    for (const auto& resource : watcher.names()) {
      out[side.name + "/" + resource] = {.uid = uids[resource],
                                         .begun = begun_,
                                         .shown = watcher.shown(resource, marks_.at(side.name)),
                                         .events = std::move(events[resource])};
    }
  }
  return out;
}

std::string Story::differs_from(const Golden& golden, const std::set<std::string>& anywhere) const {
  std::map<std::string, Observed> all;
  std::string out;
  const auto agree = [&] {
    out.clear();
    all = observed();
    for (const auto& [name, seen] : all) {
      const auto named = golden.find(name);
      auto told = named == golden.end() ? Told{} : named->second;
      told.sometimes.insert(anywhere.begin(), anywhere.end());
      std::istringstream lines(differences(seen, told));
      for (std::string line; std::getline(lines, line);) out += fmt::format("{}: {}\n", name, line);
    }
    for (const auto& [name, told] : golden) {
      if (!all.contains(name)) out += name + ": was never there\n";
    }
    return out.empty();
  };
  (void)eventually(agree, kAllTold);
  for (const auto& [name, seen] : all) {
    if (!seen.shown.empty()) fmt::print("cluster:   {} told {}\n", name, summary(seen.shown));
  }
  return out;
}

}  // namespace datasync::test
