#pragma once
// All that apply may know of the engine of a destination. Each engine (agents/destination/mariadb, ...) implements
// these interfaces; SQL, error numbers and the forms of the server's answers stay inside it
// (docs/decisions/0029-engine-of-a-destination.md).

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/identifier.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/destination_facts.hpp"
#include "agents/destination/dialect.hpp"
#include "agents/destination/table.hpp"
#include "agents/message/schema.hpp"

namespace datasync::apply {

class LedgerStore;

/// Why a call failed, where that decides what is done next and the reason of the error does not say it.
enum class Failure : std::uint8_t {
  Other,
  DuplicateKey,  ///< a row has a value of a unique key that another row has
  Deadlock,      ///< the server chose this transaction to end a deadlock
};

/// What is done with rows.
enum class RowVerb : std::uint8_t {
  Insert,
  /// Stores every written column in the row of this key, or inserts it. The key must be unique at the destination.
  /// Columns that only the destination has keep their values. Refused when another row has one of its other unique
  /// values: that row is never changed. Where the destination has other unique keys, `takes_upsert` must be true.
  Upsert,
  Update,            ///< every written column but the key, found by the key; all when there are no others
  UpdateAllColumns,  ///< every written column, found by the key
  Delete,
};

/// A row of a statement: the values of its images, one for each column of the schema. A NULL value is a span without
/// data.
struct RowImages {
  const base::Bytes* key = nullptr;    ///< its key columns find the row
  const base::Bytes* after = nullptr;  ///< what is stored; null for Delete
};

/// What one server has prepared to write rows. Not thread-safe; must not outlive the server.
class RowStatements {
 public:
  RowStatements() = default;
  RowStatements(const RowStatements&) = delete;
  RowStatements& operator=(const RowStatements&) = delete;
  virtual ~RowStatements() = default;
  /// Does the same with all `rows`; returns how many rows were found, also where nothing in them changed. `id` names
  /// what is known of the table: the same id always comes with the same `table`, and never after that has gone.
  virtual base::Result<std::uint64_t> run(RowVerb verb, std::uint64_t id, const StatementTable& table,
                                          std::span<const RowImages> rows) = 0;
};

/// Rows that a server sends. No other call on its server until the reader is at its end or destroyed.
class StoredRows {
 public:
  StoredRows() = default;
  StoredRows(const StoredRows&) = delete;
  StoredRows& operator=(const StoredRows&) = delete;
  virtual ~StoredRows() = default;
  /// Appends the image of the next row to `out`. False at the end.
  virtual base::Result<bool> next(base::Buffer& out) = 0;
};

/// A place in a transaction to which it can be rolled back. Setting it again moves it.
enum class Savepoint : std::uint8_t {
  Part,  ///< before the rows of one call in a transaction that stays open
  Run,   ///< before one statement
};

/// What a user of the destination needs to do something.
enum class Privileges : std::uint8_t {
  Read,   ///< of a table
  Alter,  ///< of a table
  Make,   ///< tables of a database, and write them
};

/// One connection to the destination. For one thread at a time, except `abort`. Errors of all calls: those of the
/// connection (DestinationUnreachable, DestinationBusy, PermissionDenied, DestinationRefused, ...), without values of
/// rows. A connection that failed stays failed: open another one.
class DestinationServer {
 public:
  DestinationServer() = default;
  DestinationServer(const DestinationServer&) = delete;
  DestinationServer& operator=(const DestinationServer&) = delete;
  virtual ~DestinationServer() = default;

  // Transactions.

  virtual base::Result<void> begin() = 0;
  virtual base::Result<void> commit() = 0;
  /// Never fails: a connection that cannot roll back is closed, and the server rolls back.
  virtual void rollback() noexcept = 0;
  virtual base::Result<void> set_savepoint(Savepoint at) = 0;
  virtual base::Result<void> rollback_to(Savepoint at) = 0;
  /// Of the last call that failed.
  [[nodiscard]] virtual Failure last_failure() const noexcept = 0;
  /// Wakes a call that is blocked in another thread; the connection is failed from then on. Thread-safe.
  virtual void abort() noexcept = 0;

  // Rows. First prepare_to_write, once.

