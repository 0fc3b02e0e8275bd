#include "agents/capture/plan/table_moves.hpp"

#include <algorithm>
#include <utility>

namespace datasync::capture {
namespace {

using binlog::NamedTable;
using What = binlog::TableEffect::What;

/// The tables of one statement.
class MoveReader {
 public:
  MoveReader(const ColumnNames& names, const TableChoice& excluded, const base::TableNames& table_names,
             const std::function<std::vector<message::MovedColumn>(const NamedTable&)>& before)
      : names_(names), excluded_(excluded), table_names_(table_names), before_(before) {}

  void take(const binlog::TableEffect& effect, bool renames, const std::optional<NamedTable>& like) {
    if (effect.name.table.empty() || effect.what == What::Truncated || effect.what == What::Statement) return;
    auto& t = of(effect.name);
    switch (effect.what) {
      case What::Dropped:
        // RENAME of a temporary table leaves the other table of the name where it is.
        if (names_.certain && !renames) t.now.moved.clear();
        return;
      case What::Created:
        if (names_.certain && !effect.if_missing) t.now.moved.clear();
        if (like) add(t.now, before_(*like));
        break;
      case What::Moved: {
        const auto was = std::ranges::find_if(tables_, [&](const auto& o) { return same(o.now.name, effect.was); });
        add(t.now, was == tables_.end() ? before_(effect.was) : was->altered);
        return;
      }
      default:
        break;
    }
    t.now.moved = moved_by(excluded_, t.now.moved, names_);
    t.altered = t.now.moved;
  }

  /// Rows of these tables may have gone from one to another: partitions that are exchanged.
  void mix() {
    for (auto& t : tables_)
      for (const auto& other : tables_)
        if (&t != &other) add(t.now, other.altered);
  }

  std::vector<TableMoves> all() {
    std::vector<TableMoves> out;
    for (auto& t : tables_) out.push_back(std::move(t.now));
    return out;
  }

 private:
  struct Table {
    TableMoves now;
    std::vector<message::MovedColumn> altered;  ///< of the table that had the name before, with what was altered in it
  };
  [[nodiscard]] bool same(const NamedTable& a, const NamedTable& b) const {
    return table_names_.same(a.database, b.database) && table_names_.same(a.table, b.table);
  }
  Table& of(const NamedTable& name) {
    const auto at = std::ranges::find_if(tables_, [&](const auto& t) { return same(t.now.name, name); });
    if (at != tables_.end()) return *at;
    auto moved = before_(name);
    return tables_.emplace_back(Table{{name, moved, {}}, moved});
  }
  static void add(TableMoves& to, const std::vector<message::MovedColumn>& moved) {
    for (const auto& m : moved) {
      if (std::ranges::find(to.moved, m) == to.moved.end()) to.moved.push_back(m);
      if (std::ranges::find(to.taken, m) == to.taken.end()) to.taken.push_back(m);
    }
  }

  const ColumnNames& names_;
  const TableChoice& excluded_;
  const base::TableNames& table_names_;
  const std::function<std::vector<message::MovedColumn>(const NamedTable&)>& before_;
  std::vector<Table> tables_;
};

}  // namespace

std::vector<TableMoves> moves_after(const binlog::Judgement& judgement, const ColumnNames& names,
                                    const TableChoice& excluded, const base::TableNames& table_names,
                                    const std::optional<NamedTable>& like,
                                    const std::function<std::vector<message::MovedColumn>(const NamedTable&)>& before) {
  MoveReader reader(names, excluded, table_names, before);
  bool rows = false;
  for (const auto& effect : judgement.effects) {
    reader.take(effect, judgement.renames, like);
    rows = rows || effect.what == What::Rows;
  }
  if (rows) reader.mix();
  return reader.all();
}

}  // namespace datasync::capture
