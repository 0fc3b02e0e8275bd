// How the assembler puts the rows of a transaction into the buffer.

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "agents/apply/read/assembler.hpp"
#include "agents/destination/held_tables.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

}  // namespace

/// CREATE OR REPLACE TABLE ... SELECT is one transaction: the order to empty the table may name the definition of
/// before, and rows of the new one follow. The table is emptied as the one that the rows need, so that it can be
/// altered.
base::Result<void> Assembler::join_emptied() {
  for (auto order = group_.begin(); order != group_.end(); ++order) {
    if (!empties_table(*order)) continue;
    std::optional<std::string> table;
    for (auto rows = std::next(order); rows != group_.end(); ++rows) {
      if (rows->schema == order->schema) break;
      if (!table) {
        DS_ASSIGN(table, sink_.source_table(order->schema));
      }
      DS_ASSIGN(const auto other, sink_.source_table(rows->schema));
      if (other != *table) continue;
      order->schema = rows->schema;
      break;
    }
  }
  return {};
}

/// Rows of a group may stand in records of several types; `order` puts them in order.
base::Result<void> Assembler::append_group() {
  std::ranges::stable_sort(group_, {}, &message::TableRows::order);
  DS_TRY(join_emptied());
  for (auto& rows : group_) DS_TRY(append(std::move(rows)));
  group_.clear();
  return {};
}

/// Rows of an awaited table do not matter: the copy has them. It begins by emptying the table.
base::Result<bool> Assembler::left_out(const message::TableRows& rows) {
  const auto& awaited = open_.awaited ? *open_.awaited : state_.awaited;
  if (awaited.empty()) return false;
  DS_ASSIGN(const auto table, sink_.source_table(rows.schema));
  if (!awaited.contains(table)) return false;
  if (empties_table(rows)) {
    awaited_within().erase(table);
    return false;
  }
  counts_.left_out += rows.count;
  return true;
}

/// Rows of two versions of a table never meet in one plan. The transaction is not opened for it where that is possible:
/// the destination would change the table only after its end. CREATE OR REPLACE TABLE ... SELECT is one transaction
/// that empties the table of before and has the rows of the new one.
base::Result<void> Assembler::before_version(message::SchemaId id) {
  if (buffer_.empty()) return {};
  DS_ASSIGN(const bool other, sink_.has_other_version(buffer_.rows(), id));
  if (!other) return {};
  const auto empties = [](const RowChange& row) { return row.op == message::Op::Truncate; };
  const bool only_empties = !sink_.streaming() && std::ranges::all_of(buffer_.rows(), empties);
  DS_TRY(only_empties ? sink_.empty(buffer_.rows()) : sink_.stream(buffer_, buffer_.rows()));
  buffer_.clear();
  return {};
}

base::Result<void> Assembler::append(message::TableRows rows) {
  DS_ASSIGN(const bool out, left_out(rows));
  if (out) return {};
  TableIndex index = 0;
  const auto* schema = sink_.active(rows.schema, index);
  if (schema == nullptr) {
    DS_ASSIGN(const bool skipped, sink_.skips(rows, state_));
    if (skipped) return {};
    if (complete_rows_ > 0) DS_TRY(commit_complete());
    DS_TRY(before_version(rows.schema));
    DS_TRY(empties_table(rows) ? sink_.activate_emptied(rows.schema) : sink_.activate(rows.schema));
    schema = sink_.active(rows.schema, index);
    if (schema == nullptr) return Error(Reason::Internal, "a table is not active after it was made so");
  }
  const auto before = buffer_.size();
  DS_TRY(buffer_.append(index, *schema, std::move(rows.rows)));
  const auto added = buffer_.size() - before;
  if (added != rows.count)
    return Error(Reason::ForeignMessage,
                 fmt::format("{}: {} rows announced, {} came", schema->qualified(), rows.count, added));
  counts_.rows += added;
  return bound_memory();
}

/// Keeps memory bounded while a transaction is open: commits what is whole before it, then streams it.
base::Result<void> Assembler::bound_memory() {
  if (rows_open() < limits_.rows && buffer_.bytes() < 2 * limits_.bytes) return {};
  if (complete_rows_ > 0) DS_TRY(commit_complete());
  if (buffer_.size() < limits_.rows && buffer_.bytes() < limits_.bytes) return {};
  DS_TRY(sink_.stream(buffer_, buffer_.rows()));
  buffer_.clear();
  return {};
}

}  // namespace datasync::apply
