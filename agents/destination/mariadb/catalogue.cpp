// What the catalogue of a MariaDB server says of its tables.

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/client/mysql/table_reader.hpp"
#include "agents/destination/mariadb/server.hpp"
#include "agents/destination/mariadb/table_facts.hpp"

namespace datasync::apply {
namespace {

using sql::quote_identifier;
using sql::quote_text;

std::string where(const TargetName& name) {
  return fmt::format("table_schema={} AND table_name={}", quote_text(name.database), quote_text(name.table));
}

TableInfo taken(sql::TableInfo info) {
  TableInfo out;
  out.transactional = info.engine == "InnoDB";
  out.engine = std::move(info.engine);
  out.schema = std::move(info.schema);
  out.unique_keys = std::move(info.unique_keys);
  out.unique_by_prefix = info.unique_by_prefix;
  for (auto& key : info.foreign_keys)
    out.foreign_keys.push_back({std::move(key.name), std::move(key.columns), std::move(key.parent_database),
                                std::move(key.parent_table), std::move(key.parent_columns), std::move(key.on_update),
                                std::move(key.on_delete)});
  return out;
}

}  // namespace

base::Result<base::TableNames> MariaDbServer::table_names() {
  return read_table_names(*connection_);
}

base::Result<std::optional<TableInfo>> MariaDbServer::table(const TargetName& name) {
  DS_ASSIGN(auto info, sql::read_table_info(*connection_, name.database, name.table));
  if (!info) return std::optional<TableInfo>{};
  return std::optional<TableInfo>(taken(std::move(*info)));
}

base::Result<DestinationFacts> MariaDbServer::facts(const TargetName& name) {
  return read_destination_facts(*connection_, name.database, name.table);
}

base::Result<std::optional<std::string>> MariaDbServer::created(const TargetName& name) {
  return connection_->query_one(
      fmt::format("SELECT {} FROM information_schema.tables WHERE {}", kCreatedAt, where(name)));
}

base::Result<std::vector<std::optional<std::string>>> MariaDbServer::altered_at(std::span<const TargetName> names) {
  std::string query;
  for (std::size_t i = 0; i < names.size(); ++i)
    query += fmt::format("{}SELECT '{}', create_time FROM information_schema.tables WHERE {}",
                         query.empty() ? "" : " UNION ALL ", i, where(names[i]));
  std::vector<std::optional<std::string>> out(names.size());
  if (query.empty()) return out;
  DS_ASSIGN(const auto found, connection_->query(query));
  for (const auto& row : found) out.at(std::stoul(row[0].value_or("0"))) = row[1].value_or("");
  return out;
}

base::Result<std::vector<ListedTable>> MariaDbServer::tables(const std::set<std::string>& databases) {
  std::set<std::string> quoted;
  for (const auto& database : databases) quoted.insert(quote_text(database));
  const auto list = fmt::format("{}", fmt::join(quoted, ","));
  DS_ASSIGN(const auto rows,
            connection_->query(fmt::format("SELECT table_schema, table_name, {} FROM information_schema.tables WHERE "
                                           "table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema IN ({})",
                                           kCreatedAt, list)));
  std::map<std::pair<std::string, std::string>, std::size_t> index;
  std::vector<ListedTable> out;
  for (const auto& row : rows) {
    const TargetName name{row[0].value_or(""), row[1].value_or("")};
    index[{name.database, name.table}] = out.size();
    out.push_back({name, row[2].value_or(""), {}});
  }
  DS_ASSIGN(const auto columns,
            connection_->query("SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE "
                               "table_schema IN (" +
                               list + ")"));
  for (const auto& row : columns) {
    const auto at = index.find({row[0].value_or(""), row[1].value_or("")});
    if (at != index.end()) out[at->second].columns.push_back(row[2].value_or(""));
  }
  return out;
}

base::Result<void> MariaDbServer::see(const TargetName& name, const std::vector<std::string>& columns) {
  std::string list;
  for (const auto& column : columns) list += (list.empty() ? "" : ", ") + quote_identifier(column);
  DS_TRY(connection_->query(fmt::format("SELECT {} FROM {} LIMIT 0", columns.empty() ? "1" : list,
                                        quote_identifier(name.database, name.table))));
  return {};
}

base::Result<std::string> MariaDbServer::other_kind(const TargetName& name) {
  DS_ASSIGN(const auto row,
            connection_->query_one(fmt::format("SELECT table_type FROM information_schema.tables WHERE {} AND "
                                               "table_type NOT IN ('BASE TABLE', 'SYSTEM VERSIONED', 'TEMPORARY')",
                                               where(name))));
  return row ? *row : std::string();
}

base::Result<References> MariaDbServer::references(const base::TableNames& names) {
  return read_references(*connection_, names);
}

base::Result<std::vector<std::pair<std::string, std::string>>> MariaDbServer::foreign_keys() {
  DS_ASSIGN(const auto rows, connection_->query("SELECT DISTINCT table_schema, table_name, referenced_table_schema, "
                                                "referenced_table_name FROM information_schema.key_column_usage WHERE "
                                                "referenced_table_name IS NOT NULL"));
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& row : rows)
    out.emplace_back(row[0].value_or("") + "." + row[1].value_or(""), row[2].value_or("") + "." + row[3].value_or(""));
  return out;
}

base::Result<bool> MariaDbServer::has_database(const std::string& database) {
  DS_ASSIGN(const auto there, connection_->query_one("SELECT 1 FROM information_schema.schemata WHERE schema_name=" +
                                                     quote_text(database)));
  return there.has_value();
}

}  // namespace datasync::apply
