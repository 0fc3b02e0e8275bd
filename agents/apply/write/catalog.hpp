#pragma once
// The destination's tables as one stream needs them: found, checked against the source's schema, made or widened where
// the configuration allows.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "agents/apply/plan/planner.hpp"
#include "agents/apply/plan/stored_columns.hpp"
#include "agents/apply/plan/table_compatibility.hpp"
#include "agents/apply/read/schema_book.hpp"
#include "agents/apply/write/ddl.hpp"
#include "agents/apply/write/target_table.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/destination.hpp"
#include "agents/destination/dialect.hpp"
#include "agents/destination/known_tables.hpp"
#include "agents/destination/ledger.hpp"

namespace datasync::apply {

/// Not thread-safe. DDL and look-ups run on connections of their own, so that a transaction that streams rows is not
/// committed by them.
class Catalog {
 public:
  using Connect = std::function<base::Result<std::unique_ptr<DestinationServer>>()>;
  /// `waiting` is called while a statement of data definition runs. `known` must outlive the catalog.
  Catalog(const config::Apply& config, const Dialect& dialect, SchemaBook& book, KnownTables& known, Connect connect,
          Waiting waiting)
      : config_(config),
        dialect_(dialect),
        book_(book),
        known_(known),
        connect_(std::move(connect)),
        waiting_(std::move(waiting)) {}

  /// With the token of the ledger the catalogue may store what it knows.
  void set_token(std::uint64_t token) noexcept { token_ = token; }
  /// Called in each transaction that deletes rows: its error ends the transaction, as that of a replaced instance must.
  void set_fence(std::function<base::Result<void>(DestinationServer&)> fence) { fence_ = std::move(fence); }
  /// Runs a statement of data definition (`work`, on the given connection) while no other instance can take over the
  /// stream. Its error ends what the statement was for.
  using Guard = std::function<base::Result<void>(DestinationServer&, const std::function<base::Result<void>()>& work)>;
  void set_guard(Guard guard) { guard_ = std::move(guard); }
  void set_stop(std::stop_token stop) { stop_ = std::move(stop); }
  /// Looks whether the tables that were written before are still there with their columns, but for those of the source
  /// tables in `left_out`. A table that was altered meanwhile is read again before its next row. Between transactions.
  /// Errors, the first one after all tables were looked at: DestinationTableMissing, DestinationSchemaMismatch, both
  /// with the ways on; DestinationBusy; at once: those of the connection and of `waiting`.
  base::Result<void> check_known(DestinationServer& connection, const std::set<std::string>& left_out);
  /// The table that the last `check_known` failed at.
  [[nodiscard]] const std::optional<KnownTable>& failed_known() const noexcept { return failed_known_; }
  /// The source table at which the last `activate` failed because rows that are stored stand in the way of a change
  /// that the configuration allows. A copy that empties the table first makes the change possible.
  [[nodiscard]] const std::optional<std::string>& needs_copy() const noexcept { return needs_copy_; }
  /// Before rows are stored. Errors: DestinationBusy when a table of theirs was altered after it was read: they must be
  /// read and planned again.
  [[nodiscard]] base::Result<void> check_current(std::span<const RowChange> rows) const;
  /// Inside the transaction that stores `rows`: their tables have rows from now on, or fewer.
  base::Result<void> note_rows(DestinationServer& connection, const RowBuffer& buffer, std::span<const RowChange> rows);
  /// Before its commit: whether the tables it wrote are the ones that were looked at. Errors: DestinationBusy when one
  /// was altered or made again meanwhile, so that nothing of it counts; those of the connection.
  base::Result<void> check_written(DestinationServer& connection);
  /// Before its commit: notes which tables it has emptied, as far as their identity is not certain yet.
  base::Result<void> note_empty(DestinationServer& connection);
  /// Inside the transaction that deletes the last rows of a table.
  base::Result<void> note_emptied(DestinationServer& connection, TableIndex index);
  /// The end of that transaction.
  void committed();
  void rolled_back();
  /// Between transactions, when no row that was read refers to a table by its index: what was loaded for definitions of
  /// before makes place for what is loaded next.
  void reuse_forgotten();

