#include "agents/message/record.hpp"

#include <array>

#include <fmt/format.h>

#include "agents/message/record_version.hpp"
#include "envelope.pb.h"

namespace datasync::message {
namespace {

constexpr std::array<std::string_view, 12> kKinds{"change",      "schema",   "snapshot", "watermark",
                                                  "start",       "verify",   "claim",    "ckpt",
                                                  "schema-body", "progress", "request",  "definition"};
constexpr std::array<std::string_view, 4> kEnds{"", "group", "tx", "abort"};

template <class Proto>
std::string finish(Proto& p) {
  p.set_version(kRecordVersion);
  return p.SerializeAsString();
}

void put_rows(google::protobuf::RepeatedPtrField<v1::TableRows>& out, const std::vector<TableRows>& in) {
  for (const auto& t : in) {
    auto& p = *out.Add();
    p.set_schema_id(t.schema.value());
    p.set_order(t.order);
    p.set_count(t.count);
    p.set_statement(t.statement);
    p.set_rows(t.rows);
  }
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::optional<Kind> parse_kind(std::string_view text) noexcept {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (kKinds[i] == text) return static_cast<Kind>(i);
  return std::nullopt;
}

std::string_view to_string(End end) noexcept {
  return kEnds[static_cast<std::size_t>(end)];
}

std::optional<End> parse_end(std::string_view text) noexcept {
  for (std::size_t i = 0; i < kEnds.size(); ++i)
    if (kEnds[i] == text) return static_cast<End>(i);
  return std::nullopt;
}

std::string encode(const Change& r) {
  v1::Change p;
  p.set_gtid(r.gtid.text());
  p.set_commit_time_us(r.commit_time_us);
  p.set_fragment(r.fragment);
  p.set_last(r.last);
  put_rows(*p.mutable_tables(), r.tables);
  return finish(p);
}

std::string encode(const SchemaNote& r) {
  v1::SchemaNote p;
  p.set_gtid(r.gtid.text());
  p.set_database(r.database);
  p.set_table(r.table);
  p.set_what(static_cast<v1::SchemaNote::What>(r.what));
  p.set_statement(r.statement);
  p.set_renamed_to(r.renamed_to);
  return finish(p);
}

std::string encode(const Snapshot& r) {
  v1::Snapshot p;
  p.set_id(r.id);
  p.set_phase(static_cast<v1::Snapshot::Phase>(r.phase));
  p.set_position(r.position.text());
  for (const auto& t : r.tables) p.add_tables(t);
  p.set_fragment(r.fragment);
  p.set_last(r.last);
  put_rows(*p.mutable_rows(), r.rows);
  return finish(p);
}

std::string encode(const Watermark& r) {
  v1::Watermark p;
  p.set_position(r.position.text());
  p.set_source_time_us(r.source_time_us);
  return finish(p);
}

std::string encode(const Start& r) {
  v1::Start p;
  p.set_epoch(r.epoch.value());
  p.set_instance(r.instance);
  return finish(p);
}

std::string encode(const Verify& r) {
  v1::Verify p;
  p.set_id(r.id);
  p.set_position(r.position.text());
  p.set_database(r.database);
  p.set_table(r.table);
  p.set_schema_id(r.schema.value());
  p.set_rows(r.rows);
  p.set_checksum_low(r.checksum_low);
  p.set_checksum_high(r.checksum_high);
  p.set_last(r.last);
  return finish(p);
}

std::string encode(const Claim& r) {
  v1::Claim p;
  p.set_epoch(r.epoch.value());
  p.set_instance(r.instance);
  p.set_time_us(r.time_us);
  if (!r.holder.empty()) p.set_holder(r.holder);
  p.set_rank(r.rank);
  return finish(p);
}

std::string encode(const Checkpoint& r) {
  v1::Checkpoint p;
  p.set_epoch(r.epoch.value());
  p.set_stream(r.stream);
  p.set_offset(r.offset);
  p.set_published(r.published.text());
  p.set_dump_from(r.dump_from.text());
  p.set_last_record(r.last_record);
  return finish(p);
}

std::string encode(const SnapshotProgress& r) {
  v1::SnapshotProgress p;
  p.set_epoch(r.epoch.value());
  p.set_id(r.id);
  p.set_database(r.database);
  p.set_table(r.table);
  p.set_done(r.done);
  p.set_last_key(r.last_key);
  p.set_rows_done(r.rows_done);
  p.set_rows_estimate(r.rows_estimate);
  for (const auto& t : r.tables) p.add_tables(t);
  for (const auto& scope : r.scopes) {
    auto& s = *p.add_scopes();
    s.set_type(scope.type);
    for (const auto& column : scope.exclude) s.add_exclude(column);
  }
  for (const auto& t : r.stale) p.add_stale(t);
  for (const auto& t : r.again) p.add_again(t);
  return finish(p);
}

std::string encode(const Request& r) {
  v1::Request p;
  p.set_id(r.id);
  p.set_from(r.from);
  for (const auto& t : r.tables) p.add_tables(t);
  p.set_served(r.served);
  p.set_epoch(r.epoch.value());
  for (const auto& t : r.absent) p.add_absent(t);
  return finish(p);
}

std::string claim_key(Epoch epoch, std::string_view instance) {
  return fmt::format("claim/{}/{}", epoch.value(), instance);
}

std::string checkpoint_key(const Checkpoint& c, unsigned slot) {
  return fmt::format("ckpt/{}/{}/{}", c.epoch.value(), c.stream, slot % kCheckpointSlots);
}

std::string schema_key(SchemaId id) {
  return fmt::format("schema/{:016x}", id.value());
}

std::string progress_key(const SnapshotProgress& p) {
  return fmt::format("progress/{}/{}/{}/{}", p.id, p.epoch.value(), p.database, p.table);
}

// A request that is written again must not replace the answer, and an answer that is not valid must not replace a valid
// one, so the keys differ.
std::string request_key(const Request& r) {
  return r.served ? fmt::format("request-served/{}/{}", r.epoch.value(), r.id) : "request/" + r.id;
}

}  // namespace datasync::message
