// What the catalogue checks before a table gets its next rows: that what is there is what was stored.

#include <algorithm>

#include <fmt/format.h>

#include "agents/apply/write/catalog.hpp"
#include "agents/destination/copy_token.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

constexpr std::string_view kLost = "lost\n";
constexpr std::string_view kChanged = "changed\n";  ///< then a column and what happened to it

Error changed(const KnownTable& known, std::string_view column, std::string_view what) {
  return {Reason::DestinationSchemaMismatch,
          fmt::format("{}, where rows of {} were stored, had its column {} altered ({}), which may have changed values "
                      "that are stored; they stay changed when it is altered back. Have it copied again: {}",
                      known.target, known.source, column, what, copy_hint({known.source}))};
}

/// Of a table of which `changed` was noted.
std::optional<Error> noted_change(const KnownTable& known) {
  if (!known.created.starts_with(kChanged)) return std::nullopt;
  const auto noted = parse_lines(std::string_view(known.created).substr(kChanged.size()));
  return noted.size() == 2 ? std::optional(changed(known, noted[0], noted[1])) : std::nullopt;
}

std::vector<std::string> noted_lost(const KnownTable& known) {
  if (!known.created.starts_with(kLost)) return {};
  return parse_lines(std::string_view(known.created).substr(kLost.size()));
}

}  // namespace

bool is_same_second(const KnownTable& known, std::string_view created) {
  return known.created.ends_with('?') && created.starts_with(known.created.substr(0, known.created.size() - 1));
}

/// Written down before it is reported: a column of the same name that is added later has none of the values. Where a
/// change is noted, that stays the error: restoring what was lost does not resolve it.
base::Result<void> Catalog::lost_columns(DestinationServer& connection, const KnownTable& known,
                                         const std::vector<std::string>& columns, Error error) {
  if (!error.is(Reason::DestinationSchemaMismatch)) return error;
  if (auto noted = noted_change(known)) return std::move(*noted);
  auto all = noted_lost(known);
  for (const auto& column : columns)
    if (std::ranges::find(all, column) == all.end()) all.push_back(column);
  auto seen = known;
  seen.created = std::string(kLost) + lines_text(all);
  DS_TRY(known_.store(connection, token_, std::move(seen)));
  return error;
}

/// See DestinationServer::has_own_value.
base::Result<bool> Catalog::has_values(DestinationServer& own, const KnownTable& known, const std::string& column,
                                       bool was_missing) {
  const auto name = name_of(known);
  return ask(
      own, [&] { return own.has_own_value(name, column, was_missing); }, waiting_);
}

/// After an ALTER TABLE of a user: one statement can drop a column and add one of the same name.
base::Result<void> Catalog::check_filled(DestinationServer& connection, const KnownTable& known) {
  if (known.filled.empty() || !known.has_rows) return {};
  const auto name = name_of(known);
  DS_ASSIGN(const bool empty, connection.is_empty(name));
  if (empty) return {};
  DS_ASSIGN(const auto own, connect_own());
  for (const auto& column : known.filled) {
    const auto is_it = [&](const std::string& written) { return base::same_column(written, column); };
    if (std::ranges::none_of(known.columns, is_it)) continue;
    DS_ASSIGN(const bool filled, has_values(*own, known, column, false));
    if (!filled)
      return lost_columns(
          connection, known, {column},
          lost(known, Reason::DestinationSchemaMismatch,
               fmt::format("was altered, and its column {} has nothing but its default value now", column)));
  }
  return {};
}

/// A table that was altered or made again since rows were stored: an empty one is not what was written, nor is a column
/// that was lost and was added again.
base::Result<void> Catalog::check_restored(DestinationServer& connection, const KnownTable& known,
                                           std::string_view created) {
  const bool certain = !known.created.ends_with('?');
  if (!known.has_rows || (certain && created == known.created)) return {};
  const auto name = name_of(known);
  // A user may hold a lock on it.
  auto empty = connection.is_empty(name);
  if (!empty) return std::move(empty).error().context("while looking for rows of " + known.target);
  if (*empty)
    return lost(known, Reason::DestinationTableMissing,
                fmt::format("was altered or recreated at {} and no longer has rows", created));
  if (auto noted = noted_change(known)) return std::move(*noted);
  const auto columns = noted_lost(known);
  if (columns.empty()) return {};
  // The scan takes as long as the table is large, and what waits for it uses the connection that stores rows.
  DS_ASSIGN(const auto own, connect_own());
  for (const auto& column : columns) {
    DS_ASSIGN(const bool restored, has_values(*own, known, column, true));
    if (!restored)
      return lost(known, Reason::DestinationSchemaMismatch,
                  fmt::format("had lost the column {}, which has nothing but its default value now", column));
  }
  return {};
}

/// Whoever sees first that a table was altered, the check of all known tables or the row for which it is loaded, judges
/// it, because after that its CREATE_TIME is the known one.
base::Result<void> Catalog::check_altered(DestinationServer& connection, const KnownTable& known,
                                          std::string_view created) {
  const bool young = known.created.ends_with('?');
  if (!young && created == known.created) return {};
  DS_TRY(check_restored(connection, known, created));
  return is_same_second(known, created) ? base::Result<void>() : check_filled(connection, known);
}

/// Written down before it is reported, as a lost column is, and in its place: what was changed stays changed when the
/// definition is as it was again.
base::Result<void> Catalog::changed_column(DestinationServer& connection, const KnownTable& known,
                                           const ChangedColumn& column) {
  auto error = changed(known, column.name, column.text);
  if (known.created.starts_with(kChanged)) return error;
  auto seen = known;
  seen.created = std::string(kChanged) + lines_text({column.name, column.text});
  DS_TRY(known_.store(connection, token_, std::move(seen)));
  return error;
}

Error Catalog::moved(const KnownTable& known, const TargetName& name) const {
  return {
      Reason::DestinationSchemaMismatch,
      fmt::format("rows of {} were stored in {}, and destination.tables.rename names {} now; {} keeps its rows. Undo "
                  "that, or have the table copied there: {}",
                  known.source, known.target, name.qualified(), known.target, copy_hint({known.source}))};
}

/// The rule of another name (destination.tables.rename) was changed: the rows of before are elsewhere.
base::Result<void> Catalog::check_one_target(const message::TableSchema& schema, const TargetName& name) const {
  for (const auto& [target, known] : known_.all()) {
    if (known.source != schema.qualified() || target == name.qualified()) continue;
    return moved(known, name);
  }
  return {};
}

/// Rows of another task would be taken for rows of this one, and deleted with them.
base::Result<void> Catalog::check_other_tasks(DestinationServer& connection, const TargetName& name,
                                              const KnownTable* known) {
  if (known != nullptr) return {};
  DS_ASSIGN(const auto other, known_.other_task(connection, name.qualified()));
  if (!other) return {};
  return Error(Reason::DestinationSchemaMismatch,
               fmt::format("{} is a table of the task {}. Two tasks cannot store rows in one table: give this one "
                           "another name by destination.tables.rename, or if {} no longer runs: {}",
                           name.qualified(), *other, *other,
                           dialect_.forget_known(config_.ledger_database, *other, name.qualified())));
}

base::Result<void> Catalog::forget_other_targets(DestinationServer& connection, const message::TableSchema& schema,
                                                 const TargetName& name) {
  for (const auto& target : known_.targets_of(schema.qualified()))
    if (target != name.qualified()) DS_TRY(known_.remove(connection, target, token_));
  return {};
}

}  // namespace datasync::apply
