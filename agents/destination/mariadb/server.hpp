#pragma once
// One connection to a MariaDB server as a destination.

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agents/client/mysql/connection.hpp"
#include "agents/destination/destination.hpp"
#include "agents/destination/mariadb/ledger_store.hpp"

namespace datasync::apply {

class MariaDbServer final : public DestinationServer {
 public:
  explicit MariaDbServer(std::unique_ptr<sql::Connection> connection);

  base::Result<void> begin() override { return connection_->begin(); }
  base::Result<void> commit() override { return connection_->commit(); }
  void rollback() noexcept override { connection_->rollback(); }
  base::Result<void> set_savepoint(Savepoint at) override;
  base::Result<void> rollback_to(Savepoint at) override;
  [[nodiscard]] Failure last_failure() const noexcept override;
  void abort() noexcept override { connection_->abort(); }

  base::Result<void> prepare_to_write() override;
  base::Result<void> check_foreign_keys(bool on) override;
  std::unique_ptr<RowStatements> row_statements() override;
  base::Result<std::uint64_t> delete_batch(const TargetName& name) override;
  base::Result<bool> has_key(const StatementTable& table, const base::Bytes* image) override;
  base::Result<std::uint64_t> executed_triggers() override;
  base::Result<std::unique_ptr<StoredRows>> read(const message::TableSchema& schema, const TargetName& name) override;

  base::Result<base::TableNames> table_names() override;
  base::Result<std::optional<TableInfo>> table(const TargetName& name) override;
  base::Result<DestinationFacts> facts(const TargetName& name) override;
  base::Result<std::optional<std::string>> created(const TargetName& name) override;
  base::Result<std::vector<std::optional<std::string>>> altered_at(std::span<const TargetName> names) override;
  base::Result<std::vector<ListedTable>> tables(const std::set<std::string>& databases) override;
  base::Result<void> see(const TargetName& name, const std::vector<std::string>& columns) override;
  base::Result<std::string> other_kind(const TargetName& name) override;
  base::Result<References> references(const base::TableNames& names) override;
  base::Result<std::vector<std::pair<std::string, std::string>>> foreign_keys() override;
  base::Result<bool> has_database(const std::string& database) override;

  base::Result<bool> is_empty(const TargetName& name) override;
  base::Result<bool> has_value(const TargetName& name, const std::string& column) override;
  base::Result<bool> has_own_value(const TargetName& name, const std::string& column, bool was_missing) override;
  base::Result<bool> has_suspect(const TargetName& name, const std::string& condition) override;

  base::Result<void> define(const std::string& statement) override;

  base::Result<void> preflight(const config::Apply& config) override;
  base::Result<void> check_grants(const StatementTable& table) override;
  base::Error with_grant(base::Error error, Privileges privileges, const TargetName& name) override;

  LedgerStore& ledger() noexcept override { return ledger_; }

 private:
  base::Result<void> run(const std::string& statement);
  base::Result<bool> has_row(const std::string& from);

  std::unique_ptr<sql::Connection> connection_;
  MariaDbLedgerStore ledger_;
};

}  // namespace datasync::apply
