#include "agents/capture/snapshot_plan.hpp"

#include <algorithm>

namespace datasync::capture {
namespace {

/// The newest snapshot as the state topic has it.
struct Known {
  std::string id;
  bool begun = false;
  bool done = false;
  std::vector<std::string> tables;
  std::map<std::string, message::SnapshotProgress> progress;

  [[nodiscard]] bool finished(const std::string& table) const {
    const auto at = progress.find(table);
    return at != progress.end() && at->second.done;
  }
};

Known fold(const std::vector<message::SnapshotProgress>& records) {
  Known k;
  for (const auto& r : records) {
    k.id = r.id;
    if (r.table.empty()) {
      k.begun = true;
      k.done = r.done;
      k.tables = r.tables;
    } else {
      k.progress.emplace(r.database + "." + r.table, r);
    }
  }
  return k;
}

}  // namespace

std::optional<SnapshotPlan> plan_snapshot(const Selection& selection, config::SnapshotMode mode,
                                          const std::vector<message::SnapshotProgress>& known,
                                          const std::function<std::string()>& make_id) {
  const auto last = fold(known);
  const bool unfinished = last.begun && !last.done;
  if (mode == config::SnapshotMode::Never && !unfinished) return std::nullopt;
  SnapshotPlan plan;
  bool added = false;
  for (const auto& t : selection.tables()) {
    const auto name = t.qualified();
    plan.all.push_back(name);
    const bool covered = std::ranges::find(last.tables, name) != last.tables.end();
    if (covered && (last.done || last.finished(name))) {
      plan.done.push_back(&t);
      continue;
    }
    added = added || !covered;
    SnapshotTask task{&t, {}, 0, 0};
    if (const auto at = last.progress.find(name); unfinished && covered && at != last.progress.end()) {
      task.after_key = at->second.last_key;
      task.rows_done = at->second.rows_done;
      task.rows_estimate = at->second.rows_estimate;
    }
    plan.tasks.push_back(std::move(task));
  }
  if (plan.tasks.empty() && !unfinished) return std::nullopt;
  plan.fresh = !unfinished || added;
  plan.replace = unfinished && last.id.starts_with(kReplacePrefix);
  if (!plan.fresh)
    plan.id = last.id;
  else
    plan.id = (plan.replace ? std::string(kReplacePrefix) : std::string()) + make_id();
  return plan;
}

SnapshotPlan plan_replacement(const Selection& selection, const std::function<std::string()>& make_id) {
  SnapshotPlan plan;
  plan.id = std::string(kReplacePrefix) + make_id();
  plan.replace = true;
  for (const auto& t : selection.tables()) {
    plan.all.push_back(t.qualified());
    plan.tasks.push_back({&t, {}, 0, 0});
  }
  return plan;
}

}  // namespace datasync::capture
