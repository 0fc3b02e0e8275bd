#include "agents/capture/replica/cascades.hpp"

#include <algorithm>
#include <utility>

namespace datasync::capture {

base::Result<CascadingParents> cascading_parents(source::Server& server, const Selection& selection,
                                                 const std::vector<SnapshotTask>& tasks) {
  CascadingParents out;
  for (const auto& task : tasks) {
    const auto& child = *task.table;
    const auto info = server.table(child.database, child.table, {});
    // What cannot be read is reported when the table is copied.
    if (!info && info.error().outcome() != base::Outcome::Halt) return info.error();
    if (!info || !*info) continue;
    for (const auto& key : (*info)->acting_keys) {
      const auto* parent = selection.find(key.parent_database, key.parent_table);
      if (parent != nullptr && parent != &child) out[child.qualified()].insert(parent->qualified());
    }
  }
  return out;
}

void parents_first(std::vector<SnapshotTask>& tasks, const CascadingParents& parents) {
  std::vector<SnapshotTask> ordered;
  const auto waits = [&](const SnapshotTask& task) {
    const auto at = parents.find(task.table->qualified());
    return at != parents.end() && std::ranges::any_of(tasks, [&](const SnapshotTask& other) {
             return at->second.contains(other.table->qualified());
           });
  };
  while (!tasks.empty()) {
    auto next = std::ranges::find_if_not(tasks, waits);
    if (next == tasks.end()) next = tasks.begin();
    ordered.push_back(std::move(*next));
    tasks.erase(next);
  }
  tasks = std::move(ordered);
}

}  // namespace datasync::capture
