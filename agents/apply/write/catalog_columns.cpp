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
  if (changed_columns(*before, now, nullptr, dialect_).empty()) return {};
  DS_ASSIGN(const auto source, book_.look(known.schema, stop_));
  const auto name = name_of(known);
  // A user may hold a lock on it. Without rows it is one that was made again, or has lost them: `check_restored`.
  auto empty = connection.is_empty(name);
  if (!empty) return std::move(empty).error().context("while looking for rows of " + known.target);
  if (*empty) return {};
  for (const auto& column : changed_columns(*before, now, source.get(), dialect_)) {
    if (!column.suspects) return changed_column(connection, known, column);
    // A server that is strict refuses to cut values; whether it did shows in those that are left.
    DS_ASSIGN(const auto own, connect_own());
    DS_ASSIGN(const bool suspect, ask(
                                      *own, [&] { return own->has_suspect(name, *column.suspects); }, waiting_));
    if (suspect) return changed_column(connection, known, column);
  }
  return {};
}

/// A column that both sides compute is in no message: as a plain one it has none of the values that the source has. One
/// that is computed again has them. `then`: the source's definition of the rows that are stored; of the columns that
/// `schema` still has.
base::Result<void> Catalog::check_computed(const KnownTable& known, const message::TableSchema& then,
                                           const message::TableSchema& schema,
                                           const std::vector<message::Column>& there) const {
  if (!known.has_rows) return {};
  for (const auto& column : then.columns) {
    const auto is_it = [&](const std::string& written) { return base::same_column(written, column.name); };
    if (!column.generated || std::ranges::any_of(known.columns, is_it) || !find_column(schema.columns, column.name))
      continue;
    const auto* now = find_column(there, column.name);
    if (now != nullptr && now->generated) continue;
    return lost(known, Reason::DestinationSchemaMismatch,
                fmt::format("no longer {} the column {}, which the source computes, too",
                            now == nullptr ? "has" : "computes", column.name));
  }
  return {};
}

/// What is to be stored of columns that were checked. Without those that are not what the source's definition needs
/// when it is not known what they were: they may have been altered before.
base::Result<std::string> Catalog::learned(const KnownTable& known, const StoredColumns& now) {
  const auto unknown = unknown_columns(known.definition, known.columns);
  if (unknown.empty()) return to_text(now);
  DS_ASSIGN(const auto source, book_.look(known.schema, stop_));
  std::vector<std::string> doubtful;
  for (const auto& name : unknown) {
    const auto* column = find_column(now.columns, name);
    const auto* at_source = source == nullptr ? nullptr : find_column(source->columns, name);
    if (column != nullptr &&
        (source == nullptr || column->generated || (at_source != nullptr && misfit(*at_source, *column, false))))
      doubtful.push_back(name);
  }
  return to_text(without(now, doubtful));
}

/// For a table that an older version stored, once it is certain which one it is.
base::Result<void> Catalog::learn_columns(DestinationServer& connection, const std::string& target) {
  const auto* known = known_.find(target);
  if (known == nullptr || looked_at_.contains(target)) return {};
  const bool all_known = unknown_columns(known->definition, known->columns).empty();
  if (!all_known && looks_left_ == 0) return {};
  looked_at_.insert(target);
  if (all_known) return {};
  --looks_left_;
  const auto name = name_of(*known);
  DS_ASSIGN(const auto info, connection.table(name));
  if (!info) return {};
  DS_ASSIGN(const auto facts, connection.facts(name));
  auto seen = *known;
  DS_ASSIGN(seen.definition, learned(*known, stored_columns(info->schema.columns, facts.restricted, known->columns)));
  // Not when it was altered at this moment.
  if (seen.definition.empty() || facts.created != known->created) return {};
  return known_.store(connection, token_, std::move(seen));
}

/// Before apply alters these columns itself: a stop in between leaves them unknown, and not those of before. What a
/// user makes of the others in the meantime is still seen.
base::Result<void> Catalog::forget_columns(DestinationServer& connection, const TargetName& name,
                                           const std::vector<std::string>& columns) {
  const auto* known = known_.find(name.qualified());
  if (known == nullptr || known->definition.empty()) return {};
  auto seen = *known;
  auto stored = parse_stored_columns(seen.definition);
  seen.definition = stored ? to_text(without(std::move(*stored), columns)) : "";
  looked_at_.erase(seen.target);
  return known_.store(connection, token_, std::move(seen));
}

/// The statement failed: as long as the table is the one that was looked at, its columns are those of before, too.
base::Result<void> Catalog::remember_columns(DestinationServer& connection, const KnownTable& before) {
  DS_ASSIGN(const auto created, connection.created(name_of(before)));
  if (created != before.created || before.created.ends_with('?')) return {};
  return known_.store(connection, token_, before);
}

/// No statement on it waits for a lock for longer than one of the stream does.
base::Result<std::unique_ptr<DestinationServer>> Catalog::connect_own() {
  DS_ASSIGN(auto own, connect_());
  DS_TRY(own->prepare_to_write());
  return own;
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
