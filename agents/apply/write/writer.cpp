#include "agents/apply/write/writer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

constexpr auto kKeepAlive = std::chrono::seconds(2);  // the session ends a transaction that is idle for 10 s

}  // namespace

Writer::Writer(DestinationServer& connection, const Dialect& dialect, Catalog& catalog, const config::Apply& config,
               Ledger& ledger, std::function<void()> on_step)
    : connection_(connection),
      dialect_(dialect),
      catalog_(catalog),
      ledger_(ledger),
      executor_(connection, catalog, config.on_conflict, std::move(on_step)) {}

Writer::~Writer() {
  if (open_) rollback();
}

base::Result<std::unique_ptr<Writer>> Writer::open(DestinationServer& connection, const Dialect& dialect,
                                                   Catalog& catalog, const config::Apply& config, Ledger& ledger,
                                                   std::function<void()> on_step) {
  std::unique_ptr<Writer> writer(new Writer(connection, dialect, catalog, config, ledger, std::move(on_step)));
  DS_ASSIGN(writer->state_, writer->ledger_.take_over(connection));
  catalog.set_snapshot(writer->state_.snapshot, writer->state_.awaited);
  DS_ASSIGN(writer->triggers_, connection.executed_triggers());
  return writer;
}

/// Which triggers a table has is shown only to users with the privilege TRIGGER; that one ran is shown to everybody.
base::Result<void> Writer::check_triggers(std::span<const RowChange> rows) {
  DS_ASSIGN(const auto count, connection_.executed_triggers());
  if (count == triggers_) return {};
  std::set<std::string> tables;
  for (const auto& row : rows) tables.insert(catalog_.table(row.table).qualified());
  return base::Error(base::Reason::DestinationSchemaMismatch,
                     fmt::format("a trigger at the destination ran while rows of {} were written, and may change what "
                                 "is stored; nothing of it was committed. {}",
                                 tables.empty() ? "a large transaction" : fmt::format("{}", fmt::join(tables, ", ")),
                                 dialect_.drop_hidden_trigger()));
}

/// Fences first: the ledger's row is locked before any row is touched.
base::Result<void> Writer::begin(const LedgerState* next) {
  DS_TRY(connection_.begin());
  open_ = true;
  if (next != nullptr) return ledger_.write(connection_, *next);
  return ledger_.hold(connection_);
}

/// Each of the transactions holds the ledger's row, so that a replaced instance deletes nothing.
base::Result<void> Writer::empty_in_parts(const std::set<TableIndex>& tables, std::span<const RowChange> rows) {
  for (const auto table : tables) {
    for (std::uint64_t gone = 1; gone != 0;) {
      DS_TRY(begin(nullptr));
      DS_ASSIGN(gone, executor_.delete_batch(table));
      if (gone == 0) DS_TRY(catalog_.note_emptied(connection_, table));
      DS_TRY(check_triggers(rows));
      DS_TRY(connection_.commit());
      catalog_.committed();
      open_ = false;
    }
  }
  return {};
}

base::Result<void> Writer::empty(std::span<const RowChange> rows) {
  last_used_ = base::steady_now();
  std::set<TableIndex> tables;
  for (const auto& row : rows) tables.insert(row.table);
  return empty_in_parts(tables, rows);
}

/// The fast way; if that fails for a reason in the rows, once more row by row, which works or names the row.
base::Result<void> Writer::execute(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState* next) {
  const bool continued = open_;
  DS_TRY(catalog_.check_current(rows));
  if (continued) {
    DS_TRY(connection_.set_savepoint(Savepoint::Part));
  } else {
    // A table that is being copied again is emptied before the transaction that says so: whatever of its rows is stored
    // comes again.
    std::set<TableIndex> tables;
    for (const auto& row : rows) {
      if (row.op == message::Op::Truncate && catalog_.table(row.table).tolerant) tables.insert(row.table);
    }
    DS_TRY(empty_in_parts(tables, rows));
    DS_TRY(begin(next));
  }
  if (rows.empty()) return {};
  auto planned = executor_.run_plan(buffer, rows);
  if (planned) return catalog_.note_rows(connection_, buffer, rows);
  if (!Executor::row_by_row_may_help(planned.error())) return planned;
  base::log::debug("row by row", {{"message", std::string_view(planned.error().what)}});
  if (continued) {
    DS_TRY(connection_.rollback_to(Savepoint::Part));
  } else {
    rollback();
    DS_TRY(begin(next));
  }
  DS_TRY(executor_.run_rows(buffer, rows));
  return catalog_.note_rows(connection_, buffer, rows);
}

base::Result<void> Writer::commit(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState& next) {
  const bool continued = open_;
  last_used_ = base::steady_now();
  DS_TRY(execute(buffer, rows, &next));
  if (continued) DS_TRY(ledger_.write(connection_, next));
  if (continued || !rows.empty()) DS_TRY(check_triggers(rows));
  DS_TRY(catalog_.check_written(connection_));
  DS_TRY(catalog_.note_empty(connection_));
  DS_TRY(connection_.commit());
  open_ = false;
  catalog_.committed();
  ledger_.committed(next);
  const bool snapshot_changed = state_.snapshot != next.snapshot || state_.awaited != next.awaited;
  state_ = next;
  if (snapshot_changed) catalog_.set_snapshot(state_.snapshot, state_.awaited);
  if (rows.size() == buffer.size()) catalog_.reuse_forgotten();
  return {};
}

base::Result<void> Writer::stream(const RowBuffer& buffer, std::span<const RowChange> rows) {
  last_used_ = base::steady_now();
  return execute(buffer, rows, nullptr);
}

void Writer::rollback() noexcept {
  connection_.rollback();
  catalog_.rolled_back();
  open_ = false;
}

base::Result<void> Writer::idle() {
  const auto now = base::steady_now();
  if (now - last_used_ < kKeepAlive) return {};
  last_used_ = now;
  return ledger_.check(connection_);
}

}  // namespace datasync::apply
