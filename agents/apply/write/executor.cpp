#include "agents/apply/write/executor.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using Kind = Statements::Kind;

Kind statement_of(StatementKind kind) noexcept {
  switch (kind) {
    case StatementKind::Insert:
      return Kind::Insert;
    case StatementKind::Update:
      return Kind::Update;
    case StatementKind::UpdateAllColumns:
      return Kind::UpdateAllColumns;
    default:
      return Kind::Delete;
  }
}

RowChange change_of(TableIndex table, const PlannedRow& row) noexcept {
  const auto op = row.before == kNoImage  ? message::Op::Insert
                  : row.after == kNoImage ? message::Op::Delete
                                          : message::Op::Update;
  return {table, op, row.before, row.after};
}

}  // namespace

bool Executor::row_by_row_may_help(const Error& error) noexcept {
  return error.is(Reason::RowConflict) || error.is(Reason::ConstraintViolated) || error.is(Reason::ValueNotStorable) ||
         error.is(Reason::DestinationRefused);
}

bool Executor::is_duplicate() const noexcept {
  return connection_.last_failure() == Failure::DuplicateKey;
}

base::Result<void> Executor::run_plan(const RowBuffer& buffer, std::span<const RowChange> rows) {
  if (planned_generation_ != catalog_.generation()) {
    planner_.set_tables(catalog_.plan_tables());
    planned_generation_ = catalog_.generation();
  }
  const Plan& plan = planner_.plan(buffer, rows);
  for (const Run& run : plan.runs) {
    on_step_();
    refused_ = Refused{run.table, ""};
    const auto planned = plan.rows_of(run);
    counts_.statements += planned.size();
    DS_TRY(set_checks(catalog_.table(run.table), run.kind));
    if (run.kind == StatementKind::Truncate) {
      DS_TRY(empty(run.table));
    } else if (catalog_.table(run.table).tolerant) {
      DS_TRY(run_tolerant(buffer, run, planned));
    } else {
      DS_TRY(run_strict(buffer, run, planned));
    }
  }
  refused_.reset();
  return {};
}

base::Result<void> Executor::run_strict(const RowBuffer& buffer, const Run& run, std::span<const PlannedRow> rows) {
  // Where nothing makes the key unique a sum of matched rows proves nothing: one may be there twice and another
  // missing.
  const bool changes = run.kind == StatementKind::Update || run.kind == StatementKind::UpdateAllColumns ||
                       run.kind == StatementKind::Delete;
  if (changes && catalog_.table(run.table).plan.repeats) {
    for (const PlannedRow& r : rows) DS_TRY(row(buffer, change_of(run.table, r)));
    return {};
  }
  DS_ASSIGN(const auto matched, statements_.run(statement_of(run.kind), run.table, buffer, rows));
  const std::size_t expected = run.kind == StatementKind::DeleteNone ? 0 : rows.size();
  if (run.kind == StatementKind::DeleteMaybe || matched == expected) return {};
  return Error(Reason::RowConflict, fmt::format("{}: {} rows matched, expected {}",
                                                catalog_.table(run.table).qualified(), matched, expected));
}

/// Foreign keys are checked, and act, as at the source, but for tables that are being copied: there children may come
/// before their parents. What the source does to a parent whose foreign keys act by themselves must act here, too; and
/// emptying a table never does (docs/decisions/0020-copies-beside-other-tables.md).
base::Result<void> Executor::set_checks(const TargetTable& table, StatementKind kind) {
  bool on = true;
  switch (kind) {
    case StatementKind::Truncate:
      on = false;
      break;
    case StatementKind::Insert:
      on = !table.parents_incomplete;
      break;
    case StatementKind::Update:
    case StatementKind::UpdateAllColumns:
      on = table.children_follow ? kind == StatementKind::UpdateAllColumns || !table.parents_incomplete
                                 : !table.parents_incomplete && !table.children_incomplete;
      break;
    case StatementKind::Delete:
    case StatementKind::DeleteMaybe:
    case StatementKind::DeleteNone:
      on = table.children_follow || !table.children_incomplete;
      break;
  }
  return set_checks_to(on);
}

base::Result<void> Executor::set_checks_to(bool on) {
  if (on == checks_on_) return {};
  DS_TRY(connection_.check_foreign_keys(on));
  checks_on_ = on;
  return {};
}

