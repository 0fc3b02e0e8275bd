// Decodes the value of a Kafka record. A value that is not valid is ForeignMessage.

#include <fmt/format.h>

#include "agents/message/record.hpp"
#include "agents/message/record_version.hpp"
#include "envelope.pb.h"

namespace datasync::message {
namespace {

base::Error foreign(std::string_view what) {
  return {base::Reason::ForeignMessage, std::string(what)};
}

template <class Proto>
base::Result<Proto> start(base::Bytes value, std::string_view name) {
  Proto p;
  if (value.size() > INT32_MAX || !p.ParseFromArray(value.data(), static_cast<int>(value.size())))
    return foreign(fmt::format("the value is not a {} record", name));
  if (p.version() == 0) return foreign(fmt::format("the value is not a {} record: it has no version", name));
  if (!readable(p.version(), kRecordVersion))
    return foreign(
        fmt::format("{} record of version {}; this reader knows {}: upgrade it", name, p.version(), kRecordVersion));
  return p;
}

/// A bad position inside a message is reported as ForeignMessage, not as BinlogCorrupt.
template <class T>
base::Result<T> as_foreign(base::Result<T> r) {
  if (!r) return foreign(r.error().what);
  return r;
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

}  // namespace datasync::message
