#include "agents/source/mariadb/computed_columns.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"
#include "agents/binlog/lexer.hpp"

namespace datasync::source::mariadb {
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

base::Result<std::vector<Computed>> computed_columns(sql::Connection& connection, const TableChoice& table) {
  DS_ASSIGN(auto rows, connection.query(fmt::format(
                           "SELECT column_name, COALESCE(generation_expression, column_default), extra FROM "
                           "information_schema.columns WHERE table_schema={} AND table_name={} AND "
                           "COALESCE(generation_expression, column_default) IS NOT NULL",
                           sql::quote_text(table.database), sql::quote_text(table.table))));
  std::vector<Computed> out;
  for (auto& row : rows) {
    const auto extra = row.at(2).value_or("");
    out.push_back({row.at(0).value_or(""), row.at(1).value_or(""), extra.find("VIRTUAL GENERATED") != std::string::npos,
                   extra.find("STORED GENERATED") != std::string::npos});
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

}  // namespace datasync::source::mariadb
