#include "agents/destination/mariadb/grants.hpp"

#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

std::string columns_of(const StatementTable& table) {
  std::string out;
  for (const auto index : table.written)
    out += (out.empty() ? "" : ",") + sql::quote_identifier(table.schema->columns[index].name);
  return out;
}

}  // namespace

std::string grantee(const std::string& current_user) {
  const auto at = current_user.rfind('@');
  return sql::quote_text(current_user.substr(0, at)) + "@" + sql::quote_text(current_user.substr(at + 1));
}

Error with_grant(sql::Connection& connection, Error error, std::string_view privileges, std::string_view object) {
  if (!error.is(Reason::PermissionDenied)) return error;
  const auto user = connection.query_one("SELECT CURRENT_USER()");
  if (!user || !*user) return error;
  error.what += fmt::format("; GRANT {} ON {} TO {}", privileges, object, grantee(**user));
  return error;
}

// EXPLAIN needs the privileges of what it explains and executes nothing of it.
base::Result<void> check_table_grants(sql::Connection& connection, const StatementTable& table) {
  const auto name = sql::quote_identifier(table.database, table.table);
  const auto columns = columns_of(table);
  const auto first = sql::quote_identifier(table.schema->columns[table.written.front()].name);
  const std::array<std::pair<std::string_view, std::string>, 4> asked{{
      {"SELECT", fmt::format("SELECT {} FROM {} WHERE 1=0", columns, name)},
      {"INSERT", fmt::format("EXPLAIN INSERT INTO {} ({}) VALUES ({})", name, columns,
                             fmt::join(std::vector<std::string_view>(table.written.size(), "NULL"), ","))},
      {"UPDATE", fmt::format("EXPLAIN UPDATE {} SET {}=NULL WHERE 1=0", name, first)},
      {"DELETE", fmt::format("EXPLAIN DELETE FROM {} WHERE 1=0", name)},
  }};
  std::vector<std::string_view> missing;
  for (const auto& [privilege, statement] : asked) {
    const auto may = connection.query(statement);
    if (may) continue;
    if (!may.error().is(Reason::PermissionDenied)) {
      if (may.error().outcome() == base::Outcome::Retry) return Error(may.error());
      continue;  // something else is wrong with the question; the use itself will tell
    }
    missing.push_back(privilege);
  }
  if (missing.empty()) return {};
  const auto list = fmt::format("{}", fmt::join(missing, ", "));
  return with_grant(
      connection,
      {Reason::PermissionDenied, fmt::format("{}.{}: the user lacks {}", table.database, table.table, list)}, list,
      name);
}

// A transaction that says it will write is refused at once where the server or the user may only read.
base::Result<void> check_writable(sql::Connection& connection) {
  auto begun = connection.execute("START TRANSACTION READ WRITE");
  connection.rollback();
  if (begun) return {};
  auto error = std::move(begun).error();
  if (error.is(Reason::DestinationReadOnly))
    error.what += "; name the primary as destination, or SET GLOBAL read_only=OFF there";
  return error;
}

}  // namespace datasync::apply
