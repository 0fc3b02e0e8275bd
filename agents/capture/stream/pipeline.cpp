#include "agents/capture/stream/pipeline.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/base/log.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kTick{1000};

std::int64_t steady_us() noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(base::steady_now().time_since_epoch()).count();
}

}  // namespace

void SourceClock::set(std::uint64_t source_us) noexcept {
  offset_us_.store(static_cast<std::int64_t>(source_us) - steady_us(), std::memory_order_relaxed);
  known_.store(true, std::memory_order_release);
}

std::uint64_t SourceClock::now_us() const noexcept {
  if (!known_.load(std::memory_order_acquire)) return 0;
  return static_cast<std::uint64_t>(steady_us() + offset_us_.load(std::memory_order_relaxed));
}

Pipeline::Pipeline(const PipelineParts& parts, Catalog& catalog, std::stop_token stop, std::uint64_t max_value)
    : parts_(parts),
      catalog_(catalog),
      stop_(std::move(stop)),
      max_value_(max_value),
      next_tick_(base::steady_now() + kTick) {}

base::Result<void> Pipeline::run(source::ChangeStream& stream) {
  const std::stop_callback wake(stop_, [&] { stream.abort(); });
  auto result = read(stream);
  parts_.freshness.caught_up.store(false, std::memory_order_relaxed);
  if (stop_.stop_requested()) return Error(Reason::Stopping, "a stop was requested");
  if (auto voided = parts_.writer.discard(); !voided) return voided;
  return result;
}

base::Result<void> Pipeline::read(source::ChangeStream& stream) {
  bool first = true;
  while (!stop_.stop_requested()) {
    DS_TRY(stream.next(*this));
    if (std::exchange(first, false)) parts_.on_first_event();
    if (parts_.gate.doubted())
      return Error(Reason::SourceMoved,
                   parts_.gate.replica() + " now resolves to another server; restarting the binlog dump");
    if (!stream.outside()) continue;
    if (std::exchange(outdated_, false)) DS_TRY(parts_.on_between());
    if (base::steady_now() >= next_tick_) DS_TRY(tick());
  }
  return Error(Reason::Stopping, "a stop was requested");
}

void Pipeline::on_heard() {
  parts_.status.beat();
  parts_.freshness.heard_us.store(steady_us(), std::memory_order_relaxed);
}

base::Result<void> Pipeline::tick() {
  next_tick_ = base::steady_now() + kTick;
  parts_.on_tick();
  DS_TRY(parts_.on_between());
  const std::unique_lock lock(parts_.between, std::try_to_lock);
  if (!lock.owns_lock()) return {};
  const auto now = parts_.clock.now_us();
  return parts_.writer.watermark(
      parts_.freshness.caught_up.load(std::memory_order_relaxed) && now != 0 ? now : commit_time_us_);
}

base::Result<void> Pipeline::on_begin(const source::Transaction& transaction, const source::Place& first) {
  DS_TRY(parts_.gate.before_transaction(first, stop_));
  if (parts_.on_gtid) DS_TRY(parts_.on_gtid(transaction.gtid));
  before_start_ = transaction.before_start;
  gtid_ = transaction.gtid;
  commit_time_us_ = transaction.commit_time_us;
  rows_in_transaction_ = 0;
  unchecked_.clear();
  parts_.freshness.caught_up.store(false, std::memory_order_relaxed);
  parts_.freshness.read_time_us.store(commit_time_us_, std::memory_order_relaxed);
  held_ = transaction.prepared && !before_start_;
  xid_ = transaction.xid;
  in_transaction_ = true;
  passing_.reset();
  unread_ = false;
  if (before_start_) {
    parts_.writer.begin_before_start(gtid_, commit_time_us_);
    return {};
  }
  if (parts_.may_pass(gtid_)) passing_.emplace();
  if (!held_) {
    parts_.writer.begin(gtid_, commit_time_us_);
    return {};
  }
  before_prepare_ = parts_.writer.position();
  parts_.writer.begin_held(gtid_, commit_time_us_, parts_.prepared.bytes_left());
  return {};
}

bool Pipeline::wants(std::string_view database, std::string_view table) {
  if (before_start_) return false;
  const auto* choice = parts_.selection.find(database, table);
  if (choice != nullptr && passing_) passing_->tables.insert(choice->qualified());
  return choice != nullptr;
}

base::Result<void> Pipeline::on_rows(source::TableToken token, const binlog::RowsEvent& rows) {
  if (passing_) {
    passing_->tables.insert(catalog_.table(token).choice->qualified());
    return {};
  }
  auto& table = catalog_.table(token);
  if (!parts_.writer.wants(table.choice->stream)) return {};
  if (std::ranges::find(table.domains, gtid_.domain) == table.domains.end())
    DS_TRY(catalog_.wrote(token, gtid_.domain));
  if (rows.head.keys_unchecked) DS_TRY(unchecked(*table.choice, rows));
  table.encoder.limit_values(max_value_);
  DS_ASSIGN(auto cursor, table.encoder.open(rows));
  while (!cursor.done()) {
    DS_ASSIGN(auto* buffer, parts_.writer.rows(*table.choice, table.schema, cursor.expected()));
    DS_ASSIGN(const auto count, cursor.fill(*buffer, parts_.writer.record_bytes()));
    rows_in_transaction_ += count;
    DS_TRY(parts_.writer.added(count));
  }
  return cursor.left_out() == 0 ? base::Result<void>() : left_out(*table.choice, rows);
}

