#include "agents/destination/known_tables.hpp"

#include <charconv>

#include <fmt/format.h>

#include "agents/destination/ledger_tables.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using sql::quote_text;

constexpr std::string_view kTable = "tables";

/// The column `definition`: also which CREATE_TIME it belongs to, because a version before it had the column changes
/// that one alone.
std::string stamped(const KnownTable& table) {
  if (table.definition.empty()) return "";
  return table.definition + "\n" + table.created.substr(0, table.created.find('?'));
}

/// Empty when the table was altered since, as an older version saw it.
std::string unstamped(const std::string& text, const std::string& created) {
  const auto end = text.find('\n');
  if (end == std::string::npos || text.substr(end + 1) != created.substr(0, created.find('?'))) return "";
  return text.substr(0, end);
}

base::Result<KnownTable> parse(const sql::Row& row) {
  KnownTable out;
  out.target = row[0].value_or("");
  out.source = row[1].value_or("");
  std::uint64_t id = 0;
  const auto text = row[2].value_or("");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return Error(Reason::LedgerInvalid,
                 fmt::format("the schema of {} in the table of known tables is '{}'", out.target, text));
  out.schema = message::SchemaId(id);
  out.columns = parse_lines(row[3].value_or(""));
  out.actions = parse_lines(row[4].value_or(""));
  out.created = row[5].value_or("");
  out.has_rows = row[6] == "1";
  out.filled = parse_lines(row[7].value_or(""));
  out.definition = unstamped(row[8].value_or(""), out.created);
  return out;
}

base::Result<void> discard(base::Result<std::uint64_t> affected) {
  return affected ? base::Result<void>() : base::Result<void>(std::move(affected).error());
}

}  // namespace

std::string lines_text(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    for (const char c : name) {
      if (c == '\\' || c == '\n') out += '\\';
      out += c == '\n' ? 'n' : c;
    }
    out += '\n';
  }
  return out;
}

std::vector<std::string> parse_lines(std::string_view text) {
  std::vector<std::string> out;
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      line += text[i] == 'n' ? '\n' : text[i];
    } else if (text[i] == '\n') {
      out.push_back(std::move(line));
      line.clear();
    } else {
      line += text[i];
    }
  }
  return out;
}

base::Result<void> KnownTables::create(sql::Connection& connection, const Dialect& dialect,
                                       const std::string& database) {
  DS_ASSIGN(const auto there, ledger_table_exists(connection, database, kTable));
  if (!there) return discard(connection.execute(dialect.create_known_tables(database)));
  // A ledger of a version that did not have one of them.
  for (const auto* column : {"filled", "definition"}) {
    DS_ASSIGN(const auto has,
              connection.query_one(fmt::format("SELECT 1 FROM information_schema.columns WHERE table_schema={} AND "
                                               "table_name={} AND column_name={}",
                                               quote_text(database), quote_text(kTable), quote_text(column))));
    if (has) continue;
    DS_TRY(connection.execute(
        fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin "
                    "NOT NULL DEFAULT ''",
                    dialect.quote(database, kTable), column)));
  }
  return {};
}

base::Result<void> KnownTables::forget(sql::Connection& connection, const Dialect& dialect, const std::string& database,
                                       const std::string& task) {
  return forget_task(connection, dialect, database, kTable, task);
}

base::Result<void> KnownTables::forget_stream(sql::Connection& connection, const Dialect& dialect,
                                              const std::string& database, const std::string& where) {
  return forget_rows(connection, dialect, database, kTable, where);
}

std::string KnownTables::where() const {
  return fmt::format(" WHERE task={} AND topic={} AND stream={}", quote_text(key_.task), quote_text(key_.topic),
                     key_.stream);
}

base::Result<void> KnownTables::read(sql::Connection& connection, const Dialect& dialect) {
  DS_ASSIGN(const auto rows, connection.query(fmt::format(
                                 "SELECT target, source, schema_id, columns, actions, created, has_rows, filled, "
                                 "definition FROM {}{}",
                                 dialect.quote(database_, kTable), where())));
  tables_.clear();
  for (const auto& row : rows) {
    DS_ASSIGN(auto table, parse(row));
    auto target = table.target;
    tables_.insert_or_assign(std::move(target), std::move(table));
  }
  return {};
}

const KnownTable* KnownTables::find(std::string_view target) const {
  const auto at = tables_.find(target);
  return at == tables_.end() ? nullptr : &at->second;
}

std::vector<std::string> KnownTables::targets_of(const std::string& source) const {
  std::vector<std::string> out;
  for (const auto& [target, known] : tables_)
    if (known.source == source) out.push_back(target);
  return out;
}