  /// The table of this schema if it is the version its rows have now; otherwise `activate` is needed, and before it
  /// everything that was read must be executed.
  [[nodiscard]] const TargetTable* active(message::SchemaId id, TableIndex& index) const;
  /// Finds, makes or widens the destination table and makes this schema the current version of its table.
  /// Errors: DestinationTableMissing, DestinationSchemaMismatch,
  /// SchemaChanged, KeyMissing, ForeignMessage (unknown schema), PermissionDenied with the GRANT that is needed, and
  /// those of the connection and the logs.
  /// `emptied`: its rows begin with the order to empty the table, so that what was stored before no longer matters.
  /// Where the definition needs it and the configuration allows it, the table is emptied here already.
  base::Result<void> activate(message::SchemaId id, std::stop_token stop, bool emptied = false);
  /// Drops tables that one statement dropped at the source, children before their parents, and forgets them. What this
  /// stream has stored no rows of that source table in stays. Errors: ConstraintViolated naming a table that others
  /// point to; those of the connection.
  base::Result<void> drop(std::vector<DroppedTable> tables);

  /// Inside a transaction: nothing is expected any more of what is stored of this table of the source.
  base::Result<void> forget(DestinationServer& connection, const std::string& source);

  /// Which tables may have rows there already or missing; rows of `awaited` ones do not come at all for now.
  void set_snapshot(const SnapshotState& snapshot, const Awaited& awaited = {});
  /// Source tables of which rows are missing for now although none of them is being copied or awaited here. Between
  /// transactions.
  void set_left_out(std::set<std::string> tables);
  [[nodiscard]] const std::set<std::string>& left_out() const noexcept { return left_out_; }

  [[nodiscard]] const TargetTable& table(TableIndex index) const { return *tables_[index]; }
  /// What to give the planner; changes with `generation`.
  [[nodiscard]] std::vector<PlanTable> plan_tables() const;
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

 private:
  base::Result<std::unique_ptr<TargetTable>> load(std::shared_ptr<const message::TableSchema> schema,
                                                  std::stop_token stop, bool emptied);
  base::Result<void> read_server(DestinationServer& connection);
  base::Result<void> prove_missing(DestinationServer& connection, const KnownTable& known,
                                   const std::vector<std::string>& columns);
  base::Result<void> note_certainly_empty(DestinationServer& connection, const KnownTable& known);
  base::Result<void> note_if_empty(DestinationServer& connection, const KnownTable& known);
  base::Result<void> note_to_be_emptied(DestinationServer& connection, const TargetName& name);
  void has_no_rows(const std::string& target);
  void fills(TableIndex index, const base::Bytes* values);
  base::Result<bool> has_values(DestinationServer& own, const KnownTable& known, const std::string& column,
                                bool was_missing);
  base::Result<void> check_filled(DestinationServer& connection, const KnownTable& known);
  base::Result<void> check_known_table(DestinationServer& connection, const KnownTable& known,
                                       const std::optional<FoundTable>& found);
  base::Result<void> lost_columns(DestinationServer& connection, const KnownTable& known,
                                  const std::vector<std::string>& columns, base::Error error);
  base::Result<void> check_columns(DestinationServer& connection, const KnownTable& known, const StoredColumns& now);
  [[nodiscard]] base::Result<void> check_computed(const KnownTable& known, const message::TableSchema& then,
                                                  const message::TableSchema& schema,
                                                  const std::vector<message::Column>& there) const;
  base::Result<void> changed_column(DestinationServer& connection, const KnownTable& known,
                                    const ChangedColumn& column);
  base::Result<std::string> learned(const KnownTable& known, const StoredColumns& now);
  base::Result<void> learn_columns(DestinationServer& connection, const std::string& target);
  base::Result<void> forget_columns(DestinationServer& connection, const TargetName& name,
                                    const std::vector<std::string>& columns);
  base::Result<void> remember_columns(DestinationServer& connection, const KnownTable& before);
  base::Result<std::unique_ptr<DestinationServer>> connect_own();
  base::Result<void> define(DestinationServer& connection, const std::string& statement);
  base::Result<void> note_dropping(DestinationServer& connection, const std::string& target);
  base::Result<void> check_restored(DestinationServer& connection, const KnownTable& known, std::string_view created);
  base::Result<void> check_altered(DestinationServer& connection, const KnownTable& known, std::string_view created);
  [[nodiscard]] base::Error moved(const KnownTable& known, const TargetName& name) const;
  base::Result<void> check_renamed(const KnownTable& known) const;
  base::Result<void> check_one_target(const message::TableSchema& schema, const TargetName& name) const;
  base::Result<void> forget_other_targets(DestinationServer& connection, const message::TableSchema& schema,
                                          const TargetName& name);
  base::Result<void> check_definition(DestinationServer& connection, const message::TableSchema& schema,
                                      const message::TableSchema* then, const TargetName& name, const KnownTable& known,
                                      const TableInfo& info, const DestinationFacts& facts);
  [[nodiscard]] bool is_like(const message::ActingKey& source, const TableInfo::ForeignKey& key) const;
  base::Result<void> check_actions(const KnownTable& known, const TableInfo& info) const;
  base::Result<void> check_acting_keys(DestinationServer& connection, const message::TableSchema& schema,
                                       const TargetName& name, const KnownTable* known, const TableInfo& info);
  base::Result<void> check_new_column(DestinationServer& connection, const message::TableSchema& schema,
                                      const TargetName& name, const message::Column& there);
  base::Result<void> store_known(DestinationServer& connection, const TargetTable& table, const DestinationFacts& facts,
                                 bool emptied);
  base::Result<void> check_other_tasks(DestinationServer& connection, const TargetName& name, const KnownTable* known);
  [[nodiscard]] bool goes_to(const std::string& source, const TargetName& name) const;
  void forget_loaded(const std::string& key);
  TableIndex keep(std::unique_ptr<TargetTable> table);
  base::Result<void> check_owner(const message::TableSchema& schema, const TargetName& name) const;
  base::Result<TableInfo> find_or_make(DestinationServer& connection, const message::TableSchema& schema,
                                       const TargetName& name, const KnownTable* known);
  base::Result<void> make(DestinationServer& connection, const message::TableSchema& schema, const TargetName& name);
  /// Why a table may be altered.
  struct Cause {
    bool source_changed = false;                         ///< its rows had another definition at the source before
    bool emptied = false;                                ///< see `activate`
    std::shared_ptr<const message::TableSchema> before;  ///< that definition; null when it is not known any more
    std::vector<std::string> unknown;  ///< columns that may have been altered since its rows were stored
  };
  base::Result<Fit> fit_or_alter(DestinationServer& connection, const message::TableSchema& schema,
                                 const TargetName& name, TableInfo& info, DestinationFacts& facts, const Cause& cause,
                                 const KnownTable* known);
  [[nodiscard]] std::string way_on_for_values(const message::TableSchema& schema, const TargetName& name,
                                              const DestinationFacts& facts) const;
  base::Result<void> alter(DestinationServer& connection, const message::TableSchema& schema, const TargetName& name,
                           const std::vector<Alteration>& alterations, const Cause& cause);
  base::Result<void> empty(DestinationServer& connection, const TargetName& name);
  base::Result<void> add_columns(DestinationServer& connection, const message::TableSchema& schema,
                                 const TargetName& name, const std::vector<std::uint16_t>& missing);
  base::Result<void> change_table(DestinationServer& connection, const TargetName& name, const std::string& statement,
                                  const std::vector<std::string>& columns, std::string_view what);
  void add_references(PlanTable& plan, const message::TableSchema& schema, std::string& why) const;
  [[nodiscard]] bool is_unsure(const TargetTable& table) const;
  void refresh_copying();

