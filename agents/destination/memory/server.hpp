#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agents/destination/memory/database.hpp"
#include "agents/destination/memory/dialect.hpp"

namespace datasync::apply {

/// The objects that one connection sees and changes. For one thread at a time, except `abort`.
class MemoryTransaction {
 public:
  explicit MemoryTransaction(MemoryDatabase& database) : database_(database) {}
  MemoryTransaction(const MemoryTransaction&) = delete;
  MemoryTransaction& operator=(const MemoryTransaction&) = delete;
  ~MemoryTransaction() { rollback(); }

  void begin();
  void commit();
  void rollback() noexcept;
  void set_savepoint(Savepoint at) { savepoints_[at] = changed_; }
  /// False when there is no such savepoint.
  bool rollback_to(Savepoint at);
  void abort() noexcept;

  /// As this transaction sees it. Errors: DestinationUnreachable.
  base::Result<std::optional<MemoryObject>> read(const std::string& name) const;
  base::Result<MemoryObjects> all() const;
  /// Locks the object and changes it; without a transaction this is one by itself. When `change` fails, nothing is
  /// changed. Errors: those of `change`; DestinationBusy; DestinationUnreachable.
  base::Result<void> change(const std::string& name,
                            const std::function<base::Result<void>(std::optional<MemoryObject>&)>& change);

 private:
  [[nodiscard]] base::Result<void> alive() const;

  MemoryDatabase& database_;
  bool open_ = false;
  std::atomic<bool> aborted_ = false;
  MemoryObjects changed_;
  std::map<Savepoint, MemoryObjects> savepoints_;
};

class MemoryLedgerStore final : public LedgerStore {
 public:
  MemoryLedgerStore(MemoryTransaction& transaction, Failure& failure) : transaction_(transaction), failure_(failure) {}

  base::Result<void> create_ledger(const std::string& /*database*/) override { return {}; }
  base::Result<void> create_known_tables(const std::string& /*database*/) override { return {}; }
  base::Result<void> create_held_tables(const std::string& /*database*/) override { return {}; }
  base::Result<void> forget_task(const std::string& database, const std::string& task) override;
  base::Result<void> forget_tables(const std::string& database, const LedgerKey& key) override;

  base::Result<std::optional<LedgerRow>> lock_row(const std::string& database, const LedgerKey& key) override;
  base::Result<void> insert_row(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                const std::string& types, const std::string& instance) override;
  base::Result<void> set_holder(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                const std::string& types, const std::string& instance) override;
  base::Result<bool> write_state(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                 const LedgerState& state, LedgerParts parts) override;
  base::Result<bool> lock_token(const std::string& database, const LedgerKey& key, std::uint64_t token) override;
  base::Result<std::optional<std::int64_t>> next_offset(const std::string& database, const LedgerKey& key,
                                                        std::uint64_t token) override;
  base::Result<std::optional<std::vector<std::string>>> held_names(const std::string& database,
                                                                   const LedgerKey& key) override;
  base::Result<void> set_held_names(const std::string& database, const LedgerKey& key,
                                    const std::vector<std::string>& names) override;

  base::Result<std::vector<InstanceRank>> instances(const std::string& database, const InstanceKey& key,
                                                    bool lock) override;
  base::Result<void> insert_instance(const std::string& database, const InstanceKey& key, std::uint64_t rank) override;
  base::Result<void> trim_instances(const std::string& database, const InstanceKey& key, std::uint64_t kept) override;

  base::Result<std::vector<KnownTable>> known_tables(const std::string& database, const LedgerKey& key) override;
  base::Result<bool> store_known(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                 const KnownTable& table) override;
  base::Result<void> set_has_rows(const std::string& database, const LedgerKey& key, const std::string& target,
                                  bool has_rows) override;
  base::Result<void> add_filled(const std::string& database, const LedgerKey& key, const std::string& target,
                                const std::vector<std::string>& columns) override;
  base::Result<std::optional<std::string>> other_source(const std::string& database, const LedgerKey& key,
                                                        const std::string& target, const std::string& source) override;
  base::Result<std::optional<std::string>> other_task(const std::string& database, const std::string& task,
                                                      const std::string& target) override;
  base::Result<void> remove_known(const std::string& database, const LedgerKey& key, const std::string& target,
                                  std::optional<std::uint64_t> token) override;

