#pragma once
// The destination's tables as one stream needs them: found, checked against the source's schema, made or widened where
// the configuration allows.

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "agents/apply/dialect.hpp"
#include "agents/apply/fit.hpp"
#include "agents/apply/ledger.hpp"
#include "agents/apply/planner.hpp"
#include "agents/apply/schema_book.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/sql/connection.hpp"
#include "agents/sql/table_reader.hpp"

namespace datasync::apply {

/// One version of a source table and where its rows go.
struct TargetTable {
  std::shared_ptr<const message::TableSchema> schema;
  StatementTable names;
  PlanTable plan;
  sql::TableInfo info;    ///< of the destination
  bool tolerant = false;  ///< a snapshot of it is on its way: rows may be there already or missing
  [[nodiscard]] std::string qualified() const { return names.database + "." + names.table; }
  [[nodiscard]] std::size_t columns() const { return schema->columns.size(); }
};

/// Where a table of the source goes.
struct TargetName {
  std::string database, table;
  [[nodiscard]] std::string qualified() const { return database + "." + table; }
};
TargetName target_name(const config::Apply& config, const std::string& database, const std::string& table);

/// Not thread-safe. DDL and look-ups run on connections of their own, so that a transaction that streams rows is not
/// committed by them.
class Catalog {
 public:
  using Connect = std::function<base::Result<std::unique_ptr<sql::Connection>>()>;
  Catalog(const config::Apply& config, const Dialect& dialect, SchemaBook& book, Connect connect)
      : config_(config), dialect_(dialect), book_(book), connect_(std::move(connect)) {}

  /// The table of this schema if it is the version its rows have now; otherwise `activate` is needed, and before it
  /// everything that was read must be executed.
  [[nodiscard]] const TargetTable* active(message::SchemaId id, TableIndex& index) const;
  /// Finds, makes or widens the destination table and makes this schema the current version of its table.
  /// Errors: DestinationTableMissing, DestinationSchemaMismatch, SchemaChanged, KeyMissing, ForeignMessage (unknown
  /// schema), PermissionDenied with the GRANT that mends it, and those of the connection and the logs.
  base::Result<void> activate(message::SchemaId id, std::stop_token stop);
  /// Drops a table that was dropped at the source and forgets it.
  base::Result<void> drop(const TargetName& name);

  /// Which tables may have rows there already or missing.
  void set_snapshot(const SnapshotState& snapshot);

  [[nodiscard]] const TargetTable& table(TableIndex index) const { return *tables_[index]; }
  /// What to give the planner; changes with `generation`.
  [[nodiscard]] std::vector<PlanTable> plan_tables() const;
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

 private:
  base::Result<std::unique_ptr<TargetTable>> load(std::shared_ptr<const message::TableSchema> schema);
  base::Result<sql::TableInfo> find_or_make(sql::Connection& connection, const message::TableSchema& schema,
                                            const TargetName& name);
  base::Result<void> widen(sql::Connection& connection, const message::TableSchema& schema, const TargetName& name,
                           const std::vector<std::uint16_t>& missing);
  base::Result<std::vector<std::string>> required_columns(sql::Connection& connection, const TargetName& name);
  [[nodiscard]] bool is_unsure(const TargetTable& table) const;

  const config::Apply& config_;
  const Dialect& dialect_;
  SchemaBook& book_;
  Connect connect_;
  SnapshotState snapshot_;
  std::vector<std::unique_ptr<TargetTable>> tables_;
  std::unordered_map<message::SchemaId, TableIndex> by_id_;
  std::map<std::string, message::SchemaId> active_;  ///< by destination table
  std::uint64_t generation_ = 1;
};

}  // namespace datasync::apply
