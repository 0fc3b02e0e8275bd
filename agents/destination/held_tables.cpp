#include "agents/destination/held_tables.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "agents/base/clock.hpp"
#include "agents/base/identifier.hpp"
#include "agents/destination/copy_token.hpp"
#include "agents/destination/ledger_tables.hpp"
#include "agents/message/row.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

constexpr std::string_view kTable = "held";
constexpr std::size_t kLongestMessage = 2048;

base::Error damaged(std::string_view what) {
  return {Reason::LedgerInvalid, fmt::format("the table of held tables at the destination: {}", what)};
}

template <class T>
base::Result<T> number(const std::optional<std::string>& field, std::string_view name) {
  T value{};
  const std::string_view text = field ? *field : std::string_view{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return damaged(fmt::format("{} is '{}'", name, text));
  return value;
}

Reason parse_reason(std::string_view name) {
  for (const auto& info : base::all_reasons())
    if (info.name == name) return info.reason;
  return Reason::Internal;  // of another version
}

/// What the table's character set takes: cut, and without bytes that are not UTF-8.
std::string storable(std::string_view text) {
  const auto cut = nlohmann::json(text.substr(0, kLongestMessage));
  return nlohmann::json::parse(cut.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)).get<std::string>();
}

base::Result<HeldTable> read_row(const sql::Row& row) {
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

/// The annotation that it recommends has a value of its own for each place: one that was used before asks for nothing.
std::string message_at(std::int64_t next_offset, std::int32_t stream, const std::string& message) {
  return storable(with_token({Reason::Internal, message}, fmt::format("{}-{}", stream, next_offset)).what);
}

std::string place_of(const LedgerState& at) {
  return fmt::format("next_offset={}, epoch={}, gtids='{}', snapshot={}, last_record={}, awaited={}", at.next_offset,
                     at.epoch.value(), at.gtids.text(), sql::quote_text(to_text(at.snapshot)), at.last_record,
                     sql::quote_text(to_text(at.awaited)));
}

}  // namespace

bool may_hold(const Error& error) noexcept {
  return error.outcome() == base::Outcome::Halt || error.is(Reason::PermissionDenied);
}

bool empties_table(const message::TableRows& rows) noexcept {
  return !rows.rows.empty() && static_cast<message::Op>(rows.rows.front()) == message::Op::Truncate;
}

base::Result<ForeignKeyGraph> ForeignKeyGraph::read(sql::Connection& connection) {
  DS_ASSIGN(const auto rows, connection.query("SELECT DISTINCT table_schema, table_name, referenced_table_schema, "
                                              "referenced_table_name FROM information_schema.key_column_usage WHERE "
                                              "referenced_table_name IS NOT NULL"));
  ForeignKeyGraph out;
  for (const auto& row : rows)
    out.add(row[0].value_or("") + "." + row[1].value_or(""), row[2].value_or("") + "." + row[3].value_or(""));
  return out;
}

void ForeignKeyGraph::add(std::string_view child, std::string_view parent) {
  const auto a = base::fold_identifier(child);
  const auto b = base::fold_identifier(parent);
  next_[a].push_back(b);
  next_[b].push_back(a);
}

std::vector<std::string> ForeignKeyGraph::connected(std::string_view table,
                                                    const std::vector<std::string>& among) const {
  std::set<std::string> seen{base::fold_identifier(table)};
  std::vector<std::string> open(seen.begin(), seen.end());
  while (!open.empty()) {
    const auto at = next_.find(open.back());
    open.pop_back();
    if (at == next_.end()) continue;
    for (const auto& next : at->second)
      if (seen.insert(next).second) open.push_back(next);
  }
  std::vector<std::string> out;
  std::ranges::copy_if(among, std::back_inserter(out),
                       [&](const auto& name) { return seen.contains(base::fold_identifier(name)); });
  return out;
}

std::vector<std::string> connected_held(const ForeignKeyGraph& graph, const std::string& target,
                                        const std::vector<HeldTable>& held) {
  std::vector<std::string> among;
  for (const auto& table : held)
    if (table.table != target) among.push_back(table.table);
  const auto connected = graph.connected(target, among);
  std::vector<std::string> out;
  for (const auto& table : held)
    if (std::ranges::find(connected, table.table) != connected.end()) out.push_back(table.source);
  return out;
}

base::Result<void> HeldTables::create(sql::Connection& connection, const Dialect& dialect,
                                      const std::string& database) {
  // Asked first, as for the ledger: who may not create tables works with one that somebody else made.
  DS_ASSIGN(const auto there, ledger_table_exists(connection, database, kTable));
  if (there) return {};
  DS_TRY(connection.execute(dialect.create_held(database)));
  return {};
}

base::Result<void> HeldTables::forget(sql::Connection& connection, const Dialect& dialect, const std::string& database,
                                      const std::string& task) {
  return forget_task(connection, dialect, database, kTable, task);
}

base::Result<void> HeldTables::forget_stream(sql::Connection& connection, const Dialect& dialect,
                                             const std::string& database, const std::string& where) {
  return forget_rows(connection, dialect, database, kTable, where);
}

base::Result<void> HeldTables::load(sql::Connection& connection, const Dialect& dialect, const Awaited& awaited) {
  DS_ASSIGN(const auto there, ledger_table_exists(connection, database_, kTable));
  std::map<std::string, HeldTable> tables;
  if (there) {
    DS_ASSIGN(
        const auto rows,
        connection.query(fmt::format(
            "SELECT destination_table, source_table, reason, message, next_offset, epoch, gtids, snapshot, "
            "last_record, refused_at, since, tries, awaited FROM {} WHERE task={} AND topic={} AND stream={}",
            dialect.quote(database_, kTable), sql::quote_text(key_.task), sql::quote_text(key_.topic), key_.stream)));
    for (const auto& row : rows) {
      DS_ASSIGN(auto table, read_row(row));
      if (target_of_) table.table = target_of_(table.source);
      auto name = table.source;
      tables.insert_or_assign(std::move(name), std::move(table));
    }
  }
  DS_TRY(check_record(connection, dialect, awaited, tables));
  tables_ = std::move(tables);
  return {};
}

