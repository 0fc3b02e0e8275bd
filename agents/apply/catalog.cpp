#include "agents/apply/catalog.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/apply/grants.hpp"
#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

std::string lines(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : "; ") + text;
  return out;
}

}  // namespace

TargetName target_name(const config::Apply& config, const std::string& database, const std::string& table) {
  const auto renamed = config.rename.find(database + "." + table);
  if (renamed == config.rename.end()) return {database, table};
  const auto dot = renamed->second.find('.');
  return {renamed->second.substr(0, dot), renamed->second.substr(dot + 1)};
}

const TargetTable* Catalog::active(message::SchemaId id, TableIndex& index) const {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return nullptr;
  const auto& table = *tables_[at->second];
  const auto current = active_.find(table.plan.name);
  if (current == active_.end() || current->second != id) return nullptr;
  index = at->second;
  return &table;
}

base::Result<void> Catalog::activate(message::SchemaId id, std::stop_token stop) {
  if (const auto at = by_id_.find(id); at != by_id_.end()) {
    active_[tables_[at->second]->plan.name] = id;
    return {};
  }
  DS_ASSIGN(auto schema, book_.find(id, stop));
  DS_ASSIGN(auto table, load(std::move(schema)));
  table->tolerant = snapshot_.tables.contains(table->schema->qualified());
  table->plan.unsure = is_unsure(*table);
  active_[table->plan.name] = id;
  by_id_[id] = static_cast<TableIndex>(tables_.size());
  tables_.push_back(std::move(table));
  ++generation_;
  return {};
}

base::Result<std::unique_ptr<TargetTable>> Catalog::load(std::shared_ptr<const message::TableSchema> schema) {
  if (schema->key.empty())
    return Error(Reason::KeyMissing,
                 fmt::format("{} has neither a primary key nor declared key columns", schema->qualified()));
  const auto name = target_name(config_, schema->database, schema->table);
  DS_ASSIGN(const auto connection, connect_());
  DS_ASSIGN(auto info, find_or_make(*connection, *schema, name));
  if (info.engine != "InnoDB")
    return Error(Reason::DestinationSchemaMismatch,
                 fmt::format("{} is kept by the engine {}, which has no transactions; ALTER TABLE {} ENGINE=InnoDB",
                             name.qualified(), info.engine, dialect_.quote(name.database, name.table)));
  DS_ASSIGN(auto required, required_columns(*connection, name));
  auto fits = fit(*schema, info, dialect_, required);
  if (!fits.missing.empty()) {
    DS_TRY(widen(*connection, *schema, name, fits.missing));
    DS_ASSIGN(info, find_or_make(*connection, *schema, name));
    fits = fit(*schema, info, dialect_, required);
  }
  if (!fits.mismatches.empty())
    return Error(Reason::DestinationSchemaMismatch, fmt::format("{}: {}", name.qualified(), lines(fits.mismatches)));
  auto out = std::make_unique<TargetTable>();
  std::string why;
  out->plan = plan_table(*schema, info, why);
  out->plan.name = name.qualified();
  out->names = {schema.get(), name.database, name.table, std::move(fits.written), schema->key};
  DS_TRY(check_table_grants(*connection, dialect_, out->names));
  out->info = std::move(info);
  out->schema = std::move(schema);
  base::log::info("writes a table", {{"table", name.qualified()},
                                     {"source", std::string_view(out->schema->qualified())},
                                     {"folds", why.empty()},
                                     {"why_not", std::string_view(why)}});
  return out;
}

