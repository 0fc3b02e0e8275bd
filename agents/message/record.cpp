#include "agents/message/record.hpp"

#include <array>

#include <fmt/format.h>

#include "envelope.pb.h"

namespace datasync::message {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::array<std::string_view, 12> kKinds{"change",      "schema",   "snapshot", "watermark",
                                                  "start",       "verify",   "claim",    "ckpt",
                                                  "schema-body", "progress", "request",  "definition"};
constexpr std::array<std::string_view, 4> kEnds{"", "group", "tx", "abort"};

base::Error foreign(std::string_view what) {
  return {base::Reason::ForeignMessage, std::string(what)};
}

template <class Proto>
std::string finish(Proto& p) {
  p.set_version(kVersion);
  return p.SerializeAsString();
}

template <class Proto>
base::Result<Proto> start(base::Bytes value, std::string_view name) {
  Proto p;
  if (value.size() > INT32_MAX || !p.ParseFromArray(value.data(), static_cast<int>(value.size())))
    return foreign(fmt::format("the value is not a {} record", name));
  if (p.version() == 0) return foreign(fmt::format("the value is not a {} record: it has no version", name));
  if (!readable(p.version(), kVersion))
    return foreign(
        fmt::format("{} record of version {}; this reader knows {}: upgrade it", name, p.version(), kVersion));
  return p;
}

/// Positions inside messages are foreign text, not binlog text.
template <class T>
base::Result<T> as_foreign(base::Result<T> r) {
  if (!r) return foreign(r.error().what);
  return r;
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

std::vector<TableRows> get_rows(google::protobuf::RepeatedPtrField<v1::TableRows>& in) {
  std::vector<TableRows> out;
  out.reserve(static_cast<std::size_t>(in.size()));
  for (auto& p : in)
    out.push_back({SchemaId(p.schema_id()), p.order(), p.count(), p.statement(), std::move(*p.mutable_rows())});
  return out;
}

std::vector<std::string> get_strings(const google::protobuf::RepeatedPtrField<std::string>& in) {
  return {in.begin(), in.end()};
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

template <>
base::Result<Change> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::Change>(value, "change"));
  Change r;
  DS_ASSIGN(r.gtid, as_foreign(Gtid::parse(p.gtid())));
  r.commit_time_us = p.commit_time_us();
  r.fragment = p.fragment();
  r.last = p.last();
  r.tables = get_rows(*p.mutable_tables());
  return r;
}

template <>
base::Result<SchemaNote> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::SchemaNote>(value, "schema"));
  SchemaNote r;
  DS_ASSIGN(r.gtid, as_foreign(Gtid::parse(p.gtid())));
  r.database = p.database();
  r.table = p.table();
  if (p.what() != v1::SchemaNote::DROPPED && p.what() != v1::SchemaNote::RENAMED)
    return foreign(fmt::format("schema record: what={} is not known", static_cast<int>(p.what())));
  r.what = static_cast<SchemaNote::What>(p.what());
  r.statement = p.statement();
  r.renamed_to = p.renamed_to();
  return r;
}

template <>
base::Result<Snapshot> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::Snapshot>(value, "snapshot"));
  Snapshot r;
  r.id = p.id();
  if (p.phase() < v1::Snapshot::BEGIN || p.phase() > v1::Snapshot::END)
    return foreign(fmt::format("snapshot record: phase={} is not known", static_cast<int>(p.phase())));
  r.phase = static_cast<Snapshot::Phase>(p.phase());
  DS_ASSIGN(r.position, as_foreign(GtidSet::parse(p.position())));
  r.tables = get_strings(p.tables());
  r.fragment = p.fragment();
  r.last = p.last();
  r.rows = get_rows(*p.mutable_rows());
  return r;
}

template <>
base::Result<Watermark> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::Watermark>(value, "watermark"));
  DS_ASSIGN(auto position, as_foreign(GtidSet::parse(p.position())));
  return Watermark{std::move(position), p.source_time_us()};
}

template <>
base::Result<Start> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::Start>(value, "start"));
  return Start{Epoch(p.epoch()), p.instance()};
}

template <>
base::Result<Verify> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::Verify>(value, "verify"));
  Verify r;
  r.id = p.id();
  DS_ASSIGN(r.position, as_foreign(GtidSet::parse(p.position())));
  r.database = p.database();
  r.table = p.table();
  r.schema = SchemaId(p.schema_id());
  r.rows = p.rows();
  r.checksum_low = p.checksum_low();
  r.checksum_high = p.checksum_high();
  r.last = p.last();
  return r;
}

template <>
base::Result<Claim> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::Claim>(value, "claim"));
  return Claim{Epoch(p.epoch()), p.instance(), p.time_us(), p.holder(), p.rank()};
}

template <>
base::Result<Checkpoint> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::Checkpoint>(value, "ckpt"));
  Checkpoint r;
  r.epoch = Epoch(p.epoch());
  r.stream = p.stream();
  r.offset = p.offset();
  DS_ASSIGN(r.published, as_foreign(GtidSet::parse(p.published())));
  DS_ASSIGN(r.dump_from, as_foreign(GtidSet::parse(p.dump_from())));
  r.last_record = p.last_record();
  return r;
}

template <>
base::Result<SnapshotProgress> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::SnapshotProgress>(value, "progress"));
  SnapshotProgress r;
  r.epoch = Epoch(p.epoch());
  r.id = p.id();
  r.database = p.database();
  r.table = p.table();
  r.done = p.done();
  r.last_key = p.last_key();
  r.rows_done = p.rows_done();
  r.rows_estimate = p.rows_estimate();
  r.tables = get_strings(p.tables());
  if (p.scopes_size() != 0 && p.scopes_size() != p.tables_size())
    return foreign(fmt::format("progress of {} tables with {} scopes", p.tables_size(), p.scopes_size()));
  for (const auto& s : p.scopes()) r.scopes.push_back({s.type(), get_strings(s.exclude())});
  r.stale = get_strings(p.stale());
  r.again = get_strings(p.again());
  return r;
}

template <>
base::Result<Request> decode(base::Bytes value) {
  DS_ASSIGN(auto p, start<v1::Request>(value, "request"));
  if (p.id().empty()) return foreign("request record: it has no id");
  return Request{p.id(), p.from(), get_strings(p.tables()), p.served(), Epoch(p.epoch()), get_strings(p.absent())};
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

// A wish that is written again must not replace the answer; an answer that does not count, not one that does.
std::string request_key(const Request& r) {
  return r.served ? fmt::format("request-served/{}/{}", r.epoch.value(), r.id) : "request/" + r.id;
}

}  // namespace datasync::message
