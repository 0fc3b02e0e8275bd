#pragma once
// The destination transaction of one stream: rows and ledger in one commit.

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "agents/apply/read/row_buffer.hpp"
#include "agents/apply/write/catalog.hpp"
#include "agents/apply/write/executor.hpp"
#include "agents/base/clock.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/destination.hpp"
#include "agents/destination/ledger.hpp"

namespace datasync::apply {

/// One connection that has taken over one stream. After any error the writer is done: what was open is rolled back when
/// it is destroyed, and a new one finds in the ledger what became of the last commit. Not thread-safe.
class Writer {
 public:
  /// Takes over the ledger's row. `connection` is prepared to write (prepare_to_write); it and `ledger` must outlive
  /// the writer. `on_step` is called between statements.
  static base::Result<std::unique_ptr<Writer>> open(DestinationServer& connection, const Dialect& dialect,
                                                    Catalog& catalog, const config::Apply& config, Ledger& ledger,
                                                    std::function<void()> on_step);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// What the ledger held when it was taken over, and holds after every commit.
  [[nodiscard]] const LedgerState& ledger() const noexcept { return state_; }
  [[nodiscard]] std::uint64_t token() const noexcept { return ledger_.token(); }

  /// Executes `rows` and commits them, with everything streamed before, together with `next`. Errors: Superseded,
  /// DestinationSchemaMismatch when a trigger ran, those of Executor::run_rows, those of the connection.
  base::Result<void> commit(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState& next);
  /// Executes `rows` in the open transaction, beginning it if need be, and leaves it open.
  base::Result<void> stream(const RowBuffer& buffer, std::span<const RowChange> rows);
  /// Empties the tables of `rows` in transactions of their own, of bounded size; none is open before and after. Errors:
  /// as of `commit`.
  base::Result<void> empty(std::span<const RowChange> rows);
  [[nodiscard]] bool streaming() const noexcept { return open_; }
  void rollback() noexcept;

  /// Call often while nothing is written: keeps an open transaction from being ended by the server, notices a
  /// destination that is gone and a newer instance. Errors: Superseded; those of the connection.
  base::Result<void> idle();

  /// Between transactions. Reading for verification and so on.
  [[nodiscard]] DestinationServer& connection() noexcept { return connection_; }
  [[nodiscard]] const Executor::Counts& counts() const noexcept { return executor_.counts(); }
  /// What the last failed call of `commit` or `stream` was about, if that was a row or a statement of one table.
  [[nodiscard]] const std::optional<Executor::Refused>& refused() const noexcept { return executor_.refused(); }

 private:
  Writer(DestinationServer& connection, const Dialect& dialect, Catalog& catalog, const config::Apply& config,
         Ledger& ledger, std::function<void()> on_step);
  base::Result<void> empty_in_parts(const std::set<TableIndex>& tables, std::span<const RowChange> rows);
  base::Result<void> check_triggers(std::span<const RowChange> rows);
  base::Result<void> begin(const LedgerState* next);
  base::Result<void> execute(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState* next);

  DestinationServer& connection_;
  const Dialect& dialect_;
  Catalog& catalog_;
  Ledger& ledger_;
  LedgerState state_;
  Executor executor_;
  bool open_ = false;
  std::uint64_t triggers_ = 0;  ///< set off by this connection so far
  base::SteadyTime last_used_ = base::steady_now();
};

}  // namespace datasync::apply
