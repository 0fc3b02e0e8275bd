#include "agents/protocol/state_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace datasync::protocol {

base::Result<void> StateWriter::check(std::stop_token stop) {
  DS_TRY(catch_up(state_, view_, stop));
  if (view_.highest_claim() > epoch_)
    return base::Error(base::Reason::Superseded, fmt::format("epoch {} is claimed, this instance has epoch {}",
                                                             view_.highest_claim().value(), epoch_.value()));
  return {};
}

// Slot 0 of the checkpoints has the one that recovery wrote.
unsigned StateWriter::slot(const std::string& family) {
  return slots_.try_emplace(family, 1U).first->second;
}

// The slot advances only after success: an append with a lost acknowledgement can at worst leave its record in the slot
// of the next write.
base::Result<void> StateWriter::append(message::Kind kind, const std::string& family, const std::string& key,
                                       const std::string& value) {
  DS_TRY(state_.append(kind, key, value));
  auto& next = slots_[family];
  next = (next + 1) % message::kCheckpointSlots;
  return {};
}

base::Result<void> StateWriter::write(message::Checkpoint checkpoint, std::stop_token stop) {
  checkpoint.epoch = epoch_;
  DS_TRY(check(stop));
  const auto family = message::checkpoint_key(checkpoint, 0);
  const auto key = message::checkpoint_key(checkpoint, slot(family));
  return append(message::Kind::Checkpoint, family, key, message::encode(checkpoint));
}

base::Result<void> StateWriter::write(message::SnapshotProgress progress, std::stop_token stop) {
  progress.epoch = epoch_;
  DS_TRY(check(stop));
  const auto family = message::progress_key(progress);
  const auto key = fmt::format("{}/{}", family, slot(family));
  return append(message::Kind::Progress, family, key, message::encode(progress));
}

base::Result<void> StateWriter::write(message::Request served, std::stop_token stop) {
  served.served = true;
  served.epoch = epoch_;
  DS_TRY(check(stop));
  DS_TRY(state_.append(message::Kind::Request, message::request_key(served), message::encode(served)));
  return {};
}

base::Result<bool> StateWriter::tidy(std::int32_t streams, std::stop_token stop) {
  constexpr std::size_t kAtOnce = 20;
  DS_TRY(check(stop));
  const auto keys = view_.obsolete(epoch_, streams);
  for (std::size_t i = 0; i < std::min(kAtOnce, keys.size()); ++i) DS_TRY(state_.remove(keys[i].kind, keys[i].key));
  return keys.size() <= kAtOnce;
}

base::Result<bool> StateWriter::remove_schemas(const std::vector<StateView::OldSchemas>& all, std::stop_token stop) {
  constexpr std::size_t kAtOnce = 20;
  std::size_t removed = 0;
  for (const auto& old : all) {
    if (old.names) DS_TRY(write(*old.names, stop));
    for (const auto& key : old.remove) {
      if (++removed > kAtOnce) return false;
      DS_TRY(state_.remove(key.kind, key.key));
    }
  }
  DS_TRY(check(std::move(stop)));
  return true;
}

base::Result<void> StateWriter::write(const message::TableSchema& schema, std::stop_token stop) {
  // One that was removed has to be written again, also when this instance removed it a moment ago.
  DS_TRY(check(std::move(stop)));
  if (view_.on_topic(schema.id())) return {};
  DS_TRY(state_.append(message::Kind::SchemaBody, message::schema_key(schema.id()), message::serialize(schema)));
  return {};
}

base::Result<void> StateWriter::write(message::Definition definition, std::stop_token stop) {
  DS_TRY(check(stop));
  definition.sequence = 1;
  for (const auto& known : view_.definitions(definition.qualified()))
    definition.sequence = std::max(definition.sequence, known.sequence + 1);
  DS_TRY(state_.append(message::Kind::Definition, message::definition_key(definition), message::encode(definition)));
  return catch_up(state_, view_, stop);
}

}  // namespace datasync::protocol
