#include "agents/source/mariadb/server_facts.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

namespace datasync::source::mariadb {
namespace {

using base::Reason;

constexpr std::string_view kVariables =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin','log_slave_updates','binlog_format','binlog_row_image',"
    "'binlog_row_metadata','gtid_strict_mode','read_only','server_id','lower_case_table_names','replicate_do_db',"
    "'replicate_ignore_db','replicate_do_table','replicate_ignore_table','replicate_wild_do_table',"
    "'replicate_wild_ignore_table','replicate_rewrite_db','replicate_events_marked_for_skip','binlog_do_db','binlog_"
    "ignore_db','slave_run_triggers_for_rbr','slave_skip_errors','slave_exec_mode')";
constexpr unsigned kTableAccessDenied = 1142, kColumnAccessDenied = 1143, kDatabaseAccessDenied = 1044;

std::uint32_t to_number(const std::optional<std::string>& text) {
  std::uint32_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

/// A query that a privilege may forbid: nothing when it does.
template <class Rows>
base::Result<std::optional<Rows>> allowed(base::Result<Rows> rows) {
  if (rows) return std::optional(std::move(*rows));
  if (rows.error().is(Reason::PermissionDenied)) return std::optional<Rows>();
  return base::Error(std::move(rows).error());
}

base::Result<void> gather_ids(sql::Connection& connection, ServerFacts& facts) {
  facts.other_server_ids.push_back(to_number(facts.variables["server_id"]));
  DS_ASSIGN(const auto hosts, allowed(connection.query("SHOW SLAVE HOSTS")));
  if (hosts)
    for (const auto& row : *hosts) facts.other_server_ids.push_back(to_number(row.front()));
  return {};
}

base::Result<message::GtidSet> gtids(sql::Connection& connection, std::string_view sql) {
  DS_ASSIGN(const auto text, connection.query_one(sql));
  return message::GtidSet::parse(text.value_or(""));
}

constexpr std::array kFilters{"replicate_do_db",
                              "replicate_ignore_db",
                              "replicate_do_table",
                              "replicate_ignore_table",
                              "replicate_wild_do_table",
                              "replicate_wild_ignore_table",
                              "replicate_rewrite_db",
                              "binlog_do_db",
                              "binlog_ignore_db",
                              "replicate_events_marked_for_skip",
                              "replicate_do_domain_ids",
                              "replicate_ignore_domain_ids",
                              "replicate_ignore_server_ids"};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string field(const sql::NamedRow& row, std::string_view name) {
  const auto at = row.find(name);
  return at == row.end() ? std::string() : at->second.value_or("");
}

/// The filters among the columns of an answer.
void add_filters(const sql::NamedRow& row, const std::string& connection, ServerFacts& facts) {
  auto at = std::ranges::find(facts.filters, connection, &Filters::connection);
  if (at == facts.filters.end()) at = facts.filters.insert(at, Filters{connection, {}});
  for (const auto& [column, value] : row)
    if (std::ranges::find(kFilters, lower(column)) != kFilters.end() && value && !value->empty())
      at->values[lower(column)] = *value;
}

base::Result<std::string> gather_user(sql::Connection& connection) {
  DS_ASSIGN(const auto user, connection.query_one("SELECT CURRENT_USER()"));
  auto text = user.value_or("?");
  if (const auto at = text.rfind('@'); at != std::string::npos)
    text = fmt::format("{}@{}", sql::quote_text(text.substr(0, at)), sql::quote_text(text.substr(at + 1)));
  return text;
}

bool runs(const sql::NamedRow& row) {
  return field(row, "Slave_IO_Running") == "Yes" && field(row, "Slave_SQL_Running") == "Yes";
}

/// Without the texts of the errors: they may hold values of rows.
std::string why_not(const sql::NamedRow& row) {
  const auto name = field(row, "Connection_name");
  return fmt::format("{}{}Slave_IO_Running is {} (error {}), Slave_SQL_Running is {} (error {})",
                     name.empty() ? "" : "connection " + name, name.empty() ? "" : ": ", field(row, "Slave_IO_Running"),
                     field(row, "Last_IO_Errno"), field(row, "Slave_SQL_Running"), field(row, "Last_SQL_Errno"));
}

/// Of what has the name and is no table: "VIEW", "SEQUENCE".
base::Result<std::string> kind_of(sql::Connection& connection, const TableChoice& choice) {
  DS_ASSIGN(const auto kind,
            connection.query(
                fmt::format("SELECT table_type FROM information_schema.tables WHERE table_schema={} AND table_name={}",
                            sql::quote_text(choice.database), sql::quote_text(choice.table))));
  return kind.empty() ? std::string() : kind.front().at(0).value_or("");
}

}  // namespace

ReplicationLag replication_lag_of(const std::vector<sql::NamedRow>& status, bool must_replicate) {
  ReplicationLag all;
  all.has_primary = !status.empty();
  if (status.empty() && must_replicate) {
    all.replicates = false;
    all.why = "no connection to a primary is configured";
  }
  bool unknown = false;
  for (const auto& row : status) {
    if (!runs(row)) {
      all.replicates = false;
      all.why += (all.why.empty() ? "" : "; ") + why_not(row);
    }
    const auto seconds = row.find("Seconds_Behind_Master");
    if (seconds == row.end() || !seconds->second)
      unknown = true;
    else
      all.seconds = std::max(all.seconds.value_or(0), static_cast<double>(to_number(seconds->second)));
  }
  if (unknown || !all.replicates) all.seconds.reset();  // what one connection lacks may be the most
  return all;
}

bool replicates_all_domains(const std::vector<sql::NamedRow>& status) {
  return !status.empty() && std::ranges::all_of(status, [](const sql::NamedRow& row) {
    return runs(row) && lower(field(row, "Using_Gtid")) == "slave_pos";
  });
}

base::Result<GatheredServer> gather_condition(sql::Connection& connection, bool allow_primary) {
  GatheredServer out;
  auto& facts = out.server;
  facts.is_mariadb = connection.is_mariadb();
  facts.version = connection.server_version();
  if (!facts.is_mariadb) return out;
  DS_ASSIGN(const auto variables, connection.query(kVariables));
  sql::NamedRow global;
  for (const auto& row : variables) global[row.at(0).value_or("")] = row.at(1);
  for (const auto& [name, value] : global) facts.variables[name] = value.value_or("");
  add_filters(global, "", facts);
  DS_ASSIGN(const auto masters, connection.query_one("SELECT @@GLOBAL.gtid_slave_pos"));
  facts.is_replica = masters && !masters->empty();
  DS_ASSIGN(out.replicated, message::GtidSet::parse(masters.value_or("")));
  DS_ASSIGN(const auto binlog, allowed(connection.query_named("SHOW MASTER STATUS")));
  facts.may_list_binlogs = binlog.has_value();
  if (binlog)
    for (const auto& row : *binlog) add_filters(row, "", facts);
  DS_ASSIGN(const auto status, allowed(connection.query_named("SHOW ALL SLAVES STATUS")));
  facts.may_see_replication = status.has_value();
  if (!status || !binlog) {
    DS_ASSIGN(facts.user, gather_user(connection));
  }
  if (!status) return out;
  for (const auto& row : *status) add_filters(row, field(row, "Connection_name"), facts);
  out.lag = replication_lag_of(*status, facts.is_replica && !allow_primary);
  return out;
}

base::Result<GatheredServer> gather_server(sql::Connection& connection, bool allow_primary) {
  DS_ASSIGN(auto out, gather_condition(connection, allow_primary));
  auto& facts = out.server;
  if (!facts.is_mariadb) return out;
  DS_ASSIGN(facts.user, gather_user(connection));
  DS_ASSIGN(const auto grants, connection.query("SHOW GRANTS"));
  for (const auto& row : grants) facts.grants.push_back(row.front().value_or(""));
  if (facts.variables["log_bin"] == "ON") {
    DS_ASSIGN(const auto logs, allowed(connection.query("SHOW BINARY LOGS")));
    facts.may_list_binlogs = facts.may_list_binlogs && logs.has_value();
  }
  DS_TRY(gather_ids(connection, facts));
  return out;
}

base::Result<TableDetails> gather_table(sql::Connection& connection, const TableChoice& choice,
                                        const std::string& user) {
  TableDetails t;
  t.user = user;
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
  auto info = sql::read_table_info(connection, choice.database, choice.table, choice.exclude);
  if (info) {
    t.info = std::move(*info);
    if (t.info) {
      DS_ASSIGN(t.computed, computed_columns(connection, choice));
    } else {
      DS_ASSIGN(t.kind, kind_of(connection, choice));
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

message::GtidSet Executed::all() const {
  auto all = binlog;
  all.unite(replicated);
  return all;
}

base::Result<Executed> gather_executed(sql::Connection& connection) {
  // In this order: a transaction is in the binlog before it is in gtid_slave_pos.
  Executed executed;
  DS_ASSIGN(executed.replicated, gtids(connection, "SELECT @@GLOBAL.gtid_slave_pos"));
  DS_ASSIGN(executed.binlog, gather_binlog_end(connection));
  return executed;
}

base::Result<message::GtidSet> gather_binlog_end(sql::Connection& connection) {
  return gtids(connection, "SELECT @@GLOBAL.gtid_binlog_pos");
}

base::Result<HistoryFacts> gather_history(sql::Connection& connection) {
  HistoryFacts facts;
  DS_ASSIGN(const auto executed, gather_executed(connection));
  facts.binlog = executed.binlog;
  facts.replicated = executed.replicated;
  facts.ever_replicated = !executed.replicated.empty();
  facts.executed = executed.all();
  DS_ASSIGN(const auto server_id, connection.query_one("SELECT @@GLOBAL.server_id"));
  facts.server_id = to_number(server_id);
  DS_ASSIGN(const auto status, allowed(connection.query_named("SHOW ALL SLAVES STATUS")));
  facts.replicates_all_domains = status && replicates_all_domains(*status);
  DS_ASSIGN(const auto logs, connection.query("SHOW BINARY LOGS"));
  if (logs.empty()) return base::Error(Reason::BinlogPurged, "the server lists no binlog");
  const auto& first = logs.front().front().value_or("");
  // Position 4 is the start of a file: the answer is its GTID list, what stands in all files before it.
  DS_ASSIGN(const auto oldest,
            connection.query_one(fmt::format("SELECT BINLOG_GTID_POS({}, 4)", sql::quote_text(first))));
  // NULL is no empty list: the file was purged in between, or cannot be read.
  if (!oldest) return base::Error(Reason::SourceRestarted, fmt::format("binlog {} was removed meanwhile", first));
  DS_ASSIGN(facts.oldest, message::GtidSet::parse(*oldest));
  return facts;
}

}  // namespace datasync::source::mariadb
