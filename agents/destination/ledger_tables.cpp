#include "agents/destination/ledger_tables.hpp"

#include <fmt/format.h>

namespace datasync::apply {

base::Result<bool> ledger_table_exists(sql::Connection& connection, const std::string& database,
                                       std::string_view table) {
  DS_ASSIGN(const auto there, connection.query_one(fmt::format(
                                  "SELECT 1 FROM information_schema.tables WHERE table_schema={} AND table_name={}",
                                  sql::quote_text(database), sql::quote_text(table))));
  return there.has_value();
}

base::Result<void> forget_task(sql::Connection& connection, const Dialect& dialect, const std::string& database,
                               std::string_view table, const std::string& task) {
  return forget_rows(connection, dialect, database, table, " WHERE task=" + sql::quote_text(task));
}

base::Result<void> forget_rows(sql::Connection& connection, const Dialect& dialect, const std::string& database,
                               std::string_view table, const std::string& where) {
  DS_ASSIGN(const auto there, ledger_table_exists(connection, database, table));
  if (!there) return {};
  const auto from = fmt::format(" FROM {}{}", dialect.quote(database, table), where);
  DS_ASSIGN(const auto row, connection.query_one("SELECT 1" + from + " LIMIT 1"));
  if (row) DS_TRY(connection.execute("DELETE" + from));
  return {};
}

}  // namespace datasync::apply
