#include "agents/source/mariadb/server.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "agents/base/text.hpp"
#include "agents/client/mysql/table_reader.hpp"
#include "agents/source/mariadb/binlog_place.hpp"
#include "agents/source/mariadb/requirements.hpp"
#include "agents/source/mariadb/server_clock.hpp"
#include "agents/source/mariadb/server_facts.hpp"
#include "agents/source/mariadb/start_position.hpp"
#include "agents/source/mariadb/table_copy.hpp"
#include "agents/source/mariadb/virtual_columns.hpp"

namespace datasync::source::mariadb {
namespace {

// Since 10.10 a collation belongs to several character sets and its full name and id stand in the second table.
constexpr std::string_view kCollations =
    "SELECT ID, FULL_COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY "
    "WHERE ID IS NOT NULL";
constexpr std::string_view kOldCollations =
    "SELECT ID, COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL";

/// By name, as the state topic has them.
std::vector<message::ActingKey> acting_keys_of(std::vector<sql::TableInfo::ForeignKey> keys) {
  std::vector<message::ActingKey> out;
  for (auto& key : keys) {
    if (key.acts())
      out.push_back({std::move(key.name), std::move(key.columns), std::move(key.parent_database),
                     std::move(key.parent_table), std::move(key.parent_columns), std::move(key.on_update),
                     std::move(key.on_delete)});
  }
  std::ranges::sort(out, {}, &message::ActingKey::name);
  return out;
}

std::optional<TableInfo> info_of(std::optional<sql::TableInfo> info) {
  if (!info) return std::nullopt;
  TableInfo out;
  out.schema = std::move(info->schema);
  out.unique_keys = std::move(info->unique_keys);
  out.unique_by_prefix = info->unique_by_prefix;
  for (const auto& key : info->foreign_keys) out.foreign_keys.push_back({key.parent_database, key.parent_table});
  out.acting_keys = acting_keys_of(std::move(info->foreign_keys));
  out.rows_estimate = info->rows_estimate;
  out.unread_columns = std::move(info->unread_columns);
  return out;
}

}  // namespace

base::Result<Condition> MariaDbServer::condition(const Rules& rules, const Selection& selection) {
  DS_ASSIGN(auto now, gather_condition(*connection_, rules.allow_primary));
  auto findings = check_settings(now.server, rules, selection);
  check_grants(now.server, false, findings);
  return Condition{std::move(findings), std::move(now.lag), std::move(now.replicated)};
}

base::Result<Examination> MariaDbServer::examine(const Rules& rules, const Selection& selection) {
  DS_ASSIGN(auto found, gather_server(*connection_, rules.allow_primary));
  auto& server = found.server;
  if (server.is_mariadb) user_ = server.user;
  Examination out;
  out.findings = check_server(server, rules, selection);
  out.lag = std::move(found.lag);
  out.replicated = std::move(found.replicated);
  out.names = base::TableNames(std::atoi(server.variables["lower_case_table_names"].c_str()));
  out.supported = server.is_mariadb;
  return out;
}

base::Result<TableFacts> MariaDbServer::check_table(const TableChoice& table, const Rules& rules,
                                                    const Selection& selection) {
  DS_ASSIGN(auto details, gather_table(*connection_, table, user_));
  TableFacts out;
  out.choice = &table;
  out.exists = details.info || !details.problem.empty() || !details.readable;
  out.findings = mariadb::check_table(details, selection, rules);
  out.computes_again = details.info && computes_again(table, details.computed, details.info->schema);
  out.info = info_of(std::move(details.info));
  return out;
}

base::Result<std::string> MariaDbServer::history() {
  return sql::binlog_history(*connection_);
}

bool MariaDbServer::same_server(std::string_view history, std::string_view other) const {
  return sql::server_of(history) == sql::server_of(other);
}

base::Result<HistoryFacts> MariaDbServer::history_facts() {
  return gather_history(*connection_);
}

base::Result<message::GtidSet> MariaDbServer::executed() {
  return gather_binlog_end(*connection_);
}

base::Result<StartPosition> MariaDbServer::start_position() {
  return mariadb::start_position(*connection_);
}

base::Result<Clock> MariaDbServer::clock() {
  return server_clock(*connection_);
}

base::Result<std::optional<TableInfo>> MariaDbServer::table(std::string_view database, std::string_view table,
                                                            const std::vector<std::string>& excluded) {
  DS_ASSIGN(auto info, sql::read_table_info(*connection_, database, table, excluded));
  return info_of(std::move(info));
}

base::Result<std::map<std::uint32_t, binlog::Collation>> MariaDbServer::collations() {
  auto rows = connection_->query(kCollations);
  if (!rows && rows.error().outcome() != base::Outcome::Retry) rows = connection_->query(kOldCollations);
  if (!rows) return base::Error(std::move(rows).error());
  std::map<std::uint32_t, binlog::Collation> out;
  for (const auto& row : *rows) {
    std::uint32_t id = 0;
    const auto text = row.at(0).value_or("");
    std::from_chars(text.data(), text.data() + text.size(), id);
    out[id] = {row.at(1).value_or(""), row.at(2).value_or("")};
  }
  return out;
}

base::Result<std::optional<std::string>> MariaDbServer::to_utf8(std::string_view charset, std::string_view text) {
  auto converted =
      connection_->query_one(fmt::format("SELECT CONVERT(_{} X'{}' USING utf8mb4)", charset, base::to_hex(text)));
  if (!converted && converted.error().outcome() != base::Outcome::Retry) return std::optional<std::string>();
  return converted;
}

base::Result<void> MariaDbServer::prepare_copy() {
  return mariadb::prepare_copy(*connection_);
}

base::Result<SnapshotPlace> MariaDbServer::open_snapshot(bool) {
  return mariadb::open_snapshot(*connection_);
}

base::Result<void> MariaDbServer::check_key(const message::TableSchema& schema) {
  return mariadb::check_key(*connection_, schema);
}

base::Result<std::unique_ptr<RowReader>> MariaDbServer::read(const message::TableSchema& schema,
                                                             const KeyRange& range) {
  return read_rows(*connection_, schema, range);
}

base::Result<std::unique_ptr<RowReader>> MariaDbServer::scan(const message::TableSchema& schema) {
  return scan_rows(*connection_, schema);
}

base::Result<bool> MariaDbServer::repeats_a_key(const message::TableSchema& schema, const KeyRange& range) {
  return mariadb::repeats_a_key(*connection_, schema, range);
}

}  // namespace datasync::source::mariadb
