#include "agents/apply/read/assembler.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using message::End;
using message::Kind;
using Verdict = protocol::ReaderRule::Verdict;

}  // namespace

// Size, time and both ends of the value: enough to tell topics apart, and cheap for large records.
std::uint64_t mark_of(const Incoming& record) noexcept {
  constexpr std::size_t kEnd = 64;
  const auto head = record.value.first(std::min(kEnd, record.value.size()));
  const auto tail = record.value.last(std::min(kEnd, record.value.size()));
  const auto seed = static_cast<std::uint64_t>(record.timestamp_ms) + (record.value.size() << 48U);
  const auto hash = XXH3_64bits_withSeed(head.data(), head.size(), seed) ^
                    (XXH3_64bits_withSeed(tail.data(), tail.size(), record.headers.epoch.value()) << 1U);
  return hash == 0 ? 1 : hash;
}

bool Assembler::wanted(const message::Headers& headers) const {
  return types_.empty() || headers.type.empty() || types_.contains(headers.type);
}

/// The position follows every record, except inside a transaction of which rows may be wanted.
void Assembler::moved(const Incoming& record) {
  if (open_.active) return;
  state_.next_offset = record.offset + 1;
  state_.last_record = mark_of(record);
  dirty_ = true;
}

base::Result<void> Assembler::take(const Incoming& record) {
  switch (rule_.see(record.headers)) {
    case Verdict::Take:
      return dispatch(record);
    case Verdict::Ignore:
      ++counts_.lower_epochs;
      moved(record);
      return {};
    case Verdict::NewEpoch:
      discard();
      state_.epoch = rule_.epoch();
      moved(record);
      return {};
    case Verdict::Foreign:
      break;
  }
  return Error(
      Reason::ForeignMessage,
      fmt::format("a {} record of epoch {}, which did not start here (the current epoch is {})",
                  message::to_string(record.headers.kind), record.headers.epoch.value(), rule_.epoch().value()));
}

void Assembler::await(const Awaited& tables) {
  for (const auto& [table, request] : tables) awaited_within().insert_or_assign(table, request);
  dirty_ = dirty_ || !tables.empty();
}

void Assembler::await_no_more(const std::string& table) {
  dirty_ = awaited_within().erase(table) > 0 || dirty_;
}

/// What the open transaction changes counts when it is whole.
Awaited& Assembler::awaited_within() {
  if (!open_.active) return state_.awaited;
  if (!open_.awaited) open_.awaited = state_.awaited;
  return *open_.awaited;
}

base::Result<void> Assembler::skip(const Incoming& record, const Awaited& differ) {
  await(differ);
  const bool start = record.headers.kind == Kind::Start;
  if (!start && rule_.see(record.headers) == Verdict::Take && belongs(record)) {
    // Only its value tells a chunk's last record. Rows of a chunk are stored as they come: it may as well end here.
    return end(open_.snapshot ? End::Transaction : record.headers.end, record);
  }
  moved(record);
  return {};
}

/// It is part of what is open, or opens something. A value that cannot be read is taken for part: a copy of another
/// transaction's record that somebody put here can be read.
bool Assembler::belongs(const Incoming& record) const {
  const auto kind = record.headers.kind;
  if (open_.snapshot || kind == Kind::Snapshot) return open_.snapshot && kind == Kind::Snapshot;
  if (kind == Kind::Change) {
    const auto value = message::decode<message::Change>(record.value);
    return !open_.gtid || !value || (value->gtid == *open_.gtid && value->fragment > open_.fragment);
  }
  if (kind != Kind::Schema) return false;
  const auto value = message::decode<message::SchemaNote>(record.value);
  return !open_.gtid || !value || value->gtid == *open_.gtid;
}

