#include "agents/binlog/renames.hpp"

#include <utility>

namespace datasync::binlog {

using What = TableEffect::What;

void Renames::move(NamedTable from, NamedTable to) {
  const auto moved = now_.find(key(from));
  unsure_ = if_exists_ && !tables_.empty();
  NamedTable was = moved == now_.end() ? from : tables_[moved->second].was;
  if (moved != now_.end()) {
    tables_[moved->second].moved_on = true;
    now_.erase(moved);
  }
  now_[key(to)] = tables_.size();
  tables_.push_back({std::move(to), std::move(was)});
  if (left_.insert(key(from)).second) order_.push_back(std::move(from));
}

void Renames::write(std::vector<TableEffect>& out) const {
  if (unsure_) {
    for (const auto& name : order_) out.push_back({name, What::Rows});
    for (const auto& t : tables_)
      if (!left_.contains(key(t.now))) out.push_back({t.now, What::Rows});
    return;
  }
  // A name that had a table only between two renames had none before; reporting that it has none now is harmless.
  for (const auto& name : order_)
    if (!now_.contains(key(name))) out.push_back({name, What::Dropped});
  for (const auto& t : tables_) {
    if (t.moved_on) continue;
    if (key(t.now) == key(t.was))
      out.push_back(
          {t.now, What::Rows});  // if one of the names was that of a temporary table, this name has another table
    else
      out.push_back({t.now, What::Moved, t.was});
  }
}

}  // namespace datasync::binlog
