#include "agents/destination/held_tables.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "agents/base/clock.hpp"
#include "agents/base/identifier.hpp"
#include "agents/base/text.hpp"
#include "agents/destination/copy_token.hpp"
#include "agents/destination/destination.hpp"
#include "agents/destination/ledger_store.hpp"
#include "agents/message/row.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

constexpr std::size_t kLongestMessage = 60'000;  // the column takes 65535 bytes

base::Error damaged(std::string_view what) {
  return {Reason::LedgerInvalid, fmt::format("the table of held tables at the destination: {}", what)};
}

/// The annotation that it recommends has a value of its own for each place: one that was used before asks for nothing.
std::string message_at(std::int64_t next_offset, std::int32_t stream, const std::string& message) {
  return held_message(with_token({Reason::Internal, message}, fmt::format("{}-{}", stream, next_offset)).what);
}

}  // namespace

std::string held_message(std::string_view text) {
  const nlohmann::json whole(text);
  return base::cut_middle(
      nlohmann::json::parse(whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)).get<std::string>(),
      kLongestMessage);
}

bool may_hold(const Error& error) noexcept {
  return error.outcome() == base::Outcome::Halt || error.is(Reason::PermissionDenied);
}

bool empties_table(const message::TableRows& rows) noexcept {
  return !rows.rows.empty() && static_cast<message::Op>(rows.rows.front()) == message::Op::Truncate;
}

base::Result<ForeignKeyGraph> ForeignKeyGraph::read(DestinationServer& connection) {
  DS_ASSIGN(const auto keys, connection.foreign_keys());
  ForeignKeyGraph out;
  for (const auto& [child, parent] : keys) out.add(child, parent);
  return out;
}

void ForeignKeyGraph::add(std::string_view child, std::string_view parent) {
  const auto a = base::fold_identifier(child);
  const auto b = base::fold_identifier(parent);
  next_[a].push_back(b);
  next_[b].push_back(a);
}

std::vector<std::string> ForeignKeyGraph::connected(std::string_view table,
                                                    const std::vector<std::string>& among) const {
  std::set<std::string> seen{base::fold_identifier(table)};
  std::vector<std::string> open(seen.begin(), seen.end());
  while (!open.empty()) {
    const auto at = next_.find(open.back());
    open.pop_back();
    if (at == next_.end()) continue;
    for (const auto& next : at->second)
      if (seen.insert(next).second) open.push_back(next);
  }
  std::vector<std::string> out;
  std::ranges::copy_if(among, std::back_inserter(out),
                       [&](const auto& name) { return seen.contains(base::fold_identifier(name)); });
  return out;
}

std::vector<std::string> connected_held(const ForeignKeyGraph& graph, const std::string& target,
                                        const std::vector<HeldTable>& held) {
  std::vector<std::string> among;
  for (const auto& table : held)
    if (table.table != target) among.push_back(table.table);
  const auto connected = graph.connected(target, among);
  std::vector<std::string> out;
  for (const auto& table : held)
    if (std::ranges::find(connected, table.table) != connected.end()) out.push_back(table.source);
  return out;
}

base::Result<void> HeldTables::create(DestinationServer& connection, const std::string& database) {
  return connection.ledger().create_held_tables(database);
}

base::Result<void> HeldTables::load(DestinationServer& connection, const Awaited& awaited) {
  DS_ASSIGN(auto stored, connection.ledger().held_tables(database_, key_));
  std::map<std::string, HeldTable> tables;
  for (auto& table : stored) {
    if (target_of_) table.table = target_of_(table.source);
    auto name = table.source;
    tables.insert_or_assign(std::move(name), std::move(table));
  }
  DS_TRY(check_record(connection, awaited, tables));
  tables_ = std::move(tables);
  return {};
}

const HeldTable* HeldTables::find(const std::string& source) const {
  const auto at = tables_.find(source);
  return at == tables_.end() ? nullptr : &at->second;
}

std::vector<std::string> HeldTables::names() const {
  std::vector<std::string> out;
  for (const auto& [name, table] : tables_) out.push_back(name);
  return out;
}

std::vector<HeldTable> HeldTables::all() const {
  std::vector<HeldTable> out;
  for (const auto& [name, table] : tables_) out.push_back(table);
  return out;
}

base::Result<void> HeldTables::put(DestinationServer& connection, HeldTable table) {
  if (find(table.source) != nullptr)
    return refused(connection, table.source, table.reason, table.message, table.refused_at);
  table.message = message_at(table.at.next_offset, key_.stream, table.message);
  table.since = std::chrono::duration_cast<std::chrono::seconds>(base::wall_now().time_since_epoch()).count();
  table.tries = 1;
  // Where no record was refused, but the table is missing: that of the place.
  table.refused_at = std::max<std::int64_t>({table.refused_at, table.at.next_offset - 1, 0});
  DS_TRY(connection.ledger().insert_held(database_, key_, table));
  auto name = table.source;
  tables_.insert_or_assign(std::move(name), std::move(table));
  return record(connection);
}

base::Result<void> HeldTables::refused(DestinationServer& connection, const std::string& source, Reason reason,
                                       const std::string& message, std::int64_t refused_at) {
  const auto at = tables_.find(source);
  if (at == tables_.end()) return {};
  auto& held = at->second;
  held.reason = reason;
  held.message = message_at(held.at.next_offset, key_.stream, message);
  held.refused_at = std::max(held.refused_at, refused_at);
  ++held.tries;
  return connection.ledger().set_refused(database_, key_, held);
}

base::Result<void> HeldTables::move(DestinationServer& connection, const std::vector<std::string>& tables,
                                    const LedgerState& to) const {
  for (const auto& name : tables) {
    const auto* table = find(name);
    if (table == nullptr || table->at.next_offset >= to.next_offset) continue;
    DS_TRY(set_place(connection, name, to, false));
  }
  return {};
}

base::Result<void> HeldTables::set_place(DestinationServer& connection, const std::string& source,
                                         const LedgerState& to, bool emptied) const {
  DS_ASSIGN(const bool there, connection.ledger().set_place(database_, key_, source, to, emptied));
  if (!there) return damaged(fmt::format("the row of {} no longer exists", source));
  return {};
}

// Also at the same place: a copy may have been awaited up to there.
base::Result<void> HeldTables::empty_at(DestinationServer& connection, const std::string& table,
                                        const LedgerState& to) const {
  const auto* held = find(table);
  if (held == nullptr || held->at.next_offset > to.next_offset) return {};
  return set_place(connection, table, to, true);
}

void HeldTables::was_emptied(const std::string& table, const LedgerState& to) {
  const auto at = tables_.find(table);
  if (at == tables_.end() || at->second.at.next_offset > to.next_offset) return;
  at->second.at = to;
  at->second.refused_at = -1;
}

void HeldTables::moved(const std::vector<std::string>& tables, const LedgerState& to) {
  for (const auto& name : tables) {
    const auto at = tables_.find(name);
    if (at != tables_.end() && at->second.at.next_offset < to.next_offset) at->second.at = to;
  }
}

base::Result<void> HeldTables::remove(DestinationServer& connection, const std::vector<std::string>& tables) {
  for (const auto& name : tables) {
    DS_TRY(connection.ledger().remove_held(database_, key_, name));
    tables_.erase(name);
  }
  return tables.empty() ? base::Result<void>() : record(connection);
}

}  // namespace datasync::apply
