// The tables `tables` and `held`: known tables and held tables.

#include <utility>

#include <fmt/format.h>

#include "agents/destination/mariadb/ledger_store.hpp"
#include "agents/destination/mariadb/ledger_tables.hpp"
#include "agents/destination/mariadb/whole_number.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using sql::quote_identifier;
using sql::quote_text;

std::string tables(const std::string& database) {
  return quote_identifier(database, "tables");
}
std::string held(const std::string& database) {
  return quote_identifier(database, "held");
}
std::string where_target(const LedgerKey& key, const std::string& target) {
  return where_stream(key) + " AND target=" + quote_text(target);
}
std::string where_source(const LedgerKey& key, const std::string& source) {
  return where_stream(key) + " AND source_table=" + quote_text(source);
}

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

base::Result<KnownTable> read_known(const sql::Row& row) {
  KnownTable out;
  out.target = row[0].value_or("");
  out.source = row[1].value_or("");
  const auto id = whole_number<std::uint64_t>(row[2]);
  if (!id)
    return Error(Reason::LedgerInvalid,
                 fmt::format("the schema of {} in the table of known tables is '{}'", out.target, row[2].value_or("")));
  out.schema = message::SchemaId(*id);
  out.columns = parse_lines(row[3].value_or(""));
  out.actions = parse_lines(row[4].value_or(""));
  out.created = row[5].value_or("");
  out.has_rows = row[6] == "1";
  out.filled = parse_lines(row[7].value_or(""));
  out.definition = unstamped(row[8].value_or(""), out.created);
  return out;
}

Error damaged(std::string_view what) {
  return {Reason::LedgerInvalid, fmt::format("the table of held tables at the destination: {}", what)};
}

template <class T>
base::Result<T> number(const std::optional<std::string>& field, std::string_view name) {
  if (const auto value = whole_number<T>(field)) return *value;
  return damaged(fmt::format("{} is '{}'", name, field.value_or("")));
}

Reason parse_reason(std::string_view name) {
  for (const auto& info : base::all_reasons())
    if (info.name == name) return info.reason;
  return Reason::Internal;  // of another version
}

base::Result<HeldTable> read_held(const sql::Row& row) {
  HeldTable out;
  out.table = row[0].value_or("");
  out.source = row[1].value_or("");
  out.reason = parse_reason(row[2].value_or(""));
  out.message = row[3].value_or("");
  DS_ASSIGN(out.at.next_offset, number<std::int64_t>(row[4], "next_offset"));
  DS_ASSIGN(const auto epoch, number<std::uint64_t>(row[5], "epoch"));
  out.at.epoch = message::Epoch(epoch);
  auto gtids = message::GtidSet::parse(row[6].value_or(""));
  if (!gtids) return damaged("gtids: " + gtids.error().what);
  out.at.gtids = std::move(*gtids);
  DS_ASSIGN(out.at.snapshot, parse_snapshot_state(row[7].value_or("")));
  DS_ASSIGN(out.at.last_record, number<std::uint64_t>(row[8], "last_record"));
  DS_ASSIGN(out.refused_at, number<std::int64_t>(row[9], "refused_at"));
  DS_ASSIGN(out.since, number<std::int64_t>(row[10], "since"));
  DS_ASSIGN(out.tries, number<std::uint64_t>(row[11], "tries"));
  DS_ASSIGN(out.at.awaited, parse_awaited(row[12].value_or("")));
  return out;
}

std::string place_of(const LedgerState& at) {
  return fmt::format("next_offset={}, epoch={}, gtids='{}', snapshot={}, last_record={}, awaited={}", at.next_offset,
                     at.epoch.value(), at.gtids.text(), quote_text(to_text(at.snapshot)), at.last_record,
                     quote_text(to_text(at.awaited)));
}

}  // namespace

base::Result<void> MariaDbLedgerStore::create_known_tables(const std::string& database) {
  DS_ASSIGN(const bool there, has_table(database, "tables"));
  if (!there) return run(apply::create_known_tables(database));
  for (const auto& [column, statement] : added_to_known_tables(database)) {
    DS_ASSIGN(const bool has, has_column(database, "tables", column));
    if (!has) DS_TRY(run(statement));
  }
  return {};
}

base::Result<void> MariaDbLedgerStore::create_held_tables(const std::string& database) {
  DS_ASSIGN(const bool there, has_table(database, "held"));
  return there ? base::Result<void>() : run(create_held(database));
}

base::Result<std::vector<KnownTable>> MariaDbLedgerStore::known_tables(const std::string& database,
                                                                       const LedgerKey& key) {
  DS_ASSIGN(const auto rows, connection_.query(fmt::format(
                                 "SELECT target, source, schema_id, columns, actions, created, has_rows, filled, "
                                 "definition FROM {}{}",
                                 tables(database), where_stream(key))));
  std::vector<KnownTable> out;
  for (const auto& row : rows) {
    DS_ASSIGN(auto table, read_known(row));
    out.push_back(std::move(table));
  }
  return out;
}

