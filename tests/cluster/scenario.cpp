#include "tests/cluster/scenario.hpp"

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
constexpr std::chrono::seconds kAllReported{10};

std::string now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  return fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(seconds.count()),
                     std::chrono::floor<std::chrono::microseconds>(since_epoch - seconds).count());
}

/// The Events about DataSyncs, by resource.
std::map<std::string, std::vector<ObservedEvent>> events_of(const Side& side) {
  std::map<std::string, std::vector<ObservedEvent>> out;
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

Harness::Harness(Environment& environment) : environment_(environment) {
  for (auto& side : environment.sides()) {
    watchers_[side.name] =
        std::make_unique<Watcher>(side.kubectl, side.kubectl.scratch() / ("datasyncs-" + side.name + ".log"));
  }
}

Scenario::Scenario(Harness& harness, std::string name) : harness_(harness), name_(std::move(name)), begun_(now()) {
  for (const auto& side : harness_.environment().sides()) marks_[side.name] = harness_.watcher(side).mark();
}

void Scenario::fixed() {
  since_ = std::chrono::steady_clock::now();
}

void Scenario::recovers_within(std::chrono::seconds limit) {
  const auto spent = [this] { return std::chrono::steady_clock::now() - since_; };
  harness_.environment().wait_until_healthy(limit - std::chrono::duration_cast<std::chrono::seconds>(spent()));
  harness_.times().note(name_, std::chrono::duration<double>(spent()).count(), static_cast<double>(limit.count()));
}

void Scenario::shows(const Side& side, const std::string& resource, const std::string& reason,
                     std::chrono::seconds limit, const std::function<void()>& again) {
  const auto seen = [&] { return harness_.watcher(side).shown(resource, marks_.at(side.name)); };
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

std::map<std::string, Observed> Scenario::observed() const {
  std::map<std::string, Observed> out;
  for (const auto& side : harness_.environment().sides()) {
    const auto& watcher = harness_.watcher(side);
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

std::string Scenario::differs_from(const Golden& golden, const std::set<std::string>& anywhere) const {
  std::map<std::string, Observed> all;
  std::string out;
  const auto agree = [&] {
    out.clear();
    all = observed();
    for (const auto& [name, seen] : all) {
      const auto named = golden.find(name);
      auto expected = named == golden.end() ? ExpectedEvents{} : named->second;
      expected.sometimes.insert(anywhere.begin(), anywhere.end());
      std::istringstream lines(differences(seen, expected));
      for (std::string line; std::getline(lines, line);) out += fmt::format("{}: {}\n", name, line);
    }
    for (const auto& [name, expected] : golden) {
      if (!all.contains(name)) out += name + ": was never there\n";
    }
    return out.empty();
  };
  (void)eventually(agree, kAllReported);
  for (const auto& [name, seen] : all) {
    if (!seen.shown.empty()) fmt::print("cluster:   {} reported {}\n", name, summary(seen.shown));
  }
  return out;
}

}  // namespace datasync::test