  base::Result<std::vector<HeldTable>> held_tables(const std::string& database, const LedgerKey& key) override;
  base::Result<void> insert_held(const std::string& database, const LedgerKey& key, const HeldTable& table) override;
  base::Result<void> set_refused(const std::string& database, const LedgerKey& key, const HeldTable& table) override;
  base::Result<bool> set_place(const std::string& database, const LedgerKey& key, const std::string& source,
                               const LedgerState& at, bool emptied) override;
  base::Result<void> remove_held(const std::string& database, const LedgerKey& key, const std::string& source) override;

 private:
  base::Result<void> in(const std::string& name, const std::function<void(MemoryObject&)>& change);
  base::Result<bool> has_token(const std::string& database, const LedgerKey& key, std::uint64_t token) const;
  base::Error duplicate(std::string_view what);

  MemoryTransaction& transaction_;
  Failure& failure_;
};

class MemoryServer final : public DestinationServer {
 public:
  MemoryServer(std::shared_ptr<MemoryDatabase> database, const MemoryDialect& dialect)
      : database_(std::move(database)), dialect_(dialect), transaction_(*database_), ledger_(transaction_, failure_) {}

  base::Result<void> begin() override;
  base::Result<void> commit() override;
  void rollback() noexcept override { transaction_.rollback(); }
  base::Result<void> set_savepoint(Savepoint at) override;
  base::Result<void> rollback_to(Savepoint at) override;
  [[nodiscard]] Failure last_failure() const noexcept override { return failure_; }
  void abort() noexcept override { transaction_.abort(); }

  base::Result<void> prepare_to_write() override { return {}; }
  base::Result<void> check_foreign_keys(bool /*on*/) override { return {}; }
  std::unique_ptr<RowStatements> row_statements() override;
  base::Result<std::uint64_t> delete_batch(const TargetName& name) override;
  base::Result<bool> has_key(const StatementTable& table, const base::Bytes* image) override;
  base::Result<std::uint64_t> executed_triggers() override { return std::uint64_t{0}; }
  base::Result<std::unique_ptr<StoredRows>> read(const message::TableSchema& schema, const TargetName& name) override;

  base::Result<base::TableNames> table_names() override { return base::TableNames(0); }
  base::Result<std::optional<TableInfo>> table(const TargetName& name) override;
  base::Result<DestinationFacts> facts(const TargetName& name) override;
  base::Result<std::optional<std::string>> created(const TargetName& name) override;
  base::Result<std::vector<std::optional<std::string>>> altered_at(std::span<const TargetName> names) override;
  base::Result<std::vector<ListedTable>> tables(const std::set<std::string>& databases) override;
  base::Result<void> see(const TargetName& name, const std::vector<std::string>& columns) override;
  base::Result<std::string> other_kind(const TargetName& /*name*/) override { return std::string(); }
  base::Result<References> references(const base::TableNames& names) override;
  base::Result<std::vector<std::pair<std::string, std::string>>> foreign_keys() override;
  base::Result<bool> has_database(const std::string& /*database*/) override { return true; }

  base::Result<bool> is_empty(const TargetName& name) override;
  base::Result<bool> has_value(const TargetName& name, const std::string& column) override;
  /// No column has a default value but NULL.
  base::Result<bool> has_own_value(const TargetName& name, const std::string& column, bool was_missing) override;
  base::Result<bool> has_suspect(const TargetName& /*name*/, const std::string& /*condition*/) override {
    return false;
  }

  base::Result<void> define(const std::string& statement) override;

  base::Result<void> preflight(const config::Apply& config) override;
  base::Result<void> check_grants(const StatementTable& /*table*/) override { return {}; }
  base::Error with_grant(base::Error error, Privileges /*privileges*/, const TargetName& /*name*/) override {
    return error;
  }
  LedgerStore& ledger() noexcept override { return ledger_; }

 private:
  friend class MemoryRowStatements;
  base::Result<MemoryObject> existing(const TargetName& name) const;

  std::shared_ptr<MemoryDatabase> database_;
  const MemoryDialect& dialect_;
  MemoryTransaction transaction_;
  Failure failure_ = Failure::Other;
  MemoryLedgerStore ledger_;
};

}  // namespace datasync::apply
