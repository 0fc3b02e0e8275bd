#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/cluster/scene.hpp"
#include "tests/cluster/watcher.hpp"

namespace datasync::test {

/// The scene as the tests share it, with an eye on each cluster and the times of what was measured.
class Stage {
 public:
  explicit Stage(Scene& scene);

  [[nodiscard]] Scene& scene() { return scene_; }
  [[nodiscard]] Watcher& watcher(const Side& side) { return *watchers_.at(side.name); }
  /// A line of the table that is printed at the end.
  void note(const std::string& what, double seconds, double limit);
  [[nodiscard]] std::string table() const;

 private:
  struct Line {
    std::string what;
    double seconds, limit;
  };
  Scene& scene_;
  std::map<std::string, std::unique_ptr<Watcher>> watchers_;
  std::vector<Line> lines_;
};

/// The reasons that one DataSync tells a fault by: `always` each time, `sometimes` beside them, as it depends on who
/// looked when.
struct Told {
  std::set<std::string> always = {}, sometimes = {};
};

/// By CLUSTER/NAME; a DataSync that is not named tells nothing.
using Golden = std::map<std::string, Told>;

/// One fault, from before it is made until all is well.
class Story {
 public:
  /// Begins: what DataSyncs show from now on belongs to it.
  Story(Stage& stage, std::string name);

  /// What was broken is whole again, as far as a person mends it: the seconds count from here, else from the beginning.
  void mended();
  /// Every DataSync is Ready and data arrives within `limit`; throws else. Notes the seconds.
  void ends_well(std::chrono::seconds limit);
  /// A condition with this reason is seen within `limit`; throws else. `again` is called now and every 20 seconds, for
  /// what has an effect only after the kubelet has brought a secret into the pod.
  void shows(
      const Side& side, const std::string& resource, const std::string& reason, std::chrono::seconds limit,
      const std::function<void()>& again = [] {});
  /// Compares conditions and Events of all DataSyncs since the beginning with what shall be told; reasons that any
  /// restart shows are left out, and any DataSync may tell those of `anywhere`. Empty when they agree, else a line for
  /// each difference.
  [[nodiscard]] std::string differs_from(const Golden& golden, const std::set<std::string>& anywhere = {}) const;

 private:
  void compare(const Side& side, const std::string& resource, const Told& told, std::string& out) const;

  Stage& stage_;
  std::string name_;
  std::map<std::string, std::size_t> marks_;
  std::string begun_;  ///< UTC, as an Event's time is written
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace datasync::test