base::Result<sql::TableInfo> Catalog::find_or_make(sql::Connection& connection, const message::TableSchema& schema,
                                                   const TargetName& name) {
  DS_ASSIGN(auto info, sql::read_table_info(connection, name.database, name.table));
  if (info) return std::move(*info);
  const auto statement = dialect_.create_table(schema, name.database, name.table);
  if (!config_.create_tables)
    return Error(Reason::DestinationTableMissing,
                 fmt::format("{} is missing and createTables is off; make it: {}", name.qualified(), statement));
  DS_ASSIGN(const auto there, connection.query_one("SELECT 1 FROM information_schema.schemata WHERE schema_name=" +
                                                   sql::quote_text(name.database)));
  const auto refused = [&](Error error) {
    return with_grant(connection, std::move(error).context(fmt::format("while creating {}", name.qualified())),
                      "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER", sql::quote_identifier(name.database) + ".*");
  };
  if (!there) {
    if (auto made = connection.execute(dialect_.create_database(name.database)); !made)
      return refused(std::move(made).error());
  }
  if (auto made = connection.execute(statement); !made) return refused(std::move(made).error());
  base::log::info("created a table", {{"table", name.qualified()}});
  DS_ASSIGN(info, sql::read_table_info(connection, name.database, name.table));
  if (!info) return Error(Reason::DestinationTableMissing, name.qualified() + " is not there after it was made");
  return std::move(*info);
}

base::Result<void> Catalog::widen(sql::Connection& connection, const message::TableSchema& schema,
                                  const TargetName& name, const std::vector<std::uint16_t>& missing) {
  for (const auto index : missing) {
    const auto& column = schema.columns[index];
    const auto statement = dialect_.add_column(column, name.database, name.table);
    const bool wanted = config_.schema_changes == config::SchemaChanges::ApplyAll ||
                        (config_.schema_changes == config::SchemaChanges::ApplyAdditive && column.nullable);
    if (!wanted)
      return Error(Reason::SchemaChanged, fmt::format("{} has the column {}, which {} lacks; add it: {}",
                                                      schema.qualified(), column.name, name.qualified(), statement));
    if (auto done = connection.execute(statement); !done)
      return with_grant(connection,
                        std::move(done).error().context(fmt::format("while adding a column to {}", name.qualified())),
                        "ALTER", dialect_.quote(name.database, name.table));
    base::log::info("added a column", {{"table", name.qualified()}, {"column", std::string_view(column.name)}});
  }
  return {};
}

base::Result<std::vector<std::string>> Catalog::required_columns(sql::Connection& connection, const TargetName& name) {
  DS_ASSIGN(const auto rows,
            connection.query(fmt::format("SELECT column_name FROM information_schema.columns WHERE table_schema={} AND "
                                         "table_name={} AND is_nullable='NO' AND column_default IS NULL AND extra NOT "
                                         "LIKE '%auto_increment%' AND extra NOT LIKE '%GENERATED%'",
                                         sql::quote_text(name.database), sql::quote_text(name.table))));
  std::vector<std::string> out;
  for (const auto& row : rows) out.push_back(row[0].value_or(""));
  return out;
}

base::Result<void> Catalog::drop(const TargetName& name) {
  DS_ASSIGN(const auto connection, connect_());
  DS_TRY(connection->execute(dialect_.drop_table(name.database, name.table)));
  base::log::warn("dropped a table that was dropped at the source", {{"table", name.qualified()}});
  active_.erase(name.qualified());
  std::erase_if(by_id_, [&](const auto& entry) { return tables_[entry.second]->plan.name == name.qualified(); });
  return {};
}

bool Catalog::is_unsure(const TargetTable& table) const {
  return table.tolerant || config_.on_conflict == config::OnConflict::Overwrite;
}

void Catalog::set_snapshot(const SnapshotState& snapshot) {
  snapshot_ = snapshot;
  for (auto& table : tables_) {
    table->tolerant = snapshot_.tables.contains(table->schema->qualified());
    table->plan.unsure = is_unsure(*table);
  }
  ++generation_;
}

std::vector<PlanTable> Catalog::plan_tables() const {
  std::vector<PlanTable> out;
  out.reserve(tables_.size());
  for (const auto& table : tables_) out.push_back(table->plan);
  for (const auto& child : tables_) {
    for (const auto& key : child->info.foreign_keys) {
      const auto parent_name = key.parent_database + "." + key.parent_table;
      for (std::size_t i = 0; i < tables_.size(); ++i) {
        if (out[i].name != parent_name) continue;
        for (const auto& name : key.parent_columns) {
          const auto& columns = tables_[i]->schema->columns;
          const auto at = std::ranges::find(columns, name, &message::Column::name);
          if (at != columns.end()) out[i].referenced.push_back(static_cast<std::uint16_t>(at - columns.begin()));
        }
      }
    }
  }
  return out;
}

}  // namespace datasync::apply
