// The tables `ledger` and `instances`.

#include "agents/destination/mariadb/ledger_store.hpp"

#include <utility>

#include <fmt/format.h>

#include "agents/destination/mariadb/ledger_tables.hpp"
#include "agents/destination/mariadb/whole_number.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using sql::quote_identifier;
using sql::quote_text;

constexpr std::string_view kUnknown = "?";  // of a ledger from before it had the names of held tables

template <class T>
base::Result<T> number(const std::optional<std::string>& field, std::string_view name) {
  if (const auto value = whole_number<T>(field)) return *value;
  return Error(Reason::LedgerInvalid, fmt::format("the ledger's {} is '{}'", name, field.value_or("")));
}

base::Result<LedgerRow> read_row(const sql::Row& row) {
  LedgerRow out;
  auto& state = out.state;
  DS_ASSIGN(state.next_offset, number<std::int64_t>(row[0], "next_offset"));
  DS_ASSIGN(const auto epoch, number<std::uint64_t>(row[1], "epoch"));
  state.epoch = message::Epoch(epoch);
  auto gtids = message::GtidSet::parse(row[2].value_or(""));
  if (!gtids) return Error(Reason::LedgerInvalid, "the ledger's gtids: " + gtids.error().what);
  state.gtids = std::move(*gtids);
  DS_ASSIGN(state.snapshot, parse_snapshot_state(row[3].value_or("")));
  DS_ASSIGN(state.last_record, number<std::uint64_t>(row[4], "last_record"));
  DS_ASSIGN(out.token, number<std::uint64_t>(row[5], "token"));
  out.instance = row[6].value_or("");
  out.types = row[7].value_or("");
  DS_ASSIGN(state.awaited, parse_awaited(row[8].value_or("")));
  return out;
}

std::string ledger(const std::string& database) {
  return quote_identifier(database, "ledger");
}
std::string instances_of(const std::string& database) {
  return quote_identifier(database, "instances");
}
std::string where(const InstanceKey& key) {
  return fmt::format(" WHERE task={} AND topic={}", quote_text(key.task), quote_text(key.topic));
}

}  // namespace

std::string where_stream(const LedgerKey& key) {
  return fmt::format(" WHERE task={} AND topic={} AND stream={}", quote_text(key.task), quote_text(key.topic),
                     key.stream);
}

base::Result<void> MariaDbLedgerStore::run(const std::string& statement) {
  DS_TRY(connection_.execute(statement));
  return {};
}

base::Result<bool> MariaDbLedgerStore::has_table(const std::string& database, std::string_view table) {
  DS_ASSIGN(const auto there, connection_.query_one(fmt::format(
                                  "SELECT 1 FROM information_schema.tables WHERE table_schema={} AND table_name={}",
                                  quote_text(database), quote_text(table))));
  return there.has_value();
}

base::Result<bool> MariaDbLedgerStore::has_column(const std::string& database, std::string_view table,
                                                  const std::string& column) {
  DS_ASSIGN(const auto there,
            connection_.query_one(fmt::format("SELECT 1 FROM information_schema.columns WHERE table_schema={} AND "
                                              "table_name={} AND column_name={}",
                                              quote_text(database), quote_text(table), quote_text(column))));
  return there.has_value();
}

base::Result<void> MariaDbLedgerStore::create_ledger(const std::string& database) {
  // Who made the ledger for this agent can widen it, too.
  const auto named = [&](const std::string& statement) -> base::Result<void> {
    if (auto done = run(statement); !done)
      return Error(done.error().reason, fmt::format("{} (for: {})", done.error().what, statement));
    return {};
  };
  DS_ASSIGN(const bool there, has_table(database, "ledger"));
  if (!there) {
    DS_TRY(run("CREATE DATABASE IF NOT EXISTS " + quote_identifier(database)));
    DS_TRY(run(apply::create_ledger(database)));
  } else {
    for (const auto& [column, statement] : added_to_ledger(database)) {
      DS_ASSIGN(const bool has, has_column(database, "ledger", column));
      if (!has) DS_TRY(named(statement));
    }
  }
  DS_ASSIGN(const bool ranked, has_table(database, "instances"));
  return ranked ? base::Result<void>() : named(create_instances(database));
}

/// No error when there is no such table, and none for a user who may not delete when there is no such row.
base::Result<void> MariaDbLedgerStore::forget(const std::string& database, std::string_view table,
                                              const std::string& where) {
  DS_ASSIGN(const bool there, has_table(database, table));
  if (!there) return {};
  const auto from = fmt::format(" FROM {}{}", quote_identifier(database, table), where);
  DS_ASSIGN(const auto row, connection_.query_one("SELECT 1" + from + " LIMIT 1"));
  return row ? run("DELETE" + from) : base::Result<void>();
}

base::Result<void> MariaDbLedgerStore::forget_task(const std::string& database, const std::string& task) {
  const auto where = " WHERE task=" + quote_text(task);
  for (const auto* table : {"held", "tables", "ledger", "instances"}) DS_TRY(forget(database, table, where));
  return {};
}

base::Result<void> MariaDbLedgerStore::forget_tables(const std::string& database, const LedgerKey& key) {
  DS_TRY(forget(database, "held", where_stream(key)));
  return forget(database, "tables", where_stream(key));
}

