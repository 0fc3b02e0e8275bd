// What the catalogue makes of the tables that were written before (docs/decisions/0019-known-tables.md).

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/apply/write/catalog.hpp"
#include "agents/base/log.hpp"
#include "agents/destination/copy_token.hpp"
#include "agents/destination/held_tables.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

/// Of tables whose columns are not known: each may read the state topic for its definition.
constexpr std::size_t kMostLooks = 4;

/// All tables of the databases in which known tables are, by key.
base::Result<std::map<std::string, FoundTable>> find_tables(DestinationServer& connection, const KnownTables& known,
                                                            const base::TableNames& names) {
  std::set<std::string> databases;
  for (const auto& [target, table] : known.all()) databases.insert(name_of(table).database);
  DS_ASSIGN(const auto tables, connection.tables(databases));
  std::map<std::string, FoundTable> out;
  for (const auto& table : tables) {
    auto& found = out[names.key(table.name.database, table.name.table)];
    found.created = table.created;
    for (const auto& column : table.columns) found.columns.insert(base::fold_identifier(column));
  }
  return out;
}

}  // namespace

Error lost(const KnownTable& known, Reason reason, std::string_view what) {
  return {reason, fmt::format("{}, where rows of {} were stored, {}. Restore it as it was, or have it copied again: {}",
                              known.target, known.source, what, copy_hint({known.source}))};
}

base::Result<void> Catalog::check_known(DestinationServer& connection, const std::set<std::string>& left_out) {
  failed_known_.reset();
  if (known_.all().empty()) return {};
  if (!names_) {
    DS_ASSIGN(names_, connection.table_names());
  }
  DS_ASSIGN(const auto found, find_tables(connection, known_, *names_));
  looks_left_ = kMostLooks;
  std::optional<Error> refused;
  std::optional<Error> busy;
  for (const auto& [target, known] : std::map(known_.all().begin(), known_.all().end())) {
    if (left_out.contains(known.source) || known.created == kDropping) continue;
    const auto name = name_of(known);
    const auto at = found.find(names_->key(name.database, name.table));
    auto checked =
        !goes_to(known.source, name)
            ? check_renamed(known)
            : check_known_table(connection, known, at == found.end() ? std::nullopt : std::optional(at->second));
    if (waiting_) DS_TRY(waiting_());
    if (checked) continue;
    auto error = std::move(checked).error();
    if (error.is(Reason::DestinationBusy)) {
      // The server does not say which table is locked. Each lock is waited for: a second one can wait.
      if (busy) break;
      busy = std::move(error).context("while checking " + target);
      continue;
    }
    // What happens to the other tables until this one is resolved would not be seen later.
    if (!may_hold(error)) {
      failed_known_.reset();
      return error;
    }
    if (refused) continue;
    failed_known_ = known;
    refused = std::move(error);
  }
  if (refused) return std::move(*refused);
  if (busy) return std::move(*busy);
  return {};
}

/// The catalogue lists only what the user has a privilege on. What it does not list is asked for by name: the server
/// says whether it is missing or only hidden. `columns`: none for the table itself.
base::Result<void> Catalog::prove_missing(DestinationServer& connection, const KnownTable& known,
                                          const std::vector<std::string>& columns) {
  const auto name = name_of(known);
  const auto seen = connection.see(name, columns);
  if (seen) return {};
  if (seen.error().is(Reason::DestinationTableMissing))
    return lost(known, Reason::DestinationTableMissing, "no longer exists");
  if (seen.error().is(Reason::DestinationSchemaMismatch))
    return lost(known, Reason::DestinationSchemaMismatch,
                fmt::format("no longer has the column {}", dialect_.names(columns)));
  return connection.with_grant(Error(seen.error()).context("while looking for " + known.target), Privileges::Read,
                               name);
}

base::Result<void> Catalog::check_known_table(DestinationServer& connection, const KnownTable& known,
                                              const std::optional<FoundTable>& found) {
  if (!found) {
    DS_TRY(prove_missing(connection, known, {}));
    DS_ASSIGN(const auto kind, connection.other_kind(name_of(known)));
    if (!kind.empty()) return lost(known, Reason::DestinationSchemaMismatch, "is a " + kind + " now");
    return {};
  }
  std::vector<std::string> missing;
  for (const auto& column : known.columns) {
    if (!found->columns.contains(base::fold_identifier(column))) missing.push_back(column);
  }
  const bool altered = found->created != known.created || known.created.ends_with('?');  // or made again
  const auto unaltered = [&]() -> base::Result<void> {
    DS_TRY(note_certainly_empty(connection, known));
    return learn_columns(connection, known.target);
  };
  if (!altered && missing.empty()) return unaltered();
  const auto name = name_of(known);
  DS_ASSIGN(const auto info, connection.table(name));
  StoredColumns now;
  if (info) {
    DS_ASSIGN(const auto facts, connection.facts(name));
    now = stored_columns(info->schema.columns, facts.restricted, known.columns);
    // First: what it finds is noted, and only a copy resolves it.
    DS_TRY(check_columns(connection, known, now));
  }
  if (!missing.empty()) {
    if (auto there = prove_missing(connection, known, missing); !there)
      return lost_columns(connection, known, missing, std::move(there).error());
  }
  if (!altered) return unaltered();
  DS_TRY(check_altered(connection, known, found->created));
  auto seen = known;
  seen.created = found->created;
  if (info) {
    DS_TRY(book_.refresh(stop_));
    DS_TRY(check_actions(known, *info));
    DS_ASSIGN(const auto then, book_.look(known.schema, stop_));
    if (then) DS_TRY(check_computed(known, *then, *then, info->schema.columns));
    DS_ASSIGN(seen.definition, learned(known, now));
  }
  const auto key = names_->key(name.database, name.table);
  if (!is_same_second(known, found->created) || seen.definition != known.definition) {
    for (const auto& table : tables_) table->altered = table->altered || table->plan.name == key;
  }
  forget_loaded(key);
  references_read_ = false;
  return known_.store(connection, token_, std::move(seen));
}

