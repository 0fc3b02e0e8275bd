#include "agents/apply/executor.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "agents/apply/explain.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using Kind = Statements::Kind;

constexpr unsigned kDuplicateKey = 1062;
constexpr unsigned kDuplicateKeyName = 1586;

Kind statement_of(StatementKind kind) noexcept {
  switch (kind) {
    case StatementKind::Insert:
      return Kind::Insert;
    case StatementKind::Update:
      return Kind::Update;
    case StatementKind::Move:
      return Kind::Move;
    default:
      return Kind::Erase;
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
  return connection_.last_errno() == kDuplicateKey || connection_.last_errno() == kDuplicateKeyName;
}

base::Result<void> Executor::run_plan(const RowBuffer& buffer, std::span<const RowChange> rows) {
  if (planned_generation_ != catalog_.generation()) {
    planner_.set_tables(catalog_.plan_tables());
    planned_generation_ = catalog_.generation();
  }
  const Plan& plan = planner_.plan(buffer, rows);
  for (const Run& run : plan.runs) {
    on_step_();
    const auto planned = plan.rows_of(run);
    counts_.statements += planned.size();
    if (run.kind == StatementKind::Truncate) {
      DS_TRY(empty(run.table));
    } else if (catalog_.table(run.table).tolerant) {
      DS_TRY(run_tolerant(buffer, run, planned));
    } else {
      DS_TRY(run_strict(buffer, run, planned));
    }
  }
  return {};
}

base::Result<void> Executor::run_strict(const RowBuffer& buffer, const Run& run, std::span<const PlannedRow> rows) {
  DS_ASSIGN(const auto matched, statements_.run(statement_of(run.kind), run.table, buffer, rows));
  const std::size_t expected = run.kind == StatementKind::DeleteNone ? 0 : rows.size();
  if (run.kind == StatementKind::DeleteMaybe || matched == expected) return {};
  return Error(Reason::RowConflict, fmt::format("{}: {} rows matched, expected {}",
                                                catalog_.table(run.table).qualified(), matched, expected));
}

/// Rows may be there already or missing: what the source says is what the row is now.
base::Result<void> Executor::run_tolerant(const RowBuffer& buffer, const Run& run, std::span<const PlannedRow> rows) {
  if (run.kind == StatementKind::Delete || run.kind == StatementKind::DeleteMaybe ||
      run.kind == StatementKind::DeleteNone) {
    DS_TRY(statements_.run(Kind::Erase, run.table, buffer, rows));
    return {};
  }
  // Without a unique key nobody would notice that the row is there already.
  if (run.kind == StatementKind::Insert && !catalog_.table(run.table).plan.repeats) {
    DS_TRY(connection_.execute("SAVEPOINT datasync_run"));
    auto inserted = statements_.run(Kind::Insert, run.table, buffer, rows);
    if (inserted) return {};
    if (!is_duplicate()) return std::move(inserted).error();
    DS_TRY(connection_.execute("ROLLBACK TO SAVEPOINT datasync_run"));
  }
  if (!run.ordered) return replace(buffer, run.table, rows);
  for (const PlannedRow& r : rows) DS_TRY(row(buffer, change_of(run.table, r)));
  return {};
}

/// All the rows' keys differ, and no two rows share a unique value.
base::Result<void> Executor::replace(const RowBuffer& buffer, TableIndex table, std::span<const PlannedRow> rows) {
  DS_TRY(statements_.run(Kind::Erase, table, buffer, rows));
  DS_TRY(statements_.run(Kind::Insert, table, buffer, rows));
  return {};
}

base::Result<void> Executor::empty(TableIndex table) {
  const TargetTable& target = catalog_.table(table);
  const auto& keys = target.info.foreign_keys;
  const bool self = std::ranges::any_of(keys, [&](const auto& key) {
    return key.parent_database == target.names.database && key.parent_table == target.names.table;
  });
  // A table that points to itself cannot be emptied row by row in an order the server knows.
  const bool off = self && !target.tolerant;
  if (off) DS_TRY(connection_.execute(dialect_.foreign_key_checks(false)));
  const auto statement = dialect_.empty_some(target.names.database, target.names.table);
  while (true) {
    auto gone = connection_.execute(statement);
    if (!gone) return std::move(gone).error().context("while emptying " + target.qualified());
    if (*gone == 0) break;
    on_step_();
  }
  if (off) DS_TRY(connection_.execute(dialect_.foreign_key_checks(true)));
  return {};
}

base::Result<void> Executor::run_rows(const RowBuffer& buffer, std::span<const RowChange> rows) {
  ++counts_.row_by_row;
  for (const RowChange& change : rows) {
    on_step_();
    if (auto done = row(buffer, change); !done) return explained(std::move(done).error(), buffer, change);
  }
  return {};
}

base::Result<void> Executor::row(const RowBuffer& buffer, const RowChange& change) {
  switch (change.op) {
    case message::Op::Insert:
      return insert_row(buffer, change);
    case message::Op::Update:
      return update_row(buffer, change);
    case message::Op::Delete:
      return delete_row(buffer, change);
    case message::Op::Truncate:
      return empty(change.table);
  }
  return {};
}

base::Result<void> Executor::insert_row(const RowBuffer& buffer, const RowChange& change) {
  const std::array rows{PlannedRow{kNoImage, change.after}};
  const TargetTable& target = catalog_.table(change.table);
  if (target.tolerant && target.plan.repeats) return replace(buffer, change.table, rows);
  auto inserted = statements_.run(Kind::Insert, change.table, buffer, rows);
  if (inserted) return {};
  if (!is_duplicate()) return std::move(inserted).error();
  if (target.tolerant) return replace(buffer, change.table, rows);
  DS_ASSIGN(const bool there, row_is_there(connection_, target, buffer, change.after));
  // Only a row of the same key is a conflict of rows; another unique value that is taken is a constraint.
  if (!there) return std::move(inserted).error();
  if (!overwrite_) return conflict(buffer, change, "the row is there already");
  ++counts_.overwritten;
  DS_TRY(statements_.run(Kind::Move, change.table, buffer, rows));
  return {};
}

base::Result<void> Executor::update_row(const RowBuffer& buffer, const RowChange& change) {
  const std::array rows{PlannedRow{change.before, change.after}};
  if (catalog_.table(change.table).tolerant) {
    DS_TRY(statements_.run(Kind::Erase, change.table, buffer, rows));
    DS_TRY(statements_.run(Kind::Erase, change.table, buffer, rows, true));
    DS_TRY(statements_.run(Kind::Insert, change.table, buffer, rows));
    return {};
  }
  auto matched = statements_.run(Kind::Move, change.table, buffer, rows);
  if (!matched && overwrite_ && is_duplicate()) {  // a row of the new key is in the way
    DS_ASSIGN(const auto gone, statements_.run(Kind::Erase, change.table, buffer, rows, true));
    counts_.overwritten += gone;
    matched = statements_.run(Kind::Move, change.table, buffer, rows);
  }
  if (!matched) return std::move(matched).error();
  if (*matched == 1) return {};
  if (*matched > 1) return conflict(buffer, change, "the key finds several rows");
  if (!overwrite_) return conflict(buffer, change, "the row is missing");
  ++counts_.overwritten;
  return insert_row(buffer, {change.table, message::Op::Insert, kNoImage, change.after});
}

base::Result<void> Executor::delete_row(const RowBuffer& buffer, const RowChange& change) {
  const std::array rows{PlannedRow{change.before, kNoImage}};
  DS_ASSIGN(const auto matched, statements_.run(Kind::Erase, change.table, buffer, rows));
  if (matched == 1 || catalog_.table(change.table).tolerant) return {};
  if (matched > 1) return conflict(buffer, change, "the key finds several rows");
  if (!overwrite_) return conflict(buffer, change, "the row is missing");
  ++counts_.overwritten;
  return {};
}

Error Executor::conflict(const RowBuffer& buffer, const RowChange& change, std::string_view what) {
  const TargetTable& table = catalog_.table(change.table);
  auto text = fmt::format("{}: {}", describe_change(table, buffer, change), what);
  // What is there is told where it can be read; the conflict stands without it.
  const ImageAt image = change.op == message::Op::Insert ? change.after : change.before;
  if (const auto there = destination_row(connection_, table, buffer, image); there && *there)
    text += "; destination " + **there;
  return {Reason::RowConflict, text};
}

Error Executor::explained(Error error, const RowBuffer& buffer, const RowChange& change) const {
  if (error.is(Reason::RowConflict) || !row_by_row_may_help(error)) return error;
  return std::move(error).context(describe_change(catalog_.table(change.table), buffer, change));
}

}  // namespace datasync::apply
