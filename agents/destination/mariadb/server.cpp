// Transactions, rows and requirements. The catalogue is in catalogue.cpp.

#include "agents/destination/mariadb/server.hpp"

#include <fmt/format.h>

#include "agents/client/mysql/key_range.hpp"
#include "agents/client/mysql/table_reader.hpp"
#include "agents/destination/mariadb/grants.hpp"
#include "agents/destination/mariadb/preflight.hpp"
#include "agents/destination/mariadb/row_statements.hpp"
#include "agents/destination/mariadb/table_facts.hpp"

namespace datasync::apply {
namespace {

constexpr unsigned kDuplicateKey = 1062;
constexpr unsigned kDuplicateKeyName = 1586;
constexpr unsigned kDeadlock = 1213;

std::string_view name_of(Savepoint at) {
  return at == Savepoint::Part ? "datasync_part" : "datasync_run";
}

std::string quote(const TargetName& name) {
  return sql::quote_identifier(name.database, name.table);
}

std::string where_key(const StatementTable& table, const base::Bytes* image) {
  std::string text;
  for (const auto index : table.key) {
    const auto& column = table.schema->columns[index];
    const auto value = image[index];
    text += (text.empty() ? " WHERE " : " AND ") + sql::quote_identifier(column.name) +
            (value.data() == nullptr ? " IS NULL" : "=" + sql::literal(column, value));
  }
  return text;
}

class Rows final : public StoredRows {
 public:
  explicit Rows(std::unique_ptr<sql::TableReader> reader) : reader_(std::move(reader)) {}
  base::Result<bool> next(base::Buffer& out) override { return reader_->next(out); }

 private:
  std::unique_ptr<sql::TableReader> reader_;
};

}  // namespace

MariaDbServer::MariaDbServer(std::unique_ptr<sql::Connection> connection)
    : connection_(std::move(connection)), ledger_(*connection_) {}

base::Result<void> MariaDbServer::run(const std::string& statement) {
  DS_TRY(connection_->execute(statement));
  return {};
}

base::Result<bool> MariaDbServer::has_row(const std::string& from) {
  DS_ASSIGN(const auto row, connection_->query_one("SELECT 1 FROM " + from + " LIMIT 1"));
  return row.has_value();
}

base::Result<void> MariaDbServer::set_savepoint(Savepoint at) {
  return run(fmt::format("SAVEPOINT {}", name_of(at)));
}

base::Result<void> MariaDbServer::rollback_to(Savepoint at) {
  return run(fmt::format("ROLLBACK TO SAVEPOINT {}", name_of(at)));
}

Failure MariaDbServer::last_failure() const noexcept {
  const auto number = connection_->last_errno();
  if (number == kDuplicateKey || number == kDuplicateKeyName) return Failure::DuplicateKey;
  return number == kDeadlock ? Failure::Deadlock : Failure::Other;
}

// An agent that is frozen inside a transaction holds the ledger's row: the server ends such a transaction after 10 s.
base::Result<void> MariaDbServer::prepare_to_write() {
  return run(
      "SET SESSION idle_transaction_timeout=10, innodb_lock_wait_timeout=20, lock_wait_timeout=15, "
      "system_versioning_alter_history=KEEP");
}

base::Result<void> MariaDbServer::check_foreign_keys(bool on) {
  return run(fmt::format("SET SESSION foreign_key_checks={}", on ? 1 : 0));
}

std::unique_ptr<RowStatements> MariaDbServer::row_statements() {
  return std::make_unique<MariaDbRowStatements>(*connection_);
}

base::Result<std::uint64_t> MariaDbServer::delete_batch(const TargetName& name) {
  return connection_->execute(fmt::format("DELETE FROM {} LIMIT 20000", quote(name)));
}

base::Result<bool> MariaDbServer::has_key(const StatementTable& table, const base::Bytes* image) {
  return has_row(sql::quote_identifier(table.database, table.table) + where_key(table, image));
}

base::Result<std::uint64_t> MariaDbServer::executed_triggers() {
  return apply::executed_triggers(*connection_);
}

base::Result<std::unique_ptr<StoredRows>> MariaDbServer::read(const message::TableSchema& schema,
                                                              const TargetName& name) {
  DS_ASSIGN(auto reader, sql::TableReader::open(*connection_, schema, name.database, name.table, {.ordered = false}));
  return std::unique_ptr<StoredRows>(std::make_unique<Rows>(std::move(reader)));
}

base::Result<bool> MariaDbServer::is_empty(const TargetName& name) {
  DS_ASSIGN(const bool any, has_row(quote(name)));
  return !any;
}

base::Result<bool> MariaDbServer::has_value(const TargetName& name, const std::string& column) {
  return has_row(fmt::format("{} WHERE {} IS NOT NULL", quote(name), sql::quote_identifier(column)));
}

base::Result<bool> MariaDbServer::has_own_value(const TargetName& name, const std::string& column, bool was_missing) {
  const auto quoted = sql::quote_identifier(column);
  DS_ASSIGN(const auto has_default,
            connection_->query_one(fmt::format(
                "SELECT 1 FROM information_schema.columns WHERE table_schema={} AND table_name={} AND column_name={} "
                "AND (is_nullable='YES' OR column_default IS NOT NULL)",
                sql::quote_text(name.database), sql::quote_text(name.table), sql::quote_text(column))));
  const auto added = has_default ? fmt::format("DEFAULT({})", quoted)
                                 : fmt::format("(SELECT {} FROM {} LIMIT 1)", quoted, quote(name));
  const auto zero = has_default || was_missing ? std::string() : fmt::format(" OR NOT {} = ''", quoted);
  return has_row(fmt::format("{} WHERE NOT {} <=> {}{}", quote(name), quoted, added, zero));
}

base::Result<bool> MariaDbServer::has_suspect(const TargetName& name, const std::string& condition) {
  return has_row(fmt::format("{} WHERE {}", quote(name), condition));
}

base::Result<void> MariaDbServer::define(const std::string& statement) {
  return run(statement);
}

base::Result<void> MariaDbServer::preflight(const config::Apply& config) {
  DS_TRY(prepare_to_write());  // also what it makes or alters waits for locks only so long
  return check_destination(*connection_, ledger_, config);
}

base::Result<void> MariaDbServer::check_grants(const StatementTable& table) {
  return check_table_grants(*connection_, table);
}

base::Error MariaDbServer::with_grant(base::Error error, Privileges privileges, const TargetName& name) {
  switch (privileges) {
    case Privileges::Read:
      return apply::with_grant(*connection_, std::move(error), "SELECT", quote(name));
    case Privileges::Alter:
      return apply::with_grant(*connection_, std::move(error), "ALTER", quote(name));
    case Privileges::Make:
      return apply::with_grant(*connection_, std::move(error), "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER",
                               sql::quote_identifier(name.database) + ".*");
  }
  return error;
}

}  // namespace datasync::apply