/// What is there now, against what rows were written to. `then`: the source's definition of those; null: unknown.
base::Result<void> Catalog::check_definition(DestinationServer& connection, const message::TableSchema& schema,
                                             const message::TableSchema* then, const TargetName& name,
                                             const KnownTable& known, const TableInfo& info,
                                             const DestinationFacts& facts) {
  if (known.source != schema.qualified())
    return Error(Reason::DestinationSchemaMismatch,
                 fmt::format("{} holds rows of {}, and rows of {} would be stored there too. Give one of them another "
                             "name by destination.tables.rename, or have {} copied in its place: {}",
                             name.qualified(), known.source, schema.qualified(), schema.qualified(),
                             copy_hint({schema.qualified()})));
  for (const auto& column : known.columns) {
    if (find_column(schema.columns, column) != nullptr && find_column(info.schema.columns, column) == nullptr)
      return lost_columns(
          connection, known, {column},
          lost(known, Reason::DestinationSchemaMismatch, fmt::format("no longer has the column {}", column)));
  }
  DS_TRY(check_altered(connection, known, facts.created));
  DS_TRY(check_actions(known, info));
  DS_TRY(check_computed(known, then == nullptr ? schema : *then, schema, info.schema.columns));
  if (snapshot_.tables.contains(schema.qualified())) return {};
  for (const auto& column : schema.columns) {
    const auto is_it = [&](const std::string& old) { return base::same_column(old, column.name); };
    const auto* there = find_column(info.schema.columns, column.name);
    if (there != nullptr && !there->generated && column.nullable && std::ranges::none_of(known.columns, is_it))
      DS_TRY(check_new_column(connection, schema, name, *there));
  }
  return {};
}

/// A column that is new at the source has NULL in the rows that were there (a copy follows where it has not). One that
/// the destination has from before, perhaps because the source dropped one of this name, may hold anything.
base::Result<void> Catalog::check_new_column(DestinationServer& connection, const message::TableSchema& schema,
                                             const TargetName& name, const message::Column& there) {
  DS_ASSIGN(const bool has_values, ask(
                                       connection, [&] { return connection.has_value(name, there.name); }, waiting_));
  if (!has_values) return {};
  return Error(
      Reason::SchemaChanged,
      fmt::format("{} got the column {}, and {} has values in a column of this name from before. Run {} at the "
                  "destination, or have the table copied again: {}",
                  schema.qualified(), there.name, name.qualified(), dialect_.set_null(name, there.name),
                  copy_hint({schema.qualified()})));
}

/// A table that is emptied first is from now on what its copy makes it. What was known before counts until here: a try
/// that fails must not change what the next one finds.
base::Result<void> Catalog::store_known(DestinationServer& connection, const TargetTable& table,
                                        const DestinationFacts& facts, bool emptied) {
  KnownTable known;
  known.target = table.qualified();
  known.source = table.schema->qualified();
  known.schema = table.schema->id();
  for (const auto index : table.names.written) known.columns.push_back(table.names.there[index].name);
  known.actions = actions_of(table.info);
  known.created = table.created;
  known.definition = to_text(stored_columns(table.info.schema.columns, facts.restricted, known.columns));
  const auto* before = known_.find(known.target);
  known.has_rows = !emptied && before != nullptr && before->has_rows;
  if (!emptied && before != nullptr) known.filled = before->filled;
  return known_.store(connection, token_, std::move(known));
}

/// A rule names the table, and leads elsewhere now: its rows are copied there, also when no row of it comes. Without a
/// rule it may be one that is not captured any more.
base::Result<void> Catalog::check_renamed(const KnownTable& known) const {
  const auto is_it = [&](const auto& rule) { return base::same_column(rule.first, known.source); };
  if (std::ranges::none_of(config_.rename, is_it)) return {};
  const auto now = target_name(config_, known.source);
  const auto there = [&](const auto& entry) {
    return entry.second.source == known.source && goes_to(known.source, name_of(entry.second));
  };
  if (std::ranges::any_of(known_.all(), there)) return {};
  return moved(known, now);
}

/// The rules of today still lead there.
bool Catalog::goes_to(const std::string& source, const TargetName& name) const {
  const auto now = target_name(config_, source);
  return names_->key(now.database, now.table) == names_->key(name.database, name.table);
}

base::Result<void> Catalog::forget(DestinationServer& connection, const std::string& source) {
  for (const auto& target : known_.targets_of(source)) {
    const auto name = name_of(*known_.find(target));
    if (names_) forget_loaded(names_->key(name.database, name.table));
    DS_TRY(known_.remove(connection, target, token_));
    base::log::info("a table is no longer expected at the destination",
                    {{"table", std::string_view(target)}, {"source", std::string_view(source)}});
  }
  return {};
}

/// Its next row reads the definition again.
void Catalog::forget_loaded(const std::string& key) {
  active_.erase(key);
  std::erase_if(by_id_, [&](const auto& entry) { return tables_[entry.second]->plan.name == key; });
}

}  // namespace datasync::apply
