#include "agents/destination/mariadb/dialect.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/destination/mariadb/bulk.hpp"
#include "agents/destination/mariadb/cut_values.hpp"
#include "agents/destination/mariadb/key_clause.hpp"
#include "agents/destination/mariadb/types.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::TableSchema;
using sql::quote_identifier;
using sql::quote_text;

std::string name(const StatementTable& table, std::uint16_t index) {
  return quote_identifier(table.there[index].name);
}

// Compared as the destination's column compares, or its index could not be used.
void add_where(const StatementTable& table, StatementText& out) {
  std::string where;
  for (const auto index : table.key) {
    Column column = table.schema->columns[index];
    const Column& there = table.there[index];
    if (!there.charset.empty()) column.charset = there.charset;
    if (!there.collation.empty()) column.collation = there.collation;
    where += fmt::format("{}{}{}{}", where.empty() ? "" : " AND ", name(table, index), column.nullable ? "<=>" : "=",
                         sql::placeholder(column, true));
    out.parameters.push_back({StatementText::Image::Key, index});
  }
  out.sql += " WHERE " + where;
}

StatementText set(const StatementTable& table, const std::vector<std::uint16_t>& columns) {
  StatementText out;
  std::string assignments;
  for (const auto index : columns) {
    assignments += (assignments.empty() ? "" : ",") + name(table, index) + "=" +
                   sql::placeholder(table.schema->columns[index], false);
    out.parameters.push_back({StatementText::Image::After, index});
  }
  out.sql = fmt::format("UPDATE {} SET {}", quote_identifier(table.database, table.table), assignments);
  add_where(table, out);
  return out;
}

}  // namespace

StatementText MariaDbDialect::statement(RowVerb verb, const StatementTable& table) {
  switch (verb) {
    case RowVerb::Insert:
      return insert(table);
    case RowVerb::Upsert:
      return upsert(table);
    case RowVerb::Update:
      return update(table);
    case RowVerb::UpdateAllColumns:
      return move(table);
    case RowVerb::Delete:
      return erase(table);
  }
  return {};
}

std::string MariaDbDialect::quote(std::string_view database, std::string_view table) const {
  return quote_identifier(database, table);
}

StatementText MariaDbDialect::insert(const StatementTable& table) {
  StatementText out;
  std::string columns;
  std::string values;
  for (const auto index : table.written) {
    columns += (columns.empty() ? "" : ",") + name(table, index);
    values += (values.empty() ? "" : ",") + sql::placeholder(table.schema->columns[index], false);
    out.parameters.push_back({StatementText::Image::After, index});
  }
  out.sql =
      fmt::format("INSERT INTO {} ({}) VALUES ({})", quote_identifier(table.database, table.table), columns, values);
  return out;
}

// The server also comes here for a row that has another unique value of ours. Its key differs then, and NULL for a
// column that takes none makes the statement fail instead of changing that row.
StatementText MariaDbDialect::upsert(const StatementTable& table) {
  auto out = insert(table);
  std::string same;
  for (const auto index : table.key)
    same += fmt::format("{}{}=VALUES({})", same.empty() ? "" : " AND ", name(table, index), name(table, index));
  const auto guard = upsert_guard(table);
  const auto first = name(table, guard);
  out.sql += fmt::format(" ON DUPLICATE KEY UPDATE {}=IF({}, VALUES({}), NULL)", first, same, first);
  for (const auto index : table.written) {
    if (index != guard) out.sql += fmt::format(",{}=VALUES({})", name(table, index), name(table, index));
  }
  return out;
}

StatementText MariaDbDialect::update(const StatementTable& table) {
  std::vector<std::uint16_t> columns;
  std::ranges::copy_if(table.written, std::back_inserter(columns),
                       [&](auto c) { return std::ranges::find(table.key, c) == table.key.end(); });
  return set(table, columns.empty() || table.key_updates_itself ? table.written : columns);
}

StatementText MariaDbDialect::move(const StatementTable& table) {
  return set(table, table.written);
}

StatementText MariaDbDialect::erase(const StatementTable& table) {
  StatementText out;
  out.sql = fmt::format("DELETE FROM {}", quote_identifier(table.database, table.table));
  add_where(table, out);
  return out;
}

std::string MariaDbDialect::create_database(std::string_view database) const {
  return "CREATE DATABASE IF NOT EXISTS " + quote_identifier(database);
}

