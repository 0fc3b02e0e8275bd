#include "agents/protocol/state_view.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace datasync::protocol {
namespace {

base::Error unclaimed(std::string_view what, message::Epoch epoch) {
  return {base::Reason::ForeignMessage, fmt::format("a {} of epoch {}, which nobody claimed", what, epoch.value())};
}

}  // namespace

base::Result<void> StateView::see(const StateRecord& record) {
  auto taken = take(record);
  if (!taken)
    return std::move(taken).error().context(fmt::format("state topic, offset {}, key '{}'", record.offset, record.key));
  return {};
}

base::Result<void> StateView::take(const StateRecord& record) {
  const auto value = base::as_bytes(record.value);
  switch (record.kind) {
    case message::Kind::Claim:
      return take_claim(value);
    case message::Kind::Checkpoint:
      return take_checkpoint(value);
    case message::Kind::Progress:
      return take_progress(value);
    case message::Kind::SchemaBody:
      return take_schema(value);
    case message::Kind::Definition:
      return take_definition(value);
    case message::Kind::Request:
      take_request(value);
      return {};
    default:
      return base::Error(base::Reason::ForeignMessage,
                         fmt::format("a record of kind {} does not belong here", message::to_string(record.kind)));
  }
}

base::Result<void> StateView::take_claim(base::Bytes value) {
  DS_ASSIGN(auto claim, message::decode<message::Claim>(value));
  if (claim.epoch == message::Epoch{}) return base::Error(base::Reason::ForeignMessage, "a claim of epoch 0");
  owners_.try_emplace(claim.epoch, std::move(claim.instance));
  highest_ = std::max(highest_, claim.epoch);
  return {};
}

base::Result<void> StateView::take_checkpoint(base::Bytes value) {
  DS_ASSIGN(auto checkpoint, message::decode<message::Checkpoint>(value));
  if (checkpoint.epoch < highest_) return {};  // after a higher claim: perhaps a zombie's
  if (!owners_.contains(checkpoint.epoch)) return unclaimed("checkpoint", checkpoint.epoch);
  const auto rank = [](const message::Checkpoint& c) { return std::tuple(c.epoch, c.offset); };
  const auto [at, fresh] = checkpoints_.try_emplace(checkpoint.stream, checkpoint);
  // An append with a lost acknowledgement may land after a newer one.
  if (!fresh && rank(checkpoint) >= rank(at->second)) at->second = std::move(checkpoint);
  return {};
}

base::Result<void> StateView::take_progress(base::Bytes value) {
  DS_ASSIGN(auto progress, message::decode<message::SnapshotProgress>(value));
  if (progress.epoch < highest_) return {};
  if (!owners_.contains(progress.epoch)) return unclaimed("snapshot progress", progress.epoch);
  if (progress.id != snapshot_) {
    if (old_snapshots_.contains(progress.id)) return {};
    if (!snapshot_.empty()) old_snapshots_.insert(snapshot_);
    snapshot_ = progress.id;
    progress_.clear();
  }
  const auto name = progress.table.empty() ? std::string() : progress.database + "." + progress.table;
  const auto rank = [](const message::SnapshotProgress& p) { return std::tuple(p.done, p.epoch, p.rows_done); };
  const auto [at, fresh] = progress_.try_emplace(name, progress);
  if (!fresh && rank(progress) >= rank(at->second)) at->second = std::move(progress);
  return {};
}

base::Result<void> StateView::take_schema(base::Bytes value) {
  DS_ASSIGN(auto schema, message::parse_schema(value));
  const auto id = schema.id();
  schemas_.try_emplace(id, std::move(schema));
  return {};
}

// Readers write requests: one that cannot be read is nobody's order, and must not stop capture. An answer counts as a
// checkpoint does: that the tables are due stands before it, and counts only under the same rule.
void StateView::take_request(base::Bytes value) {
  auto request = message::decode<message::Request>(value);
  if (!request) return;
  if (request->served) {
    if (request->epoch < highest_) return;
    requests_.erase(request->id);
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

bool StateView::replaced(message::Epoch held, const std::string& instance) const {
  // Claimants are named "instance/random bits"; a claim of our own may have landed after its acknowledgement was lost.
  return std::any_of(owners_.upper_bound(held), owners_.end(),
                     [&](const auto& claim) { return !claim.second.starts_with(instance + "/"); });
}

std::optional<message::Checkpoint> StateView::checkpoint(std::int32_t stream) const {
  const auto at = checkpoints_.find(stream);
  if (at == checkpoints_.end()) return std::nullopt;
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
  DS_ASSIGN(const auto records, state.read_to_end(stop));
  for (const auto& record : records) DS_TRY(view.see(record));
  return {};
}

}  // namespace datasync::protocol
