// Which known tables have rows: an empty one in the place of one that has rows is not the one that was written
// (docs/decisions/0019-known-tables.md).

#include <algorithm>

#include <fmt/format.h>

#include "agents/apply/catalog.hpp"

namespace datasync::apply {

TargetName name_of(const KnownTable& known) {
  const auto dot = std::min(known.target.find('.'), known.target.size() - 1);
  return {known.target.substr(0, dot), known.target.substr(dot + 1)};
}

base::Result<void> Catalog::note_rows(sql::Connection& connection, std::span<const RowChange> rows) {
  for (const auto& row : rows) {
    if (row.op == message::Op::Delete || row.op == message::Op::Truncate) reduced_.insert(row.table);
    auto& table = *tables_[row.table];
    const bool stores = row.op == message::Op::Insert || row.op == message::Op::Update;
    if (table.has_rows || !stores) continue;
    DS_TRY(known_.store_has_rows(connection, dialect_, table.qualified(), true));
    table.has_rows = true;
    noted_.push_back(row.table);
  }
  return {};
}

/// CREATE_TIME has whole seconds: one that is young does not say whether it is the same table. Whether that has rows is
/// then noted exactly; it has had no time for many.
base::Result<void> Catalog::note_empty(sql::Connection& connection) {
  for (const auto index : reduced_) {
    const auto& name = tables_[index]->names;
    const auto* known = known_.find(tables_[index]->qualified());
    if (known == nullptr || !known->created.ends_with('?')) continue;
    DS_ASSIGN(const bool empty, is_empty(connection, dialect_.quote(name.database, name.table)));
    if (!empty) continue;
    DS_TRY(known_.store_has_rows(connection, dialect_, known->target, false));
    emptied_.push_back(index);
  }
  return {};
}

base::Result<void> Catalog::note_emptied(sql::Connection& connection, TableIndex index) {
  DS_TRY(known_.store_has_rows(connection, dialect_, tables_[index]->qualified(), false));
  emptied_.push_back(index);
  return {};
}

void Catalog::committed() {
  for (const auto index : noted_) known_.set_has_rows(tables_[index]->qualified(), true);
  for (const auto index : reduced_) maybe_empty_.insert(tables_[index]->qualified());
  for (const auto index : emptied_) has_no_rows(tables_[index]->qualified());
  noted_.clear();
  reduced_.clear();
  emptied_.clear();
}

void Catalog::rolled_back() {
  for (const auto index : noted_) tables_[index]->has_rows = false;
  noted_.clear();
  reduced_.clear();
  emptied_.clear();
}

void Catalog::has_no_rows(const std::string& target) {
  known_.set_has_rows(target, false);
  for (const auto& table : tables_)
    if (table->qualified() == target) table->has_rows = false;
}

/// The table is still the one that was written, and has lost rows: if those were all, a user who alters it later does
/// not make it another one.
base::Result<void> Catalog::note_certainly_empty(sql::Connection& connection, const KnownTable& known) {
  if (!known.has_rows || maybe_empty_.erase(known.target) == 0) return {};
  const auto name = name_of(known);
  DS_ASSIGN(const bool empty, is_empty(connection, dialect_.quote(name.database, name.table)));
  if (!empty) return {};
  // Not when it was made again at this moment.
  DS_ASSIGN(const auto created,
            connection.query_one(fmt::format("SELECT {} FROM information_schema.tables WHERE table_schema={} AND "
                                             "table_name={}",
                                             kCreatedAt, sql::quote_text(name.database), sql::quote_text(name.table))));
  if (created != known.created) return {};
  auto seen = known;
  seen.has_rows = false;
  DS_TRY(known_.store(connection, dialect_, token_, std::move(seen)));
  has_no_rows(known.target);
  return {};
}

}  // namespace datasync::apply
