#pragma once
// Short ways to write records in tests.

#include "agents/message/record.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::protocol {

inline message::Gtid gtid(std::uint64_t sequence, std::uint32_t domain = 0) {
  return {domain, 1, sequence};
}

inline message::GtidSet set_of(std::initializer_list<message::Gtid> gtids) {
  message::GtidSet out;
  for (const auto& g : gtids) out.add(g);
  return out;
}

inline message::Headers change_headers(std::uint64_t epoch, message::End end) {
  return {message::Kind::Change, "t", message::Epoch(epoch), end};
}
inline std::string change_value(const message::Gtid& g, std::uint32_t fragment = 0, bool last = true) {
  return message::encode(message::Change{g, 0, fragment, last, {}});
}
inline message::Headers start_headers(std::uint64_t epoch) {
  return {message::Kind::Start, "", message::Epoch(epoch), message::End::None};
}

inline StateRecord claim_at(Offset offset, std::uint64_t epoch, const std::string& instance) {
  const message::Claim claim{message::Epoch(epoch), instance, 0};
  return {offset, message::Kind::Claim, message::claim_key(claim.epoch, instance), message::encode(claim)};
}
inline StateRecord ranked_claim_at(Offset offset, std::uint64_t epoch, const std::string& holder, std::uint64_t rank) {
  const auto instance = holder + "/" + std::to_string(offset);
  const message::Claim claim{message::Epoch(epoch), instance, 0, holder, rank};
  return {offset, message::Kind::Claim, message::claim_key(claim.epoch, instance), message::encode(claim)};
}
inline StateRecord checkpoint_at(Offset at, std::uint64_t epoch, Offset offset, const message::GtidSet& published,
                                 const message::GtidSet& dump_from = {}, std::int32_t stream = 0) {
  const message::Checkpoint c{message::Epoch(epoch), stream, offset, published, dump_from};
  return {at, message::Kind::Checkpoint, message::checkpoint_key(c, 0), message::encode(c)};
}
inline StateRecord progress_at(Offset at, std::uint64_t epoch, const std::string& id, const std::string& table,
                               std::uint64_t rows, bool done = false) {
  message::SnapshotProgress p;
  p.epoch = message::Epoch(epoch);
  p.id = id;
  p.database = table.empty() ? "" : "shop";
  p.table = table;
  p.rows_done = rows;
  p.done = done;
  return {at, message::Kind::Progress, message::progress_key(p), message::encode(p)};
}

}  // namespace datasync::protocol
