#pragma once
// Which tables a snapshot still has to read. Pure.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/capture/selection.hpp"
#include "agents/config/config.hpp"
#include "agents/message/record.hpp"

namespace datasync::capture {

struct SnapshotTask {
  const TableChoice* table = nullptr;
  std::string after_key;  ///< image bytes of the key of the last row acknowledged; empty: from the start
  std::uint64_t rows_done = 0;
  std::uint64_t rows_estimate = 0;
};

struct SnapshotPlan {
  std::string id;
  bool fresh = true;             ///< its Begin is not known to stand on the streams
  bool replace = false;          ///< after a lost position: rows that are at readers and not at the source must go
  std::vector<std::string> all;  ///< qualified names of every table it covers, done ones included
  std::vector<const TableChoice*> done;
  std::vector<SnapshotTask> tasks;  ///< what is left
};

/// Ids of snapshots after a lost position begin with this; a resumed one must know.
inline constexpr std::string_view kReplacePrefix = "replace-";

/// What is left to do. `known`: the newest snapshot's progress on the state topic. Tables that a former snapshot has
/// finished are not read again; new ones get a new snapshot. Nothing when nothing is left.
std::optional<SnapshotPlan> plan_snapshot(const Selection& selection, config::SnapshotMode mode,
                                          const std::vector<message::SnapshotProgress>& known,
                                          const std::function<std::string()>& make_id);

/// Everything anew, after a lost position.
SnapshotPlan plan_replacement(const Selection& selection, const std::function<std::string()>& make_id);

}  // namespace datasync::capture