std::string MariaDbDialect::create_table(const TableSchema& schema, std::string_view database,
                                         std::string_view table) const {
  std::string columns;
  for (const auto& column : schema.columns) columns += (columns.empty() ? "" : ", ") + mariadb_column(column);
  return fmt::format("CREATE TABLE IF NOT EXISTS {} ({}{}) ENGINE=InnoDB", quote(database, table), columns,
                     key_clause(schema));
}

std::string MariaDbDialect::add_column(const Column& column, std::string_view database, std::string_view table) const {
  return fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}", quote(database, table), mariadb_column(column));
}

std::string MariaDbDialect::modify_column(const Column& column, std::string_view attributes, std::string_view database,
                                          std::string_view table) const {
  return fmt::format("ALTER TABLE {} MODIFY COLUMN {}", quote(database, table),
                     attributes.empty() ? mariadb_column(column)
                                        : fmt::format("{} {}{} {}", quote_identifier(column.name), mariadb_type(column),
                                                      column.nullable ? " NULL" : " NOT NULL", attributes));
}

std::string MariaDbDialect::replace_column(const Column& column, std::string_view database,
                                           std::string_view table) const {
  return fmt::format("ALTER TABLE {} DROP COLUMN {}, ADD COLUMN {}", quote(database, table),
                     quote_identifier(column.name), mariadb_column(column));
}

std::string MariaDbDialect::replace_key(const TableSchema& schema, std::string_view database,
                                        std::string_view table) const {
  const auto key = key_clause(schema);
  return fmt::format("ALTER TABLE {} DROP PRIMARY KEY{}{}", quote(database, table), key.empty() ? "" : ", ADD ",
                     key.empty() ? "" : key.substr(2));
}

std::string MariaDbDialect::cut_values(const Column& column) const {
  return mariadb_cut_values(column);
}

std::string MariaDbDialect::values_for_null(const Column& column) const {
  return mariadb_values_for_null(column);
}

std::string MariaDbDialect::drop_table(std::string_view database, std::string_view table) const {
  return "DROP TABLE IF EXISTS " + quote(database, table);
}

std::string MariaDbDialect::type_name(const Column& column) const {
  return mariadb_type(column);
}

std::string MariaDbDialect::names(const std::vector<std::string>& columns) const {
  std::string out;
  for (const auto& column : columns) out += (out.empty() ? "" : ", ") + quote_identifier(column);
  return out;
}

std::string MariaDbDialect::delete_rows(const TargetName& name) const {
  return "DELETE FROM " + quote(name.database, name.table);
}

std::string MariaDbDialect::set_null(const TargetName& name, std::string_view column) const {
  return fmt::format("UPDATE {} SET {}=NULL", quote(name.database, name.table), quote_identifier(column));
}

std::string MariaDbDialect::make_transactional(const TargetName& name) const {
  return fmt::format("ALTER TABLE {} ENGINE=InnoDB", quote(name.database, name.table));
}

std::string MariaDbDialect::add_foreign_key(const TargetName& name, const message::ActingKey& key,
                                            const TargetName& parent) const {
  return fmt::format(
      "SET STATEMENT foreign_key_checks=0 FOR ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} ({}) ON UPDATE {} ON "
      "DELETE {}",
      quote(name.database, name.table), names(key.columns), quote(parent.database, parent.table),
      names(key.parent_columns), key.on_update, key.on_delete);
}

std::string MariaDbDialect::drop_foreign_key(const TargetName& name, std::string_view key) const {
  return fmt::format("ALTER TABLE {} DROP FOREIGN KEY {}", quote(name.database, name.table), quote_identifier(key));
}

std::string MariaDbDialect::drop_triggers() const {
  return "DROP TRIGGER them";
}

std::string MariaDbDialect::drop_hidden_trigger() const {
  return "Find it with SHOW TRIGGERS as a user with the privilege TRIGGER, and DROP TRIGGER it";
}

std::string MariaDbDialect::forget_topic(std::string_view database, std::string_view task,
                                         std::string_view topic) const {
  return fmt::format("DELETE FROM {} WHERE task={} AND topic={}", quote(database, "ledger"), quote_text(task),
                     quote_text(topic));
}

std::string MariaDbDialect::forget_known(std::string_view database, std::string_view task,
                                         std::string_view target) const {
  return fmt::format("DELETE FROM {} WHERE task={} AND target={}", quote(database, "tables"), quote_text(task),
                     quote_text(target));
}

}  // namespace datasync::apply