base::Result<std::optional<LedgerRow>> MariaDbLedgerStore::lock_row(const std::string& database, const LedgerKey& key) {
  DS_ASSIGN(const auto rows,
            connection_.query(fmt::format(
                "SELECT next_offset, epoch, gtids, snapshot, last_record, token, instance, types, awaited FROM {}{} "
                "FOR UPDATE",
                ledger(database), where_stream(key))));
  if (rows.empty()) return std::optional<LedgerRow>{};
  DS_ASSIGN(auto row, read_row(rows.front()));
  return std::optional<LedgerRow>(std::move(row));
}

base::Result<void> MariaDbLedgerStore::insert_row(const std::string& database, const LedgerKey& key,
                                                  std::uint64_t token, const std::string& types,
                                                  const std::string& instance) {
  return run(
      fmt::format("INSERT INTO {} SET task={}, topic={}, stream={}, next_offset=-1, epoch=0, gtids='', token={}, "
                  "snapshot='', last_record=0, types={}, instance={}, awaited='', held=''",
                  ledger(database), quote_text(key.task), quote_text(key.topic), key.stream, token, quote_text(types),
                  quote_text(instance)));
}

base::Result<void> MariaDbLedgerStore::set_holder(const std::string& database, const LedgerKey& key,
                                                  std::uint64_t token, const std::string& types,
                                                  const std::string& instance) {
  return run(fmt::format("UPDATE {} SET token={}, types={}, instance={}{}", ledger(database), token, quote_text(types),
                         quote_text(instance), where_stream(key)));
}

base::Result<bool> MariaDbLedgerStore::write_state(const std::string& database, const LedgerKey& key,
                                                   std::uint64_t token, const LedgerState& state, LedgerParts parts) {
  std::string more;
  if (parts.snapshot) more = ", snapshot=" + quote_text(to_text(state.snapshot));
  if (parts.awaited) more += ", awaited=" + quote_text(to_text(state.awaited));
  DS_ASSIGN(const auto matched,
            connection_.execute(fmt::format("UPDATE {} SET next_offset={}, epoch={}, gtids='{}', last_record={}{}{} "
                                            "AND token={}",
                                            ledger(database), state.next_offset, state.epoch.value(),
                                            state.gtids.text(), state.last_record, more, where_stream(key), token)));
  return matched == 1;
}

base::Result<bool> MariaDbLedgerStore::lock_token(const std::string& database, const LedgerKey& key,
                                                  std::uint64_t token) {
  DS_ASSIGN(const auto mine, connection_.query_one(fmt::format("SELECT token FROM {}{} AND token={} FOR UPDATE",
                                                               ledger(database), where_stream(key), token)));
  return mine.has_value();
}

base::Result<std::optional<std::int64_t>> MariaDbLedgerStore::next_offset(const std::string& database,
                                                                          const LedgerKey& key, std::uint64_t token) {
  DS_ASSIGN(const auto mine, connection_.query_one(fmt::format("SELECT next_offset FROM {}{} AND token={}",
                                                               ledger(database), where_stream(key), token)));
  if (!mine) return std::optional<std::int64_t>{};
  DS_ASSIGN(const auto offset, number<std::int64_t>(mine, "next_offset"));
  return std::optional<std::int64_t>(offset);
}

base::Result<std::optional<std::vector<std::string>>> MariaDbLedgerStore::held_names(const std::string& database,
                                                                                     const LedgerKey& key) {
  DS_ASSIGN(const auto text,
            connection_.query_one(fmt::format("SELECT held FROM {}{}", ledger(database), where_stream(key))));
  if (!text || *text == kUnknown) return std::optional<std::vector<std::string>>{};
  return std::optional<std::vector<std::string>>(parse_lines(*text));
}

base::Result<void> MariaDbLedgerStore::set_held_names(const std::string& database, const LedgerKey& key,
                                                      const std::vector<std::string>& names) {
  return run(
      fmt::format("UPDATE {} SET held={}{}", ledger(database), quote_text(lines_text(names)), where_stream(key)));
}

base::Result<std::vector<InstanceRank>> MariaDbLedgerStore::instances(const std::string& database,
                                                                      const InstanceKey& key, bool lock) {
  DS_ASSIGN(const auto rows,
            connection_.query(fmt::format("SELECT instance, `rank` FROM {}{} ORDER BY `rank` DESC{}",
                                          instances_of(database), where(key), lock ? " FOR UPDATE" : "")));
  std::vector<InstanceRank> out;
  for (const auto& row : rows) {
    const auto rank = number<std::uint64_t>(row[1], "rank");
    if (!rank) return Error(Reason::LedgerInvalid, "a rank in the table of instances is not a number");
    out.push_back({row[0].value_or(""), *rank});
  }
  return out;
}

base::Result<void> MariaDbLedgerStore::insert_instance(const std::string& database, const InstanceKey& key,
                                                       std::uint64_t rank) {
  return run(fmt::format("INSERT INTO {} SET task={}, topic={}, instance={}, `rank`={}", instances_of(database),
                         quote_text(key.task), quote_text(key.topic), quote_text(key.instance), rank));
}

base::Result<void> MariaDbLedgerStore::trim_instances(const std::string& database, const InstanceKey& key,
                                                      std::uint64_t kept) {
  return run(fmt::format(
      "DELETE FROM {}{} AND `rank` + {} < (SELECT newest FROM (SELECT MAX(`rank`) AS newest FROM {}{}) AS m)",
      instances_of(database), where(key), kept, instances_of(database), where(key)));
}

}  // namespace datasync::apply