// The condition on the token makes the statement a no-op for an instance that was replaced.
base::Result<bool> MariaDbLedgerStore::store_known(const std::string& database, const LedgerKey& key,
                                                   std::uint64_t token, const KnownTable& table) {
  DS_ASSIGN(
      const auto stored,
      connection_.execute(fmt::format(
          "INSERT INTO {} (task, topic, stream, target, source, schema_id, columns, actions, created, has_rows, "
          "filled, definition) SELECT task, topic, stream, {}, {}, {}, {}, {}, {}, {}, {}, {} FROM {}{} AND token={} "
          "ON DUPLICATE KEY UPDATE source=VALUES(source), schema_id=VALUES(schema_id), columns=VALUES(columns), "
          "actions=VALUES(actions), created=VALUES(created), has_rows=VALUES(has_rows), "
          "filled=VALUES(filled), definition=VALUES(definition)",
          tables(database), quote_text(table.target), quote_text(table.source), table.schema.value(),
          quote_text(lines_text(table.columns)), quote_text(lines_text(table.actions)), quote_text(table.created),
          table.has_rows ? 1 : 0, quote_text(lines_text(table.filled)), quote_text(stamped(table)),
          quote_identifier(database, "ledger"), where_stream(key), token)));
  return stored != 0;
}

base::Result<void> MariaDbLedgerStore::set_has_rows(const std::string& database, const LedgerKey& key,
                                                    const std::string& target, bool has_rows) {
  return run(fmt::format("UPDATE {} SET has_rows={}{}", tables(database), has_rows ? 1 : 0, where_target(key, target)));
}

base::Result<void> MariaDbLedgerStore::add_filled(const std::string& database, const LedgerKey& key,
                                                  const std::string& target, const std::vector<std::string>& columns) {
  return run(fmt::format("UPDATE {} SET filled=CONCAT(filled, {}){}", tables(database), quote_text(lines_text(columns)),
                         where_target(key, target)));
}

base::Result<std::optional<std::string>> MariaDbLedgerStore::other_source(const std::string& database,
                                                                          const LedgerKey& key,
                                                                          const std::string& target,
                                                                          const std::string& source) {
  return connection_.query_one(fmt::format(
      "SELECT source FROM {} WHERE task={} AND topic={} AND stream<>{} AND target={} AND source<>{} LIMIT 1",
      tables(database), quote_text(key.task), quote_text(key.topic), key.stream, quote_text(target),
      quote_text(source)));
}

base::Result<std::optional<std::string>> MariaDbLedgerStore::other_task(const std::string& database,
                                                                        const std::string& task,
                                                                        const std::string& target) {
  return connection_.query_one(fmt::format("SELECT task FROM {} WHERE task<>{} AND target={} LIMIT 1", tables(database),
                                           quote_text(task), quote_text(target)));
}

base::Result<void> MariaDbLedgerStore::remove_known(const std::string& database, const LedgerKey& key,
                                                    const std::string& target, std::optional<std::uint64_t> token) {
  if (token) {
    // In a statement of its own: a DELETE that reads the ledger waits for the stream's open transaction.
    DS_ASSIGN(const auto mine,
              connection_.query_one(fmt::format("SELECT 1 FROM {}{} AND token={}", quote_identifier(database, "ledger"),
                                                where_stream(key), *token)));
    if (!mine) return {};
  }
  return run(fmt::format("DELETE FROM {}{}", tables(database), where_target(key, target)));
}

base::Result<std::vector<HeldTable>> MariaDbLedgerStore::held_tables(const std::string& database,
                                                                     const LedgerKey& key) {
  std::vector<HeldTable> out;
  DS_ASSIGN(const bool there, has_table(database, "held"));
  if (!there) return out;
  DS_ASSIGN(const auto rows,
            connection_.query(fmt::format(
                "SELECT destination_table, source_table, reason, message, next_offset, epoch, gtids, snapshot, "
                "last_record, refused_at, since, tries, awaited FROM {}{}",
                held(database), where_stream(key))));
  for (const auto& row : rows) {
    DS_ASSIGN(auto table, read_held(row));
    out.push_back(std::move(table));
  }
  return out;
}

base::Result<void> MariaDbLedgerStore::insert_held(const std::string& database, const LedgerKey& key,
                                                   const HeldTable& table) {
  return run(fmt::format(
      "INSERT INTO {} SET task={}, topic={}, stream={}, destination_table={}, source_table={}, reason='{}', "
      "message={}, {}, refused_at={}, since={}, tries={}",
      held(database), quote_text(key.task), quote_text(key.topic), key.stream, quote_text(table.table),
      quote_text(table.source), base::to_string(table.reason), quote_text(table.message), place_of(table.at),
      table.refused_at, table.since, table.tries));
}

base::Result<void> MariaDbLedgerStore::set_refused(const std::string& database, const LedgerKey& key,
                                                   const HeldTable& table) {
  return run(fmt::format("UPDATE {} SET destination_table={}, reason='{}', message={}, refused_at={}, tries={}{}",
                         held(database), quote_text(table.table), base::to_string(table.reason),
                         quote_text(table.message), table.refused_at, table.tries, where_source(key, table.source)));
}

base::Result<bool> MariaDbLedgerStore::set_place(const std::string& database, const LedgerKey& key,
                                                 const std::string& source, const LedgerState& at, bool emptied) {
  DS_ASSIGN(const auto matched,
            connection_.execute(fmt::format("UPDATE {} SET {}{}{}", held(database), place_of(at),
                                            emptied ? ", refused_at=-1" : "", where_source(key, source))));
  return matched == 1;
}

base::Result<void> MariaDbLedgerStore::remove_held(const std::string& database, const LedgerKey& key,
                                                   const std::string& source) {
  return run(fmt::format("DELETE FROM {}{}", held(database), where_source(key, source)));
}

}  // namespace datasync::apply
