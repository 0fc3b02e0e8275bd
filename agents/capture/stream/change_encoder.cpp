#include "agents/capture/stream/change_encoder.hpp"

#include <cstring>
#include <utility>

namespace datasync::capture {
namespace {

// Fields of envelope.proto as protobuf tags: number << 3 | wire type (0 varint, 1 fixed64, 2 length-delimited).
constexpr std::uint64_t kVersion = 1U << 3U;
constexpr std::uint64_t kGtid = 2U << 3U | 2U;
constexpr std::uint64_t kCommitTime = 3U << 3U;
constexpr std::uint64_t kFragment = 4U << 3U;
constexpr std::uint64_t kLast = 5U << 3U;
constexpr std::uint64_t kTables = 6U << 3U | 2U;
constexpr std::uint64_t kSchemaId = 1U << 3U | 1U;
constexpr std::uint64_t kOrder = 2U << 3U;
constexpr std::uint64_t kCount = 3U << 3U;
constexpr std::uint64_t kRows = 5U << 3U | 2U;
constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kSnapshotRows = 8U << 3U | 2U;
constexpr std::size_t kFrameBytes = 96;
constexpr std::size_t kInPlace = std::size_t{1} << 20U;  // moving less costs more than the copy

constexpr std::size_t varint_size(std::uint64_t v) noexcept {
  std::size_t n = 1;
  for (; v >= 0x80U; v >>= 7U) ++n;
  return n;
}

// proto3: a field that is zero is left out.
std::size_t field_size(std::uint64_t v) noexcept {
  return v == 0 ? 0 : 1 + varint_size(v);
}

void put_field(base::Buffer& out, std::uint64_t tag, std::uint64_t v) {
  if (v == 0) return;
  out.varint(tag);
  out.varint(v);
}

/// Everything of a run but its rows, which follow. `tag` is that of the run in its record.
void put_run_head(base::Buffer& out, std::uint64_t tag, const Run& run, std::size_t rows) {
  const bool has_id = run.schema.value() != 0;
  std::size_t size = (has_id ? 1 + sizeof(std::uint64_t) : 0) + field_size(run.order) + field_size(run.count);
  if (rows != 0) size += 1 + varint_size(rows) + rows;
  out.varint(tag);
  out.varint(size);
  if (has_id) {
    out.varint(kSchemaId);
    out.put(run.schema.value());
  }
  put_field(out, kOrder, run.order);
  put_field(out, kCount, run.count);
  if (rows == 0) return;
  out.varint(kRows);
  out.varint(rows);
}

void put_run(base::Buffer& out, const Run& run, base::Bytes rows) {
  put_run_head(out, kTables, run, rows.size());
  out.append(rows);
}

/// Puts `head` before `rows` in the memory of `rows`.
base::Buffer joined(const base::Buffer& head, base::Buffer rows) {
  const auto size = rows.size();
  rows.reserve(size + head.size());
  (void)rows.grow(head.size());
  std::memmove(rows.data() + head.size(), rows.data(), size);
  std::memcpy(rows.data(), head.data(), head.size());
  return rows;
}

}  // namespace

Run& TypeRows::run_of(message::SchemaId schema, std::uint32_t& next_order) {
  // A run goes on only while no other table, of whatever type, came in between.
  if (runs.empty() || runs.back().schema != schema || runs.back().order + 1 != next_order)
    runs.push_back({schema, next_order++, 0, rows.size()});
  return runs.back();
}

base::Buffer encode_change(const ChangeFrame& frame, TypeRows& rows) {
  const bool in_place = rows.runs.size() == 1 && rows.runs[0].begin == 0 && rows.rows.size() >= kInPlace;
  base::Buffer out(kFrameBytes + (in_place ? Run::kFraming : rows.bytes()));
  const auto gtid = frame.gtid.text();
  put_field(out, kVersion, kFormat);
  out.varint(kGtid);
  out.varint(gtid.size());
  out.append(gtid);
  put_field(out, kCommitTime, frame.commit_time_us);
  put_field(out, kFragment, frame.fragment);
  put_field(out, kLast, frame.last ? 1 : 0);
  if (in_place) {
    put_run_head(out, kTables, rows.runs[0], rows.rows.size());
    return joined(out, std::exchange(rows.rows, base::Buffer()));
  }
  for (std::size_t i = 0; i < rows.runs.size(); ++i) {
    const auto begin = rows.runs[i].begin;
    const auto end = i + 1 < rows.runs.size() ? rows.runs[i + 1].begin : rows.rows.size();
    put_run(out, rows.runs[i], rows.rows.bytes().subspan(begin, end - begin));
  }
  return out;
}

base::Buffer encode_snapshot_rows(const message::Snapshot& frame, const Run& run, base::Buffer rows) {
  const auto frame_value = message::encode(frame);
  base::Buffer head(frame_value.size() + Run::kFraming);
  head.append(frame_value);
  put_run_head(head, kSnapshotRows, run, rows.size());
  return joined(head, std::move(rows));
}

}  // namespace datasync::capture
