#include "agents/apply/writer.hpp"

#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

constexpr auto kKeepAlive = std::chrono::seconds(2);  // the session ends a transaction that is idle for 10 s

}  // namespace

Writer::Writer(sql::Connection& connection, const Dialect& dialect, Catalog& catalog, const config::Apply& config,
               Ledger ledger, std::function<void()> on_step)
    : connection_(connection),
      dialect_(dialect),
      catalog_(catalog),
      ledger_(std::move(ledger)),
      executor_(connection, dialect, catalog, config.on_conflict, std::move(on_step)) {}

Writer::~Writer() {
  if (open_) rollback();
}

base::Result<std::unique_ptr<Writer>> Writer::open(sql::Connection& connection, const Dialect& dialect,
                                                   Catalog& catalog, const config::Apply& config, Ledger ledger,
                                                   std::function<void()> on_step) {
  std::unique_ptr<Writer> writer(
      new Writer(connection, dialect, catalog, config, std::move(ledger), std::move(on_step)));
  for (const auto& statement : dialect.session()) DS_TRY(writer->connection_.execute(statement));
  DS_ASSIGN(writer->state_, writer->ledger_.take_over(writer->connection_, dialect));
  catalog.set_snapshot(writer->state_.snapshot);
  DS_TRY(writer->set_foreign_key_checks());
  return writer;
}

/// While a snapshot is on its way children may come before their parents
/// (docs/decisions/0004-tolerant-snapshot.md), and parents whose copy is awaited do not come at all.
base::Result<void> Writer::set_foreign_key_checks() {
  const bool on = !state_.snapshot.active() && state_.awaited.empty();
  if (on == checks_on_) return {};
  DS_TRY(connection_.execute(dialect_.foreign_key_checks(on)));
  checks_on_ = on;
  return {};
}

/// Fences first: the ledger's row is locked before any row is touched.
base::Result<void> Writer::begin(const LedgerState* next) {
  DS_TRY(connection_.begin());
  open_ = true;
  if (next != nullptr) return ledger_.write(connection_, dialect_, *next);
  return ledger_.hold(connection_, dialect_);
}

/// The fast way; if that fails for a reason in the rows, once more row by row, which works or names the row.
base::Result<void> Writer::execute(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState* next) {
  const bool continued = open_;
  if (continued) {
    DS_TRY(connection_.execute("SAVEPOINT datasync_part"));
  } else {
    DS_TRY(begin(next));
  }
  if (rows.empty()) return {};
  auto planned = executor_.run_plan(buffer, rows);
  if (planned || !Executor::row_by_row_may_help(planned.error())) return planned;
  base::log::debug("row by row", {{"message", std::string_view(planned.error().what)}});
  if (continued) {
    DS_TRY(connection_.execute("ROLLBACK TO SAVEPOINT datasync_part"));
  } else {
    rollback();
    DS_TRY(begin(next));
  }
  return executor_.run_rows(buffer, rows);
}

base::Result<void> Writer::commit(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState& next) {
  const bool continued = open_;
  last_used_ = base::steady_now();
  DS_TRY(execute(buffer, rows, &next));
  if (continued) DS_TRY(ledger_.write(connection_, dialect_, next));
  DS_TRY(connection_.commit());
  open_ = false;
  ledger_.committed(next);
  const bool snapshot_changed = state_.snapshot != next.snapshot || state_.awaited != next.awaited;
  state_ = next;
  if (snapshot_changed) {
    catalog_.set_snapshot(state_.snapshot);
    DS_TRY(set_foreign_key_checks());
  }
  return {};
}

base::Result<void> Writer::stream(const RowBuffer& buffer, std::span<const RowChange> rows) {
  last_used_ = base::steady_now();
  return execute(buffer, rows, nullptr);
}

void Writer::rollback() noexcept {
  connection_.rollback();
  open_ = false;
}

base::Result<void> Writer::idle() {
  const auto now = base::steady_now();
  if (now - last_used_ < kKeepAlive) return {};
  last_used_ = now;
  return ledger_.check(connection_, dialect_);
}

}  // namespace datasync::apply
