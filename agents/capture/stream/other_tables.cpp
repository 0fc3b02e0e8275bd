#include "agents/capture/stream/other_tables.hpp"

#include <algorithm>
#include <utility>

namespace datasync::capture {
namespace {

using Moves = std::vector<message::MovedColumn>;

/// No column has this name.
const message::MovedColumn& unjudged() {
  static const message::MovedColumn kUnjudged{"*", ""};
  return kUnjudged;
}

}  // namespace

bool is_unjudged(const Moves& moved) {
  return std::ranges::find(moved, unjudged()) != moved.end();
}

Moves judged_moves(Moves moved) {
  std::erase(moved, unjudged());
  return moved;
}

OtherTables::OtherTables(const Selection& selection, DefinitionStore store)
    : selection_(selection), store_(std::move(store)) {
  for (const auto& table : selection.tables())
    for (const auto& column : table.exclude)
      if (!excluded_.excludes(column)) excluded_.exclude.push_back(column);
}

TableChoice OtherTables::choice(const binlog::NamedTable& name) const {
  TableChoice out;
  out.database = selection_.names().stored(name.database);
  out.table = selection_.names().stored(name.table);
  return out;
}

base::Result<std::vector<TakenMoves>> OtherTables::statement(
    const MovingStatement& s, const std::function<Moves(const TableChoice&)>& known) const {
  std::vector<TakenMoves> out;
  if (excluded_.exclude.empty()) return out;
  const auto before = [&](const binlog::NamedTable& name) {
    if (const auto* captured = selection_.find(name.database, name.table)) return known(*captured);
    const auto kept = store_.load(choice(name), store_.place());
    return kept ? kept->moved : Moves();
  };
  for (auto& t : moves_after(s.judgement, s.names, excluded_, selection_.names(), s.like, before)) {
    if (const auto* captured = selection_.find(t.name.database, t.name.table)) {
      if (!t.taken.empty()) out.push_back({captured, std::move(t.taken)});
      continue;
    }
    if (!is_unjudged(t.moved) && s.unjudged(t.moved)) t.moved.push_back(unjudged());
    if (t.moved == before(t.name)) continue;
    message::Definition kept;
    const auto table = choice(t.name);
    kept.database = table.database;
    kept.table = table.table;
    kept.position = store_.place();
    kept.position.add(s.gtid);
    kept.moved = std::move(t.moved);
    DS_TRY(store_.save(kept));
  }
  return out;
}

}  // namespace datasync::capture
