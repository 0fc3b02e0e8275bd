// Row by row: what a statement with many rows could not do, or does not say.

#include <array>

#include <fmt/format.h>

#include "agents/apply/write/conflict_message.hpp"
#include "agents/apply/write/executor.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using Kind = Statements::Kind;

StatementKind kind_of(message::Op op) noexcept {
  switch (op) {
    case message::Op::Insert:
      return StatementKind::Insert;
    case message::Op::Update:
      return StatementKind::UpdateAllColumns;
    case message::Op::Delete:
      return StatementKind::Delete;
    case message::Op::Truncate:
      return StatementKind::Truncate;
  }
  return StatementKind::Truncate;
}

std::string_view name_of(message::Op op) noexcept {
  switch (op) {
    case message::Op::Insert:
      return "insert";
    case message::Op::Update:
      return "update";
    case message::Op::Delete:
      return "delete";
    case message::Op::Truncate:
      return "truncate";
  }
  return "";
}

}  // namespace

base::Result<void> Executor::run_rows(const RowBuffer& buffer, std::span<const RowChange> rows) {
  ++counts_.row_by_row;
  for (const RowChange& change : rows) {
    on_step_();
    refused_ = Refused{change.table, ""};
    if (auto done = row(buffer, change); !done) {
      if (refused_->what.empty()) refused_->what = done.error().what;
      refused_->what = fmt::format("{}: {}", name_of(change.op), refused_->what);
      return explained(std::move(done).error(), change);
    }
  }
  refused_.reset();
  return {};
}

base::Result<void> Executor::row(const RowBuffer& buffer, const RowChange& change) {
  DS_TRY(set_checks(catalog_.table(change.table), kind_of(change.op)));
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
  if (target.tolerant && target.plan.repeats) return store_row(buffer, change.table, change.after);
  auto inserted = statements_.run(Kind::Insert, change.table, buffer, rows);
  if (inserted) return {};
  if (!is_duplicate()) return std::move(inserted).error();
  if (target.tolerant) return store_row(buffer, change.table, change.after);
  if (overwrite_) return overwrite_row(buffer, change);
  DS_ASSIGN(const bool there, connection_.has_key(target.names, buffer.image(change.after)));
  // Only a row of the same key is a conflict of rows; another unique value that is taken is a constraint.
  if (!there) return std::move(inserted).error();
  return conflict(change, "the row is there already");
}

/// The insert met a row. Another writer may delete that row before it is overwritten: then it is inserted after all.
base::Result<void> Executor::overwrite_row(const RowBuffer& buffer, const RowChange& change) {
  const std::array rows{PlannedRow{kNoImage, change.after}};
  DS_ASSIGN(const auto matched, statements_.run(Kind::UpdateAllColumns, change.table, buffer, rows));
  if (matched > 1) return conflict(change, "the key finds several rows");
  if (matched == 1) {
    ++counts_.overwritten;
    return {};
  }
  DS_TRY(statements_.run(Kind::Insert, change.table, buffer, rows));
  return {};
}

base::Result<void> Executor::update_row(const RowBuffer& buffer, const RowChange& change) {
  const std::array rows{PlannedRow{change.before, change.after}};
  if (catalog_.table(change.table).tolerant) return move_tolerant(buffer, change);
  auto matched = statements_.run(Kind::UpdateAllColumns, change.table, buffer, rows);
  if (!matched && overwrite_ && is_duplicate()) {  // a row of the new key is in the way
    DS_ASSIGN(const auto gone, statements_.run(Kind::Delete, change.table, buffer, rows, true));
    counts_.overwritten += gone;
    matched = statements_.run(Kind::UpdateAllColumns, change.table, buffer, rows);
  }
  if (!matched) return std::move(matched).error();
  if (*matched == 1) return {};
  if (*matched > 1) return conflict(change, "the key finds several rows");
  if (!overwrite_) return conflict(change, "the row is missing");
  ++counts_.overwritten;
  return insert_row(buffer, {change.table, message::Op::Insert, kNoImage, change.after});
}

base::Result<void> Executor::delete_row(const RowBuffer& buffer, const RowChange& change) {
  const std::array rows{PlannedRow{change.before, kNoImage}};
  if (catalog_.table(change.table).tolerant) DS_TRY(store_parents(buffer, change.table, rows));
  DS_ASSIGN(const auto matched, statements_.run(Kind::Delete, change.table, buffer, rows));
  if (matched == 1 || catalog_.table(change.table).tolerant) return {};
  if (matched > 1) return conflict(change, "the key finds several rows");
  if (!overwrite_) return conflict(change, "the row is missing");
  ++counts_.overwritten;
  return {};
}

Error Executor::conflict(const RowChange& change, std::string_view what) {
  const TargetTable& table = catalog_.table(change.table);
  refused_ = Refused{change.table, std::string(what)};
  return {Reason::RowConflict, fmt::format("{}: {}", describe_change(table, change), what)};
}

Error Executor::explained(Error error, const RowChange& change) const {
  if (error.is(Reason::RowConflict) || !row_by_row_may_help(error)) return error;
  return std::move(error).context(describe_change(catalog_.table(change.table), change));
}

}  // namespace datasync::apply
