// Random histories through the planner against a small database that checks unique and foreign keys row by row, as a
// server does: the plan must never break a constraint that the history did not, must match what it says it matches, and
// must leave the same rows.

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "agents/apply/plan/planner.hpp"
#include "tests/unit/apply/plan/change_maker.hpp"

namespace datasync::apply {
namespace {

struct ForeignKey {
  std::size_t column;
  TableIndex parent;
  std::size_t parent_column;
};

struct TestTable {
  std::string name;
  std::size_t columns;
  std::vector<std::size_t> unique;
  std::vector<ForeignKey> foreign;
};

/// p <- c <- g, g also points to p's unique column; q has two unique columns; s points to itself.
const std::vector<TestTable>& tables() {
  static const std::vector<TestTable> kTables{
      {"p", 3, {1}, {}},    {"c", 4, {2}, {{1, 0, 0}}}, {"g", 4, {}, {{1, 0, 1}, {2, 1, 0}}},
      {"q", 3, {1, 2}, {}}, {"s", 3, {}, {{1, 4, 0}}},
  };
  return kTables;
}

class Database {
 public:
  using Rows = std::map<int, TestRow>;

  bool insert(TableIndex t, const TestRow& row) {
    if (rows_[t].contains(*row[0]) || !fits(t, row, std::nullopt)) return false;
    rows_[t][*row[0]] = row;
    return true;
  }
  bool update(TableIndex t, int key, const TestRow& after) {
    const auto found = rows_[t].find(key);
    if (found == rows_[t].end()) return false;
    const TestRow before = found->second;
    if (after[0] != before[0] && rows_[t].contains(*after[0])) return false;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i] != after[i] && before[i] && is_referenced(t, i, *before[i], key)) return false;
    }
    if (!fits(t, after, key)) return false;
    rows_[t].erase(key);
    rows_[t][*after[0]] = after;
    return true;
  }
  bool erase(TableIndex t, int key) {
    const auto found = rows_[t].find(key);
    if (found == rows_[t].end()) return false;
    for (std::size_t i = 0; i < found->second.size(); ++i) {
      if (found->second[i] && is_referenced(t, i, *found->second[i], key)) return false;
    }
    rows_[t].erase(found);
    return true;
  }
  bool truncate(TableIndex t) {
    for (const auto& other : tables()) {
      for (const auto& f : other.foreign) {
        if (f.parent == t) return false;
      }
    }
    rows_[t].clear();
    return true;
  }
  [[nodiscard]] const Rows& rows(TableIndex t) const { return rows_.at(t); }
  bool operator==(const Database&) const = default;

 private:
  [[nodiscard]] bool fits(TableIndex t, const TestRow& row, std::optional<int> self) const {
    for (const auto column : tables()[t].unique) {
      for (const auto& [key, other] : rows_[t]) {
        if (row[column] && other[column] == row[column] && self != key) return false;
      }
    }
    for (const auto& f : tables()[t].foreign) {
      if (!row[f.column]) continue;
      bool found = f.parent == t && row[f.parent_column] == row[f.column];
      for (const auto& [key, parent] : rows_[f.parent])
        found = found || (parent[f.parent_column] == row[f.column] && !(f.parent == t && self == key));
      if (!found) return false;
    }
    return true;
  }
  [[nodiscard]] bool is_referenced(TableIndex t, std::size_t column, int value, int self) const {
    for (TableIndex child = 0; child < tables().size(); ++child) {
      for (const auto& f : tables()[child].foreign) {
        if (f.parent != t || f.parent_column != column) continue;
        for (const auto& [key, row] : rows_[child]) {
          if (row[f.column] == value && !(child == t && key == self)) return true;
        }
      }
    }
    return false;
  }
  std::vector<Rows> rows_ = std::vector<Rows>(tables().size());
};

std::vector<PlanTable> plan_tables() {
  std::vector<PlanTable> out;
  for (const auto& t : tables()) {
    PlanTable p;
    p.name = t.name;
    p.key = {{0}, {0}};
    for (const auto column : t.unique) p.unique_keys.push_back({{static_cast<std::uint16_t>(column)}, {0}});
    for (const auto& f : t.foreign) p.parents.push_back(tables()[f.parent].name);
    for (const auto& child : tables()) {
      for (const auto& f : child.foreign) {
        if (tables()[f.parent].name == t.name && child.name != t.name)
          p.referenced.push_back(static_cast<std::uint16_t>(f.parent_column));
      }
    }
    out.push_back(p);
  }
  return out;
}

