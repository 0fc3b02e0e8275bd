// A destination that is not ours alone: names, collations, computed and narrow columns, keys that are too long.

#include <gtest/gtest.h>

#include "agents/apply/plan/table_compatibility.hpp"
#include "agents/apply/write/catalog.hpp"
#include "agents/destination/mariadb/dialect.hpp"
#include "agents/destination/mariadb/table_facts.hpp"
#include "tests/unit/apply/plan/change_maker.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::ColumnType;

Column integer(const std::string& name, ColumnType type = ColumnType::Int) {
  Column c;
  c.name = name;
  c.type = type;
  c.nullable = false;
  return c;
}
Column varchar(const std::string& name, std::uint64_t bytes, const std::string& collation = "utf8mb4_general_ci") {
  Column c = integer(name, ColumnType::VarChar);
  c.length = bytes;
  c.charset = collation.substr(0, collation.find('_'));
  c.collation = collation;
  return c;
}

struct Destination : testing::Test {
  Destination() {
    source.database = destination.schema.database = "d";
    source.table = destination.schema.table = "t";
    destination.engine = "InnoDB";
  }
  void both(const std::vector<Column>& columns, const std::vector<std::uint16_t>& key = {0}) {
    source.columns = destination.schema.columns = columns;
    source.key = destination.schema.key = key;
  }
  Fit fitted() { return fit(source, destination, *dialect, {}); }
  StatementTable statements() {
    auto f = fitted();
    return {&source, "d", "t", f.written, source.key, f.there};
  }
  std::unique_ptr<Dialect> dialect = std::make_unique<MariaDbDialect>();
  message::TableSchema source;
  TableInfo destination;
};

TEST_F(Destination, a_column_name_of_another_case_is_the_same_column) {
  both({integer("Id"), varchar("Größe", 40), integer("code")});
  destination.schema.columns[0].name = "ID";
  destination.schema.columns[1].name = "GRÖSSE";  // another name
  EXPECT_EQ(fitted().missing, (std::vector<std::uint16_t>{1}));
  destination.schema.columns[1].name = "GRÖßE";
  destination.schema.columns[2].name = "CODE";
  destination.unique_keys = {{2}};
  EXPECT_TRUE(fitted().missing.empty());
  EXPECT_EQ(fitted().written, (std::vector<std::uint16_t>{0, 1, 2}));
  std::string why;
  const auto plan = plan_table(source, destination, base::TableNames(0), why);
  EXPECT_FALSE(plan.ordered) << why;
  EXPECT_EQ(MariaDbDialect::erase(statements()).sql, "DELETE FROM `d`.`t` WHERE `ID`=?");
}

TEST_F(Destination, parents_in_lower_case_are_found_where_the_server_folds_names) {
  both({integer("id")});
  destination.schema.database = "Shop";
  destination.schema.table = "Child";
  destination.foreign_keys = {{"fk", {"id"}, "shop", "parent", {"id"}, "RESTRICT", "RESTRICT"}};
  std::string why;
  const base::TableNames folds(1);
  const auto plan = plan_table(source, destination, folds, why);
  EXPECT_EQ(plan.name, folds.key("shop", "child"));
  EXPECT_EQ(plan.parents, std::vector<std::string>{folds.key("SHOP", "Parent")});
}

TEST_F(Destination, a_key_is_compared_in_the_collation_of_the_destination) {
  both({varchar("k", 80, "utf8mb3_general_ci"), integer("v")});
  destination.schema.columns[0] = varchar("k", 120, "utf8mb4_bin");
  EXPECT_EQ(MariaDbDialect::update(statements()).sql,
            "UPDATE `d`.`t` SET `v`=? WHERE `k`=CONVERT(? USING utf8mb4) COLLATE utf8mb4_bin");
}

// There was no statement for it, and no policy altered it.
TEST_F(Destination, a_key_that_compares_differently_gets_the_collation_of_the_source) {
  both({varchar("k", 80, "utf8mb4_nopad_bin")});
  EXPECT_TRUE(fitted().narrow.empty());
  const std::vector<std::pair<std::string, std::string>> pairs{{"utf8mb4_nopad_bin", "utf8mb4_bin"},
                                                               {"utf8mb4_nopad_bin", "utf8mb4_general_ci"},
                                                               {"utf8mb4_unicode_ci", "utf8mb4_general_ci"}};
  for (const auto& [at_source, there] : pairs) {
    source.columns[0].collation = at_source;
    destination.schema.columns[0].collation = there;
    const auto f = fitted();
    ASSERT_EQ(f.narrow.size(), 1U) << there;
    EXPECT_EQ(f.narrow[0].wanted.collation, at_source);
    EXPECT_FALSE(f.narrow[0].lossless) << "rows that are stored may have equal keys then";
  }
  // The name of a collation says its character set.
  source.columns[0] = varchar("k", 60, "utf8mb3_unicode_ci");
  const auto f = fitted();
  ASSERT_EQ(f.narrow.size(), 1U);
  EXPECT_EQ(f.narrow[0].wanted.charset, "utf8mb3");
  EXPECT_EQ(f.narrow[0].wanted.length, 60U);
}

