#pragma once
// Tables that wait while the rest of their stream is applied (docs/decisions/0026-held-tables.md). The table `held` at
// the destination has one row for each of them. Everything here is written while the ledger's row is locked by the
// holder of the token, so that an older instance writes nothing.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/base/reason.hpp"
#include "agents/destination/ledger.hpp"
#include "agents/message/record.hpp"

namespace datasync::apply {

/// A table that waits.
struct HeldTable {
  std::string table;   ///< at the destination, qualified: as the rules of renaming are now
  std::string source;  ///< at the source, qualified
  base::Reason reason = base::Reason::Internal;
  std::string message;  ///< without values of rows
  LedgerState at;       ///< everything of this table before at.next_offset is applied, nothing after it
  /// Offset of the record with which it was refused last; -1 once the stream empties it at `at`.
  std::int64_t refused_at = -1;
  std::int64_t since = 0;   ///< unix seconds
  std::uint64_t tries = 0;  ///< how often it was refused since
  /// It is emptied where it continues: its rows of the places before were left out.
  [[nodiscard]] bool begins_empty() const { return refused_at < 0 || at.awaited.contains(source); }
};

/// `text` as the table `held` takes it: valid UTF-8, and without its middle where it is longer than 60000 bytes. Pure.
std::string held_message(std::string_view text);

/// True for an error of one table that does not pass by itself. A missing privilege does once it is granted, and is of
/// one table where a table was named with it.
bool may_hold(const base::Error& error) noexcept;

/// True for rows that begin with the order to empty their table: what came before them does not matter any more.
bool empties_table(const message::TableRows& rows) noexcept;

/// The tables of the destination as their foreign keys connect them. Names are compared without case: two that only
/// differ in case may count as one, which holds more than is needed, never less.
class ForeignKeyGraph {
 public:
  /// Reads all foreign keys of the destination. Errors: those of the connection.
  static base::Result<ForeignKeyGraph> read(DestinationServer& connection);
  void add(std::string_view child, std::string_view parent);
  /// Which of `among` (qualified names) foreign keys connect to `table`, over other tables too; `table` itself included
  /// if it is one of them.
  [[nodiscard]] std::vector<std::string> connected(std::string_view table, const std::vector<std::string>& among) const;

 private:
  std::map<std::string, std::vector<std::string>> next_;
};

/// The source names of those of `held` that foreign keys connect to the destination's table `target`. None that is
/// stored in `target` itself: of two tables that lead to one name, the other one continues.
std::vector<std::string> connected_held(const ForeignKeyGraph& graph, const std::string& target,
                                        const std::vector<HeldTable>& held);

/// Those of `recorded`, the names in the ledger's row, that are neither `there` nor awaited.
std::vector<std::string> missing_held(const std::vector<std::string>& recorded, const std::vector<std::string>& there,
                                      const Awaited& awaited);

/// The held tables of one stream, by their names at the source: where they are stored may change while they wait. Not
/// thread-safe.
class HeldTables {
 public:
  using TargetOf = std::function<std::string(const std::string& source)>;
  /// `target_of`: where a table of the source is stored now; empty: as when it was held.
  HeldTables(std::string database, LedgerKey key, TargetOf target_of = {})
      : database_(std::move(database)), key_(std::move(key)), target_of_(std::move(target_of)) {}

  /// Makes the table `held` if it is missing.
  static base::Result<void> create(DestinationServer& connection, const std::string& database);

  /// Reads the rows of this stream. Errors: LedgerInvalid, also when the row of a table is missing that the ledger's
  /// row names, but for `awaited` ones: their copy makes what they waited for; those of the connection.
  base::Result<void> load(DestinationServer& connection, const Awaited& awaited);
  /// The ledger's row names tables that are not held any more: `record` is needed.
  [[nodiscard]] bool needs_record() const noexcept { return needs_record_; }

