// Which place a commit moves: the stream's, or that of held tables.

#include <algorithm>

#include "agents/apply/held.hpp"

namespace datasync::apply {

void StreamLedger::emptied(const std::string& table, std::int64_t offset, const LedgerState& before) {
  // Several orders of one transaction begin at the same position. The copy that was awaited begins here.
  auto& jump = jumps_.emplace_back(Jump{table, offset, before});
  if (const auto* held = held_.find(table)) jump.before.awaited.erase(held->source);
}

void StreamLedger::forget_from(std::int64_t offset) {
  std::erase_if(jumps_, [&](const Jump& jump) { return jump.offset >= offset; });
}

base::Result<void> StreamLedger::write(sql::Connection& connection, const Dialect& dialect, const LedgerState& state) {
  DS_TRY(Ledger::write(connection, dialect, state));
  for (const auto& jump : jumps_) {
    if (state.next_offset > jump.offset) DS_TRY(held_.move(connection, dialect, {jump.table}, jump.before));
  }
  return {};
}

void StreamLedger::committed(const LedgerState& state) {
  Ledger::committed(state);
  std::erase_if(jumps_, [&](const Jump& jump) {
    if (state.next_offset <= jump.offset) return false;
    held_.moved({jump.table}, jump.before);
    moved_.push_back(jump.table);
    return true;
  });
}

base::Result<LedgerState> HeldLedger::take_over(sql::Connection& /*connection*/, const Dialect& /*dialect*/) {
  return start_;
}

base::Result<void> HeldLedger::write(sql::Connection& connection, const Dialect& dialect, const LedgerState& state) {
  DS_TRY(hold(connection, dialect));
  return held_.move(connection, dialect, tables_, state);
}

}  // namespace datasync::apply
