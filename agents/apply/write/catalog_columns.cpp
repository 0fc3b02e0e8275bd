// What the catalogue knows of the columns that rows were stored in: a column that a user alters may have other values
// afterwards, also when it is altered back (docs/decisions/0019-known-tables.md).

#include <algorithm>

#include <fmt/format.h>

#include "agents/apply/write/catalog.hpp"

namespace datasync::apply {

using base::Error;
using base::Reason;

/// Not what apply alters itself: that begins with `forget_columns`, and keeps the values or comes before a copy.
base::Result<void> Catalog::check_columns(DestinationServer& connection, const KnownTable& known,
                                          const StoredColumns& now) {
  const auto before = parse_stored_columns(known.definition);
  if (!before || !known.has_rows || to_text(now) == known.definition) return {};
  std::shared_ptr<const message::TableSchema> source;
  if (changed_columns(*before, now, nullptr, dialect_).empty()) return {};
  if (auto found = book_.find(known.schema, {})) source = std::move(*found);
  const auto name = name_of(known);
  for (const auto& column : changed_columns(*before, now, source.get(), dialect_)) {
    if (!column.suspects) return changed_column(connection, known, column);
    // A server that is strict refuses to cut values; whether it did shows in those that are left.
    DS_ASSIGN(const auto own, connect_());
    DS_ASSIGN(const bool suspect, ask(
                                      *own, [&] { return own->has_suspect(name, *column.suspects); }, waiting_));
    if (suspect) return changed_column(connection, known, column);
  }
  return {};
}

/// What is to be stored of columns that were checked. Nothing while they are not those that the source's definition
/// needs and it is not known what they were: then they may have been altered before.
std::string Catalog::learned(const KnownTable& known, const StoredColumns& now) {
  if (!known.definition.empty()) return to_text(now);
  const auto source = book_.find(known.schema, {});
  if (!source) return "";
  for (const auto& column : now.columns) {
    const auto* at_source = find_column((*source)->columns, column.name);
    if (column.generated || (at_source != nullptr && misfit(*at_source, column, false))) return "";
  }
  return to_text(now);
}

/// For a table that an older version stored, once it is certain which one it is.
base::Result<void> Catalog::learn_columns(DestinationServer& connection, const std::string& target) {
  const auto* known = known_.find(target);
  if (known == nullptr || !known->definition.empty() || known->columns.empty() || unlearned_.contains(target))
    return {};
  unlearned_.insert(target);
  const auto name = name_of(*known);
  DS_ASSIGN(const auto info, connection.table(name));
  if (!info) return {};
  DS_ASSIGN(const auto facts, connection.facts(name));
  auto seen = *known;
  seen.definition = learned(*known, stored_columns(info->schema.columns, facts.restricted, known->columns));
  // Not when it was altered at this moment.
  if (seen.definition.empty() || facts.created != known->created) return {};
  return known_.store(connection, token_, std::move(seen));
}

/// Before apply alters the table itself: a stop in between leaves the columns unknown, and not those of before.
base::Result<void> Catalog::forget_columns(DestinationServer& connection, const TargetName& name) {
  const auto* known = known_.find(name.qualified());
  if (known == nullptr || known->definition.empty()) return {};
  auto seen = *known;
  seen.definition.clear();
  unlearned_.erase(seen.target);
  return known_.store(connection, token_, std::move(seen));
}

base::Result<void> Catalog::check_current(std::span<const RowChange> rows) const {
  for (const auto& row : rows) {
    const auto& table = *tables_[row.table];
    if (!table.altered) continue;
    return Error(Reason::DestinationBusy,
                 fmt::format("{} was altered after its rows were read; they are stored again by its new definition",
                             table.qualified()));
  }
  return {};
}

}  // namespace datasync::apply
