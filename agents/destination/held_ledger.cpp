// Which place a commit moves: the stream's, or that of held tables; and what the ledger's row says of these.

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/destination/copy_token.hpp"
#include "agents/destination/destination.hpp"
#include "agents/destination/held_tables.hpp"
#include "agents/destination/ledger_store.hpp"

namespace datasync::apply {
std::vector<std::string> missing_held(const std::vector<std::string>& recorded, const std::vector<std::string>& there,
                                      const Awaited& awaited) {
  std::vector<std::string> out;
  std::ranges::copy_if(recorded, std::back_inserter(out), [&](const auto& name) {
    return std::ranges::find(there, name) == there.end() && !awaited.contains(name);
  });
  return out;
}

base::Result<void> HeldTables::record(DestinationServer& connection) {
  DS_TRY(connection.ledger().set_held_names(database_, key_, names()));
  needs_record_ = false;
  return {};
}

/// Without its row a table would be applied from the stream's place on, and what it waits for would be left out.
base::Result<void> HeldTables::check_record(DestinationServer& connection, const Awaited& awaited,
                                            const std::map<std::string, HeldTable>& tables) {
  DS_ASSIGN(const auto recorded, connection.ledger().held_names(database_, key_));
  needs_record_ = false;
  if (!recorded) return {};
  std::vector<std::string> there;
  for (const auto& [name, table] : tables) there.push_back(name);
  const auto missing = missing_held(*recorded, there, awaited);
  if (!missing.empty())
    return base::Error(
        base::Reason::LedgerInvalid,
        fmt::format("rows of the table held at the destination no longer exist, and with them the place from which the "
                    "changes of {} are applied. Have these tables copied again: {}",
                    fmt::join(missing, ", "), copy_hint(missing)));
  needs_record_ = !missing_held(*recorded, there, {}).empty();
  return {};
}

void StreamLedger::emptied(const std::string& table, std::int64_t offset, const LedgerState& before) {
  // Several orders of one transaction begin at the same position. The copy that was awaited begins here.
  auto& jump = jumps_.emplace_back(Jump{table, offset, before});
  if (const auto* held = held_.find(table)) jump.before.awaited.erase(held->source);
}

void StreamLedger::forget_from(std::int64_t offset) {
  std::erase_if(jumps_, [&](const Jump& jump) { return jump.offset >= offset; });
}

base::Result<void> StreamLedger::write(DestinationServer& connection, const LedgerState& state) {
  DS_TRY(Ledger::write(connection, state));
  for (const auto& jump : jumps_) {
    if (state.next_offset > jump.offset) DS_TRY(held_.empty_at(connection, jump.table, jump.before));
  }
  return {};
}

void StreamLedger::committed(const LedgerState& state) {
  Ledger::committed(state);
  std::erase_if(jumps_, [&](const Jump& jump) {
    if (state.next_offset <= jump.offset) return false;
    held_.was_emptied(jump.table, jump.before);
    moved_.push_back(jump.table);
    return true;
  });
}

base::Result<LedgerState> HeldLedger::take_over(DestinationServer& /*connection*/) {
  return start_;
}

base::Result<void> HeldLedger::write(DestinationServer& connection, const LedgerState& state) {
  DS_TRY(hold(connection));
  return held_.move(connection, tables_, state);
}

}  // namespace datasync::apply
