#include "agents/capture/plan/statement_effects.hpp"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using What = binlog::TableEffect::What;
using Texts = std::vector<std::string>;

class StatementEffects : public testing::Test {
 protected:
  TableStatement one(std::vector<binlog::TableEffect> effects) {
    binlog::Judgement judgement;
    judgement.effects = std::move(effects);
    auto all = concerned(judgement, selection_, {});
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? TableStatement{} : all.front();
  }
  Selection selection_ = *Selection::make({config::Type{"t", {"shop.orders", "shop.items", "crm.people"}, {}, {}}}, 1);
};

// gh-ost's cut-over was reported as a table that was renamed, and readers went on with the rows of the old one.
TEST_F(StatementEffects, a_rename_that_puts_another_table_in_place_leaves_no_gap) {
  const std::vector<binlog::TableEffect> swap{
      {.name = {"shop", "_orders_del"}, .what = What::Moved, .was = {"shop", "orders"}},
      {.name = {"shop", "orders"}, .what = What::Moved, .was = {"shop", "_orders_gho"}}};
  for (const auto& effects : {swap, std::vector(swap.rbegin(), swap.rend())}) {
    const auto s = one(effects);
    EXPECT_FALSE(s.gone);
    EXPECT_TRUE(s.rows);
  }
}

TEST_F(StatementEffects, a_table_that_was_renamed_has_its_new_name) {
  const auto s = one({{.name = {"old", "orders_2025"}, .what = What::Moved, .was = {"shop", "orders"}},
                      {.name = {"shop", "orders"}, .what = What::Dropped}});
  EXPECT_TRUE(s.gone);
  EXPECT_EQ(s.renamed_to, "old.orders_2025");
}

TEST_F(StatementEffects, a_dropped_database_drops_its_tables) {
  binlog::Judgement judgement;
  judgement.effects = {{.name = {"shop", ""}, .what = What::Dropped}};
  const auto all = concerned(judgement, selection_, {});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].gone && all[1].gone);
}

TEST_F(StatementEffects, a_table_dropped_and_created_by_one_statement_is_a_new_one) {
  const auto s =
      one({{.name = {"shop", "orders"}, .what = What::Dropped}, {.name = {"shop", "orders"}, .what = What::Created}});
  EXPECT_FALSE(s.gone);
  EXPECT_TRUE(s.created && s.replaced);
}

TEST_F(StatementEffects, what_cannot_be_read_with_certainty_concerns_rows) {
  binlog::Judgement judgement;
  judgement.certain = false;
  const auto all = concerned(judgement, selection_, {&selection_.tables()[2]});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].table->table, "people");
  EXPECT_TRUE(all[0].rows);
  EXPECT_FALSE(all[0].by_text);
}

TEST_F(StatementEffects, values_of_unknown_columns_may_be_those_of_the_key) {
  EXPECT_TRUE(one({{.name = {"shop", "orders"}, .what = What::Values}}).key);
  EXPECT_FALSE(one({{.name = {"shop", "orders"}, .what = What::Values, .added = {"c"}}}).key);
}

// A definition is compared only in what the statement surely left as it was.
TEST_F(StatementEffects, columns_that_a_statement_changes_without_naming_them_are_not_compared) {
  EXPECT_TRUE(one({{.name = {"shop", "orders"}, .what = What::Values, .columns = {"c"}, .others = true}}).others);
  EXPECT_TRUE(one({{.name = {"shop", "orders"}, .what = What::Values}}).others);
  EXPECT_FALSE(one({{.name = {"shop", "orders"}, .what = What::Values, .added = {"c"}}}).others);
  EXPECT_FALSE(one({{.name = {"shop", "orders"}, .what = What::Definition}}).others);
}

// A foreign key with a cascade that was dropped again before capture came there: its deletions were lost.
TEST_F(StatementEffects, finds_what_may_have_changed_rows_without_row_events) {
  for (const auto* sql : {"ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE",
                          "alter table t add constraint foreign key (p) references q (id) on update set null",
                          "ALTER TABLE t ADD SYSTEM VERSIONING", "ALTER TABLE t ENGINE=Aria",
                          "ALTER TABLE t ENGINE 'MyISAM'", "CREATE TABLE t (id INT) ENGINE = MEMORY"})
    EXPECT_TRUE(may_hide_changes(sql, {}, false)) << sql;
  for (const auto* sql : {"ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES parent (id) ON DELETE RESTRICT",
                          "ALTER TABLE t ENGINE=InnoDB", "ALTER TABLE t ADD COLUMN ts TIMESTAMP ON UPDATE NOW()",
                          "ALTER TABLE t COMMENT 'ON DELETE CASCADE'", "ALTER TABLE t ENGINE = `innodb`"})
    EXPECT_FALSE(may_hide_changes(sql, {}, false)) << sql;
  EXPECT_FALSE(may_hide_changes("ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES q (i) ON DELETE CASCADE", {}, true));
}

