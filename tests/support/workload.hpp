#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/mariadb_server.hpp"

namespace datasync::test {

struct WorkloadOptions {
  std::string database = "shop";
  std::uint64_t seed = 1;
  int clients = 2;     ///< connections that write at the same time
  int per_second = 0;  ///< transactions a second, all clients together; 0: as fast as it goes
  int accounts = 200;
  std::int64_t opening_balance = 1000;  ///< of every account: transfers keep the sum
  int orders = 1000;                    ///< loaded before the traffic
};

/// Seeded traffic on a source, on threads of its own: transfers between accounts, each with a line in an append-only
/// audit table; orders with items under a foreign key, changed and deleted; unique values swapped inside one
/// transaction and across two; changes of primary keys; REPLACE and ON DUPLICATE KEY UPDATE; savepoints and rollbacks.
/// A lost connection is opened again; the statement stream is repeatable per client for one seed, the interleaving of
/// clients is not.
///
/// Tables: accounts, audit (the bank); orders, order_items, places (the shop).
class Workload {
 public:
  /// Makes the database, its tables and the first rows.
  static void create(MariaDbServer& server, const WorkloadOptions& options);
  /// Makes the audit table without any key at a destination, before anything is copied: what is applied twice shows
  /// there as two rows, and does not fail or disappear.
  static void create_unguarded_audit(MariaDbServer& destination, const std::string& database);

  static std::vector<std::string> bank_tables(const std::string& database);  ///< "shop.accounts", "shop.audit"
  static std::vector<std::string> shop_tables(const std::string& database);  ///< orders, order_items, places
  static std::vector<std::string> tables(const std::string& database);       ///< all of them

  /// Writes to the server at `port` from `start` on.
  Workload(std::uint16_t port, WorkloadOptions options);
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  ~Workload();

  void start();
  /// Ends the clients at the end of their transactions; may be started again.
  void stop();
  /// Starts, waits until at least `transactions` more were committed, stops.
  void run(std::uint64_t transactions, milliseconds limit = milliseconds(120000));

  [[nodiscard]] std::uint64_t committed() const noexcept;
  [[nodiscard]] std::uint64_t rolled_back() const noexcept;  ///< on purpose
  [[nodiscard]] std::uint64_t failed() const noexcept;       ///< deadlocks and lost connections
  [[nodiscard]] std::int64_t bank_total() const noexcept;    ///< what the balances must add up to at any time

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Reads the accounts of a destination all the time and checks that no reader ever sees a transfer half done: in every
/// snapshot the balances add up to `total` over `accounts` rows. Start it when the initial copy is there. Errors of the
/// server (it may be restarted) are counted and tried again.
class ReaderCheck {
 public:
  ReaderCheck(std::uint16_t port, std::string accounts_table, std::int64_t accounts, std::int64_t total);
  ReaderCheck(const ReaderCheck&) = delete;
  ReaderCheck& operator=(const ReaderCheck&) = delete;
  ~ReaderCheck();

  void stop();
  [[nodiscard]] std::uint64_t reads() const noexcept;
  [[nodiscard]] std::uint64_t violations() const noexcept;
  [[nodiscard]] std::string first_violation() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Rows of an audit table beyond one for each sequence number.
std::int64_t repeated_audit_rows(Session& session, const std::string& database);

}  // namespace datasync::test
