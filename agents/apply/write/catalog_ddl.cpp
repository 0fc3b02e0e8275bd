// What the catalogue makes and changes at the destination.

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/apply/write/catalog.hpp"
#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using config::SchemaChanges;

/// The table itself is what the server does not take: a key that is too long, too many columns, a collation that it
/// does not have.
bool is_about_definition(const Error& error) {
  return error.is(Reason::ValueNotStorable) || error.is(Reason::Internal) ||
         error.is(Reason::DestinationSchemaMismatch);
}

/// A view or a sequence of this name would take the rows somewhere else, or not all of them.
base::Result<void> check_kind(DestinationServer& connection, const TargetName& name) {
  DS_ASSIGN(const auto kind, connection.other_kind(name));
  if (kind.empty()) return {};
  return Error(Reason::DestinationSchemaMismatch,
               fmt::format("{} is a {}, and rows are stored in tables only. Drop or rename it, or give the table "
                           "another name by destination.tables.rename",
                           name.qualified(), kind));
}

}  // namespace

base::Result<TableInfo> Catalog::find_or_make(DestinationServer& connection, const message::TableSchema& schema,
                                              const TargetName& name, const KnownTable* known) {
  DS_ASSIGN(auto info, connection.table(name));
  if (info) return std::move(*info);
  DS_TRY(check_kind(connection, name));
  if (known != nullptr) {
    DS_TRY(prove_missing(connection, *known, {}));
    return Error(Reason::DestinationTableMissing, name.qualified() + " exists, but its definition cannot be read");
  }
  if (!config_.create_tables)
    return Error(Reason::DestinationTableMissing,
                 fmt::format("{} is missing and createTables is off; make it: {}", name.qualified(),
                             dialect_.create_table(schema, name.database, name.table)));
  DS_TRY(make(connection, schema, name));
  DS_ASSIGN(info, connection.table(name));
  if (!info) return Error(Reason::DestinationTableMissing, name.qualified() + " is not there after it was made");
  return std::move(*info);
}

base::Result<void> Catalog::make(DestinationServer& connection, const message::TableSchema& schema,
                                 const TargetName& name) {
  DS_ASSIGN(const bool there, connection.has_database(name.database));
  const auto refused = [&](Error error) {
    return connection.with_grant(std::move(error).context(fmt::format("while creating {}", name.qualified())),
                                 Privileges::Make, name);
  };
  if (!there) {
    if (auto made = connection.define(dialect_.create_database(name.database)); !made)
      return refused(std::move(made).error());
  }
  const auto statement = dialect_.create_table(schema, name.database, name.table);
  if (auto made = define(connection, statement); !made) {
    auto error = refused(std::move(made).error());
    if (!is_about_definition(error)) return error;
    return Error(Reason::DestinationSchemaMismatch,
                 fmt::format("{}. Make the table at the destination in another way (another key, collation or storage "
                             "option); it is used when its columns take the source's values. Tried: {}",
                             error.what, statement));
  }
  altered_ = true;
  base::log::info("created a table", {{"table", name.qualified()}});
  return {};
}

base::Result<void> Catalog::add_columns(DestinationServer& connection, const message::TableSchema& schema,
                                        const TargetName& name, const std::vector<std::uint16_t>& missing) {
  for (const auto index : missing) {
    const auto& column = schema.columns[index];
    const auto statement = dialect_.add_column(column, name.database, name.table);
    const bool wanted = config_.schema_changes == SchemaChanges::ApplyAll ||
                        (config_.schema_changes == SchemaChanges::ApplyAdditive && column.nullable);
    if (!wanted)
      return Error(Reason::SchemaChanged, fmt::format("{} has the column {}, which {} lacks; add it: {}",
                                                      schema.qualified(), column.name, name.qualified(), statement));
    DS_TRY(change_table(connection, name, statement, {}, "adding a column to"));
    base::log::info("added a column", {{"table", name.qualified()}, {"column", std::string_view(column.name)}});
  }
  return {};
}

base::Result<void> Catalog::change_table(DestinationServer& connection, const TargetName& name,
                                         const std::string& statement, const std::vector<std::string>& columns,
                                         std::string_view what) {
  const auto* known = known_.find(name.qualified());
  const auto before = known == nullptr ? std::nullopt : std::optional(*known);
  DS_TRY(forget_columns(connection, name, columns));
  auto done = define(connection, statement);
  altered_ = true;
  if (done) return {};
  // The error of the statement is the one that counts.
  if (before) (void)remember_columns(connection, *before);
  auto error = connection.with_grant(
      std::move(done).error().context(fmt::format("while {} {}", what, name.qualified())), Privileges::Alter, name);
  if (!is_about_definition(error)) return error;
  return Error(Reason::DestinationSchemaMismatch, fmt::format("{}; tried: {}", error.what, statement));
}

/// A frozen instance that wakes up after it was replaced changes nothing: the tables may be those of its successor.
base::Result<void> Catalog::define(DestinationServer& connection, const std::string& statement) {
  const auto run = [&] { return run_ddl(connection, statement, waiting_); };
  return guard_ ? guard_(connection, run) : run();
}

// The source may name a parent before its child: what the server refuses is tried again after the others.
base::Result<void> Catalog::drop(std::vector<DroppedTable> tables) {
  DS_ASSIGN(const auto connection, connect_own());
  DS_TRY(read_server(*connection));
  for (auto& [name, source] : tables) name = {names_->stored(name.database), names_->stored(name.table)};
  std::erase_if(tables, [&](const DroppedTable& table) {
    const auto* known = known_.find(table.target.qualified());
    // Both as the resource has them: at the source t and T may be two tables, where the destination has one.
    const bool ours = known != nullptr && known->source == table.source;
    if (!ours)
      base::log::warn("left a table of the name of one that was dropped at the source: no row of that is stored in it",
                      {{"table", table.target.qualified()}, {"source", std::string_view(table.source)}});
    return !ours;
  });
  while (!tables.empty()) {
    std::vector<DroppedTable> left;
    std::optional<Error> refused;
    for (auto& table : tables) {
      const auto& name = table.target;
      // A stop in between must leave neither a table that is missed nor one of which nobody knows whose it is. The note
      // comes again then.
      DS_TRY(note_dropping(*connection, name.qualified()));
      auto dropped = define(*connection, dialect_.drop_table(name.database, name.table));
      if (!dropped) {
        refused = std::move(dropped).error().context("while dropping " + name.qualified());
        if (!refused->is(Reason::ConstraintViolated)) return std::move(*refused);
        left.push_back(std::move(table));
        continue;
      }
      DS_TRY(known_.remove(*connection, name.qualified(), token_));
      base::log::warn("dropped a table that was dropped at the source", {{"table", name.qualified()}});
      forget_loaded(names_->key(name.database, name.table));
    }
    if (left.size() == tables.size()) return std::move(*refused);
    tables = std::move(left);
  }
  return {};
}

base::Result<void> Catalog::note_dropping(DestinationServer& connection, const std::string& target) {
  auto seen = *known_.find(target);
  seen.created = kDropping;
  return known_.store(connection, token_, std::move(seen));
}

}  // namespace datasync::apply