  [[nodiscard]] bool empty() const noexcept { return tables_.empty(); }
  [[nodiscard]] const HeldTable* find(const std::string& source) const;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::vector<HeldTable> all() const;

  // Inside a transaction in which the ledger's row is locked. What they change here counts once that is committed.

  /// Writes the names of the held tables into the ledger's row: rows that are deleted by hand are missed then.
  base::Result<void> record(DestinationServer& connection);
  /// Holds a table. One that is held already keeps its place, and gets the reason.
  base::Result<void> put(DestinationServer& connection, HeldTable table);
  /// The table was refused once more.
  base::Result<void> refused(DestinationServer& connection, const std::string& source, base::Reason reason,
                             const std::string& message, std::int64_t refused_at);
  base::Result<void> remove(DestinationServer& connection, const std::vector<std::string>& tables);
  /// Moves the place of those of `tables` that are behind `to`. Counts here only after `moved`: a batch that is
  /// executed once more writes it once more.
  base::Result<void> move(DestinationServer& connection, const std::vector<std::string>& tables,
                          const LedgerState& to) const;
  void moved(const std::vector<std::string>& tables, const LedgerState& to);
  /// Moves the place of `table`, a name at the source, to the one at which the stream empties it, unless it is past
  /// that already: why it was refused does not matter then. Counts here only after `was_emptied`.
  base::Result<void> empty_at(DestinationServer& connection, const std::string& table, const LedgerState& to) const;
  void was_emptied(const std::string& table, const LedgerState& to);

 private:
  base::Result<void> set_place(DestinationServer& connection, const std::string& source, const LedgerState& to,
                               bool emptied) const;
  base::Result<void> check_record(DestinationServer& connection, const Awaited& awaited,
                                  const std::map<std::string, HeldTable>& tables);

  std::string database_;
  LedgerKey key_;
  TargetOf target_of_;
  bool needs_record_ = false;
  std::map<std::string, HeldTable> tables_;  ///< by name at the source
};

/// The ledger of a stream in which tables are held: a table that is emptied in the stream waits from there on.
class StreamLedger final : public Ledger {
 public:
  StreamLedger(Ledger ledger, HeldTables& held) : Ledger(std::move(ledger)), held_(held) {}
  /// `table`, a name at the source, is emptied by the transaction or the copy at `offset`; `before`: the position
  /// before it. Counts with the first commit that passes the offset.
  void emptied(const std::string& table, std::int64_t offset, const LedgerState& before);
  /// Records from this offset on are void, or will be read again. What came before them counts.
  void forget_from(std::int64_t offset);
  /// The tables that wait from another place on since the last call.
  [[nodiscard]] std::vector<std::string> take_moved() { return std::exchange(moved_, {}); }
  base::Result<void> write(DestinationServer& connection, const LedgerState& state) override;
  void committed(const LedgerState& state) override;

 private:
  struct Jump {
    std::string table;
    std::int64_t offset = 0;
    LedgerState before;
  };
  HeldTables& held_;
  std::vector<Jump> jumps_;  ///< in the stream's order; a table may be emptied several times before a commit
  std::vector<std::string> moved_;
};

/// Takes the ledger's place while held tables are applied: commits move their place, not the stream's.
class HeldLedger final : public Ledger {
 public:
  /// `ledger`: the stream's, which holds the token. `start`: the place of the first of `tables`, names at the source.
  HeldLedger(Ledger ledger, HeldTables& held, std::vector<std::string> tables, LedgerState start)
      : Ledger(std::move(ledger)), held_(held), tables_(std::move(tables)), start_(std::move(start)) {}
  base::Result<LedgerState> take_over(DestinationServer& connection) override;
  base::Result<void> write(DestinationServer& connection, const LedgerState& state) override;
  void committed(const LedgerState& state) override { held_.moved(tables_, state); }

 private:
  HeldTables& held_;
  std::vector<std::string> tables_;
  LedgerState start_;
};

}  // namespace datasync::apply
