#pragma once
// The records that a running epoch writes to the state topic, and how it detects that a higher epoch was claimed.

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/message/record.hpp"
#include "agents/protocol/log.hpp"
#include "agents/protocol/state_view.hpp"

namespace datasync::protocol {

/// Writes checkpoints and snapshot progress of one epoch, each into a ring of keys, and reads the state topic to its
/// end before each write. So at most one record of a key family is ever stored after a higher claim, and compaction
/// always leaves a certain one for the successor. Not thread-safe.
class StateWriter {
 public:
  /// `view` must contain everything read from `state` so far; both must outlive the writer.
  StateWriter(StateLog& state, StateView& view, message::Epoch epoch) : state_(state), view_(view), epoch_(epoch) {}

  /// Reads the state topic to its end. Errors: Superseded when it has a higher claim; those of the log; Stopping.
  base::Result<void> check(std::stop_token stop);
  /// Writes a record. Errors: as `check`, then those of the append, after which the same record or a newer one may be
  /// written again.
  base::Result<void> write(message::Checkpoint checkpoint, std::stop_token stop);
  base::Result<void> write(message::SnapshotProgress progress, std::stop_token stop);
  /// Writes that a request is served. Call it after the records that make its tables due.
  base::Result<void> write(message::Request served, std::stop_token stop);
  /// Removes records that are no longer needed, see StateView::obsolete, but only a limited number, so that the caller
  /// does not wait long. Returns true when none is left. Errors: as `check`; those of the log.
  base::Result<bool> tidy(std::int32_t streams, std::stop_token stop);
  /// Removes schemas that no record needs and keeps the names of their columns, see StateView::old_schemas; only a
  /// limited number, so that the caller does not wait long. Returns true when none is left. `all`: of the view after
  /// `check`. Errors: as `check`; those of the log.
  base::Result<bool> remove_schemas(const std::vector<StateView::OldSchemas>& all, std::stop_token stop);
  /// Writes a schema unless the topic has it. It has no epoch: its key is the hash of its content.
  base::Result<void> write(const message::TableSchema& schema, std::stop_token stop);
  /// Writes a definition, which has no epoch either, with the next sequence number of its table. Errors: as `check`,
  /// then those of the append.
  base::Result<void> write(message::Definition definition, std::stop_token stop);

 private:
  base::Result<void> append(message::Kind kind, const std::string& family, const std::string& key,
                            const std::string& value);
  unsigned slot(const std::string& family);

  StateLog& state_;
  StateView& view_;
  message::Epoch epoch_;
  std::map<std::string, unsigned> slots_;  ///< the slot that each family writes next
};

}  // namespace datasync::protocol
