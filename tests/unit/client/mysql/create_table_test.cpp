#include "agents/client/mysql/create_table.hpp"

#include <gtest/gtest.h>

namespace datasync::sql {
namespace {

// As a 10.11 server prints it in a session with NO_BACKSLASH_ESCAPES.
constexpr const char* kWhole = R"(CREATE TABLE `c``(` (
  `id` int(11) NOT NULL,
  `a` int(11) DEFAULT NULL,
  `CONSTRAINT` varchar(20) DEFAULT 'a\\''\n,x' COMMENT 'hi\\'' \n CONSTRAINT `z` FOREIGN KEY (`a`)',
  `e` varchar(10) DEFAULT concat('x\\','it\'s),'),
  `g` int(11) GENERATED ALWAYS AS (`a` + (1)) VIRTUAL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `u` (`a`,`e`(3)),
  KEY `ünï` (`a`),
  FULLTEXT KEY `FOREIGN` (`e`),
  CONSTRAINT `f``1` FOREIGN KEY (`a`) REFERENCES `p``a` (`id`) ON DELETE CASCADE ON UPDATE SET NULL,
  CONSTRAINT `ünï` FOREIGN KEY (`a`, `id`) REFERENCES `other.db`.`p` (`b`, `c`) ON UPDATE NO ACTION,
  CONSTRAINT `CONSTRAINT_1` CHECK (`e` <> 'q\\\'z'),
  CONSTRAINT `qq` CHECK (`id` > 0)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci COMMENT='FOREIGN KEY'
 PARTITION BY HASH (`id`)
PARTITIONS 4)";

TEST(CreateTable, has_every_column_key_and_foreign_key) {
  const auto table = parse_create_table(kWhole);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->columns, (std::vector<std::string>{"id", "a", "CONSTRAINT", "e", "g"}));
  EXPECT_EQ(table->unique_keys, 2U);
  ASSERT_EQ(table->foreign_keys.size(), 2U);
  const auto& first = table->foreign_keys[0];
  EXPECT_EQ(first.name, "f`1");
  EXPECT_EQ(first.columns, std::vector<std::string>{"a"});
  EXPECT_EQ(first.parent_database, "");
  EXPECT_EQ(first.parent_table, "p`a");
  EXPECT_EQ(first.parent_columns, std::vector<std::string>{"id"});
  EXPECT_EQ(first.on_delete, "CASCADE");
  EXPECT_EQ(first.on_update, "SET NULL");
  const auto& second = table->foreign_keys[1];
  EXPECT_EQ(second.columns, (std::vector<std::string>{"a", "id"}));
  EXPECT_EQ(second.parent_database, "other.db");
  EXPECT_EQ(second.parent_columns, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(second.on_delete, "RESTRICT");
  EXPECT_EQ(second.on_update, "NO ACTION");
}

TEST(CreateTable, accepts_a_system_versioned_table_and_one_of_mysql) {
  const auto versioned = parse_create_table(
      "CREATE TABLE `v` (\n  `id` int(11) NOT NULL,\n  `s` timestamp(6) GENERATED ALWAYS AS ROW START,\n"
      "  PRIMARY KEY (`id`,`s`),\n  PERIOD FOR SYSTEM_TIME (`s`, `e`)\n) ENGINE=InnoDB WITH SYSTEM VERSIONING");
  ASSERT_TRUE(versioned);
  EXPECT_EQ(versioned->columns.size(), 2U);
  const auto mysql = parse_create_table(
      "CREATE TABLE `m` (\n  `id` int NOT NULL /*!80023 INVISIBLE */,\n  `s` int DEFAULT NULL,\n  UNIQUE KEY `k` "
      "((`s` + 1)),\n  CONSTRAINT `f` FOREIGN KEY (`s`) REFERENCES `p` (`id`) ON DELETE SET DEFAULT\n) ENGINE=InnoDB");
  ASSERT_TRUE(mysql);
  EXPECT_EQ(mysql->unique_keys, 1U);
  ASSERT_EQ(mysql->foreign_keys.size(), 1U);
  EXPECT_EQ(mysql->foreign_keys[0].on_delete, "SET DEFAULT");
}

// A definition that is not understood must not look like one without foreign keys.
TEST(CreateTable, every_text_that_ends_early_is_refused) {
  const std::string_view text = kWhole;
  const auto end = text.rfind(") ENGINE");
  for (std::size_t n = 0; n <= end; ++n) EXPECT_FALSE(parse_create_table(text.substr(0, n))) << n;
  EXPECT_TRUE(parse_create_table(text.substr(0, end + 1)));
}

TEST(CreateTable, what_is_no_such_text_is_refused) {
  for (const auto* text :
       {"", "CREATE ALGORITHM=UNDEFINED VIEW `v` AS select 1", "CREATE TABLE t (\n  id int\n)", "CREATE TABLE `t`",
        "CREATE TABLE `t` (\n  `a` int,\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES p (`id`)\n)",
        "CREATE TABLE `t` (\n  `a` int,\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`) ON DELETE EXPLODE\n)",
        "CREATE TABLE `t` (\n  `a` int,\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`) MATCH FULL\n)"})
    EXPECT_FALSE(parse_create_table(text)) << text;
}

}  // namespace
}  // namespace datasync::sql
