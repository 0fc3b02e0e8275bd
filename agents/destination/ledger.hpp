#pragma once
// The table at the destination that holds how far each stream has been applied, written in the transaction of the rows
// (docs/decisions/0005-ledger-and-token.md).

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "agents/base/result.hpp"
#include "agents/message/gtid.hpp"
#include "agents/message/record.hpp"

namespace datasync::apply {

class DestinationServer;

/// A snapshot on its way: between its begin and its end rows of these tables (qualified source names) may be there
/// already or missing.
struct SnapshotState {
  std::string id;  ///< empty: none
  std::set<std::string> tables;
  [[nodiscard]] bool active() const noexcept { return !id.empty(); }
  bool operator==(const SnapshotState&) const = default;
};
std::string to_text(const SnapshotState& state);
/// Errors: LedgerInvalid.
base::Result<SnapshotState> parse_snapshot_state(std::string_view text);

/// Tables whose rows are left out until they are emptied in the stream, as the first record of a copy does: qualified
/// source name, and the id of the request for that copy.
using Awaited = std::map<std::string, std::string>;
std::string to_text(const Awaited& awaited);
/// Errors: LedgerInvalid.
base::Result<Awaited> parse_awaited(std::string_view text);

/// Types as the ledger holds them: names by commas, in order; "*" for all (the empty set).
std::string types_text(const std::set<std::string>& types);
/// A task that has begun may take types out, and never in: what the topic held of them was passed by. Errors:
/// TypeAdded, naming them.
base::Result<void> check_types(std::string_view stored, const std::set<std::string>& asked);

/// What the ledger holds of one stream.
struct LedgerState {
  std::int64_t next_offset = -1;  ///< -1: nothing was ever applied
  message::Epoch epoch;
  message::GtidSet gtids;
  SnapshotState snapshot;
  std::uint64_t last_record = 0;  ///< hash of the record at next_offset - 1; 0: unknown
  Awaited awaited;
};

/// Who and what a ledger row is about.
struct LedgerKey {
  std::string task, topic;
  std::int32_t stream = 0;
};

/// One stream's row. Holds the fencing token once it has taken over. Not thread-safe; uses the connection it is given.
class Ledger {
 public:
  /// `types`: those that are stored; empty: all. `instance` may claim: see Instances.
  Ledger(std::string database, LedgerKey key, std::set<std::string> types, std::string instance)
      : database_(std::move(database)),
        key_(std::move(key)),
        types_(std::move(types)),
        instance_(std::move(instance)) {}
  Ledger(const Ledger&) = default;
  Ledger(Ledger&&) = default;
  Ledger& operator=(const Ledger&) = delete;
  Ledger& operator=(Ledger&&) = delete;
  virtual ~Ledger() = default;

  /// Makes database and tables if they are missing, also that of the instances.
  static base::Result<void> create(DestinationServer& connection, const std::string& database);

  /// Deletes every row of a task, also of its instances; no error when there is no ledger. The task must not run.
  static base::Result<void> forget(DestinationServer& connection, const std::string& database, const std::string& task);

  /// Inside a transaction: adds one to the token and reads the row, whoever held it; a new row gets `first_token`.
  /// After the commit no commit of an older holder succeeds, and what it had open is over. Waits for its open
  /// transaction. Errors: DestinationBusy when that takes too long; LedgerInvalid; TypeAdded; roll back then.
  base::Result<LedgerState> take(DestinationServer& connection, std::uint64_t first_token = 0);
  /// The same in a transaction of its own, for an instance that has claimed all streams: ends what a former connection
  /// of this instance had open. Errors: Superseded when another instance holds the row; as `take`, and then nothing is
  /// taken over.
  virtual base::Result<LedgerState> take_over(DestinationServer& connection);

  /// Inside a transaction: writes the row if the token is still ours. Errors: Superseded.
  virtual base::Result<void> write(DestinationServer& connection, const LedgerState& state);
  /// What was written last is committed.
  virtual void committed(const LedgerState& state) {
    written_snapshot_ = state.snapshot;
    written_awaited_ = state.awaited;
  }
  /// Inside a transaction: locks the row if the token is still ours, so that nobody takes over before the transaction
  /// ends. Errors: Superseded.
  base::Result<void> hold(DestinationServer& connection);
  /// Without a lock: is the token still ours? Errors: Superseded.
  base::Result<void> check(DestinationServer& connection);
  /// Without a lock: the offset that the row holds. Errors: Superseded.
  base::Result<std::int64_t> next_offset(DestinationServer& connection);

  [[nodiscard]] std::uint64_t token() const noexcept { return token_; }

 private:
  [[nodiscard]] base::Error superseded() const;
  base::Result<LedgerState> first(DestinationServer& connection, std::uint64_t token);

  std::string database_;
  LedgerKey key_;
  std::set<std::string> types_;
  std::string instance_;
  std::string holder_;  ///< before `take`; empty: the row was not there
  std::uint64_t token_ = 0;
  SnapshotState
      written_snapshot_;  ///< what the row certainly holds, so that a long list is not written at every commit
  Awaited written_awaited_;
};

}  // namespace datasync::apply
