#pragma once
// Which tables a snapshot still has to read, and which copies do not hold any more. Pure, but for the ids.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/config/config.hpp"
#include "agents/message/record.hpp"

namespace datasync::capture {

/// A new one each time; random.
std::string make_snapshot_id();

/// The newest snapshot as the state topic has it: StateView::snapshot().
using KnownSnapshot = std::vector<message::SnapshotProgress>;

/// A table whose copy at readers does not hold any more: something of it was not, or will not be, on the stream.
struct Outdated {
  std::string table;  ///< qualified name
  bool rows_missed;   ///< rows that readers have may be gone at the source: the next copy has to empty the table first
  bool operator==(const Outdated&) const = default;
};

/// What a change of the selection since the newest snapshot makes outdated: a table that is captured no more (when it
/// is again, its changes of the time between are missing), one with a column that was excluded, one of another type.
/// Errors: ConfigInvalid for a table whose other type is on another stream: old and new changes would have no order.
base::Result<std::vector<Outdated>> outdated_by(const Selection& selection, const KnownSnapshot& known);

/// All of them with rows missed: after a lost position.
std::vector<Outdated> everything(const Selection& selection);

/// The progress records that bring the account of snapshots in line with what is captured now, and make every successor
/// copy the outdated tables again; in the order in which to write them. They must stand on the state topic before
/// anything moves past what made the tables outdated: a crash in between would lose it. Empty when the state topic says
/// so already. `id`: of a new snapshot. While a snapshot is under way, each outdated table that it copies makes a new
/// one: what was put on the streams of the table and is not acknowledged yet must not count for the copy that follows.
std::vector<message::SnapshotProgress> revise(const KnownSnapshot& known, const Selection& selection,
                                              const std::vector<Outdated>& outdated, const std::string& id);

/// The account says already that the table is to be copied from its beginning, and no part of a copy of it counts.
bool is_noted(const KnownSnapshot& known, const Outdated& table);

struct SnapshotTask {
  const TableChoice* table = nullptr;
  std::string after_key;  ///< image bytes of the key of the last row acknowledged; empty: from the start
  std::uint64_t rows_done = 0;
  std::uint64_t rows_estimate = 0;
  bool replace = false;         ///< readers empty the table before its first row
  std::uint64_t next_rows = 0;  ///< to ask for next, by the size of the rows so far; 0: not known
};

struct SnapshotPlan {
  std::string id;
  bool fresh = true;                     ///< the state topic does not know of it
  std::vector<const TableChoice*> all;   ///< every table it covers, done ones included
  std::vector<const TableChoice*> done;  ///< of `all`
  std::vector<SnapshotTask> tasks;       ///< what is left
  message::SnapshotProgress known;       ///< the record of the newest snapshot so far

  /// The record of the whole snapshot, for the state topic.
  /// `missing`: tables that it did not find at the server. They stay due, and are emptied when they are copied.
  [[nodiscard]] message::SnapshotProgress whole(bool complete, const std::set<std::string>& missing = {}) const;
};

/// What is left to do. Tables that a former snapshot has finished are not read again; new and outdated ones are. With
/// `Never` no new ones. Nothing when nothing is left.
std::optional<SnapshotPlan> plan_snapshot(const Selection& selection, config::SnapshotMode mode,
                                          const KnownSnapshot& known, const std::function<std::string()>& make_id);

}  // namespace datasync::capture
