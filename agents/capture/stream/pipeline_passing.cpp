// The part of the pipeline that passes a transaction that cannot be carried, where a user accepted that.

#include <utility>

#include <fmt/format.h>

#include "agents/capture/stream/pipeline.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

constexpr std::size_t kTypeAt = 4, kSizeAt = 9;  // in the event header

binlog::EventType type_of(base::Bytes event) noexcept {
  return event.size() < binlog::kHeaderSize ? binlog::EventType::Unknown
                                            : static_cast<binlog::EventType>(event[kTypeAt]);
}

std::uint32_t size_of(base::Bytes event) noexcept {
  return base::Cursor(event.subspan(kSizeAt)).get<std::uint32_t>();
}

}  // namespace

base::Result<void> Pipeline::feed(base::Bytes event) {
  if (auto fed = reader_.feed(event); !fed) return pass_over(event, std::move(fed).error());
  // The server sends a heartbeat only when it has sent everything.
  const auto type = type_of(event);
  const bool heartbeat = type == binlog::EventType::Heartbeat || type == binlog::EventType::HeartbeatV2;
  return unread_ && heartbeat ? end_unread() : base::Result<void>();
}

/// What cannot be carried of a transaction that a user lets pass does not matter; without that it stops here.
base::Result<void> Pipeline::pass_over(base::Bytes event, Error error) {
  // Between transactions the binlog itself is damaged: no GTID names what is wrong.
  if (!in_transaction_ || !poisons(error.reason)) return error;
  if (!passing_) return with_way_past(std::move(error), gtid_.text());
  passing_->all = unread_ = true;
  if (type_of(event) != binlog::EventType::Gtid) return {};
  DS_TRY(end_unread());
  return feed(event);
}

/// Rows of a transaction that is passed need not be held, however many they are, nor a statement that is too large to
/// be. What begins and ends transactions is never that large.
bool Pipeline::passes(base::Bytes front) {
  if (!passing_ || front.size() < binlog::kHeaderSize) return false;
  const bool rows = binlog::rows_kind(type_of(front)).has_value();
  if (!rows && size_of(front) < max_inflated_) return false;
  passing_->all = true;        // its front does not name its table
  unread_ = unread_ || !rows;  // it may have been the one statement of the transaction
  return true;
}

/// No event came. `large` names the one that is too large, if that is why.
Error Pipeline::unread(Error error, const std::string& large) const {
  if (large.empty()) return error;
  error = std::move(error).context(large);
  return error.is(Reason::RowTooLarge) && in_transaction_ ? with_way_past(std::move(error), gtid_.text()) : error;
}

/// The event that ended the transaction was one of those that could not be read.
base::Result<void> Pipeline::end_unread() {
  reader_.abandon();
  DS_TRY(end_passing());
  DS_TRY(parts_.writer.commit());
  ended();
  return {};
}

/// Before the position moves past the transaction.
base::Result<void> Pipeline::end_passing() {
  const bool unread = std::exchange(unread_, false);
  if (!passing_) return {};
  const auto passed = *std::exchange(passing_, std::nullopt);
  // It may have been a statement about any of them.
  if (unread)
    for (const auto& table : parts_.selection.tables()) DS_TRY(learn_passed(table, {}));
  // What is prepared is not committed yet: a copy of now would lack it. Its tables are due at its commit.
  if (held_) return parts_.on_passed_prepare(gtid_.text(), xid_, passed);
  DS_ASSIGN(const bool due, parts_.on_passed(gtid_.text(), "", passed));
  outdated_ = outdated_ || due;
  return {};
}

/// A statement without row events may have changed more than the tables that it names, by triggers.
base::Result<void> Pipeline::passed(const binlog::QueryInfo& query) {
  if (query.judgement.harmless()) return {};
  if (query.judgement.by_statement) passing_->all = true;
  for (const auto& statement : concerned_by(query)) {
    passing_->tables.insert(statement.table->qualified());
    DS_TRY(learn_passed(*statement.table, column_names(query)));
  }
  return {};
}

/// It may have another definition, or none, from here on. What is wrong with it is said when it is copied.
base::Result<void> Pipeline::learn_passed(const TableChoice& table, ColumnNames names) {
  parts_.due.forget(table);
  const auto changed = catalog_.changed(table, {{}, true, gtid_, std::move(names)});
  if (!changed && changed.error().outcome() != base::Outcome::Halt) return Error(changed.error());
  return changed && !changed->exists ? catalog_.set_gone(table, gtid_) : base::Result<void>();
}

/// It has no GTID of its own: its place is what stands before it.
base::Result<void> Pipeline::on_incident(std::string_view text, const binlog::Where& where) {
  Error error(Reason::BinlogCorrupt,
              fmt::format("the source logged an incident at {}: changes may be missing ({})", where.text(), text));
  if (in_transaction_) return error;
  const auto place = parts_.writer.position().text();
  DS_ASSIGN(const bool due, parts_.on_passed(place, where.text(), Passed{true, {}}));
  if (!due) return with_way_past(std::move(error), place);
  outdated_ = true;
  return {};
}

}  // namespace datasync::capture
