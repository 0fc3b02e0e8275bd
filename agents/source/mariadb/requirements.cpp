#include "agents/source/mariadb/requirements.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/source/mariadb/virtual_columns.hpp"

namespace datasync::source::mariadb {
namespace {

using base::Reason;

bool is_on(std::string_view value) noexcept {
  return value == "ON" || value == "1" || value == "YES";
}

/// Words and values of the server.
bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

std::string variable(const ServerFacts& facts, const std::string& name) {
  const auto at = facts.variables.find(name);
  return at == facts.variables.end() ? std::string() : at->second;
}

/// A global variable that must have one value.
struct Required {
  std::string_view name, value, fix;
  bool of_sessions = false;  ///< threads and sessions that run keep the value that they began with
};
constexpr std::string_view kRunningOnes =
    "; then STOP ALL SLAVES and START ALL SLAVES, and end older sessions (KILL, or connect again): until then they "
    "keep "
    "the old value";
constexpr Required kRequired[] = {
    {"log_bin", "ON", "put log_bin=mariadb-bin into the server's option file and restart it"},
    {"binlog_format", "ROW", "SET GLOBAL binlog_format='ROW', and in the option file", true},
    {"binlog_row_image", "FULL", "SET GLOBAL binlog_row_image='FULL', and in the option file", true},
    {"binlog_row_metadata", "FULL", "SET GLOBAL binlog_row_metadata='FULL', and in the option file"},
    {"gtid_strict_mode", "ON", "SET GLOBAL gtid_strict_mode=ON, and in the option file"},
};

bool fits(std::string_view value, std::string_view wanted) {
  return wanted == "ON" ? is_on(value) : same_word(value, wanted);
}

/// True when a line of SHOW GRANTS ON *.* has the privilege. Names: https://mariadb.com/kb/en/grant/. REPLICATION SLAVE
/// ADMIN is another privilege than REPLICATION SLAVE.
bool granted(const ServerFacts& facts, std::string_view privilege) {
  const auto lists = [&](std::string_view list) {
    const auto at = list.find(privilege);
    if (at == std::string_view::npos) return false;
    const auto after = list.substr(at + privilege.size());
    return after.empty() || after.front() == ',';
  };
  return std::ranges::any_of(facts.grants, [&](const std::string& line) {
    const auto on = line.find(" ON *.* ");
    if (on == std::string::npos) return false;
    const auto list = std::string_view(line).substr(0, on);
    return list.find("ALL PRIVILEGES") != std::string_view::npos || lists(list);
  });
}

void check_key(const TableDetails& t, std::vector<Finding>& out) {
  const auto& schema = t.info->schema;
  const auto& choice = *t.choice;
  const auto name = sql::quote_identifier(choice.database, choice.table);
  const auto has = [&](std::string_view column) {
    return std::ranges::any_of(schema.columns, [&](const auto& c) { return base::same_column(c.name, column); }) ||
           std::ranges::any_of(t.info->unread_columns,
                               [&](const auto& unread) { return base::same_column(unread, column); });
  };
  if (schema.key.empty() && choice.key_columns.empty())
    out.push_back({Reason::KeyMissing, fmt::format("{} has no primary key", choice.qualified()),
                   fmt::format("ALTER TABLE {} ADD PRIMARY KEY (...), or declare keyColumns for it", name)});
  std::vector<std::string> key;
  for (const auto i : schema.key) key.push_back(schema.columns[i].name);
  if (key.empty()) key = choice.key_columns;
  for (const auto& column : key) {
    if (!has(column))
      out.push_back({Reason::KeyMissing, fmt::format("key column {} of {} is not there", column, choice.qualified()),
                     "name columns of the table in keyColumns"});
    else if (choice.excludes(column))
      out.push_back({Reason::KeyMissing, fmt::format("key column {} of {} is excluded", column, choice.qualified()),
                     "take it out of excludeColumns"});
  }
}

void check_exclusions(const TableDetails& t, std::vector<Finding>& out) {
  const auto& choice = *t.choice;
  for (const auto& column : missing_exclusions(choice, t.info->schema, t.info->unread_columns))
    out.push_back({Reason::PreflightFailed,
                   fmt::format("excluded column {} of {} is not there", column, choice.qualified()),
                   "correct or remove it in excludeColumns"});
  for (const auto& column : computed_from_excluded(choice, t.computed))
    out.push_back({Reason::PreflightFailed,
                   fmt::format("column {} of {} is computed from an excluded column", column, choice.qualified()),
                   "name it in excludeColumns too"});
}

bool has_transactions(std::string_view engine) {
  static constexpr std::string_view kThese[] = {"ROCKSDB", "TokuDB", "SPIDER", "Columnstore", "FEDERATED", "OQGRAPH"};
  return std::ranges::any_of(kThese, [&](auto name) { return same_word(engine, name); });
}

void check_engine(const TableDetails& t, const std::string& name, std::vector<Finding>& out) {
  const auto& engine = t.info->engine;
  if (same_word(engine, "InnoDB")) return;
  const bool other = has_transactions(engine);
  out.push_back({other ? Reason::PreflightFailed : Reason::EngineNotTransactional,
                 fmt::format("{} has engine {}{}", t.choice->qualified(), engine,
                             other ? "; only InnoDB is supported" : ", which has no transactions"),
                 fmt::format("ALTER TABLE {} ENGINE=InnoDB", name)});
}

void check_missing(const TableDetails& t, std::vector<Finding>& out) {
  const bool view = t.kind.find("VIEW") != std::string::npos;
  const auto what = t.kind.empty() ? " does not exist" : fmt::format(" is a {}, not a table", t.kind);
  out.push_back({Reason::PreflightFailed, t.choice->qualified() + what,
                 view             ? "name the tables that it selects from in its place"
                 : t.kind.empty() ? "create it, or take it out of the type"
                                  : "take it out of the type"});
}

void check_foreign_keys(const TableDetails& t, const Selection& selection, const Rules& rules,
                        std::vector<Finding>& out) {
  for (const auto& fk : t.info->foreign_keys) {
    const auto& choice = *t.choice;
    if (!rules.allow_cascades && fk.acts())
      out.push_back(
          {Reason::PreflightFailed,
           fmt::format("foreign key {} of {} changes rows by ON DELETE {} ON UPDATE {}; such changes are not in "
                       "the binlog",
                       fk.name, choice.qualified(), fk.on_delete, fk.on_update),
           fmt::format("ALTER TABLE {0} DROP FOREIGN KEY {1}, ADD CONSTRAINT {1} FOREIGN KEY ... without these "
                       "actions, or set allowCascades: true when the destination has the same foreign key",
                       sql::quote_identifier(choice.database, choice.table), sql::quote_identifier(fk.name))});
    const auto* parent = selection.find(fk.parent_database, fk.parent_table);
    if (rules.allow_cascades && parent == nullptr && fk.acts())
      out.push_back(
          {Reason::PreflightFailed,
           fmt::format("foreign key {} of {} changes rows by ON DELETE {} ON UPDATE {} of {}.{}, which is not "
                       "captured; such changes are not in the binlog",
                       fk.name, choice.qualified(), fk.on_delete, fk.on_update, fk.parent_database, fk.parent_table),
           fmt::format("name {0}.{1} in a type too, or ALTER TABLE {2} DROP FOREIGN KEY {3}, ADD CONSTRAINT {3} "
                       "FOREIGN KEY ... without these actions",
                       fk.parent_database, fk.parent_table, sql::quote_identifier(choice.database, choice.table),
                       sql::quote_identifier(fk.name))});
    if (parent != nullptr && parent->stream != choice.stream)
      out.push_back({Reason::PreflightFailed,
                     fmt::format("foreign key {} of {} refers to {}, whose type {} goes to another stream", fk.name,
                                 choice.qualified(), parent->qualified(), parent->type),
                     "put both tables into one type, or set partitions: 1"});
  }
}

void settings(const ServerFacts& facts, const Rules& rules, std::vector<Finding>& out) {
  for (const auto& r : kRequired)
    if (const auto value = variable(facts, std::string(r.name)); !fits(value, r.value))
      out.push_back({Reason::PreflightFailed, fmt::format("{} is {}", r.name, value),
                     fmt::format("{}{}", r.fix, r.of_sessions ? kRunningOnes : "")});
  if (facts.is_replica && !is_on(variable(facts, "log_slave_updates")))
    out.push_back({Reason::PreflightFailed, "log_slave_updates is OFF: what it replicates is not in its binlog",
                   "put log_slave_updates=ON into the server's option file and restart it"});
  if (!rules.allow_primary && !is_on(variable(facts, "read_only")))
    out.push_back({Reason::PreflightFailed, "the server is writable, so it may be the primary",
                   "SET GLOBAL read_only=ON if it is a replica, or set allowPrimary: true"});
}

void filters(const ServerFacts& facts, const Selection& selection, std::vector<Finding>& out) {
  const bool fold = variable(facts, "lower_case_table_names") != "0";
  for (auto& f : check_filters(facts.filters, selection, fold))
    out.push_back({Reason::PreflightFailed, std::move(f.what), std::move(f.fix)});
  if (!facts.is_replica) return;
  for (auto& f : check_sql_thread(facts.variables))
    out.push_back({Reason::PreflightFailed, std::move(f.what), std::move(f.fix)});
}

}  // namespace

void check_grants(const ServerFacts& facts, bool lists, std::vector<Finding>& out) {
  if (lists && !granted(facts, "REPLICATION SLAVE") && !granted(facts, "REPLICATION REPLICA"))
    out.push_back({Reason::PermissionDenied, "the user may not read the binlog",
                   fmt::format("GRANT REPLICATION SLAVE ON *.* TO {}", facts.user)});
  if (!facts.may_list_binlogs)
    out.push_back({Reason::PermissionDenied, "the user may not list the binlogs",
                   fmt::format("GRANT BINLOG MONITOR ON *.* TO {}", facts.user)});
  if (!facts.may_see_replication)
    out.push_back({Reason::PermissionDenied,
                   "the user may not see whether the server replicates, and with which filters",
                   fmt::format("GRANT SLAVE MONITOR ON *.* TO {}", facts.user)});
}

std::vector<Finding> check_server(const ServerFacts& facts, const Rules& rules, const Selection& selection) {
  std::vector<Finding> out;
  if (!facts.is_mariadb) {
    out.push_back({Reason::PreflightFailed, fmt::format("the server is {}, not MariaDB", facts.version),
                   "name a MariaDB replica"});
    return out;
  }
  settings(facts, rules, out);
  filters(facts, selection, out);
  if (std::ranges::find(facts.other_server_ids, rules.server_id) != facts.other_server_ids.end())
    out.push_back(
        {Reason::DuplicateServerId,
         fmt::format("server id {} is used by the server, its primary or a replica", rules.server_id),
         "give the other server or client another server_id (an agent that is configured manually: another serverId)"});
  check_grants(facts, true, out);
  return out;
}

std::vector<Finding> check_settings(const ServerFacts& facts, const Rules& rules, const Selection& selection) {
  std::vector<Finding> out;
  if (!facts.is_mariadb) return out;
  settings(facts, rules, out);
  filters(facts, selection, out);
  return out;
}

std::vector<Finding> check_table(const TableDetails& t, const Selection& selection, const Rules& rules) {
  std::vector<Finding> out;
  const auto& choice = *t.choice;
  const auto name = sql::quote_identifier(choice.database, choice.table);
  if (!t.readable) {
    out.push_back({Reason::PermissionDenied, fmt::format("the user may not read {}", choice.qualified()),
                   fmt::format("GRANT SELECT ON {} TO {}", name, t.user)});
    return out;
  }
  if (!t.problem.empty()) {
    out.push_back({Reason::UnsupportedType, t.problem, "exclude the column, or change its type"});
    return out;
  }
  if (!t.info) {
    check_missing(t, out);
    return out;
  }
  check_engine(t, name, out);
  if (t.info->system_versioned)
    out.push_back({Reason::PreflightFailed,
                   fmt::format("{} is system-versioned; its history cannot be carried", choice.qualified()),
                   fmt::format("ALTER TABLE {} DROP SYSTEM VERSIONING", name)});
  check_key(t, out);
  check_exclusions(t, out);
  for (auto& f : check_virtual_columns(choice, t.computed, t.info->schema))
    out.push_back({Reason::PreflightFailed, std::move(f.what), std::move(f.fix)});
  check_foreign_keys(t, selection, rules, out);
  return out;
}

}  // namespace datasync::source::mariadb