  const config::Apply& config_;
  const Dialect& dialect_;
  SchemaBook& book_;
  KnownTables& known_;
  Connect connect_;
  Waiting waiting_;
  std::uint64_t token_ = 0;
  bool references_read_ = false;
  bool altered_ = false;                   ///< a table was made or altered since its facts were read
  std::optional<base::TableNames> names_;  ///< how the destination compares; read with the first table
  References references_;
  std::optional<KnownTable> failed_known_;
  std::optional<std::string> needs_copy_;
  std::function<base::Result<void>(DestinationServer&)> fence_;
  Guard guard_;
  std::stop_token stop_;
  std::set<std::string> looked_at_;  ///< known tables of which it was tried to learn the columns
  std::size_t looks_left_ = 0;       ///< so many more of them at this check
  SnapshotState snapshot_;
  std::set<std::string> incomplete_;  ///< source tables that are being copied or whose copy is awaited
  std::set<std::string> left_out_;    ///< see `set_left_out`
  std::set<std::string> copying_;     ///< keys of their destination tables
  /// By the key of a parent that is not there yet: tables that need a foreign key to it.
  std::map<std::string, std::set<std::string>> await_parent_;
  std::vector<std::unique_ptr<TargetTable>> tables_;
  std::unordered_map<message::SchemaId, TableIndex> by_id_;
  std::vector<TableIndex> reusable_;  ///< of `tables_`: no row refers to them any more
  std::uint64_t last_serial_ = 0;
  // Of the open transaction: tables that got their first rows, those that lost rows, and those that it has emptied.
  std::vector<TableIndex> noted_, emptied_;
  std::set<TableIndex> reduced_, written_;
  std::map<TableIndex, std::vector<std::uint16_t>> filled_;  ///< columns that got their first values
  std::set<std::string> maybe_empty_;  ///< tables that lost rows since it was last known that they have some
  std::map<std::string, message::SchemaId> active_;  ///< by the plan's name of the destination table
  std::uint64_t generation_ = 1;
};

}  // namespace datasync::apply