TEST_F(Destination, a_value_that_only_the_destination_computes_is_refused) {
  both({integer("id"), integer("total")});
  destination.schema.columns[1].generated = true;
  ASSERT_EQ(fitted().narrow.size(), 1U);
  EXPECT_TRUE(fitted().narrow[0].computed);
  EXPECT_FALSE(fitted().narrow[0].lossless);
  source.columns[1].generated = true;
  EXPECT_TRUE(fitted().narrow.empty());
  EXPECT_EQ(fitted().written, std::vector<std::uint16_t>{0});
}

TEST_F(Destination, a_key_that_updates_itself_is_set_by_every_update) {
  both({integer("at", ColumnType::Timestamp), integer("v")});
  auto table = statements();
  EXPECT_EQ(MariaDbDialect::update(table).sql, "UPDATE `d`.`t` SET `v`=? WHERE `at`=?");
  table.key_updates_itself = true;
  EXPECT_EQ(MariaDbDialect::update(table).sql, "UPDATE `d`.`t` SET `at`=?,`v`=? WHERE `at`=?");
}

TEST_F(Destination, a_wider_column_of_the_source_has_a_statement) {
  both({integer("id"), varchar("name", 40, "utf8mb3_general_ci")});
  source.columns[1].length = 60;
  destination.schema.columns[1] = varchar("Name", 40, "utf8mb4_unicode_ci");
  const auto f = fitted();
  ASSERT_EQ(f.narrow.size(), 1U);
  EXPECT_TRUE(f.narrow[0].lossless);
  EXPECT_EQ(dialect->modify_column(f.narrow[0].wanted, "DEFAULT 'x'", "d", "t"),
            "ALTER TABLE `d`.`t` MODIFY COLUMN `Name` VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT "
            "NULL DEFAULT 'x'");
}

// 1.23456 was stored as 1.23, and a copy gave the same difference again.
TEST_F(Destination, a_float_with_digits_rounds_and_becomes_one_without) {
  EXPECT_EQ(restriction_of("double", "double(10,2) unsigned"), "DOUBLE(10,2)");
  EXPECT_EQ(restriction_of("float", "float"), "");
  EXPECT_EQ(restriction_of("point", "point"), "POINT");
  EXPECT_EQ(restriction_of("geometry", "geometry"), "");
  EXPECT_EQ(restriction_of("decimal", "decimal(10,2)"), "");
  both({integer("id"), integer("Price", ColumnType::Float)});
  destination.schema.columns[1].type = ColumnType::Double;
  EXPECT_TRUE(fitted().narrow.empty());
  const auto f = fit(source, destination, *dialect, {}, {{base::fold_identifier("Price"), "DOUBLE(10,2)"}});
  ASSERT_EQ(f.narrow.size(), 1U);
  EXPECT_TRUE(f.narrow[0].lossless);
  EXPECT_NE(f.narrow[0].text.find("(DOUBLE(10,2) at the destination, FLOAT at the source)"), std::string::npos);
  EXPECT_EQ(dialect->modify_column(f.narrow[0].wanted, "DEFAULT 1", "d", "t"),
            "ALTER TABLE `d`.`t` MODIFY COLUMN `Price` DOUBLE NOT NULL DEFAULT 1");
}

TEST_F(Destination, a_float_without_sign_takes_no_negative_values) {
  both({integer("id"), integer("v", ColumnType::Double)});
  destination.schema.columns[1].is_unsigned = true;
  EXPECT_EQ(fitted().narrow.size(), 1U);
  source.columns[1].is_unsigned = true;
  EXPECT_TRUE(fitted().narrow.empty());
}

TEST_F(Destination, new_labels_lose_nothing_and_other_labels_may) {
  Column e = integer("e", ColumnType::Enum);
  e.labels = {"a", "b"};
  both({integer("id"), e});
  source.columns[1].labels = {"a", "b", "c"};
  EXPECT_TRUE(fitted().narrow.at(0).lossless);
  source.columns[1].labels = {"a", "c"};
  EXPECT_FALSE(fitted().narrow.at(0).lossless);
}

