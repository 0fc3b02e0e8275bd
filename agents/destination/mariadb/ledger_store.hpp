#pragma once
// The ledger and what is kept beside it, in tables of MariaDB.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/client/mysql/connection.hpp"
#include "agents/destination/ledger_store.hpp"

namespace datasync::apply {

class MariaDbLedgerStore final : public LedgerStore {
 public:
  explicit MariaDbLedgerStore(sql::Connection& connection) : connection_(connection) {}

  base::Result<void> create_ledger(const std::string& database) override;
  base::Result<void> create_known_tables(const std::string& database) override;
  base::Result<void> create_held_tables(const std::string& database) override;
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
  base::Result<void> run(const std::string& statement);
  base::Result<bool> has_table(const std::string& database, std::string_view table);
  base::Result<bool> has_column(const std::string& database, std::string_view table, const std::string& column);
  base::Result<void> forget(const std::string& database, std::string_view table, const std::string& where);

  sql::Connection& connection_;
};

/// " WHERE ..." of the rows of a stream.
std::string where_stream(const LedgerKey& key);

}  // namespace datasync::apply
