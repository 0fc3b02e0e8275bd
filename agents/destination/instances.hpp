#pragma once
// Which instance of an apply agent may write: a rank for each instance of a task, in a table beside the ledger
// (docs/decisions/0023-rank-of-an-instance.md).

#include <cstdint>
#include <set>
#include <string>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/destination/dialect.hpp"

namespace datasync::apply {

/// A task on a topic, and the instance that asks.
struct InstanceKey {
  std::string task, topic, instance;
};

class Instances {
 public:
  Instances(std::string database, InstanceKey key) : database_(std::move(database)), key_(std::move(key)) {}

  /// Makes the table if it is missing; the ledger's database must be there. Errors: those of the connection, naming the
  /// statement.
  static base::Result<void> create(sql::Connection& connection, const Dialect& dialect, const std::string& database);
  /// Deletes every row of a task; no error when there is no table.
  static base::Result<void> forget(sql::Connection& connection, const Dialect& dialect, const std::string& database,
                                   const std::string& task);

  /// Without a lock: may this instance claim? Errors: Superseded naming the newer instance: one that first claimed
  /// after this one did; those of the connection.
  base::Result<void> check(sql::Connection& connection, const Dialect& dialect) const;

  /// Claims all streams of the task in one transaction: gives this instance its rank if it has none and takes over
  /// every ledger row, so that of two instances that claim at once one has all streams. Waits for transactions that are
  /// open on them. `types`: see Ledger. Errors: as `check`; DestinationBusy; TypeAdded; LedgerInvalid. Nothing is
  /// changed then.
  base::Result<void> claim(sql::Connection& connection, const Dialect& dialect, std::int32_t streams,
                           const std::set<std::string>& types) const;

 private:
  base::Result<void> rank(sql::Connection& connection, const Dialect& dialect) const;
  base::Result<void> claim_in_transaction(sql::Connection& connection, const Dialect& dialect, std::int32_t streams,
                                          const std::set<std::string>& types) const;
  [[nodiscard]] std::string where() const;
  base::Result<void> judge(const std::vector<sql::Row>& newest_first, bool& ranked) const;

  std::string database_;
  InstanceKey key_;
};

}  // namespace datasync::apply