/// A row that no destination can store is not published: on the stream it would stop every reader for good, also after
/// the source was corrected. The table is copied again instead, and the copy waits until such rows are corrected. An
/// update may have moved its row from another key, which only an emptied table forgets.
base::Result<void> Pipeline::left_out(const TableChoice& table, const binlog::RowsEvent& rows) {
  auto what = fmt::format("transaction {} at {} writes a row of {} with an empty value in a GEOMETRY column",
                          gtid_.text(), rows.where.text(), table.qualified());
  // A copy of now has no row of a transaction that is only prepared, and nothing would be due at its commit.
  if (held_) return Error(Reason::UnsupportedValue, what + ", in an XA transaction");
  outdated_ = true;
  return parts_.on_outdated({table.qualified(), rows.op == message::Op::Update}, what);
}

/// At the source no foreign key acted on these rows, and at a destination it does: the tables that refer to them are
/// copied again.
base::Result<void> Pipeline::unchecked(const TableChoice& parent, const binlog::RowsEvent& rows) {
  if (rows.op == message::Op::Insert || !unchecked_.emplace(&parent, rows.op).second) return {};
  DS_ASSIGN(const auto children, catalog_.acting_children({{parent.database, parent.table}}, rows.op));
  if (children.empty()) return {};
  const auto what = fmt::format("transaction {} at {} changes rows of {} with foreign_key_checks=0", gtid_.text(),
                                rows.where.text(), parent.qualified());
  // A copy of now has no row of a transaction that is only prepared, and nothing would be due at its commit.
  if (held_) return Error(Reason::UnsupportedEvent, what + ", in an XA transaction");
  for (const auto* child : children) DS_TRY(outdated(*child, true, what));
  return {};
}

void Pipeline::ended(const source::Place& end) {
  held_ = in_transaction_ = false;
  parts_.gate.transaction_ended(end);
}

base::Result<void> Pipeline::on_commit(const source::Place& end) {
  const bool held = std::exchange(held_, false);
  DS_TRY(end_passing());
  if (held) {  // XA COMMIT ONE PHASE: it was never prepared
    auto rows = parts_.writer.take_held();
    parts_.writer.begin(gtid_, commit_time_us_);
    DS_TRY(parts_.writer.put_held(std::move(rows)));
  }
  DS_TRY(announce_due());
  DS_TRY(parts_.writer.commit());
  ended(end);
  return {};
}

base::Result<void> Pipeline::on_rollback(const source::Place& end) {
  passing_.reset();
  unread_ = false;
  DS_TRY(parts_.writer.rollback());
  ended(end);
  return {};
}

// Not over: a replica that crashed while it logged a transaction gets it again, under the same GTID.
base::Result<void> Pipeline::on_broken_off(const source::Place& end) {
  passing_.reset();
  DS_TRY(parts_.writer.discard());
  ended(end);
  return {};
}

base::Result<void> Pipeline::on_xa_prepare(std::string_view xid, const source::Place& end) {
  // Known before the position moves over it: a checkpoint in between must not forget it.
  auto held = parts_.writer.take_held();
  if (passing_)
    DS_TRY(end_passing());
  else if (!before_start_)
    parts_.prepared.prepare(std::string(xid), before_prepare_, std::move(held));
  DS_TRY(parts_.writer.commit());
  parts_.gate.prepared(xid);
  ended(end);
  return {};
}

base::Result<void> Pipeline::on_xa_commit(std::string_view xid, const source::Place& end) {
  const std::string id(xid);
  auto held = parts_.prepared.commit(id, gtid_);
  bool wanted = false;
  for (std::int32_t i = 0; i < parts_.selection.streams(); ++i) wanted = wanted || parts_.writer.wants(i);
  if (auto prepared = !held && wanted ? parts_.passed_prepare(id) : std::nullopt)
    passing_ = std::move(prepared);
  else if (passing_)
    passing_->all = true;  // its rows are in the prepare
  if (passing_)
    DS_TRY(end_passing());
  else if (held)
    DS_TRY(parts_.writer.put_held(std::move(*held)));
  else if (wanted)
    return Error(
        Reason::PositionUnknown,
        fmt::format("transaction {} commits XA transaction {}, whose rows are before the position", gtid_.text(), id));
  DS_TRY(announce_due());
  DS_TRY(parts_.writer.commit());
  parts_.gate.prepared_committed(xid, end);
  ended(end);
  return {};
}

base::Result<void> Pipeline::on_xa_rollback(std::string_view xid, const source::Place& end) {
  parts_.prepared.rollback(std::string(xid));
  passing_.reset();
  unread_ = false;
  DS_TRY(announce_due());
  DS_TRY(parts_.writer.commit());
  ended(end);
  return {};
}

base::Result<void> Pipeline::on_idle(const source::Place& here) {
  parts_.freshness.caught_up.store(true, std::memory_order_relaxed);
  parts_.gate.moved_to(here);
  return {};
}

base::Result<void> Pipeline::on_moved(const source::Place& here) {
  parts_.gate.moved_to(here);
  return {};
}

}  // namespace datasync::capture