base::Result<void> Assembler::dispatch(const Incoming& record) {
  const bool mine = wanted(record.headers);
  if (!mine) ++counts_.other_types;
  switch (record.headers.kind) {
    case Kind::Change:
      return mine ? change(record) : end(record.headers.end, record);
    case Kind::Snapshot:
      return mine ? snapshot(record) : end(record.headers.end, record);
    case Kind::Schema:
      return mine ? note(record) : end(record.headers.end, record);
    case Kind::Watermark:
      return watermark(record);
    case Kind::Verify:
      return verify(record);
    default:
      return Error(Reason::ForeignMessage, "a record of this kind does not belong on a stream");
  }
}

/// The record belongs to transaction `gtid`.
base::Result<void> Assembler::join(const message::Gtid& gtid) {
  if (open_.gtid && *open_.gtid != gtid)
    return Error(Reason::ForeignMessage,
                 fmt::format("transaction {} begins inside transaction {}", gtid.text(), open_.gtid->text()));
  if (open_.snapshot)
    return Error(Reason::ForeignMessage, fmt::format("transaction {} begins inside a snapshot chunk", gtid.text()));
  if (!open_.gtid) {
    open_.active = true;
    open_.gtid = gtid;
    const auto known = state_.gtids.domains().find(gtid.domain);
    if (known != state_.gtids.domains().end() && gtid != known->second && gtid.sequence <= known->second.sequence)
      return Error(Reason::GtidDiverged,
                   fmt::format("transaction {} came after {}: the source's binlog was reset or restored, or written "
                               "with gtid_strict_mode off, so it is not known whether its rows are stored",
                               gtid.text(), known->second.text()));
    open_.refused = state_.gtids.contains(gtid);
    if (open_.refused) {
      ++counts_.duplicates_refused;
      base::log::error("refused a transaction that is applied already", {{"gtid", std::string_view(gtid.text())}});
    }
  }
  return {};
}

base::Result<void> Assembler::change(const Incoming& record) {
  DS_ASSIGN(auto value, message::decode<message::Change>(record.value));
  const bool first = !open_.gtid;
  DS_TRY(join(value.gtid));
  if (!first && value.fragment <= open_.fragment)
    return Error(Reason::ForeignMessage, fmt::format("fragment {} of transaction {} follows fragment {}",
                                                     value.fragment, value.gtid.text(), open_.fragment));
  open_.fragment = value.fragment;
  open_.commit_time_us = value.commit_time_us;
  if (!open_.refused) std::ranges::move(value.tables, std::back_inserter(group_));
  return end(record.headers.end, record);
}

base::Result<void> Assembler::note(const Incoming& record) {
  DS_ASSIGN(auto value, message::decode<message::SchemaNote>(record.value));
  DS_TRY(join(value.gtid));
  if (!open_.refused) notes_.push_back({std::move(value), record.offset});
  return end(record.headers.end, record);
}

base::Result<void> Assembler::snapshot(const Incoming& record) {
  DS_ASSIGN(auto value, message::decode<message::Snapshot>(record.value));
  if (value.phase != message::Snapshot::Phase::Rows) return snapshot_bounds(value, record);
  if (open_.gtid)
    return Error(Reason::ForeignMessage,
                 fmt::format("a snapshot chunk begins inside transaction {}", open_.gtid->text()));
  open_.active = open_.snapshot = true;
  for (const auto& table : value.rows) counts_.snapshot_rows += table.count;
  std::ranges::move(value.rows, std::back_inserter(group_));
  // A chunk is of one type: each of its records may be executed at once, its last one makes it whole.
  if (record.headers.end != End::None) return end(record.headers.end, record);
  return end(value.last ? End::Transaction : End::Group, record);
}

base::Result<void> Assembler::snapshot_bounds(const message::Snapshot& value, const Incoming& record) {
  DS_TRY(between("a snapshot's begin or end"));
  const auto before = state_.snapshot;
  if (value.phase == message::Snapshot::Phase::Begin) {
    state_.snapshot.id = value.id;
    state_.snapshot.tables.insert(value.tables.begin(), value.tables.end());
  } else if (value.phase == message::Snapshot::Phase::End && value.id == state_.snapshot.id) {
    for (const auto& table : value.tables) state_.snapshot.tables.erase(table);
    if (value.tables.empty() || state_.snapshot.tables.empty()) state_.snapshot = {};
  }
  if (before == state_.snapshot) {
    moved(record);
    return {};
  }
  // What came before is committed under the old rules, what follows is executed under the new ones.
  auto after = std::exchange(state_.snapshot, before);
  DS_TRY(commit_complete());
  state_.snapshot = std::move(after);
  moved(record);
  return commit_complete();
}

