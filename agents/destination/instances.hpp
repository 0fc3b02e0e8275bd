#pragma once
// Which instance of an apply agent may write: a rank for each instance of a task, in a table beside the ledger
// (docs/decisions/0023-rank-of-an-instance.md).

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "agents/base/result.hpp"

namespace datasync::apply {

class DestinationServer;
struct InstanceRank;

/// A task on a topic, and the instance that asks.
struct InstanceKey {
  std::string task, topic, instance;
};

class Instances {
 public:
  Instances(std::string database, InstanceKey key) : database_(std::move(database)), key_(std::move(key)) {}

  /// Without a lock: may this instance claim? Errors: Superseded naming the newer instance: one that first claimed
  /// after this one did; those of the connection.
  base::Result<void> check(DestinationServer& connection) const;

  /// Claims all streams of the task in one transaction: gives this instance its rank if it has none and takes over
  /// every ledger row, so that of two instances that claim at once one has all streams. Waits for transactions that are
  /// open on them. `types`: see Ledger. Errors: as `check`; DestinationBusy; TypeAdded; LedgerInvalid. Nothing is
  /// changed then.
  base::Result<void> claim(DestinationServer& connection, std::int32_t streams,
                           const std::set<std::string>& types) const;

 private:
  base::Result<void> rank(DestinationServer& connection) const;
  base::Result<void> claim_in_transaction(DestinationServer& connection, std::int32_t streams,
                                          const std::set<std::string>& types) const;
  base::Result<void> judge(const std::vector<InstanceRank>& newest_first, bool& ranked) const;

  std::string database_;
  InstanceKey key_;
};

}  // namespace datasync::apply
