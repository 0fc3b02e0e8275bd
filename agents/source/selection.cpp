#include "agents/source/selection.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/message/route.hpp"

namespace datasync::source {
namespace {

/// "database.table.column" belongs to the table whose name it starts with.
std::string_view column_of(const TableChoice& table, std::string_view text) {
  const auto prefix = table.qualified() + ".";
  return text.starts_with(prefix) && text.size() > prefix.size() ? text.substr(prefix.size()) : std::string_view{};
}

void take_columns(const config::Type& type, std::span<TableChoice> tables, std::string& wrong) {
  for (const auto& text : type.exclude_columns) {
    bool found = false;
    for (auto& table : tables)
      if (const auto column = column_of(table, text); !column.empty()) {
        table.exclude.emplace_back(column);
        found = true;
        break;
      }
    if (!found) wrong += fmt::format("excludeColumns: {} is not a column of a table of type {}\n", text, type.name);
  }
  for (const auto& [name, columns] : type.key_columns) {
    const auto at = std::find_if(tables.begin(), tables.end(), [&](const auto& t) { return t.qualified() == name; });
    if (at == tables.end())
      wrong += fmt::format("keyColumns: {} is not a table of type {}\n", name, type.name);
    else
      at->key_columns = columns;
  }
}

}  // namespace

bool TableChoice::excludes(std::string_view column) const {
  return std::ranges::any_of(exclude, [&](const auto& name) { return base::same_column(name, column); });
}

base::Result<Selection> Selection::make(const std::vector<config::Type>& types, std::int32_t streams) {
  Selection s;
  s.streams_ = std::max(streams, 1);
  std::string wrong;
  for (const auto& type : types) {
    const auto first = s.tables_.size();
    for (const auto& name : type.tables) {
      const auto dot = name.find('.');
      if (dot == std::string::npos || dot == 0 || dot + 1 == name.size()) {
        wrong += fmt::format("tables: {} is not of the form database.table\n", name);
        continue;
      }
      TableChoice choice;
      choice.database = name.substr(0, dot);
      choice.table = name.substr(dot + 1);
      choice.type = type.name;
      choice.stream = message::stream_of(type.name, s.streams_);
      if (!s.by_name_.emplace(s.names_.key(choice.database, choice.table), s.tables_.size()).second)
        wrong += fmt::format("tables: {} is named twice; a table belongs to one type\n", name);
      else
        s.tables_.push_back(std::move(choice));
    }
    take_columns(type, std::span(s.tables_).subspan(first), wrong);
  }
  if (!wrong.empty()) {
    wrong.pop_back();
    return base::Error(base::Reason::ConfigInvalid, wrong);
  }
  return s;
}

base::Result<Selection> Selection::as_on(const base::TableNames& names) const {
  Selection s;
  s.tables_ = tables_;
  s.streams_ = streams_;
  s.names_ = names;
  std::string wrong;
  for (std::size_t i = 0; i < s.tables_.size(); ++i) {
    const auto& table = s.tables_[i];
    const auto [at, fresh] = s.by_name_.emplace(names.key(table.database, table.table), i);
    if (!fresh)
      wrong += fmt::format("{}tables: {} and {} are one table at this server, which compares table names without case",
                           wrong.empty() ? "" : "\n", s.tables_[at->second].qualified(), table.qualified());
  }
  if (!wrong.empty()) return base::Error(base::Reason::ConfigInvalid, wrong);
  return s;
}

const TableChoice* Selection::find(std::string_view database, std::string_view table) const {
  const auto at = by_name_.find(names_.key(database, table));
  return at == by_name_.end() ? nullptr : &tables_[at->second];
}

const TableChoice* Selection::find(std::string_view qualified) const {
  const auto dot = qualified.find('.');
  return dot == qualified.npos ? nullptr : find(qualified.substr(0, dot), qualified.substr(dot + 1));
}

}  // namespace datasync::source