// The condition on the token makes the statement a no-op for an instance that was replaced.
base::Result<void> KnownTables::store(sql::Connection& connection, const Dialect& dialect, std::uint64_t token,
                                      KnownTable table) {
  if (const auto* old = find(table.target); old != nullptr && *old == table) return {};
  const auto columns = lines_text(table.columns);
  const auto actions = lines_text(table.actions);
  DS_ASSIGN(
      const auto stored,
      connection.execute(fmt::format(
          "INSERT INTO {} (task, topic, stream, target, source, schema_id, columns, actions, created, has_rows, "
          "filled, definition) SELECT task, topic, stream, {}, {}, {}, {}, {}, {}, {}, {}, {} FROM {}{} AND token={} "
          "ON DUPLICATE KEY UPDATE source=VALUES(source), schema_id=VALUES(schema_id), columns=VALUES(columns), "
          "actions=VALUES(actions), created=VALUES(created), has_rows=VALUES(has_rows), "
          "filled=VALUES(filled), definition=VALUES(definition)",
          dialect.quote(database_, kTable), quote_text(table.target), quote_text(table.source), table.schema.value(),
          quote_text(columns), quote_text(actions), quote_text(table.created), table.has_rows ? 1 : 0,
          quote_text(lines_text(table.filled)), quote_text(stamped(table)), dialect.quote(database_, "ledger"), where(),
          token)));
  if (stored == 0)
    return Error(Reason::Superseded,
                 fmt::format("another instance has taken over stream {} of topic {}", key_.stream, key_.topic));
  auto target = table.target;
  tables_.insert_or_assign(std::move(target), std::move(table));
  return {};
}

base::Result<void> KnownTables::store_has_rows(sql::Connection& connection, const Dialect& dialect,
                                               const std::string& target, bool has_rows) const {
  const auto at = tables_.find(target);
  if (at == tables_.end() || (has_rows && at->second.has_rows)) return {};
  DS_TRY(connection.execute(fmt::format("UPDATE {} SET has_rows={}{} AND target={}", dialect.quote(database_, kTable),
                                        has_rows ? 1 : 0, where(), quote_text(target))));
  return {};
}

base::Result<void> KnownTables::store_filled(sql::Connection& connection, const Dialect& dialect,
                                             const std::string& target, const std::vector<std::string>& columns) const {
  return discard(connection.execute(fmt::format("UPDATE {} SET filled=CONCAT(filled, {}){} AND target={}",
                                                dialect.quote(database_, kTable), quote_text(lines_text(columns)),
                                                where(), quote_text(target))));
}

void KnownTables::add_filled(const std::string& target, const std::vector<std::string>& columns) {
  const auto at = tables_.find(target);
  if (at != tables_.end()) at->second.filled.insert(at->second.filled.end(), columns.begin(), columns.end());
}

void KnownTables::set_has_rows(const std::string& target, bool has_rows) {
  if (const auto at = tables_.find(target); at != tables_.end()) at->second.has_rows = has_rows;
}

base::Result<std::optional<std::string>> KnownTables::other_source(sql::Connection& connection, const Dialect& dialect,
                                                                   const std::string& target,
                                                                   const std::string& source) const {
  return connection.query_one(fmt::format(
      "SELECT source FROM {} WHERE task={} AND topic={} AND stream<>{} AND target={} AND source<>{} LIMIT 1",
      dialect.quote(database_, kTable), quote_text(key_.task), quote_text(key_.topic), key_.stream, quote_text(target),
      quote_text(source)));
}

base::Result<std::optional<std::string>> KnownTables::other_task(sql::Connection& connection, const Dialect& dialect,
                                                                 const std::string& target) const {
  return connection.query_one(fmt::format("SELECT task FROM {} WHERE task<>{} AND target={} LIMIT 1",
                                          dialect.quote(database_, kTable), quote_text(key_.task), quote_text(target)));
}

base::Result<void> KnownTables::remove(sql::Connection& connection, const Dialect& dialect, const std::string& target,
                                       std::optional<std::uint64_t> token) {
  const auto mine = token ? fmt::format(" AND EXISTS (SELECT 1 FROM {}{} AND token={})",
                                        dialect.quote(database_, "ledger"), where(), *token)
                          : std::string();
  DS_TRY(connection.execute(fmt::format("DELETE FROM {}{} AND target={}{}", dialect.quote(database_, kTable), where(),
                                        quote_text(target), mine)));
  const auto at = tables_.find(target);
  if (at != tables_.end()) tables_.erase(at);
  return {};
}

}  // namespace datasync::apply
