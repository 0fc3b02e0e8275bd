// The part of the pipeline that passes a transaction that cannot be carried, where a user accepted that.

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/stream/pipeline.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

}  // namespace

/// What cannot be carried of a transaction that a user lets pass does not matter; without that it stops here.
base::Result<void> Pipeline::on_unreadable(Error error) {
  // Between transactions the binlog itself is damaged: no GTID names what is wrong.
  if (!in_transaction_ || !poisons(error.reason)) return error;
  if (!passing_) return with_way_past(std::move(error), gtid_.text());
  passing_->all = unread_ = true;
  return {};
}

Error Pipeline::too_large(Error error) const {
  return in_transaction_ ? with_way_past(std::move(error), gtid_.text()) : error;
}

void Pipeline::on_skipped(bool rows) {
  passing_->all = true;        // its front does not name its table
  unread_ = unread_ || !rows;  // it may have been the one statement of the transaction
}

/// It is over, and its tables are due.
base::Result<void> Pipeline::on_end_unread(const source::Place& end) {
  DS_TRY(end_passing());
  DS_TRY(parts_.writer.commit());
  if (!xid_.empty() && !held_) parts_.gate.prepared_committed(xid_, end);
  ended(end);
  return {};
}

/// Before the position moves past the transaction.
base::Result<void> Pipeline::end_passing() {
  const bool unread = std::exchange(unread_, false);
  if (!passing_) return {};
  const auto passed = *std::exchange(passing_, std::nullopt);
  // It may have been a statement about any of them.
  if (unread) taken_.clear();
  if (unread)
    for (const auto& table : parts_.selection.tables()) DS_TRY(learn_passed(table, {}));
  // What is prepared is not committed yet: a copy of now would lack it. Its tables are due at its commit.
  if (held_) return parts_.on_passed_prepare(gtid_.text(), xid_, passed);
  DS_ASSIGN(const bool due, parts_.on_passed(gtid_.text(), "", passed));
  outdated_ = outdated_ || due;
  return {};
}

/// A statement without row events may have changed more than the tables that it names, by triggers.
base::Result<void> Pipeline::passed(const source::Statement& query) {
  if (query.judgement.harmless()) return {};
  std::optional<ColumnNames> names;
  if (query.judgement.by_statement) passing_->all = true;
  DS_TRY(take_moves(query));
  for (const auto& statement : concerned_by(query)) {
    passing_->tables.insert(statement.table->qualified());
    if (!names) names = column_names(query);  // once: the statement may have all the rows of a table
    DS_TRY(learn_passed(*statement.table, *names));
  }
  return {};
}

/// It may have another definition, or none, from here on. What is wrong with it is said when it is copied.
base::Result<void> Pipeline::learn_passed(const TableChoice& table, ColumnNames names) {
  parts_.due.forget(table);
  DefinitionChange change{{}, true, gtid_, std::move(names)};
  change.taken = judged_moves(taken_by(table));  // what could not be judged, a user has accepted
  const auto changed = catalog_.changed(table, change);
  if (!changed && changed.error().outcome() != base::Outcome::Halt) return Error(changed.error());
  return changed && !changed->exists ? catalog_.set_gone(table, gtid_, false) : base::Result<void>();
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