std::vector<message::TableSchema> schemas() {
  std::vector<message::TableSchema> out;
  for (const auto& t : tables()) out.push_back(int_schema(t.name, t.columns));
  return out;
}

/// Makes valid histories: what the source would have done.
class History {
 public:
  History(Database& db, std::mt19937_64& rng) : db_(db), rng_(rng) {}

  void step(ChangeMaker& made) {
    const auto t = static_cast<TableIndex>(below(tables().size()));
    switch (below(20)) {
      case 0:
        if (below(20) == 0 && db_.truncate(t)) made.truncate(t);
        return;
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
      case 7: {
        const TestRow row = random_row(t);
        if (db_.insert(t, row)) made.insert(t, row);
        return;
      }
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
      case 13: {
        if (db_.rows(t).empty()) return;
        const TestRow row = any_row(t);
        if (db_.erase(t, *row[0])) made.erase(t, row);
        return;
      }
      default: {
        if (db_.rows(t).empty()) return;
        const TestRow before = any_row(t);
        TestRow after = random_row(t);
        if (below(4) != 0) after[0] = before[0];
        for (std::size_t i = 1; i < after.size(); ++i) {
          if (below(2) == 0) after[i] = before[i];
        }
        if (db_.update(t, *before[0], after)) made.update(t, before, after);
      }
    }
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(rng_); }
  TestRow random_row(TableIndex t) {
    TestRow row;
    for (std::size_t i = 0; i < tables()[t].columns; ++i) {
      if (i > 0 && below(8) == 0) {
        row.emplace_back();
      } else {
        row.emplace_back(static_cast<int>(below(8)));
      }
    }
    return row;
  }
  TestRow any_row(TableIndex t) {
    auto at = db_.rows(t).begin();
    std::advance(at, static_cast<std::ptrdiff_t>(below(db_.rows(t).size())));
    return at->second;
  }
  Database& db_;
  std::mt19937_64& rng_;
};

bool run_row(Database& db, const Run& run, const PlannedRow& row, const ChangeMaker& made) {
  const auto columns = made.columns(run.table);
  const auto image = [&](ImageAt at) { return row_at(made.buffer(), at, columns); };
  switch (run.kind) {
    case StatementKind::Insert:
      return db.insert(run.table, image(row.after));
    case StatementKind::Update: {
      auto after = image(row.after);  // does not write the key
      after[0] = image(row.before)[0];
      return db.update(run.table, *after[0], after);
    }
    case StatementKind::UpdateAllColumns:
      return db.update(run.table, *image(row.before)[0], image(row.after));
    case StatementKind::Delete:
    case StatementKind::DeleteMaybe:
      return db.erase(run.table, *image(row.before)[0]);
    case StatementKind::DeleteNone:
      return !db.rows(run.table).contains(*image(row.before)[0]);
    case StatementKind::Truncate:
      return db.truncate(run.table);
  }
  return false;
}

TEST(PlannerProperty, any_history_gives_the_same_rows_and_breaks_no_constraint) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 rng(seed);
  Planner planner;
  planner.set_tables(plan_tables());
  Database source;
  std::size_t changes = 0;
  std::size_t statements = 0;
  for (int round = 0; round < 3000; ++round) {
    Database destination = source;
    ChangeMaker made(schemas());
    History history(source, rng);
    const auto steps = std::uniform_int_distribution<int>(1, 120)(rng);
    for (int i = 0; i < steps; ++i) history.step(made);
    const Plan& plan = planner.plan(made.buffer(), made.buffer().rows());
    for (const auto& run : plan.runs) {
      if (run.kind == StatementKind::Truncate) {
        ASSERT_TRUE(run_row(destination, run, {}, made));
      }
      for (const auto& row : plan.rows_of(run))
        ASSERT_TRUE(run_row(destination, run, row, made))
            << "round " << round << " table " << tables()[run.table].name << " kind " << static_cast<int>(run.kind);
    }
    ASSERT_EQ(destination, source) << "round " << round;
    changes += made.buffer().size();
    statements += plan.rows.size();
  }
  EXPECT_LT(statements, changes);
}

}  // namespace
}  // namespace datasync::apply
