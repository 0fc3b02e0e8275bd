#pragma once
// The table "tables" beside the ledger: which tables of the destination a stream has written, and from which definition
// (docs/decisions/0019-known-tables.md). A table in it that no longer exists is never made again in silence.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/destination/ledger.hpp"
#include "agents/message/schema.hpp"

namespace datasync::apply {

struct KnownTable {
  std::string target;                ///< "database.table" at the destination
  std::string source;                ///< "database.table" at the source
  message::SchemaId schema;          ///< the definition its rows had last
  std::vector<std::string> columns;  ///< of the destination, those that are written
  std::vector<std::string> actions;  ///< its foreign keys with CASCADE and the like
  std::string created;               ///< CREATE_TIME when it was found last
  bool has_rows = false;             ///< rows were stored
  std::vector<std::string> filled;   ///< columns that had other values than their default, in some row
  std::string definition;            ///< of `columns`, a line of ASCII (plan/stored_columns.hpp); empty: unknown
  bool operator==(const KnownTable&) const = default;
};

/// The known tables of one stream. Not thread-safe; uses the connections it is given.
class KnownTables {
 public:
  KnownTables(std::string ledger_database, LedgerKey key)
      : database_(std::move(ledger_database)), key_(std::move(key)) {}

  /// Makes the table if it is missing.
  static base::Result<void> create(DestinationServer& connection, const std::string& database);

  /// Reads what earlier sessions stored. Errors: LedgerInvalid; those of the connection.
  base::Result<void> read(DestinationServer& connection);

  /// By the name at the destination; null when it was never written.
  [[nodiscard]] const KnownTable* find(std::string_view target) const;
  [[nodiscard]] const std::map<std::string, KnownTable, std::less<>>& all() const noexcept { return tables_; }

  /// Stores one, unless another instance holds the stream (`token`). Errors: Superseded; those of the connection.
  base::Result<void> store(DestinationServer& connection, std::uint64_t token, KnownTable table);
  /// Inside a transaction that stores its first rows or deletes its last ones. Counts here only after `set_has_rows`:
  /// the transaction may be rolled back.
  base::Result<void> store_has_rows(DestinationServer& connection, const std::string& target, bool has_rows) const;
  /// Where rows of this table of the source are stored: its destination tables, qualified.
  [[nodiscard]] std::vector<std::string> targets_of(const std::string& source) const;
  /// Inside a transaction that stores the first values of these columns; counts here only after `add_filled`.
  base::Result<void> store_filled(DestinationServer& connection, const std::string& target,
                                  const std::vector<std::string>& columns) const;
  void add_filled(const std::string& target, const std::vector<std::string>& columns);
  /// That transaction is committed.
  void set_has_rows(const std::string& target, bool has_rows);
  /// Another source table whose rows another stream of this task stores in `target`; nothing if there is none. Errors:
  /// those of the connection.
  base::Result<std::optional<std::string>> other_source(DestinationServer& connection, const std::string& target,
                                                        const std::string& source) const;
  /// Another task that stores rows in `target`; nothing if there is none. Errors: those of the connection.
  base::Result<std::optional<std::string>> other_task(DestinationServer& connection, const std::string& target) const;
  /// What it stores is not of this stream any more. With `token` nothing happens in the database when another instance
  /// holds the stream; without one, call it inside a transaction that holds the ledger's row.
  base::Result<void> remove(DestinationServer& connection, const std::string& target,
                            std::optional<std::uint64_t> token = std::nullopt);

 private:
  std::string database_;
  LedgerKey key_;
  std::map<std::string, KnownTable, std::less<>> tables_;
};

/// Names one a line; a backslash stands before a backslash or a line end within a name.
std::string lines_text(const std::vector<std::string>& names);
std::vector<std::string> parse_lines(std::string_view text);

}  // namespace datasync::apply