const HeldTable* HeldTables::find(const std::string& source) const {
  const auto at = tables_.find(source);
  return at == tables_.end() ? nullptr : &at->second;
}

std::vector<std::string> HeldTables::names() const {
  std::vector<std::string> out;
  for (const auto& [name, table] : tables_) out.push_back(name);
  return out;
}

std::vector<HeldTable> HeldTables::all() const {
  std::vector<HeldTable> out;
  for (const auto& [name, table] : tables_) out.push_back(table);
  return out;
}

std::string HeldTables::of_stream() const {
  return fmt::format(" WHERE task={} AND topic={} AND stream={}", sql::quote_text(key_.task),
                     sql::quote_text(key_.topic), key_.stream);
}

std::string HeldTables::where(const std::string& source) const {
  return of_stream() + " AND source_table=" + sql::quote_text(source);
}

base::Result<void> HeldTables::put(sql::Connection& connection, const Dialect& dialect, HeldTable table) {
  if (find(table.source) != nullptr)
    return refused(connection, dialect, table.source, table.reason, table.message, table.refused_at);
  table.message = message_at(table.at.next_offset, key_.stream, table.message);
  table.since = std::chrono::duration_cast<std::chrono::seconds>(base::wall_now().time_since_epoch()).count();
  table.tries = 1;
  // Where no record was refused, but the table is missing: that of the place.
  table.refused_at = std::max<std::int64_t>({table.refused_at, table.at.next_offset - 1, 0});
  DS_TRY(connection.execute(fmt::format(
      "INSERT INTO {} SET task={}, topic={}, stream={}, destination_table={}, source_table={}, reason='{}', "
      "message={}, {}, refused_at={}, since={}, tries={}",
      dialect.quote(database_, kTable), sql::quote_text(key_.task), sql::quote_text(key_.topic), key_.stream,
      sql::quote_text(table.table), sql::quote_text(table.source), base::to_string(table.reason),
      sql::quote_text(table.message), place_of(table.at), table.refused_at, table.since, table.tries)));
  auto name = table.source;
  tables_.insert_or_assign(std::move(name), std::move(table));
  return record(connection, dialect);
}

base::Result<void> HeldTables::refused(sql::Connection& connection, const Dialect& dialect, const std::string& source,
                                       Reason reason, const std::string& message, std::int64_t refused_at) {
  const auto at = tables_.find(source);
  if (at == tables_.end()) return {};
  auto& held = at->second;
  held.reason = reason;
  held.message = message_at(held.at.next_offset, key_.stream, message);
  held.refused_at = std::max(held.refused_at, refused_at);
  ++held.tries;
  DS_TRY(connection.execute(
      fmt::format("UPDATE {} SET destination_table={}, reason='{}', message={}, refused_at={}, tries={}{}",
                  dialect.quote(database_, kTable), sql::quote_text(held.table), base::to_string(held.reason),
                  sql::quote_text(held.message), held.refused_at, held.tries, where(source))));
  return {};
}

base::Result<void> HeldTables::move(sql::Connection& connection, const Dialect& dialect,
                                    const std::vector<std::string>& tables, const LedgerState& to) const {
  for (const auto& name : tables) {
    const auto* table = find(name);
    if (table == nullptr || table->at.next_offset >= to.next_offset) continue;
    DS_TRY(set_place(connection, dialect, name, place_of(to)));
  }
  return {};
}

base::Result<void> HeldTables::set_place(sql::Connection& connection, const Dialect& dialect, const std::string& source,
                                         const std::string& assignments) const {
  DS_ASSIGN(const auto matched, connection.execute(fmt::format("UPDATE {} SET {}{}", dialect.quote(database_, kTable),
                                                               assignments, where(source))));
  if (matched != 1) return damaged(fmt::format("the row of {} no longer exists", source));
  return {};
}

// Also at the same place: a copy may have been awaited up to there.
base::Result<void> HeldTables::empty_at(sql::Connection& connection, const Dialect& dialect, const std::string& table,
                                        const LedgerState& to) const {
  const auto* held = find(table);
  if (held == nullptr || held->at.next_offset > to.next_offset) return {};
  return set_place(connection, dialect, table, place_of(to) + ", refused_at=-1");
}

void HeldTables::was_emptied(const std::string& table, const LedgerState& to) {
  const auto at = tables_.find(table);
  if (at == tables_.end() || at->second.at.next_offset > to.next_offset) return;
  at->second.at = to;
  at->second.refused_at = -1;
}

void HeldTables::moved(const std::vector<std::string>& tables, const LedgerState& to) {
  for (const auto& name : tables) {
    const auto at = tables_.find(name);
    if (at != tables_.end() && at->second.at.next_offset < to.next_offset) at->second.at = to;
  }
}

base::Result<void> HeldTables::remove(sql::Connection& connection, const Dialect& dialect,
                                      const std::vector<std::string>& tables) {
  for (const auto& name : tables) {
    DS_TRY(connection.execute(fmt::format("DELETE FROM {}{}", dialect.quote(database_, kTable), where(name))));
    tables_.erase(name);
  }
  return tables.empty() ? base::Result<void>() : record(connection, dialect);
}

}  // namespace datasync::apply
