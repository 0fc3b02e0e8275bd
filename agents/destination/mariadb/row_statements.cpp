#include "agents/destination/mariadb/row_statements.hpp"

#include <utility>

namespace datasync::apply {
namespace {

constexpr std::size_t kMostStatements = 1000;  ///< prepared at a time; the server's default limit for all is 16382

}  // namespace

base::Result<MariaDbRowStatements::Prepared*> MariaDbRowStatements::get(RowVerb verb, std::uint64_t id,
                                                                        const StatementTable& table) {
  const auto at_key = id << 8U | static_cast<std::uint64_t>(verb);
  if (const auto at = prepared_.find(at_key); at != prepared_.end()) return &at->second;
  if (prepared_.size() >= kMostStatements) prepared_.clear();
  auto text = MariaDbDialect::statement(verb, table);
  std::vector<sql::Parameter> parameters;
  for (const auto& p : text.parameters) parameters.push_back({&table.schema->columns[p.column]});
  auto statement = sql::BulkStatement::prepare(connection_, text.sql, std::move(parameters));
  if (!statement)
    return std::move(statement).error().context("while preparing a statement for " + table.database + "." +
                                                table.table);
  return &prepared_.emplace(at_key, Prepared{std::move(text.parameters), std::move(*statement)}).first->second;
}

base::Result<std::uint64_t> MariaDbRowStatements::run(RowVerb verb, std::uint64_t id, const StatementTable& table,
                                                      std::span<const RowImages> rows) {
  DS_ASSIGN(Prepared* const prepared, get(verb, id, table));
  auto& statement = *prepared->statement;
  for (const RowImages& row : rows) {
    for (const auto& p : prepared->parameters) {
      const auto value = (p.image == StatementText::Image::After ? row.after : row.key)[p.column];
      if (value.data() == nullptr) {
        statement.bind_null();
      } else {
        statement.bind(value);
      }
    }
  }
  return statement.execute();
}

}  // namespace datasync::apply
