#pragma once
// What the state topic says, folded record by record.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/message/record.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::protocol {

/// Feed it every state record in order. Decides who has an epoch and which checkpoints are certain. A checkpoint or a
/// snapshot progress counts only if it stands before any claim of a higher epoch than its own: one written after may be a
/// zombie's. Not thread-safe.
class StateView {
 public:
  /// Errors: ForeignMessage naming the offset.
  base::Result<void> see(const StateRecord& record);

  [[nodiscard]] message::Epoch highest_claim() const noexcept { return highest_; }
  /// The instance whose claim of `epoch` stands first; empty when nobody claimed it.
  [[nodiscard]] std::string owner(message::Epoch epoch) const;
  /// The newest certain checkpoint of a stream.
  [[nodiscard]] std::optional<message::Checkpoint> checkpoint(std::int32_t stream) const;
  /// The newest certain progress of each table of the newest snapshot, and of the snapshot itself (empty table name).
  [[nodiscard]] std::vector<message::SnapshotProgress> snapshot() const;
  [[nodiscard]] std::optional<message::TableSchema> schema(message::SchemaId id) const;
  [[nodiscard]] const std::map<message::SchemaId, message::TableSchema>& schemas() const noexcept { return schemas_; }

 private:
  message::Epoch highest_;
  std::map<message::Epoch, std::string> owners_;
  std::map<std::int32_t, message::Checkpoint> checkpoints_;
  std::map<std::string, message::SnapshotProgress> progress_;
  std::map<message::SchemaId, message::TableSchema> schemas_;
};

}  // namespace datasync::protocol
