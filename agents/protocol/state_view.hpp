#pragma once
// What the state topic says, folded record by record.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/message/definition.hpp"
#include "agents/message/record.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::protocol {

/// Feed it every state record in order. Decides who has an epoch and which checkpoints are certain. A checkpoint or a
/// snapshot progress counts only if it stands before any claim of a higher epoch than its own: one written after may be
/// a zombie's. Value type; not thread-safe.
class StateView {
 public:
  /// Errors: ForeignMessage naming the offset.
  base::Result<void> see(const StateRecord& record);

  /// A start of this epoch stands on a stream: it was claimed, whether or not the state topic still has the claim.
  void started(message::Epoch epoch) noexcept { highest_ = std::max(highest_, epoch); }

  [[nodiscard]] message::Epoch highest_claim() const noexcept { return highest_; }
  /// The state topic has a claim of a higher epoch.
  [[nodiscard]] bool claimed_above(message::Epoch epoch) const { return owners_.upper_bound(epoch) != owners_.end(); }
  /// Who has the epoch: the `instance` of its first claim, as that claim spells it; empty when nobody claimed it.
  [[nodiscard]] std::string owner(message::Epoch epoch) const;
  /// Somebody else claimed an epoch above `held`, the newest that `instance` had. An instance that finds this on its
  /// way back from a lost connection (or from being frozen) was replaced: it must end, not claim again.
  [[nodiscard]] bool replaced(message::Epoch held, const std::string& instance) const;
  /// The newest certain checkpoint of a stream.
  [[nodiscard]] std::optional<message::Checkpoint> checkpoint(std::int32_t stream) const;
  /// The newest certain progress of each table of the newest snapshot, and of the snapshot itself (empty table name).
  [[nodiscard]] std::vector<message::SnapshotProgress> snapshot() const;
  /// Wishes that no capture has served, by id.
  [[nodiscard]] const std::map<std::string, message::Request>& requests() const noexcept { return requests_; }
  [[nodiscard]] bool served(const std::string& request) const { return served_.contains(request); }
  [[nodiscard]] const std::set<std::string>& served_requests() const noexcept { return served_; }
  [[nodiscard]] std::optional<message::TableSchema> schema(message::SchemaId id) const;
  /// What is known of a table's definitions, by its qualified name; whoever learnt it: it is the source's history.
  [[nodiscard]] std::vector<message::Definition> definitions(const std::string& table) const;
  [[nodiscard]] const std::map<message::SchemaId, message::TableSchema>& schemas() const noexcept { return schemas_; }

 private:
  base::Result<void> take(const StateRecord& record);
  base::Result<void> take_claim(base::Bytes value);
  base::Result<void> take_checkpoint(base::Bytes value);
  base::Result<void> take_progress(base::Bytes value);
  base::Result<void> take_schema(base::Bytes value);
  void take_request(base::Bytes value);
  base::Result<void> take_definition(base::Bytes value);

  message::Epoch highest_;
  std::map<message::Epoch, std::string> owners_;
  std::map<std::int32_t, message::Checkpoint> checkpoints_;
  std::string snapshot_;  ///< id of the newest snapshot
  std::set<std::string> old_snapshots_;
  std::map<std::string, message::SnapshotProgress> progress_;  ///< by qualified table name
  std::map<std::string, message::Request> requests_;
  std::set<std::string> served_;
  std::map<message::SchemaId, message::TableSchema> schemas_;
  std::map<std::string, std::map<std::uint64_t, message::Definition>> definitions_;  ///< by table and slot
};

/// Feeds `view` everything up to the state topic's present end. Errors: ForeignMessage; those of the log; Stopping.
base::Result<void> catch_up(StateLog& state, StateView& view, std::stop_token stop);

}  // namespace datasync::protocol