/// Rows may be there already or missing: what the source says is what the row is now. Columns that only the destination
/// has keep their values.
base::Result<void> Executor::run_tolerant(const RowBuffer& buffer, const Run& run, std::span<const PlannedRow> rows) {
  if (run.kind == StatementKind::Delete || run.kind == StatementKind::DeleteMaybe ||
      run.kind == StatementKind::DeleteNone) {
    DS_TRY(store_parents(buffer, run.table, rows));
    DS_TRY(statements_.run(Kind::Delete, run.table, buffer, rows));
    return {};
  }
  if (run.kind == StatementKind::Insert && !catalog_.table(run.table).plan.repeats) {
    DS_TRY(connection_.set_savepoint(Savepoint::Run));
    auto inserted = statements_.run(Kind::Insert, run.table, buffer, rows);
    if (inserted) return {};
    if (!is_duplicate()) return std::move(inserted).error();
    DS_TRY(connection_.rollback_to(Savepoint::Run));
  }
  const auto& table = catalog_.table(run.table);
  // Without another unique key the only row that can be in the way is the one of this key.
  const bool upserts = takes_upsert(table.names) || table.plan.unique_keys.empty();
  if (run.ordered || table.plan.repeats || !upserts) {
    for (const PlannedRow& r : rows) DS_TRY(row(buffer, change_of(run.table, r)));
    return {};
  }
  if (run.kind == StatementKind::Update) {
    DS_ASSIGN(const auto matched, statements_.run(Kind::Update, run.table, buffer, rows));
    if (matched == rows.size()) return {};
  }
  DS_TRY(statements_.run(Kind::Upsert, run.table, buffer, rows));
  return {};
}

/// Before rows of a table that is being copied leave their keys: what foreign keys do to rows of other tables they do
/// only where the row is there.
base::Result<void> Executor::store_parents(const RowBuffer& buffer, TableIndex table,
                                           std::span<const PlannedRow> rows) {
  const auto& target = catalog_.table(table);
  if (!target.children_follow) return {};
  const bool checks = checks_on_;
  DS_TRY(set_checks_to(false));
  for (const PlannedRow& r : rows) DS_TRY(store_row(buffer, table, r.before));
  return set_checks_to(checks);
}

/// In a table that is being copied: the row of this key is as the source has it.
base::Result<void> Executor::store_row(const RowBuffer& buffer, TableIndex table, ImageAt after) {
  const std::array rows{PlannedRow{kNoImage, after}};
  DS_ASSIGN(const auto matched, statements_.run(Kind::UpdateAllColumns, table, buffer, rows));
  if (matched == 1) return {};
  if (matched > 1) DS_TRY(statements_.run(Kind::Delete, table, buffer, rows));
  DS_TRY(statements_.run(Kind::Insert, table, buffer, rows));
  return {};
}

/// In a table that is being copied: the row leaves its old key.
base::Result<void> Executor::move_tolerant(const RowBuffer& buffer, const RowChange& change) {
  const std::array rows{PlannedRow{change.before, change.after}};
  DS_TRY(store_parents(buffer, change.table, rows));
  if (!catalog_.table(change.table).plan.repeats) {
    auto matched = statements_.run(Kind::UpdateAllColumns, change.table, buffer, rows);
    if (matched && *matched == 1) return {};
    if (!matched && !is_duplicate()) return std::move(matched).error();
  }
  DS_TRY(statements_.run(Kind::Delete, change.table, buffer, rows));
  return store_row(buffer, change.table, change.after);
}

base::Result<std::uint64_t> Executor::delete_batch(TableIndex table) {
  const TargetTable& target = catalog_.table(table);
  DS_TRY(set_checks(target, StatementKind::Truncate));
  auto gone = connection_.delete_batch({target.names.database, target.names.table});
  if (!gone) {
    refused_ = Refused{table, ""};
    return std::move(gone).error().context("while emptying " + target.qualified());
  }
  on_step_();
  return gone;
}

base::Result<void> Executor::empty(TableIndex table) {
  for (std::uint64_t gone = 1; gone != 0;) {
    DS_ASSIGN(gone, delete_batch(table));
  }
  return {};
}

}  // namespace datasync::apply
