#pragma once
// A database in this process as a destination: for tests, without a server.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/destination/destination.hpp"
#include "agents/destination/ledger_store.hpp"

namespace datasync::apply {

/// A value as messages have it, by bytes; nothing for NULL.
using MemoryValue = std::optional<std::string>;
using MemoryRow = std::vector<MemoryValue>;

/// What is locked as a whole: a table, or one of the lists that the ledger consists of. Only its own part is used.
struct MemoryObject {
  TableInfo info;
  std::vector<MemoryRow> rows;
  std::uint64_t altered = 0;  ///< the number of the change that made the table or altered it

  std::optional<LedgerRow> ledger;
  std::optional<std::vector<std::string>> held_names;
  std::map<std::string, KnownTable> known;
  std::map<std::string, HeldTable> held;
  std::vector<InstanceRank> instances;  ///< the oldest first
};
/// By name; nothing: it was removed.
using MemoryObjects = std::map<std::string, std::optional<MemoryObject>>;

/// One server. What a transaction changes is a copy of its own until the commit; what it has locked, others can read as
/// it was committed last, and wait for when they lock it. Keys compare by bytes; foreign keys are known and neither
/// checked nor act. Thread-safe.
class MemoryDatabase {
 public:
  /// How long a lock is waited for.
  explicit MemoryDatabase(std::chrono::milliseconds patience = std::chrono::milliseconds(200)) : patience_(patience) {}

  // For tests.

  /// In place of a former one.
  void create_table(TableInfo info);
  /// Committed rows of a table, "shop.orders".
  [[nodiscard]] std::vector<MemoryRow> rows(const std::string& table) const;
  /// Calls that connect, and calls of servers that are connected, fail from now on.
  void stop();

  // For the engine.

  [[nodiscard]] bool stopped() const;
  [[nodiscard]] std::optional<MemoryObject> committed(const std::string& name) const;
  [[nodiscard]] MemoryObjects all() const;
  /// Errors: DestinationBusy; DestinationUnreachable.
  base::Result<void> lock(const std::string& name, const void* owner);
  /// Ends what the owner has locked; `changed` is committed.
  void finish(const void* owner, const MemoryObjects& changed);
  /// Wakes what waits for a lock.
  void wake();
  [[nodiscard]] std::uint64_t next_change();

 private:
  std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::map<std::string, MemoryObject> objects_;
  std::map<std::string, const void*> locks_;
  std::uint64_t changes_ = 0;
  bool stopped_ = false;
};

/// The name of a table as an object.
std::string memory_table(const std::string& qualified);

}  // namespace datasync::apply
