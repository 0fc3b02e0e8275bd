// Which tables are connected by foreign keys, and in which order they stand.

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "agents/apply/plan/planner.hpp"

namespace datasync::apply {
namespace {

/// The tables by name; one name may have several versions.
using ByName = std::map<std::string, std::vector<TableIndex>, std::less<>>;

/// Walks from each table to its parents: the depth is the rank. A way back to where one is makes a cycle.
class Ranks {
 public:
  Ranks(const std::vector<PlanTable>& tables, const ByName& by_name)
      : tables_(tables), by_name_(by_name), ranks_(tables.size(), 0), marks_(tables.size(), Mark::New) {}

  /// False when a cycle was found.
  bool visit(TableIndex table) {
    if (marks_[table] != Mark::New) return marks_[table] == Mark::Done;
    marks_[table] = Mark::Open;
    bool straight = true;
    for (const auto& parent : tables_[table].parents) {
      const auto found = by_name_.find(parent);
      if (found == by_name_.end()) continue;
      for (const TableIndex p : found->second) {
        straight = visit(p) && p != table && straight;
        ranks_[table] = std::max(ranks_[table], ranks_[p] + 1);
      }
    }
    marks_[table] = straight ? Mark::Done : Mark::Cyclic;
    return straight;
  }
  std::vector<std::uint32_t> take() { return std::move(ranks_); }

 private:
  enum class Mark : std::uint8_t { New, Open, Done, Cyclic };
  const std::vector<PlanTable>& tables_;
  const ByName& by_name_;
  std::vector<std::uint32_t> ranks_;
  std::vector<Mark> marks_;
};

std::uint32_t root(std::vector<std::uint32_t>& up, std::uint32_t i) {
  while (up[i] != i) i = up[i] = up[up[i]];
  return i;
}

}  // namespace

void Planner::set_tables(std::vector<PlanTable> tables) {
  tables_ = std::move(tables);
  find_groups();
}

void Planner::find_groups() {
  ByName by_name;
  for (TableIndex i = 0; i < tables_.size(); ++i) by_name[tables_[i].name].push_back(i);
  group_of_.resize(tables_.size());
  std::iota(group_of_.begin(), group_of_.end(), 0U);
  for (const auto& [name, versions] : by_name) {
    for (const TableIndex v : versions) {
      group_of_[root(group_of_, v)] = root(group_of_, versions.front());
      for (const auto& parent : tables_[v].parents) {
        if (const auto p = by_name.find(parent); p != by_name.end())
          group_of_[root(group_of_, p->second.front())] = root(group_of_, v);
      }
    }
  }
  Ranks ranks(tables_, by_name);
  group_ordered_.assign(tables_.size(), 0);
  for (TableIndex i = 0; i < tables_.size(); ++i) {
    group_of_[i] = root(group_of_, i);
    const bool straight = ranks.visit(i);
    if (!straight || tables_[i].ordered) group_ordered_[group_of_[i]] = 1;
  }
  rank_ = ranks.take();
}

}  // namespace datasync::apply
