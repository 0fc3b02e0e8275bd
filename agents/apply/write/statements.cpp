#include "agents/apply/write/statements.hpp"

#include <algorithm>

namespace datasync::apply {
namespace {

constexpr std::size_t kMostStatements = 1000;  ///< prepared at a time; the server's default limit for all is 16382

StatementText text_of(const Dialect& dialect, Statements::Kind kind, const StatementTable& table) {
  switch (kind) {
    case Statements::Kind::Insert:
      return dialect.insert(table);
    case Statements::Kind::Upsert:
      return dialect.upsert(table);
    case Statements::Kind::Update:
      return dialect.update(table);
    case Statements::Kind::UpdateAllColumns:
      return dialect.move(table);
    case Statements::Kind::Delete:
      return dialect.erase(table);
  }
  return {};
}

/// Whether the server refuses to set the column to NULL, instead of storing another value.
bool refuses_null(const StatementTable& table, std::uint16_t index) noexcept {
  const auto& column = table.there[index];
  return !column.nullable && !column.generated && column.type != message::ColumnType::Timestamp &&
         std::ranges::find(table.numbered, index) == table.numbered.end();
}

}  // namespace

std::uint16_t upsert_guard(const StatementTable& table) noexcept {
  const auto at = std::ranges::find_if(table.key, [&](auto index) { return refuses_null(table, index); });
  return at == table.key.end() ? table.key.front() : *at;
}

bool takes_upsert(const StatementTable& table) noexcept {
  return refuses_null(table, upsert_guard(table));
}

base::Result<Statements::Prepared*> Statements::get(Kind kind, TableIndex table) {
  const TargetTable& target = catalog_.table(table);
  const auto id = target.serial << 8U | static_cast<std::uint64_t>(kind);
  if (const auto at = prepared_.find(id); at != prepared_.end()) return &at->second;
  if (prepared_.size() >= kMostStatements) prepared_.clear();
  auto text = text_of(dialect_, kind, target.names);
  std::vector<sql::Parameter> parameters;
  for (const auto& p : text.parameters) parameters.push_back({&target.schema->columns[p.column]});
  auto statement = sql::BulkStatement::prepare(connection_, text.sql, std::move(parameters));
  if (!statement) return std::move(statement).error().context("while preparing a statement for " + target.qualified());
  return &prepared_.emplace(id, Prepared{std::move(text.parameters), std::move(*statement)}).first->second;
}

base::Result<std::uint64_t> Statements::run(Kind kind, TableIndex table, const RowBuffer& buffer,
                                            std::span<const PlannedRow> rows, bool key_from_after) {
  DS_ASSIGN(Prepared* const prepared, get(kind, table));
  auto& statement = *prepared->statement;
  for (const PlannedRow& row : rows) {
    const bool after = row.before == kNoImage || (key_from_after && row.after != kNoImage);
    const ImageAt key = after ? row.after : row.before;
    for (const auto& p : prepared->parameters) {
      const auto value = buffer.value(p.image == StatementText::Image::After ? row.after : key, p.column);
      if (is_null(value)) {
        statement.bind_null();
      } else {
        statement.bind(value);
      }
    }
  }
  auto affected = statement.execute();
  if (!affected && affected.error().is(base::Reason::DestinationBusy))
    return std::move(affected).error().context("while writing to " + catalog_.table(table).qualified());
  return affected;
}

}  // namespace datasync::apply