// Two columns that exchange their names: the excluded one is still there, and holds what is not secret.
TEST_F(StatementEffects, finds_columns_that_get_another_name) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(renamed_columns("ALTER TABLE t CHANGE secret v INT, CHANGE COLUMN IF EXISTS `v` `secret` INT", {}),
            (Pairs{{"secret", "v"}, {"v", "secret"}}));
  EXPECT_EQ(renamed_columns("ALTER TABLE t RENAME COLUMN secret TO v, RENAME COLUMN `v` to secret", {}),
            (Pairs{{"secret", "v"}, {"v", "secret"}}));
  EXPECT_TRUE(renamed_columns("ALTER TABLE t RENAME TO u, RENAME INDEX a TO b, MODIFY secret INT", {}).empty());
}

TEST_F(StatementEffects, finds_columns_that_are_dropped) {
  EXPECT_EQ(dropped_columns("ALTER TABLE t DROP a, DROP COLUMN `key`, DROP COLUMN IF EXISTS c, DROP `index`", {}),
            (Texts{"a", "key", "c", "index"}));
  EXPECT_TRUE(dropped_columns("ALTER TABLE t DROP KEY a, DROP INDEX b, DROP PRIMARY KEY, DROP FOREIGN KEY c, DROP "
                              "CONSTRAINT d, DROP PARTITION p, ALTER COLUMN e DROP DEFAULT, DROP SYSTEM VERSIONING",
                              {})
                  .empty());
}

/// The most memory that this process had since the last call, in KiB.
std::size_t peak_since_last() {
  std::size_t peak = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) peak = std::stoul(line.substr(6));
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak;
}

// accept-gtid of an INSERT with 16 MB of rows needed 700 MB: capture ended at its memory limit at each start.
TEST_F(StatementEffects, a_statement_with_many_rows_needs_no_memory_for_each_word) {
  std::string sql = "INSERT INTO t VALUES (0,0)";
  while (sql.size() < 3'000'000) sql += ",(1,2)";
  sql += " /* */ CHANGE COLUMN IF EXISTS a b RENAME COLUMN IF EXISTS c TO d DROP COLUMN IF EXISTS e ENGINE=Aria";
  peak_since_last();
  const auto before = peak_since_last();
  EXPECT_EQ(renamed_columns(sql, {}), (std::vector<std::pair<std::string, std::string>>{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(dropped_columns(sql, {}), Texts{"e"});
  EXPECT_TRUE(may_hide_changes(sql, {}, false));
  EXPECT_LT(peak_since_last(), before + 16 * 1024);
}

// The server takes a child's foreign key along when its parent is renamed; only named tables were judged.
TEST_F(StatementEffects, finds_parents_that_are_other_tables_after_a_statement) {
  const auto parents = [](std::vector<binlog::TableEffect> effects, bool gone = false) {
    binlog::Judgement judgement;
    judgement.effects = std::move(effects);
    std::string out;
    for (const auto& name : parents_concerned(judgement, [&](const auto&) { return gone; })) out += name.table + " ";
    return out;
  };
  EXPECT_EQ(parents({{.name = {"shop", "old"}, .what = What::Moved, .was = {"shop", "parent"}},
                     {.name = {"shop", "parent"}, .what = What::Moved, .was = {"shop", "p2"}}}),
            "old parent parent p2 ");
  EXPECT_EQ(parents({{.name = {"shop", "parent"}, .what = What::Truncated}}), "") << "no key acts, at neither side";
  EXPECT_EQ(parents({{.name = {"shop", "parent"}, .what = What::Dropped}}), "parent ");
  EXPECT_EQ(parents({{.name = {"shop", "parent"}, .what = What::Definition}}), "");
  const binlog::TableEffect perhaps{.name = {"shop", "parent"}, .what = What::Created, .if_missing = true};
  EXPECT_EQ(parents({perhaps}), "") << "it was there";
  EXPECT_EQ(parents({perhaps}, true), "parent ");
}

}  // namespace
}  // namespace datasync::capture
