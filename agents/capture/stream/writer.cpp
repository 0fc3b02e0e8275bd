#include "agents/capture/stream/writer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace datasync::capture {
namespace {

constexpr std::size_t kRoomLeft = 4096;    ///< rows of one event beyond what was expected
constexpr std::size_t kKeepRecords = 4;    ///< a buffer of at most so many records is kept for the next rows
constexpr std::uint64_t kFrameRoom = 512;  ///< the frame of a record's value

}  // namespace

std::uint64_t target_bytes(std::uint64_t record_bytes, std::uint64_t max_record_bytes) noexcept {
  constexpr auto kBeside = kRecordOverhead + kFrameRoom;
  return std::min(record_bytes, max_record_bytes > 2 * kBeside ? max_record_bytes - kBeside : max_record_bytes / 2);
}

std::size_t Group::bytes() const noexcept {
  std::size_t sum = 0;
  for (const auto& p : parts) sum += p.bytes();
  return sum;
}

bool Group::empty() const noexcept {
  return std::ranges::all_of(parts, [](const auto& p) { return p.empty(); });
}

StreamWriter::StreamWriter(Output& out, std::vector<message::GtidSet> sent, message::GtidSet position,
                           const WriterLimits& limits, RowNamer name_row)
    : out_(out),
      limits_(limits),
      name_row_(std::move(name_row)),
      streams_(sent.size()),
      position_(std::move(position)) {
  limits_.record_bytes = target_bytes(limits.record_bytes, limits.max_record_bytes);
  for (std::size_t i = 0; i < sent.size(); ++i) streams_[i].sent = std::move(sent[i]);
}

void StreamWriter::open(const message::Gtid& gtid, std::uint64_t commit_time_us) {
  gtid_ = gtid;
  commit_time_us_ = commit_time_us;
  open_ = true;
  before_start_ = false;
  touched_ = false;
  rows_ = 0;
  held_bytes_ = 0;
  current_ = nullptr;
  for (auto& s : streams_) {
    s.next_order = s.fragment = 0;
    s.notes.clear();
    s.skip = !hold_limit_ && s.sent.contains(gtid);
  }
}

void StreamWriter::begin(const message::Gtid& gtid, std::uint64_t commit_time_us) {
  hold_limit_.reset();
  open(gtid, commit_time_us);
}

void StreamWriter::begin_held(const message::Gtid& gtid, std::uint64_t commit_time_us, std::uint64_t max_bytes) {
  hold_limit_ = max_bytes;
  open(gtid, commit_time_us);
}

void StreamWriter::begin_before_start(const message::Gtid& gtid, std::uint64_t commit_time_us) {
  begin(gtid, commit_time_us);
  before_start_ = true;
  for (auto& s : streams_) s.skip = true;
}

bool StreamWriter::wants(std::int32_t stream) const noexcept {
  return !streams_[static_cast<std::size_t>(stream)].skip;
}

TypeRows& StreamWriter::part(Stream& stream, const std::string& type) {
  auto& parts = stream.group.parts;
  const auto at = std::ranges::find(parts, type, &TypeRows::type);
  if (at != parts.end()) return *at;
  auto& made = parts.emplace_back();
  made.type = type;
  return made;
}

base::Result<base::Buffer*> StreamWriter::rows(const TableChoice& table, message::SchemaId schema,
                                               std::size_t expected) {
  auto& s = streams_[static_cast<std::size_t>(table.stream)];
  if (const auto bytes = s.group.bytes(); bytes > 0 && bytes + expected > limits_.record_bytes)
    DS_TRY(close_group(table.stream, message::End::Group));
  current_stream_ = table.stream;
  current_ = &part(s, table.type);
  current_run_ = &current_->run_of(schema, s.next_order);
  return &current_->rows;
}

base::Result<void> StreamWriter::added(std::uint32_t count) {
  current_run_->count += count;
  if (current_run_->count == 0) {  // a run without rows is no run
    current_->runs.pop_back();
    --streams_[static_cast<std::size_t>(current_stream_)].next_order;
    return {};
  }
  rows_ += count;
  if (streams_[static_cast<std::size_t>(current_stream_)].group.bytes() + kRoomLeft > limits_.record_bytes)
    DS_TRY(close_group(current_stream_, message::End::Group));
  return {};
}

void StreamWriter::announce(const TableChoice& table, message::SchemaId schema) {
  auto& s = streams_[static_cast<std::size_t>(table.stream)];
  part(s, table.type).run_of(schema, s.next_order);
}

/// Sends the gathered rows, or keeps them when the transaction is held.
base::Result<void> StreamWriter::close_group(std::int32_t index, message::End end) {
  auto& s = streams_[static_cast<std::size_t>(index)];
  if (s.group.empty()) return {};
  if (hold_limit_) {
    held_bytes_ += s.group.bytes();
    if (held_bytes_ > *hold_limit_)
      return base::Error(base::Reason::XaTooLarge, fmt::format("the prepared transaction {} is larger than {} bytes",
                                                               gtid_.text(), *hold_limit_));
    s.kept.push_back(std::move(s.group));
    s.group = {};
    return {};
  }
  DS_TRY(send(index, s.group, end));
  for (auto& p : s.group.parts) {
    p.clear();
    if (p.rows.capacity() > kKeepRecords * limits_.record_bytes) p.rows = base::Buffer();  // after a huge row
  }
  return {};
}

