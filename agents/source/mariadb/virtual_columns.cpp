#include "agents/source/mariadb/virtual_columns.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"
#include "agents/source/mariadb/steady_expression.hpp"

namespace datasync::source::mariadb {

std::string unsteady(const Computed& column, const message::TableSchema& table) {
  if (!column.is_virtual && !column.is_stored) return "";
  const auto at =
      std::ranges::find_if(table.columns, [&](const auto& c) { return base::same_column(c.name, column.column); });
  // An excluded column of a type that is not carried.
  return at == table.columns.end() ? "its type" : unsteady_part(column.expression, *at, table);
}

std::vector<FilterFinding> check_virtual_columns(const TableChoice& choice, const std::vector<Computed>& computed,
                                                 const message::TableSchema& table) {
  std::vector<FilterFinding> out;
  for (const auto& c : computed) {
    const auto by = !c.is_virtual || choice.excludes(c.column) ? std::string() : unsteady(c, table);
    if (by.empty()) continue;
    out.push_back(
        {fmt::format("VIRTUAL column {} of {} uses {}: it is not certain that its value is the same at any time and in "
                     "any session that reads it",
                     c.column, choice.qualified(), by),
         fmt::format("name {}.{} in excludeColumns, or replace it by a STORED column (if the server refuses that, by "
                     "an ordinary one)",
                     choice.qualified(), c.column)});
  }
  return out;
}

bool computes_again(const TableChoice& choice, const std::vector<Computed>& computed,
                    const message::TableSchema& table) {
  return std::ranges::any_of(computed, [&](const Computed& c) {
    return c.is_stored && !choice.excludes(c.column) && !unsteady(c, table).empty();
  });
}

}  // namespace datasync::source::mariadb