base::Result<void> Assembler::watermark(const Incoming& record) {
  DS_TRY(between("a watermark"));
  DS_ASSIGN(const auto value, message::decode<message::Watermark>(record.value));
  state_.gtids.unite(value.position);
  times_ = {value.source_time_us, record.timestamp_ms};
  moved(record);
  return {};
}

base::Result<void> Assembler::verify(const Incoming& record) {
  DS_TRY(between("a verification"));
  DS_TRY(commit_complete());
  std::optional<message::Verify> value;
  if (wanted(record.headers)) {
    DS_ASSIGN(value, message::decode<message::Verify>(record.value));
  }
  const bool last = record.headers.end == End::Transaction || (value && value->last);
  DS_TRY(sink_.verify(value, last));
  moved(record);
  return {};
}

base::Result<void> Assembler::between(std::string_view what) const {
  if (!open_.active) return {};
  return Error(Reason::ForeignMessage, fmt::format("{} inside a transaction", what));
}

base::Result<void> Assembler::end(End how, const Incoming& record) {
  switch (how) {
    case End::None:
      moved(record);
      return {};
    case End::Group:
      DS_TRY(append_group());
      moved(record);
      return {};
    case End::Transaction:
      DS_TRY(append_group());
      return finish(record);
    case End::Abort:
      discard();
      moved(record);
      return {};
  }
  return {};
}

base::Result<void> Assembler::finish(const Incoming& record) {
  if (!notes_.empty()) {
    DS_TRY(commit_complete());
    DS_TRY(sink_.tables_gone(notes_));
    notes_.clear();
  }
  if (open_.awaited) state_.awaited = std::move(*open_.awaited);
  if (open_.active && !open_.refused) {
    if (open_.gtid) {
      state_.gtids.add(*open_.gtid);
      times_ = {open_.commit_time_us, record.timestamp_ms};
    }
    ++counts_.transactions;
  }
  open_ = {};
  complete_rows_ = buffer_.size();
  moved(record);
  const bool full = complete_rows_ >= limits_.rows || buffer_.bytes() >= limits_.bytes;
  if (full || limits_.each_transaction || sink_.streaming()) return commit_complete();
  return {};
}

base::Result<void> Assembler::commit_complete() {
  if (complete_rows_ == 0 && !dirty_ && !sink_.streaming()) return {};
  DS_TRY(sink_.commit(buffer_, buffer_.rows().first(complete_rows_), state_, times_));
  buffer_.drop_front(complete_rows_);
  complete_rows_ = 0;
  dirty_ = false;
  return {};
}

/// The open transaction is void, also what of it was executed.
void Assembler::discard() {
  if (open_.active) ++counts_.discarded;
  if (sink_.streaming()) sink_.rollback();
  sink_.voided(state_.next_offset);
  buffer_.drop_back(complete_rows_);
  group_.clear();
  notes_.clear();
  open_ = {};
}

void Assembler::begin_again(LedgerState start, const IntakeLimits& limits) {
  limits_ = limits;
  rule_ = protocol::ReaderRule(start.epoch);
  state_ = std::move(start);
  dirty_ = false;
  buffer_.clear();
  complete_rows_ = 0;
  group_.clear();
  notes_.clear();
  open_ = {};
}

base::Result<void> Assembler::pause(bool position_too) {
  if (sink_.streaming()) return {};
  if (complete_rows_ > 0 || (position_too && dirty_)) return commit_complete();
  return {};
}

}  // namespace datasync::apply
