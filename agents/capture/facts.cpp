#include "agents/capture/facts.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace datasync::capture {
namespace {

using base::Reason;

constexpr std::string_view kVariables =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin','log_slave_updates','binlog_format','binlog_row_image',"
    "'binlog_row_metadata','gtid_strict_mode','read_only','server_id','lower_case_table_names')";
constexpr unsigned kTableAccessDenied = 1142, kColumnAccessDenied = 1143, kDatabaseAccessDenied = 1044;

std::uint32_t to_number(const std::optional<std::string>& text) {
  std::uint32_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

/// A query that a privilege may forbid: nothing when it does.
base::Result<std::optional<std::vector<sql::Row>>> try_query(sql::Connection& connection, std::string_view sql) {
  auto rows = connection.query(sql);
  if (rows) return std::optional(std::move(*rows));
  if (rows.error().is(Reason::PermissionDenied)) return std::optional<std::vector<sql::Row>>();
  return base::Error(std::move(rows).error());
}

base::Result<void> gather_ids(sql::Connection& connection, ServerFacts& facts) {
  facts.other_server_ids.push_back(to_number(facts.variables["server_id"]));
  DS_ASSIGN(const auto hosts, try_query(connection, "SHOW SLAVE HOSTS"));
  if (hosts)
    for (const auto& row : *hosts) facts.other_server_ids.push_back(to_number(row.front()));
  DS_ASSIGN(const auto masters, connection.query_one("SELECT @@GLOBAL.gtid_slave_pos"));
  facts.is_replica = masters && !masters->empty();
  return {};
}

base::Result<message::GtidSet> gtids(sql::Connection& connection, std::string_view sql) {
  DS_ASSIGN(const auto text, connection.query_one(sql));
  return message::GtidSet::parse(text.value_or(""));
}

// Columns of SHOW ALL SLAVES STATUS since 10.0; later versions add theirs at the end.
constexpr std::size_t kIoRunning = 12, kSqlRunning = 13, kSecondsBehind = 34;

}  // namespace

Lateness lateness_of(const std::vector<sql::Row>& status) {
  Lateness all;
  for (const auto& row : status) {
    if (row.size() <= kSecondsBehind) continue;
    all.replicates = all.replicates && row[kIoRunning] == "Yes" && row[kSqlRunning] == "Yes";
    if (row[kSecondsBehind])
      all.seconds = std::max(all.seconds.value_or(0), static_cast<double>(to_number(row[kSecondsBehind])));
  }
  return all;
}

base::Result<Lateness> gather_lateness(sql::Connection& connection) {
  DS_ASSIGN(const auto status, try_query(connection, "SHOW ALL SLAVES STATUS"));
  return status ? lateness_of(*status) : Lateness{};
}

base::Result<ServerFacts> gather_server(sql::Connection& connection) {
  ServerFacts facts;
  facts.is_mariadb = connection.is_mariadb();
  facts.version = connection.server_version();
  if (!facts.is_mariadb) return facts;
  DS_ASSIGN(const auto user, connection.query_one("SELECT CURRENT_USER()"));
  facts.user = user.value_or("?");
  if (const auto at = facts.user.rfind('@'); at != std::string::npos)
    facts.user =
        fmt::format("{}@{}", sql::quote_text(facts.user.substr(0, at)), sql::quote_text(facts.user.substr(at + 1)));
  DS_ASSIGN(const auto variables, connection.query(kVariables));
  for (const auto& row : variables) facts.variables[row.at(0).value_or("")] = row.at(1).value_or("");
  DS_ASSIGN(const auto grants, connection.query("SHOW GRANTS"));
  for (const auto& row : grants) facts.grants.push_back(row.front().value_or(""));
  if (facts.variables["log_bin"] == "ON") {
    DS_ASSIGN(const auto logs, try_query(connection, "SHOW BINARY LOGS"));
    facts.may_list_binlogs = logs.has_value();
  }
  DS_TRY(gather_ids(connection, facts));
  return facts;
}

base::Result<TableFacts> gather_table(sql::Connection& connection, const TableChoice& choice) {
  TableFacts t;
  t.choice = &choice;
  const auto name = sql::quote_identifier(choice.database, choice.table);
  auto probe = connection.query(fmt::format("SELECT 1 FROM {} LIMIT 0", name));
  if (!probe) {
    const auto number = connection.last_errno();
    t.readable = !probe.error().is(Reason::PermissionDenied) && number != kTableAccessDenied &&
                 number != kColumnAccessDenied && number != kDatabaseAccessDenied;
    if (!t.readable || probe.error().is(Reason::TableDropped)) return t;
    return base::Error(std::move(probe).error());
  }
  auto info = sql::read_table_info(connection, choice.database, choice.table);
  if (info) {
    t.info = std::move(*info);
    if (t.info && !choice.exclude.empty()) {
      DS_ASSIGN(t.computed, computed_columns(connection, choice));
    }
  } else if (info.error().is(Reason::UnsupportedType)) {
    t.problem = info.error().what;
  } else if (info.error().is(Reason::PermissionDenied)) {  // SELECT on some columns only: the others would not be seen
    t.readable = false;
  } else {
    return base::Error(std::move(info).error());
  }
  return t;
}

base::Result<std::vector<TableFacts>> gather_tables(sql::Connection& connection, const Selection& selection) {
  std::vector<TableFacts> out;
  for (const auto& choice : selection.tables()) {
    DS_ASSIGN(auto facts, gather_table(connection, choice));
    out.push_back(std::move(facts));
  }
  return out;
}

base::Result<HistoryFacts> gather_history(sql::Connection& connection) {
  HistoryFacts facts;
  DS_ASSIGN(facts.binlog, gtids(connection, "SELECT @@GLOBAL.gtid_binlog_pos"));
  DS_ASSIGN(const auto slave, gtids(connection, "SELECT @@GLOBAL.gtid_slave_pos"));
  facts.ever_replicated = !slave.empty();
  facts.executed = facts.binlog;
  facts.executed.unite(slave);
  DS_ASSIGN(const auto logs, connection.query("SHOW BINARY LOGS"));
  if (logs.empty()) return base::Error(Reason::BinlogPurged, "the server lists no binlog");
  const auto& first = logs.front().front().value_or("");
  // Position 4 is the start of a file: the answer is its GTID list, what stands in all files before it.
  DS_ASSIGN(facts.oldest, gtids(connection, fmt::format("SELECT BINLOG_GTID_POS({}, 4)", sql::quote_text(first))));
  return facts;
}

}  // namespace datasync::capture