base::Result<void> StreamWriter::send(std::int32_t index, Group& group, message::End end) {
  const TypeRows* last = nullptr;
  for (const auto& p : group.parts)
    if (!p.empty()) last = &p;
  for (auto& p : group.parts)
    if (!p.empty()) DS_TRY(send_part(index, p, &p == last ? end : message::End::None));
  return {};
}

base::Result<void> StreamWriter::send_part(std::int32_t index, TypeRows& part, message::End end) {
  auto& s = streams_[static_cast<std::size_t>(index)];
  const ChangeFrame frame{gtid_, commit_time_us_, s.fragment, end == message::End::Transaction};
  // Named before the rows become part of the value.
  std::string name = "rows of type " + part.type;
  if (!part.empty() && part.bytes() + kRecordOverhead + kFrameRoom > limits_.max_record_bytes)
    name = name_row_(part.runs.back().schema);
  auto value = encode_change(frame, part);
  if (value.size() + kRecordOverhead > limits_.max_record_bytes)
    return base::Error(
        base::Reason::RowTooLarge,
        fmt::format("{} makes a record of {} bytes, the topic takes {}: raise its max.message.bytes; transaction {}",
                    name, value.size(), limits_.max_record_bytes, gtid_.text()));
  ++s.fragment;
  touched_ = true;
  message::Headers headers;
  headers.type = part.type;
  headers.end = end;
  return out_.change(index, std::move(headers), std::move(value), gtid_);
}

/// A record without rows that only ends or voids.
base::Result<void> StreamWriter::send_end(std::int32_t index, message::End end) {
  TypeRows none;
  return send_part(index, none, end);
}

base::Result<void> StreamWriter::commit() {
  if (!open_) return {};
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    auto& s = streams_[i];
    const auto index = static_cast<std::int32_t>(i);
    if (s.skip) continue;
    if (!s.notes.empty()) {
      DS_TRY(close_group(index, message::End::Group));
      DS_TRY(send_notes(index));
    } else if (!s.group.empty()) {
      DS_TRY(close_group(index, message::End::Transaction));
    } else if (s.fragment > 0) {
      DS_TRY(send_end(index, message::End::Transaction));
    }
  }
  finish(true);
  return {};
}

base::Result<void> StreamWriter::void_sent() {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    auto& s = streams_[i];
    s.group = {};
    s.kept.clear();
    s.notes.clear();
    if (s.fragment > 0) DS_TRY(send_end(static_cast<std::int32_t>(i), message::End::Abort));
    s.fragment = 0;
  }
  touched_ = false;
  rows_ = 0;
  return {};
}

base::Result<void> StreamWriter::rollback() {
  if (!open_) return {};
  DS_TRY(void_sent());
  finish(true);
  return {};
}

base::Result<void> StreamWriter::discard() {
  if (!open_) return {};
  DS_TRY(void_sent());
  finish(false);
  return {};
}

void StreamWriter::note(const TableChoice& table, const message::SchemaNote& note) {
  streams_[static_cast<std::size_t>(table.stream)].notes.push_back({table.type, message::encode(note)});
}

base::Result<void> StreamWriter::send_notes(std::int32_t index) {
  auto& s = streams_[static_cast<std::size_t>(index)];
  for (std::size_t i = 0; i < s.notes.size(); ++i) {
    base::Buffer value(s.notes[i].value.size());
    value.append(s.notes[i].value);
    const auto end = i + 1 == s.notes.size() ? message::End::Transaction : message::End::Group;
    touched_ = true;
    DS_TRY(out_.change(index, {message::Kind::Schema, s.notes[i].type, {}, end}, std::move(value), gtid_));
  }
  return {};
}

void StreamWriter::finish(bool over) {
  if (over && !before_start_) {
    for (auto& s : streams_) s.sent.add(gtid_);
    out_.finished(gtid_);
    const std::scoped_lock lock(mutex_);
    position_.add(gtid_);
    if (touched_)
      ++counts_.transactions;
    else
      ++counts_.filtered;
    if (touched_) counts_.rows += rows_;
    counts_.commit_time_us = commit_time_us_;
  }
  open_ = false;
  hold_limit_.reset();
}

void StreamWriter::reset_position(const message::GtidSet& dump_from, const message::GtidSet& sent) {
  for (const auto& [domain, gtid] : dump_from.domains()) out_.finished(gtid);
  for (auto& s : streams_) s.sent.unite(sent);
  const std::scoped_lock lock(mutex_);
  position_.unite(dump_from);
}

message::GtidSet StreamWriter::newest() const {
  auto all = position_;
  for (const auto& s : streams_) all.unite(s.sent);
  return all;
}

base::Result<void> StreamWriter::watermark(std::uint64_t source_time_us) {
  const auto value = message::encode(message::Watermark{position(), source_time_us});
  for (std::size_t i = 0; i < streams_.size(); ++i)
    DS_TRY(
        out_.between(static_cast<std::int32_t>(i), {message::Kind::Watermark, "", {}, message::End::None}, value, {}));
  return {};
}

message::GtidSet StreamWriter::position() const {
  const std::scoped_lock lock(mutex_);
  return position_;
}

StreamWriter::Counts StreamWriter::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

}  // namespace datasync::capture
