#include "agents/capture/plan/exclusions.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/identifier.hpp"
#include "agents/binlog/lexer.hpp"

namespace datasync::capture {
namespace {

bool mentions(const std::string& expression, const std::string& column) {
  binlog::Lexer lexer(expression, {});
  for (auto token = lexer.next(); token.kind != binlog::Token::Kind::End; token = lexer.next()) {
    if (!token.can_be_name() || !base::same_column(token.name, column)) continue;
    const auto next = lexer.peek();  // b'1', x'00', _utf8mb4'text'
    const bool introduces = token.kind == binlog::Token::Kind::Word && next.kind == binlog::Token::Kind::String &&
                            token.raw.data() + token.raw.size() == next.raw.data();
    if (!introduces) return true;
  }
  return false;
}

}  // namespace

base::Error exclusion_missing(const TableChoice& table, const std::vector<std::string>& missing) {
  return {base::Reason::PreflightFailed,
          fmt::format("{} lacks the excluded {} {}, which may have another name now: nothing of the table is carried "
                      "until excludeColumns names columns that it has",
                      table.qualified(), missing.size() > 1 ? "columns" : "column", fmt::join(missing, ", "))};
}

base::Error exclusion_moved(const TableChoice& table, const std::string& was, const std::string& is) {
  return {base::Reason::PreflightFailed,
          fmt::format("the excluded column {0} of {1} was renamed to {2}: name {1}.{2} in excludeColumns too", was,
                      table.qualified(), is)};
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
    const bool left = std::ranges::any_of(names.dropped, same) ||
                      std::ranges::any_of(names.renamed, [&](const auto& pair) { return same(pair.first); });
    if (!names.certain || !left) add(m.was, m.is);
  }
  for (const auto& [was, is] : names.renamed) {
    if (table.excludes(was)) add(was, is);
    for (const auto& m : before)
      if (base::same_column(m.is, was)) add(m.was, is);
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

std::vector<std::string> missing_exclusions(const TableChoice& table, const message::TableSchema& full,
                                            const std::vector<std::string>& unread) {
  std::vector<std::string> out;
  for (const auto& name : table.exclude) {
    const bool found =
        std::ranges::any_of(full.columns, [&](const auto& c) { return base::same_column(c.name, name); }) ||
        std::ranges::any_of(unread, [&](const auto& c) { return base::same_column(c, name); });
    if (!found) out.push_back(name);
  }
  return out;
}

base::Result<std::vector<Computed>> computed_columns(sql::Connection& connection, const TableChoice& table) {
  DS_ASSIGN(auto rows, connection.query(fmt::format(
                           "SELECT column_name, COALESCE(generation_expression, column_default), extra FROM "
                           "information_schema.columns WHERE table_schema={} AND table_name={} AND "
                           "COALESCE(generation_expression, column_default) IS NOT NULL",
                           sql::quote_text(table.database), sql::quote_text(table.table))));
  std::vector<Computed> out;
  for (auto& row : rows) {
    const bool is_virtual = row.at(2).value_or("").find("VIRTUAL GENERATED") != std::string::npos;
    out.push_back({row.at(0).value_or(""), row.at(1).value_or(""), is_virtual});
  }
  return out;
}

std::vector<std::string> computed_from_excluded(const TableChoice& table, const std::vector<Computed>& computed) {
  std::vector<std::string> secret = table.exclude, out;
  for (bool more = true; more;) {
    more = false;
    for (const auto& c : computed) {
      const auto known = [&](const auto& name) { return base::same_column(name, c.column); };
      if (std::ranges::any_of(secret, known)) continue;
      const auto from = std::ranges::find_if(secret, [&](const auto& name) { return mentions(c.expression, name); });
      if (from == secret.end()) continue;
      out.push_back(fmt::format("{} (from {})", c.column, *from));
      secret.push_back(c.column);
      more = true;
      break;
    }
  }
  return out;
}

}  // namespace datasync::capture
