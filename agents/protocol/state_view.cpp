#include "agents/protocol/state_view.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "agents/message/instance.hpp"

namespace datasync::protocol {
namespace {

base::Error unclaimed(std::string_view what, message::Epoch epoch) {
  return {base::Reason::ForeignMessage, fmt::format("a {} of epoch {}, which was never claimed", what, epoch.value())};
}

/// Returns an empty text for the whole snapshot.
std::string name_of(const message::SnapshotProgress& p) {
  return p.table.empty() ? std::string() : p.database + "." + p.table;
}

}  // namespace

base::Result<void> StateView::see(const StateRecord& record) {
  auto taken = take(record);
  if (!taken)
    return std::move(taken).error().context(fmt::format("state topic, offset {}, key '{}'", record.offset, record.key));
  return {};
}

base::Result<void> StateView::take(const StateRecord& record) {
  if (record.removed) {
    forget(record);
    return {};
  }
  const auto value = base::as_bytes(record.value);
  switch (record.kind) {
    case message::Kind::Claim:
      return take_claim(record.key, value);
    case message::Kind::Checkpoint:
      return take_checkpoint(record.key, value);
    case message::Kind::Progress:
      return take_progress(record.key, value);
    case message::Kind::SchemaBody:
      return take_schema(value);
    case message::Kind::Definition:
      return take_definition(value);
    case message::Kind::Request:
      take_request(record.offset, value);
      return {};
    default:
      return base::Error(base::Reason::ForeignMessage,
                         fmt::format("a record of kind {} does not belong here", message::to_string(record.kind)));
  }
}

/// The content of a removed record remains in the view: compaction removes the record later, and a record is removed
/// only by an agent that no longer needs it.
void StateView::forget(const StateRecord& record) {
  std::erase_if(claim_keys_, [&](const auto& entry) { return entry.second.key == record.key; });
  checkpoint_keys_.erase(record.key);
  progress_keys_.erase(record.key);
  if (record.kind == message::Kind::Request)
    std::erase_if(answers_, [&](const auto& answer) { return key_of_answer(answer.first) == record.key; });
  if (record.kind == message::Kind::SchemaBody)
    std::erase_if(schema_keys_, [&](auto id) { return message::schema_key(id) == record.key; });
}

std::string StateView::key_of_answer(const AnswerKey& of) {
  message::Request request;
  request.id = of.second;
  request.epoch = of.first;
  request.served = true;
  return message::request_key(request);
}

base::Result<void> StateView::take_claim(const std::string& key, base::Bytes value) {
  DS_ASSIGN(auto claim, message::decode<message::Claim>(value));
  if (claim.epoch == message::Epoch{}) return base::Error(base::Reason::ForeignMessage, "a claim of epoch 0");
  claim_keys_.emplace(claim.epoch, ClaimKey{key, std::string(message::task_of(claim.instance)), claim.holder});
  if (!claim.holder.empty()) {
    auto& rank = ranks_[claim.holder];
    rank = std::max(rank, claim.rank);
    newest_ = std::max(newest_, std::pair(rank, claim.holder));
  }
  owners_.try_emplace(claim.epoch, std::move(claim.instance));
  highest_ = std::max(highest_, claim.epoch);
  return {};
}

base::Result<void> StateView::take_checkpoint(const std::string& key, base::Bytes value) {
  DS_ASSIGN(auto checkpoint, message::decode<message::Checkpoint>(value));
  checkpoint_keys_[key] = checkpoint.epoch;
  if (auto& reached = furthest_[checkpoint.stream]; checkpoint.offset >= reached.offset)
    reached = {checkpoint.offset, checkpoint.last_record};
  if (checkpoint.epoch < highest_) return {};  // written after a higher claim: it may be from a zombie
  if (!owners_.contains(checkpoint.epoch)) return unclaimed("checkpoint", checkpoint.epoch);
  const auto rank = [](const message::Checkpoint& c) { return std::tuple(c.epoch, c.offset); };
  const auto [at, fresh] = checkpoints_.try_emplace(checkpoint.stream, checkpoint);
  // An append with a lost acknowledgement may be stored after a newer one.
  if (!fresh && rank(checkpoint) >= rank(at->second)) at->second = std::move(checkpoint);
  return {};
}

base::Result<void> StateView::take_progress(const std::string& key, base::Bytes value) {
  DS_ASSIGN(auto progress, message::decode<message::SnapshotProgress>(value));
  progress_keys_[key] = {progress.epoch, progress.id, name_of(progress)};
  if (progress.epoch < highest_) return {};
  if (!owners_.contains(progress.epoch)) return unclaimed("snapshot progress", progress.epoch);
  if (progress.id != snapshot_) {
    if (old_snapshots_.contains(progress.id)) return {};
    if (!snapshot_.empty()) old_snapshots_.insert(snapshot_);
    snapshot_ = progress.id;
    progress_.clear();
  }
  const auto name = name_of(progress);
  const auto rank = [](const message::SnapshotProgress& p) { return std::tuple(p.done, p.epoch, p.rows_done); };
  const auto [at, fresh] = progress_.try_emplace(name, progress);
  if (!fresh && rank(progress) >= rank(at->second)) at->second = std::move(progress);
  return {};
}

base::Result<void> StateView::take_schema(base::Bytes value) {
  DS_ASSIGN(auto schema, message::parse_schema(value));
  const auto id = schema.id();
  schema_keys_.insert(id);
  schemas_.try_emplace(id, std::move(schema));
  return {};
}

// Readers write requests, so a request that cannot be decoded is ignored and must not stop capture. An answer counts
// under the same rule as a checkpoint: the record that makes the tables due is before it, and counts under that rule.
void StateView::take_request(Offset offset, base::Bytes value) {
  auto request = message::decode<message::Request>(value);
  if (!request) return;
  if (request->served) {
    if (request->epoch < highest_) return;
    requests_.erase(request->id);
    answers_.insert_or_assign({request->epoch, request->id}, Answer{request->from, offset});
    served_.insert(request->id);
  } else if (!served_.contains(request->id)) {
    requests_.try_emplace(request->id, std::move(*request));
  }
}

base::Result<void> StateView::take_definition(base::Bytes value) {
  DS_ASSIGN(auto definition, message::decode<message::Definition>(value));
  auto& slot = definitions_[definition.qualified()][definition.sequence % message::kDefinitionSlots];
  if (slot.sequence <= definition.sequence) slot = std::move(definition);
  return {};
}

std::vector<message::Definition> StateView::definitions(const std::string& table) const {
  std::vector<message::Definition> out;
  if (const auto at = definitions_.find(table); at != definitions_.end())
    for (const auto& [slot, definition] : at->second) out.push_back(definition);
  return out;
}

std::string StateView::owner(message::Epoch epoch) const {
  const auto at = owners_.find(epoch);
  return at == owners_.end() ? std::string() : at->second;
}

std::uint64_t StateView::rank_for(const std::string& instance) const {
  const auto own = ranks_.find(instance);
  return own == ranks_.end() ? newest_.first + 1 : own->second;
}

std::string StateView::newer_than(const std::string& instance) const {
  return newest_.second == instance || !ranks_.contains(instance) ? std::string() : newest_.second;
}

std::optional<message::Checkpoint> StateView::checkpoint(std::int32_t stream) const {
  const auto at = checkpoints_.find(stream);
  if (at == checkpoints_.end()) return std::nullopt;
  return at->second;
}

std::optional<StateView::Reached> StateView::furthest(std::int32_t stream) const {
  const auto at = furthest_.find(stream);
  if (at == furthest_.end()) return std::nullopt;
  return at->second;
}

std::vector<message::SnapshotProgress> StateView::snapshot() const {
  std::vector<message::SnapshotProgress> out;
  out.reserve(progress_.size());
  for (const auto& [name, progress] : progress_) out.push_back(progress);
  return out;
}

std::optional<message::TableSchema> StateView::schema(message::SchemaId id) const {
  const auto at = schemas_.find(id);
  if (at == schemas_.end()) return std::nullopt;
  return at->second;
}

base::Result<void> catch_up(StateLog& state, StateView& view, std::stop_token stop) {
  return state.read_each(std::move(stop), [&view](const StateRecord& record) { return view.see(record); });
}

}  // namespace datasync::protocol
