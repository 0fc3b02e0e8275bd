#include "agents/destination/memory/dialect.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/identifier.hpp"

namespace datasync::apply {
namespace {

std::string qualified(std::string_view database, std::string_view table) {
  return fmt::format("{}.{}", database, table);
}

std::size_t index_of(const TableInfo& info, std::string_view column) {
  const auto& columns = info.schema.columns;
  const auto at = std::ranges::find_if(columns, [&](const auto& c) { return base::same_column(c.name, column); });
  return static_cast<std::size_t>(at - columns.begin());
}

void change_column(MemoryObject& table, const message::Column& column, bool lose_values) {
  const auto index = index_of(table.info, column.name);
  if (index == table.info.schema.columns.size()) return;
  table.info.schema.columns[index] = column;
  if (lose_values)
    for (auto& row : table.rows) row[index].reset();
}

}  // namespace

const MemoryDialect::Definition* MemoryDialect::find(const std::string& text) const {
  const std::lock_guard lock(mutex_);
  const auto at = definitions_.find(text);
  return at == definitions_.end() ? nullptr : &at->second;
}

std::string MemoryDialect::define(std::string text, std::string table, MemoryAction action) const {
  const std::lock_guard lock(mutex_);
  definitions_.try_emplace(text, Definition{std::move(table), std::move(action)});
  return text;
}

std::string MemoryDialect::quote(std::string_view database, std::string_view table) const {
  return qualified(database, table);
}

std::string MemoryDialect::names(const std::vector<std::string>& columns) const {
  return fmt::format("{}", fmt::join(columns, ", "));
}

std::string MemoryDialect::create_database(std::string_view database) const {
  return define(fmt::format("create the database {}", database), "", {});
}

std::string MemoryDialect::create_table(const message::TableSchema& schema, std::string_view database,
                                        std::string_view table) const {
  MemoryObject made;
  made.info.schema = schema;
  made.info.schema.database = database;
  made.info.schema.table = table;
  made.info.engine = "memory";
  for (auto& column : made.info.schema.columns) column.generated = false;
  return define(fmt::format("create the table {} for schema {}", qualified(database, table), schema.id().value()),
                qualified(database, table), [made](std::optional<MemoryObject>& object) {
                  if (!object) object = made;
                });
}

std::string MemoryDialect::add_column(const message::Column& column, std::string_view database,
                                      std::string_view table) const {
  return define(fmt::format("add the column {} {} to {}", column.name, type_name(column), qualified(database, table)),
                qualified(database, table), [column](std::optional<MemoryObject>& object) {
                  if (!object || index_of(object->info, column.name) < object->info.schema.columns.size()) return;
                  object->info.schema.columns.push_back(column);
                  for (auto& row : object->rows) row.emplace_back();
                });
}

std::string MemoryDialect::modify_column(const message::Column& column, std::string_view /*attributes*/,
                                         std::string_view database, std::string_view table) const {
  return define(fmt::format("make the column {} of {} {}", column.name, qualified(database, table), type_name(column)),
                qualified(database, table), [column](std::optional<MemoryObject>& object) {
                  if (object) change_column(*object, column, false);
                });
}

std::string MemoryDialect::replace_column(const message::Column& column, std::string_view database,
                                          std::string_view table) const {
  return define(
      fmt::format("replace the column {} of {} by {}", column.name, qualified(database, table), type_name(column)),
      qualified(database, table), [column](std::optional<MemoryObject>& object) {
        if (object) change_column(*object, column, true);
      });
}

std::string MemoryDialect::replace_key(const message::TableSchema& schema, std::string_view database,
                                       std::string_view table) const {
  std::vector<std::string> key;
  for (const auto index : schema.key) key.push_back(schema.columns[index].name);
  return define(fmt::format("make the key of {} ({})", qualified(database, table), names(key)),
                qualified(database, table), [key](std::optional<MemoryObject>& object) {
                  if (!object) return;
                  object->info.schema.key.clear();
                  for (const auto& name : key)
                    object->info.schema.key.push_back(static_cast<std::uint16_t>(index_of(object->info, name)));
                });
}

std::string MemoryDialect::drop_table(std::string_view database, std::string_view table) const {
  return define(fmt::format("drop the table {}", qualified(database, table)), qualified(database, table),
                [](std::optional<MemoryObject>& object) { object.reset(); });
}

std::string MemoryDialect::type_name(const message::Column& column) const {
  return fmt::format("{}({},{},{}){}{}", message::to_string(column.type), column.length, column.precision, column.scale,
                     column.is_unsigned ? " unsigned" : "", column.nullable ? "" : " not null");
}

std::string MemoryDialect::delete_rows(const TargetName& name) const {
  return "delete the rows of " + name.qualified();
}

std::string MemoryDialect::set_null(const TargetName& name, std::string_view column) const {
  return fmt::format("set {} of {} to NULL", column, name.qualified());
}

std::string MemoryDialect::make_transactional(const TargetName& name) const {
  return "make transactional " + name.qualified();
}

std::string MemoryDialect::add_foreign_key(const TargetName& name, const message::ActingKey& key,
                                           const TargetName& parent) const {
  return fmt::format("add the foreign key {} of {} to {}", key.name, name.qualified(), parent.qualified());
}

std::string MemoryDialect::drop_foreign_key(const TargetName& name, std::string_view key) const {
  return fmt::format("drop the foreign key {} of {}", key, name.qualified());
}

std::string MemoryDialect::forget_topic(std::string_view database, std::string_view task,
                                        std::string_view topic) const {
  return fmt::format("forget {} and {} in {}", task, topic, database);
}

std::string MemoryDialect::forget_known(std::string_view database, std::string_view task,
                                        std::string_view target) const {
  return fmt::format("forget {} of {} in {}", target, task, database);
}

}  // namespace datasync::apply
