// Which known tables have rows: an empty one in the place of one that has rows is not the one that was written
// (docs/decisions/0019-known-tables.md).

#include <algorithm>
#include <functional>
#include <string>

#include <fmt/format.h>

#include "agents/apply/write/catalog.hpp"

namespace datasync::apply {
namespace {

std::vector<std::string> names_of(const TargetTable& table, const std::vector<std::uint16_t>& columns) {
  std::vector<std::string> out;
  for (const auto column : columns) out.push_back(table.names.there[column].name);
  return out;
}

}  // namespace

void Catalog::fills(TableIndex index, const base::Bytes* values) {
  auto& table = *tables_[index];
  const auto has_value = [&](std::uint16_t column) {
    const auto value = values[column];
    if (table.names.there[column].nullable) return !is_null(value);
    const auto hash = std::hash<std::string_view>{}(base::as_text(value));
    return table.first_values.try_emplace(column, hash).first->second != hash;
  };
  std::erase_if(table.unfilled, [&](std::uint16_t column) {
    if (!has_value(column)) return false;
    filled_[index].push_back(column);
    return true;
  });
}

base::Result<void> Catalog::note_rows(DestinationServer& connection, const RowBuffer& buffer,
                                      std::span<const RowChange> rows) {
  const auto before = filled_;
  for (const auto& row : rows) {
    written_.insert(row.table);
    if (row.op == message::Op::Delete || row.op == message::Op::Truncate) reduced_.insert(row.table);
    auto& table = *tables_[row.table];
    const bool stores = row.op == message::Op::Insert || row.op == message::Op::Update;
    if (stores && !table.unfilled.empty()) fills(row.table, buffer.image(row.after));
    if (table.has_rows || !stores) continue;
    DS_TRY(known_.store_has_rows(connection, table.qualified(), true));
    table.has_rows = true;
    noted_.push_back(row.table);
  }
  for (const auto& [index, columns] : filled_) {
    const auto at = before.find(index);
    const auto noted = at == before.end() ? 0 : at->second.size();
    if (columns.size() == noted) continue;
    const std::vector<std::uint16_t> added(columns.begin() + static_cast<std::ptrdiff_t>(noted), columns.end());
    DS_TRY(known_.store_filled(connection, tables_[index]->qualified(), names_of(*tables_[index], added)));
  }
  return {};
}

/// The tables cannot be altered now: the transaction holds them. What happened to them since `check_known` looked shows
/// here before the rows that would hide it are committed.
base::Result<void> Catalog::check_written(DestinationServer& connection) {
  std::vector<TargetName> names;
  std::vector<const KnownTable*> expected;
  for (const auto index : written_) {
    const auto& table = *tables_[index];
    const auto* known = known_.find(table.qualified());
    if (known == nullptr) continue;
    names.push_back({table.names.database, table.names.table});
    expected.push_back(known);
  }
  if (names.empty()) return {};
  DS_ASSIGN(const auto found, connection.altered_at(names));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& created = expected[i]->created;
    if (!found[i] || *found[i] == created.substr(0, created.size() - (created.ends_with('?') ? 1 : 0))) continue;
    return base::Error(base::Reason::DestinationBusy,
                       fmt::format("{} was altered or recreated while rows were stored in it; nothing of them was "
                                   "committed, and they are stored again after it was checked",
                                   names[i].qualified()));
  }
  return {};
}

/// CREATE_TIME has whole seconds: one that is young does not say whether it is the same table. Whether that has rows is
/// then noted exactly; it has had no time for many.
base::Result<void> Catalog::note_empty(DestinationServer& connection) {
  for (const auto index : reduced_) {
    const TargetName name{tables_[index]->names.database, tables_[index]->names.table};
    const auto* known = known_.find(tables_[index]->qualified());
    if (known == nullptr || !known->created.ends_with('?')) continue;
    DS_ASSIGN(const bool empty, connection.is_empty(name));
    if (!empty) continue;
    DS_TRY(known_.store_has_rows(connection, known->target, false));
    emptied_.push_back(index);
  }
  return {};
}

base::Result<void> Catalog::note_emptied(DestinationServer& connection, TableIndex index) {
  DS_TRY(known_.store_has_rows(connection, tables_[index]->qualified(), false));
  emptied_.push_back(index);
  return {};
}

void Catalog::committed() {
  for (const auto& [index, columns] : filled_)
    known_.add_filled(tables_[index]->qualified(), names_of(*tables_[index], columns));
  for (const auto index : noted_) known_.set_has_rows(tables_[index]->qualified(), true);
  for (const auto index : reduced_) maybe_empty_.insert(tables_[index]->qualified());
  for (const auto index : emptied_) has_no_rows(tables_[index]->qualified());
  noted_.clear();
  reduced_.clear();
  written_.clear();
  filled_.clear();
  emptied_.clear();
}

void Catalog::rolled_back() {
  for (const auto index : noted_) tables_[index]->has_rows = false;
  for (const auto& [index, columns] : filled_) {
    auto& unfilled = tables_[index]->unfilled;
    unfilled.insert(unfilled.end(), columns.begin(), columns.end());
  }
  noted_.clear();
  reduced_.clear();
  written_.clear();
  filled_.clear();
  emptied_.clear();
}

TableIndex Catalog::keep(std::unique_ptr<TargetTable> table) {
  table->serial = ++last_serial_;
  if (reusable_.empty()) {
    tables_.push_back(std::move(table));
    return static_cast<TableIndex>(tables_.size() - 1);
  }
  const auto index = reusable_.back();
  reusable_.pop_back();
  tables_[index] = std::move(table);
  return index;
}

void Catalog::reuse_forgotten() {
  if (by_id_.size() + reusable_.size() == tables_.size()) return;
  std::set<TableIndex> used;
  for (const auto& [id, index] : by_id_) used.insert(index);
  reusable_.clear();
  for (TableIndex index = 0; index < tables_.size(); ++index)
    if (!used.contains(index)) reusable_.push_back(index);
}

void Catalog::has_no_rows(const std::string& target) {
  known_.set_has_rows(target, false);
  for (const auto& table : tables_)
    if (table->qualified() == target) table->has_rows = false;
}

/// The table is still the one that was written, and has lost rows: if those were all, a user who alters it later does
/// not make it another one.
base::Result<void> Catalog::note_certainly_empty(DestinationServer& connection, const KnownTable& known) {
  if (!known.has_rows || maybe_empty_.erase(known.target) == 0) return {};
  return note_if_empty(connection, known);
}

base::Result<void> Catalog::note_if_empty(DestinationServer& connection, const KnownTable& known) {
  if (!known.has_rows || known.created.ends_with('?')) return {};
  const auto name = name_of(known);
  DS_ASSIGN(const bool empty, connection.is_empty(name));
  if (!empty) return {};
  // Not when it was made again at this moment.
  DS_ASSIGN(const auto created, connection.created(name));
  if (created != known.created) return {};
  auto seen = known;
  seen.has_rows = false;
  DS_TRY(known_.store(connection, token_, std::move(seen)));
  has_no_rows(known.target);
  return {};
}

}  // namespace datasync::apply
