#pragma once
// What apply keeps at the destination beside the rows: the ledger, ranks of instances, known tables and held tables.
// When something is written, and what follows from it, is decided by Ledger, Instances, KnownTables and HeldTables.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/destination/held_tables.hpp"
#include "agents/destination/instances.hpp"
#include "agents/destination/known_tables.hpp"
#include "agents/destination/ledger.hpp"

namespace datasync::apply {

/// The row of a stream as a new holder finds it.
struct LedgerRow {
  LedgerState state;
  std::uint64_t token = 0;
  std::string instance, types;
};

/// Which parts of a LedgerState are written besides its place.
struct LedgerParts {
  bool snapshot = true, awaited = true;
};

struct InstanceRank {
  std::string instance;
  std::uint64_t rank = 0;
};

/// By one connection, whose transactions it takes part in; for the thread of that. `database`: the ledger's. Errors of
/// all calls: those of the connection; LedgerInvalid when what is stored cannot be read.
class LedgerStore {
 public:
  LedgerStore() = default;
  LedgerStore(const LedgerStore&) = delete;
  LedgerStore& operator=(const LedgerStore&) = delete;
  virtual ~LedgerStore() = default;

  // The tables. Whether they are there is asked first: an agent whose user may not create anything can work with those
  // that another user made. One of an older version gets the columns that it lacks.

  /// Of the ledger and the instances, with their database.
  virtual base::Result<void> create_ledger(const std::string& database) = 0;
  virtual base::Result<void> create_known_tables(const std::string& database) = 0;
  virtual base::Result<void> create_held_tables(const std::string& database) = 0;
  /// Deletes every row of a task; no error where there are no tables.
  virtual base::Result<void> forget_task(const std::string& database, const std::string& task) = 0;
  /// Deletes the known and the held tables of a stream; no error where there are none.
  virtual base::Result<void> forget_tables(const std::string& database, const LedgerKey& key) = 0;

  // The row of a stream.

  /// Locks it until the transaction ends; nothing when there is none.
  virtual base::Result<std::optional<LedgerRow>> lock_row(const std::string& database, const LedgerKey& key) = 0;
  /// A row with nothing applied. Fails with Failure::DuplicateKey when there is one.
  virtual base::Result<void> insert_row(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                        const std::string& types, const std::string& instance) = 0;
  virtual base::Result<void> set_holder(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                        const std::string& types, const std::string& instance) = 0;
  /// False when the row does not have this token: nothing is written.
  virtual base::Result<bool> write_state(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                         const LedgerState& state, LedgerParts parts) = 0;
  /// Locks the row until the transaction ends. False when it does not have this token.
  virtual base::Result<bool> lock_token(const std::string& database, const LedgerKey& key, std::uint64_t token) = 0;
  /// Without a lock; nothing when the row does not have this token.
  virtual base::Result<std::optional<std::int64_t>> next_offset(const std::string& database, const LedgerKey& key,
                                                                std::uint64_t token) = 0;
  /// The held tables by the ledger's row; nothing when that is not known.
  virtual base::Result<std::optional<std::vector<std::string>>> held_names(const std::string& database,
                                                                           const LedgerKey& key) = 0;
  virtual base::Result<void> set_held_names(const std::string& database, const LedgerKey& key,
                                            const std::vector<std::string>& names) = 0;

  // Instances of the task and topic of `key`.

  /// The newest first. `lock`: until the transaction ends.
  virtual base::Result<std::vector<InstanceRank>> instances(const std::string& database, const InstanceKey& key,
                                                            bool lock) = 0;
  /// Fails with Failure::DuplicateKey when the instance or the rank is there.
  virtual base::Result<void> insert_instance(const std::string& database, const InstanceKey& key,
                                             std::uint64_t rank) = 0;
  /// Deletes all but about the `kept` newest ones.
  virtual base::Result<void> trim_instances(const std::string& database, const InstanceKey& key,
                                            std::uint64_t kept) = 0;

  // Known tables.

  virtual base::Result<std::vector<KnownTable>> known_tables(const std::string& database, const LedgerKey& key) = 0;
  /// False when the ledger's row does not have this token: nothing is written.
  virtual base::Result<bool> store_known(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                         const KnownTable& table) = 0;
  virtual base::Result<void> set_has_rows(const std::string& database, const LedgerKey& key, const std::string& target,
                                          bool has_rows) = 0;
  virtual base::Result<void> add_filled(const std::string& database, const LedgerKey& key, const std::string& target,
                                        const std::vector<std::string>& columns) = 0;
  /// See KnownTables.
  virtual base::Result<std::optional<std::string>> other_source(const std::string& database, const LedgerKey& key,
                                                                const std::string& target,
                                                                const std::string& source) = 0;
  virtual base::Result<std::optional<std::string>> other_task(const std::string& database, const std::string& task,
                                                              const std::string& target) = 0;
  /// With `token` nothing happens when the ledger's row does not have it.
  virtual base::Result<void> remove_known(const std::string& database, const LedgerKey& key, const std::string& target,
                                          std::optional<std::uint64_t> token) = 0;

  // Held tables, by their names at the source.

  /// None when there is no such table at the destination.
  virtual base::Result<std::vector<HeldTable>> held_tables(const std::string& database, const LedgerKey& key) = 0;
  virtual base::Result<void> insert_held(const std::string& database, const LedgerKey& key, const HeldTable& table) = 0;
  /// Its destination, its reason and message, refused_at and tries.
  virtual base::Result<void> set_refused(const std::string& database, const LedgerKey& key, const HeldTable& table) = 0;
  /// `emptied`: refused_at becomes -1. False when there is no such row.
  virtual base::Result<bool> set_place(const std::string& database, const LedgerKey& key, const std::string& source,
                                       const LedgerState& at, bool emptied) = 0;
  virtual base::Result<void> remove_held(const std::string& database, const LedgerKey& key,
                                         const std::string& source) = 0;
};

}  // namespace datasync::apply