TEST_F(Destination, a_type_of_another_kind_may_lose_values) {
  both({integer("id"), integer("v")});
  source.columns[1] = varchar("v", 400);
  EXPECT_FALSE(fitted().narrow.at(0).lossless);
  source.columns[1] = integer("v", ColumnType::BigInt);
  EXPECT_TRUE(fitted().narrow.at(0).lossless);
}

TEST_F(Destination, a_key_that_is_too_long_for_an_index_is_indexed_by_its_front) {
  both({varchar("long", 8000), varchar("short", 80), integer("n")}, {0, 1, 2});
  EXPECT_NE(dialect->create_table(source, "d", "t").find("PRIMARY KEY (`long`(740),`short`,`n`)"), std::string::npos)
      << dialect->create_table(source, "d", "t");
  source.columns[0].length = 2000;
  EXPECT_NE(dialect->create_table(source, "d", "t").find("PRIMARY KEY (`long`,`short`,`n`)"), std::string::npos);
}

TEST_F(Destination, overwriting_a_row_changes_only_replicated_columns_of_its_key) {
  both({integer("k"), integer("l"), integer("v")}, {0, 1});
  EXPECT_EQ(MariaDbDialect::upsert(statements()).sql,
            "INSERT INTO `d`.`t` (`k`,`l`,`v`) VALUES (?,?,?) ON DUPLICATE KEY UPDATE `k`=IF(`k`=VALUES(`k`) AND "
            "`l`=VALUES(`l`), VALUES(`k`), NULL),`l`=VALUES(`l`),`v`=VALUES(`v`)");
}

// NULL for a column that takes it changed the row of another key instead of failing.
TEST_F(Destination, a_row_of_another_key_is_refused_by_a_not_null_key_column) {
  both({integer("k"), integer("l"), integer("v")}, {0, 1});
  auto table = statements();
  table.there[0].nullable = true;
  EXPECT_TRUE(takes_upsert(table));
  EXPECT_EQ(MariaDbDialect::upsert(table).sql,
            "INSERT INTO `d`.`t` (`k`,`l`,`v`) VALUES (?,?,?) ON DUPLICATE KEY UPDATE `l`=IF(`k`=VALUES(`k`) AND "
            "`l`=VALUES(`l`), VALUES(`l`), NULL),`k`=VALUES(`k`),`v`=VALUES(`v`)");
  table.there[1].nullable = true;
  EXPECT_FALSE(takes_upsert(table));
  // In place of NULL it stores a value.
  both({integer("n"), integer("at", ColumnType::Timestamp), integer("k")}, {0, 1, 2});
  table = statements();
  table.numbered = {0};
  EXPECT_EQ(upsert_guard(table), 2);
  table.there[2].generated = true;
  EXPECT_FALSE(takes_upsert(table));
}

TEST_F(Destination, foreign_keys_are_complete_only_with_rights_on_every_table) {
  EXPECT_TRUE(grants_on_all_tables("GRANT SELECT, INSERT ON *.* TO `w`@`%`"));
  EXPECT_TRUE(grants_on_all_tables("GRANT ALL PRIVILEGES ON *.* TO `w`@`%` WITH GRANT OPTION"));
  EXPECT_FALSE(grants_on_all_tables("GRANT SELECT ON *.* TO `w`@`%`"));
  EXPECT_FALSE(grants_on_all_tables("GRANT USAGE ON *.* TO `w`@`%`"));
  EXPECT_FALSE(grants_on_all_tables("GRANT SELECT, INSERT, UPDATE ON `shop`.* TO `w`@`%`"));
}

TEST(KnownTables, names_come_back_as_they_were_written) {
  for (const auto& names : std::vector<std::vector<std::string>>{{}, {""}, {"a", "two\nlines", "back\\slash\\n", "é"}})
    EXPECT_EQ(parse_lines(lines_text(names)), names);
}

TEST(TargetName, a_rule_counts_without_case_when_none_is_written_so) {
  config::Apply config;
  config.rename = {{"Shop.T", "a.b"}, {"shop.u", "a.c"}};
  EXPECT_EQ(target_name(config, "Shop", "T").qualified(), "a.b");
  EXPECT_EQ(target_name(config, "shop", "t").qualified(), "a.b");
  EXPECT_EQ(target_name(config, "shop", "x").qualified(), "shop.x");
  config.rename["shop.t"] = "a.d";
  EXPECT_EQ(target_name(config, "shop", "t").qualified(), "a.d");
}

}  // namespace
}  // namespace datasync::apply
