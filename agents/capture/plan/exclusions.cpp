#include "agents/capture/plan/exclusions.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/identifier.hpp"

namespace datasync::capture {

base::Error exclusion_missing(const TableChoice& table, const std::vector<std::string>& missing) {
  return {base::Reason::PreflightFailed,
          fmt::format("{} lacks the excluded {} {}, which may have another name now: nothing of the table is carried "
                      "until excludeColumns names columns that it has",
                      table.qualified(), missing.size() > 1 ? "columns" : "column", fmt::join(missing, ", "))};
}

base::Error exclusion_moved(const TableChoice& table, const std::string& was, const std::string& is) {
  return {
      base::Reason::PreflightFailed,
      fmt::format("the excluded column {0} of {1} was renamed to {2}, or an expression with it may have filled {2}, "
                  "which keeps the values: name {1}.{2} in excludeColumns too, or drop {2} (it can be added again "
                  "when capture has continued)",
                  was, table.qualified(), is)};
}

std::vector<message::MovedColumn> moved_by(const TableChoice& table, const std::vector<message::MovedColumn>& before,
                                           const ColumnNames& names) {
  std::vector<message::MovedColumn> out;
  const auto add = [&](const std::string& was, const std::string& is) {
    const message::MovedColumn moved{was, is};
    if (!base::same_column(was, is) && std::ranges::find(out, moved) == out.end()) out.push_back(moved);
  };
  for (const auto& m : before) {
    const auto same = [&](const std::string& name) { return base::same_column(name, m.is); };
    const bool left = std::ranges::any_of(names.dropped, same) || std::ranges::any_of(names.added, same) ||
                      std::ranges::any_of(names.renamed, [&](const auto& pair) { return same(pair.first); });
    if (!names.certain || !left) add(m.was, m.is);
  }
  for (const auto& [was, is] : names.renamed) {
    if (table.excludes(was)) add(was, is);
    for (const auto& m : before)
      if (base::same_column(m.is, was)) add(m.was, is);
  }
  // An expression may use names of before the statement and of after it, and columns with other expressions.
  const auto sources = [&](const std::string& name) {
    std::vector<std::string> was;
    if (table.excludes(name)) was.push_back(name);
    for (const auto* moved : {&before, &std::as_const(out)})
      for (const auto& m : *moved)
        if (base::same_column(m.is, name)) was.push_back(m.was);
    return was;
  };
  for (auto size = out.size() + 1; size != out.size();) {
    size = out.size();
    for (const auto& [column, in_expression] : names.filled)
      for (const auto& name : in_expression)
        for (const auto& was : sources(name)) add(was, column);
  }
  return out;
}

const message::MovedColumn* shown_by_name(const TableChoice& table, const std::vector<message::MovedColumn>& moved,
                                          std::string_view column) {
  if (table.excludes(column)) return nullptr;
  // Of a name that is not excluded any more the values may be seen.
  const auto at = std::ranges::find_if(
      moved, [&](const auto& m) { return base::same_column(m.is, column) && table.excludes(m.was); });
  return at == moved.end() ? nullptr : &*at;
}

}  // namespace datasync::capture
