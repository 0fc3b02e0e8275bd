#pragma once
// The content of the state topic, accumulated record by record.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/message/definition.hpp"
#include "agents/message/record.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::protocol {

/// Pass every record of the state topic to it, in order. It decides which instance has an epoch and which checkpoints
/// are certain. A checkpoint or a snapshot progress counts only if it is before every claim of a higher epoch than its
/// own: a later one may be from a zombie. Value type; not thread-safe.
class StateView {
 public:
  /// Adds the next record. Errors: ForeignMessage naming the offset.
  base::Result<void> see(const StateRecord& record);

  /// A start of this epoch is on a stream: it was claimed, even if the state topic no longer has the claim.
  void started(message::Epoch epoch) noexcept { highest_ = std::max(highest_, epoch); }

  [[nodiscard]] message::Epoch highest_claim() const noexcept { return highest_; }
  /// Returns true when the state topic has a claim of a higher epoch.
  [[nodiscard]] bool claimed_above(message::Epoch epoch) const { return owners_.upper_bound(epoch) != owners_.end(); }
  /// Returns the owner of the epoch: the `instance` of its first claim, as written in that claim; empty when there is
  /// no claim.
  [[nodiscard]] std::string owner(message::Epoch epoch) const;
  /// Returns the rank for the next claim of `instance`: its own if it has claimed, otherwise one above all others.
  [[nodiscard]] std::uint64_t rank_for(const std::string& instance) const;
  /// Returns the newest instance when it is not `instance` and `instance` has claimed, otherwise an empty text. If the
  /// result is not empty, `instance` was replaced and must never claim again, however often it is restarted. Of two
  /// instances with equal rank, which claimed at the same time, the one with the greater name is newer. Claims without
  /// a holder have no rank.
  [[nodiscard]] std::string newer_than(const std::string& instance) const;
  /// Returns the newest certain checkpoint of a stream.
  [[nodiscard]] std::optional<message::Checkpoint> checkpoint(std::int32_t stream) const;
  /// An offset that a stream has reached, and the mark of the record before it (0: unknown).
  struct Reached {
    Offset offset = 0;
    std::uint64_t last_record = 0;
  };
  /// Returns the highest offset of a stream in any checkpoint, certain or not: a zombie's checkpoint also names an
  /// offset that existed.
  [[nodiscard]] std::optional<Reached> furthest(std::int32_t stream) const;
  /// Returns the newest certain progress of each table of the newest snapshot, and of the snapshot itself (empty table
  /// name).
  [[nodiscard]] std::vector<message::SnapshotProgress> snapshot() const;
  /// Requests that no capture has served, by id.
  [[nodiscard]] const std::map<std::string, message::Request>& requests() const noexcept { return requests_; }
  [[nodiscard]] bool served(const std::string& request) const { return served_.contains(request); }
  [[nodiscard]] const std::set<std::string>& served_requests() const noexcept { return served_; }
  /// Returns a schema by its id, also one that was removed; nullopt when the topic never had it.
  [[nodiscard]] std::optional<message::TableSchema> schema(message::SchemaId id) const;
  /// Returns true when a reader that begins now finds the schema: the topic has it, and it was not removed since.
  [[nodiscard]] bool on_topic(message::SchemaId id) const { return schema_keys_.contains(id); }
  /// Returns the known definitions of a table, by its qualified name, from all epochs: they are the history of the
  /// source.
  [[nodiscard]] std::vector<message::Definition> definitions(const std::string& table) const;
  [[nodiscard]] const std::map<message::SchemaId, message::TableSchema>& schemas() const noexcept { return schemas_; }

  /// The key of a record of the state topic.
  struct Key {
    message::Kind kind = message::Kind::Claim;
    std::string key;
    bool operator==(const Key&) const = default;
  };
  /// Returns the records that are no longer needed once epoch `mine` has a certain checkpoint on each of its streams,
  /// in the order in which to remove them, so that the remaining records are readable at any time: checkpoints and
  /// snapshot progress of earlier epochs, then claims. The newest claim of each task and of each instance is kept (of
  /// the newest kInstances), and so are the claims of epochs whose snapshot progress is still needed. Answers to
  /// requests of epochs before `mine` follow, except the newest kAnswers, those that capture remembers for good
  /// (request_ids.hpp) and those to the newest copy request of each resource: its annotation still has that value.
  /// Empty as long as a checkpoint of `mine` is missing.
  [[nodiscard]] std::vector<Key> obsolete(message::Epoch mine, std::int32_t streams) const;
  static constexpr std::size_t kInstances = 50, kAnswers = 500;

  /// Schemas of one table that are on the topic and that no record needs any more.
  struct OldSchemas {
    std::optional<message::TableSchema> names;  ///< write it first: it has the columns of all of them, and no key
    std::vector<Key> remove;
  };
  /// `used`: the schemas of this epoch. Call it when the streams no longer have records of earlier epochs. Tables
  /// without a used schema keep theirs.
  [[nodiscard]] std::vector<OldSchemas> old_schemas(const std::set<message::SchemaId>& used) const;

 private:
  struct ClaimKey {
    std::string key, task, holder;
  };
  using AnswerKey = std::pair<message::Epoch, std::string>;  ///< with the request's id
  [[nodiscard]] static std::string key_of_answer(const AnswerKey& of);
  /// Answers that may be removed, the oldest first.
  [[nodiscard]] std::vector<const AnswerKey*> needless_answers() const;
  base::Result<void> take(const StateRecord& record);
  void forget(const StateRecord& record);
  base::Result<void> take_claim(const std::string& key, base::Bytes value);
  base::Result<void> take_checkpoint(const std::string& key, base::Bytes value);
  base::Result<void> take_progress(const std::string& key, base::Bytes value);
  base::Result<void> take_schema(base::Bytes value);
  void take_request(Offset offset, base::Bytes value);
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
  struct Answer {
    std::string from;  ///< who made the request
    Offset offset = 0;
  };
  std::map<AnswerKey, Answer> answers_;      ///< on the topic
  std::set<message::SchemaId> schema_keys_;  ///< on the topic
  std::map<message::SchemaId, message::TableSchema> schemas_;
  std::map<std::string, std::map<std::uint64_t, message::Definition>> definitions_;  ///< by table and slot
  // Records on the topic, by epoch.
  std::multimap<message::Epoch, ClaimKey> claim_keys_;
  std::map<std::string, message::Epoch> checkpoint_keys_;
  struct ProgressKey {
    message::Epoch epoch;
    std::string id, name;
  };
  std::map<std::string, ProgressKey> progress_keys_;
};

/// Passes all records up to the current end of the state topic to `view`. Errors: ForeignMessage; those of the log;
/// Stopping.
base::Result<void> catch_up(StateLog& state, StateView& view, std::stop_token stop);

}  // namespace datasync::protocol
