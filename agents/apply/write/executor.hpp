#pragma once
// Runs row changes at the destination: the fast way by plan, and when that fails row by row in source order, which
// either works or tells exactly which row does not.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "agents/apply/plan/planner.hpp"
#include "agents/apply/read/row_buffer.hpp"
#include "agents/apply/write/catalog.hpp"
#include "agents/apply/write/statements.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/destination.hpp"

namespace datasync::apply {

/// Everything happens inside a transaction that the caller begins and ends. Not thread-safe.
class Executor {
 public:
  /// `on_step` is called between statements: a step that lasts long in the whole still shows that it moves.
  Executor(DestinationServer& connection, const Catalog& catalog, config::OnConflict on_conflict,
           std::function<void()> on_step)
      : connection_(connection),
        catalog_(catalog),
        statements_(connection, catalog),
        overwrite_(on_conflict == config::OnConflict::Overwrite),
        on_step_(std::move(on_step)) {}

  /// By plan. An error for which `row_by_row_may_help` is true says little about the cause: go back to where this call
  /// began and call `run_rows`.
  base::Result<void> run_plan(const RowBuffer& buffer, std::span<const RowChange> rows);
  [[nodiscard]] static bool row_by_row_may_help(const base::Error& error) noexcept;

  /// One row after the other, as the source did. Errors: RowConflict with the table and its key columns;
  /// ConstraintViolated and ValueNotStorable naming table, key and what the server said; those of the connection.
  base::Result<void> run_rows(const RowBuffer& buffer, std::span<const RowChange> rows);

  /// Deletes some rows of a table; returns how many, 0 when it is empty.
  base::Result<std::uint64_t> delete_batch(TableIndex table);

  struct Counts {
    std::uint64_t statements = 0;   ///< rows sent to the server after folding
    std::uint64_t overwritten = 0;  ///< conflicts settled by onConflict: Overwrite
    std::uint64_t row_by_row = 0;   ///< batches that fell back
  };
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

  /// What the last call failed with; nothing after a success.
  struct Refused {
    TableIndex table = 0;
    std::string what;  ///< after `run_rows`: the kind of change and why, without the row's values
  };
  [[nodiscard]] const std::optional<Refused>& refused() const noexcept { return refused_; }

 private:
  base::Result<void> run_strict(const RowBuffer& buffer, const Run& run, std::span<const PlannedRow> rows);
  base::Result<void> run_tolerant(const RowBuffer& buffer, const Run& run, std::span<const PlannedRow> rows);
  base::Result<void> set_checks(const TargetTable& table, StatementKind kind);
  base::Result<void> set_checks_to(bool on);
  base::Result<void> store_parents(const RowBuffer& buffer, TableIndex table, std::span<const PlannedRow> rows);
  base::Result<void> store_row(const RowBuffer& buffer, TableIndex table, ImageAt after);
  base::Result<void> move_tolerant(const RowBuffer& buffer, const RowChange& change);
  base::Result<void> overwrite_row(const RowBuffer& buffer, const RowChange& change);
  base::Result<void> empty(TableIndex table);
  base::Result<void> row(const RowBuffer& buffer, const RowChange& change);
  base::Result<void> insert_row(const RowBuffer& buffer, const RowChange& change);
  base::Result<void> update_row(const RowBuffer& buffer, const RowChange& change);
  base::Result<void> delete_row(const RowBuffer& buffer, const RowChange& change);
  [[nodiscard]] bool is_duplicate() const noexcept;
  base::Error conflict(const RowChange& change, std::string_view what);
  base::Error explained(base::Error error, const RowChange& change) const;

  DestinationServer& connection_;
  const Catalog& catalog_;
  Statements statements_;
  Planner planner_;
  std::uint64_t planned_generation_ = 0;
  bool overwrite_;
  bool checks_on_ = true;  ///< foreign_key_checks of the session
  std::function<void()> on_step_;
  Counts counts_;
  std::optional<Refused> refused_;
};

}  // namespace datasync::apply
