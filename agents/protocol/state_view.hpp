#pragma once
// What the state topic says, folded record by record.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
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
  /// The rank that the next claim of `instance` carries: its own if it has claimed, else one above all others.
  [[nodiscard]] std::uint64_t rank_for(const std::string& instance) const;
  /// The newest instance when it is not `instance` and `instance` has claimed, else empty: an instance that finds a
  /// name here was replaced and must never claim again, however often it is restarted. Of two of equal rank, which
  /// claimed at the same time, the greater name is the newer one. Claims without a holder have no rank.
  [[nodiscard]] std::string newer_than(const std::string& instance) const;
  /// The newest certain checkpoint of a stream.
  [[nodiscard]] std::optional<message::Checkpoint> checkpoint(std::int32_t stream) const;
  /// A place that a stream has reached, and the mark of the record before it (0: unknown).
  struct Reached {
    Offset offset = 0;
    std::uint64_t last_record = 0;
  };
  /// The furthest place of a stream that any checkpoint names, certain or not: also a zombie's stood where it says.
  [[nodiscard]] std::optional<Reached> furthest(std::int32_t stream) const;
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

  /// A record of the state topic by its key.
  struct Key {
    message::Kind kind = message::Kind::Claim;
    std::string key;
    bool operator==(const Key&) const = default;
  };
  /// What nobody needs any more once epoch `mine` has a certain checkpoint on each of its streams, in the order in
  /// which to remove it, so that what is left can be read at any time: checkpoints and snapshot progress of epochs
  /// before it, then claims. The newest claim of each task and of each instance stays (of the newest kInstances), and
  /// with it those of which snapshot progress is still needed. Empty as long as a checkpoint of `mine` is missing.
  /// Answers to requests of epochs before `mine` as well, but for the newest kAnswers.
  [[nodiscard]] std::vector<Key> obsolete(message::Epoch mine, std::int32_t streams) const;
  static constexpr std::size_t kInstances = 50, kAnswers = 500;

  /// Schemas of one table that are on the topic and no record needs any more.
  struct OldSchemas {
    std::optional<message::TableSchema> names;  ///< write it before: it has the columns of all of them, and no key
    std::vector<Key> remove;
  };
  /// `used`: the schemas of this epoch, to be called when the streams have no records of former epochs any more. Tables
  /// of which none is used keep theirs.
  [[nodiscard]] std::vector<OldSchemas> old_schemas(const std::set<message::SchemaId>& used) const;

 private:
  struct ClaimKey {
    std::string key, task, holder;
  };
  base::Result<void> take(const StateRecord& record);
  void forget(const StateRecord& record);
  base::Result<void> take_claim(const std::string& key, base::Bytes value);
  base::Result<void> take_checkpoint(const std::string& key, base::Bytes value);
  base::Result<void> take_progress(const std::string& key, base::Bytes value);
  base::Result<void> take_schema(base::Bytes value);
  void take_request(base::Bytes value);
  base::Result<void> take_definition(base::Bytes value);

  message::Epoch highest_;
  std::map<message::Epoch, std::string> owners_;
  std::map<std::string, std::uint64_t> ranks_;    ///< of instances
  std::pair<std::uint64_t, std::string> newest_;  ///< rank and name
  std::map<std::int32_t, message::Checkpoint> checkpoints_;
  std::map<std::int32_t, Reached> furthest_;
  std::string snapshot_;  ///< id of the newest snapshot
  std::set<std::string> old_snapshots_;
  std::map<std::string, message::SnapshotProgress> progress_;  ///< by qualified table name
  std::map<std::string, message::Request> requests_;
  std::set<std::string> served_;
  std::set<std::pair<message::Epoch, std::string>> answers_;  ///< those on the topic, with the request's id
  std::set<message::SchemaId> schema_keys_;                   ///< those on the topic
  std::map<message::SchemaId, message::TableSchema> schemas_;
  std::map<std::string, std::map<std::uint64_t, message::Definition>> definitions_;  ///< by table and slot
  // What stands on the topic, by epoch.
  std::multimap<message::Epoch, ClaimKey> claim_keys_;
  std::map<std::string, message::Epoch> checkpoint_keys_;
  struct ProgressKey {
    message::Epoch epoch;
    std::string id, name;
  };
  std::map<std::string, ProgressKey> progress_keys_;
};

/// Feeds `view` everything up to the state topic's present end. Errors: ForeignMessage; those of the log; Stopping.
base::Result<void> catch_up(StateLog& state, StateView& view, std::stop_token stop);

}  // namespace datasync::protocol