  /// From here on the server ends a transaction of this connection that is left idle, so that an agent that is frozen
  /// does not keep its successor waiting; and locks are waited for only so long.
  virtual base::Result<void> prepare_to_write() = 0;
  /// Whether foreign keys are checked, and act. They are at the beginning.
  virtual base::Result<void> check_foreign_keys(bool on) = 0;
  virtual std::unique_ptr<RowStatements> row_statements() = 0;
  /// Deletes some rows; returns how many. Call it until it deletes none.
  virtual base::Result<std::uint64_t> delete_batch(const TargetName& name) = 0;
  /// Whether there is a row with the key of this image.
  virtual base::Result<bool> has_key(const StatementTable& table, const base::Bytes* image) = 0;
  /// How many triggers this connection has set off so far; it needs no privilege.
  virtual base::Result<std::uint64_t> executed_triggers() = 0;
  /// Rows over the columns of the source's schema, in any order. Values of a column that is wider than the source's are
  /// read as the source has them. Errors: DestinationSchemaMismatch when a column is of another kind.
  virtual base::Result<std::unique_ptr<StoredRows>> read(const message::TableSchema& schema,
                                                         const TargetName& name) = 0;

  // The catalogue.

  virtual base::Result<base::TableNames> table_names() = 0;
  /// Nothing when there is no such table.
  virtual base::Result<std::optional<TableInfo>> table(const TargetName& name) = 0;
  virtual base::Result<DestinationFacts> facts(const TargetName& name) = 0;
  /// See DestinationFacts::created; nothing when there is no such table.
  virtual base::Result<std::optional<std::string>> created(const TargetName& name) = 0;
  /// When each of the tables was made or altered last, by whole seconds; nothing for one that does not exist.
  virtual base::Result<std::vector<std::optional<std::string>>> altered_at(std::span<const TargetName> names) = 0;
  /// The tables of these databases that the user may see.
  virtual base::Result<std::vector<ListedTable>> tables(const std::set<std::string>& databases) = 0;
  /// Asks for columns by their names, or for the table itself where there are none: says whether they are missing or
  /// only hidden. Errors: DestinationTableMissing, DestinationSchemaMismatch, PermissionDenied.
  virtual base::Result<void> see(const TargetName& name, const std::vector<std::string>& columns) = 0;
  /// "VIEW" or "SEQUENCE" when there is one of this name, else empty.
  virtual base::Result<std::string> other_kind(const TargetName& name) = 0;
  virtual base::Result<References> references(const base::TableNames& names) = 0;
  /// All foreign keys: qualified names of child and parent.
  virtual base::Result<std::vector<std::pair<std::string, std::string>>> foreign_keys() = 0;
  virtual base::Result<bool> has_database(const std::string& database) = 0;

  // What is in a table. All but `is_empty` may take a scan of it.

  virtual base::Result<bool> is_empty(const TargetName& name) = 0;
  /// Whether a row has a value in the column.
  virtual base::Result<bool> has_value(const TargetName& name, const std::string& column) = 0;
  /// Whether a row has another value than the one that the column gets when it is added. A column without a default has
  /// the same in all rows then, which for one that was not seen missing must also look like zero or an empty text.
  virtual base::Result<bool> has_own_value(const TargetName& name, const std::string& column, bool was_missing) = 0;
  /// Whether a row meets a condition of Dialect::cut_values or Dialect::values_for_null.
  virtual base::Result<bool> has_suspect(const TargetName& name, const std::string& condition) = 0;

  // Definitions.

  /// Runs a statement that the engine's dialect made, which may take as long as a table is large.
  virtual base::Result<void> define(const std::string& statement) = 0;

  // Requirements.

  /// Checks what the destination must have, and makes the ledger if it is missing. Errors: PreflightFailed listing all
  /// that is wrong, each with its fix; DestinationReadOnly.
  virtual base::Result<void> preflight(const config::Apply& config) = 0;
  /// Asks the server, changing nothing, whether the user may read and write the table. Errors: PermissionDenied naming
  /// all that is missing and its fix.
  virtual base::Result<void> check_grants(const StatementTable& table) = 0;
  /// `error`, and when it is PermissionDenied what grants the privileges. `name`: only its database counts for Make.
  virtual base::Error with_grant(base::Error error, Privileges privileges, const TargetName& name) = 0;

  /// What apply itself keeps at the destination, by this connection.
  virtual LedgerStore& ledger() noexcept = 0;
};

/// The kind of the destination. Thread-safe.
class DestinationEngine {
 public:
  DestinationEngine() = default;
  DestinationEngine(const DestinationEngine&) = delete;
  DestinationEngine& operator=(const DestinationEngine&) = delete;
  virtual ~DestinationEngine() = default;

  /// Connects with the credentials as they are now. `read_timeout`: of one answer of the server. Errors:
  /// SecretNotFound; those of the connection.
  virtual base::Result<std::unique_ptr<DestinationServer>> connect(const config::Apply& config,
                                                                   std::chrono::seconds read_timeout) const = 0;
  [[nodiscard]] virtual const Dialect& dialect() const noexcept = 0;
};

}  // namespace datasync::apply
