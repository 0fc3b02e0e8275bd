#include "agents/apply/plan/table_compatibility.hpp"

#include <gtest/gtest.h>

#include "agents/destination/ledger.hpp"
#include "agents/destination/mariadb/dialect.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::ColumnType;

Column number(ColumnType type, bool is_unsigned = false) {
  Column c;
  c.name = "c";
  c.type = type;
  c.is_unsigned = is_unsigned;
  return c;
}
Column text(ColumnType type, std::uint64_t length, const std::string& charset = "utf8mb4",
            const std::string& collation = "utf8mb4_general_ci") {
  Column c;
  c.name = "c";
  c.type = type;
  c.length = length;
  c.charset = charset;
  c.collation = collation;
  return c;
}
Column decimal(std::uint8_t precision, std::uint8_t scale) {
  Column c = number(ColumnType::Decimal);
  c.precision = precision;
  c.scale = scale;
  return c;
}
Column timed(ColumnType type, std::uint8_t scale) {
  Column c = number(type);
  c.scale = scale;
  return c;
}
Column labelled(std::vector<std::string> labels) {
  Column c = text(ColumnType::Enum, 0);
  c.labels = std::move(labels);
  return c;
}
Column not_null(Column c) {
  c.nullable = false;
  return c;
}

struct FitCase {
  std::string name;
  Column source, destination;
  bool fits;
};

class ColumnFit : public testing::TestWithParam<FitCase> {};

TEST_P(ColumnFit, is_judged_correctly) {
  const auto& p = GetParam();
  EXPECT_EQ(!misfit(p.source, p.destination, false).has_value(), p.fits);
}

INSTANTIATE_TEST_SUITE_P(
    Columns, ColumnFit,
    testing::Values(
        FitCase{"same_int", number(ColumnType::Int), number(ColumnType::Int), true},
        FitCase{"wider_int", number(ColumnType::Int), number(ColumnType::BigInt), true},
        FitCase{"narrower_int", number(ColumnType::Int), number(ColumnType::SmallInt), false},
        FitCase{"unsigned_to_signed", number(ColumnType::Int, true), number(ColumnType::Int), false},
        FitCase{"unsigned_to_wider_signed", number(ColumnType::Int, true), number(ColumnType::BigInt), true},
        FitCase{"signed_to_unsigned", number(ColumnType::Int), number(ColumnType::BigInt, true), false},
        FitCase{"int_to_text", number(ColumnType::Int), text(ColumnType::Text, 65535), false},
        FitCase{"float_to_double", number(ColumnType::Float), number(ColumnType::Double), true},
        FitCase{"double_to_float", number(ColumnType::Double), number(ColumnType::Float), false},
        FitCase{"wider_decimal", decimal(10, 2), decimal(12, 4), true},
        FitCase{"fewer_digits_before_the_point", decimal(10, 2), decimal(10, 4), false},
        FitCase{"longer_varchar", text(ColumnType::VarChar, 40), text(ColumnType::VarChar, 80), true},
        FitCase{"shorter_varchar", text(ColumnType::VarChar, 40), text(ColumnType::VarChar, 36), false},
        FitCase{"more_bytes_but_fewer_characters", text(ColumnType::VarChar, 30, "utf8mb3", "utf8mb3_general_ci"),
                text(ColumnType::VarChar, 32), false},
        FitCase{"utf8mb3_to_utf8mb4", text(ColumnType::VarChar, 30, "utf8mb3", "utf8mb3_general_ci"),
                text(ColumnType::VarChar, 40), true},
        FitCase{"utf8mb4_to_utf8mb3", text(ColumnType::VarChar, 40),
                text(ColumnType::VarChar, 90, "utf8mb3", "utf8mb3_general_ci"), false},
        FitCase{"other_charset", text(ColumnType::VarChar, 10, "latin1", "latin1_swedish_ci"),
                text(ColumnType::VarChar, 40), false},
        FitCase{"varchar_to_char", text(ColumnType::VarChar, 40), text(ColumnType::Char, 40), false},
        FitCase{"char_to_varchar", text(ColumnType::Char, 40), text(ColumnType::VarChar, 40), true},
        FitCase{"varchar_to_text", text(ColumnType::VarChar, 400), text(ColumnType::Text, 65535), true},
        FitCase{"text_to_tinytext", text(ColumnType::Text, 65535), text(ColumnType::Text, 255), false},
        FitCase{"binary_to_longer_binary", text(ColumnType::Binary, 8, "", ""), text(ColumnType::Binary, 9, "", ""),
                false},
        FitCase{"binary_to_varbinary", text(ColumnType::Binary, 8, "", ""), text(ColumnType::VarBinary, 8, "", ""),
                true},
        FitCase{"more_fraction", timed(ColumnType::DateTime, 0), timed(ColumnType::DateTime, 6), true},
        FitCase{"less_fraction", timed(ColumnType::Time, 6), timed(ColumnType::Time, 3), false},
        FitCase{"timestamp_to_datetime", timed(ColumnType::Timestamp, 0), timed(ColumnType::DateTime, 0), false},
        FitCase{"more_labels", labelled({"a"}), labelled({"a", "b"}), true},
        FitCase{"other_order_of_labels", labelled({"a", "b"}), labelled({"b", "a"}), false},
        FitCase{"null_to_not_null", number(ColumnType::Int), not_null(number(ColumnType::Int)), false},
        FitCase{"not_null_to_null", not_null(number(ColumnType::Int)), number(ColumnType::Int), true}),
    [](const auto& row) { return row.param.name; });

Column named(Column c, const std::string& name) {
  c.name = name;
  return c;
}

struct PlanTableTest : testing::Test {
  PlanTableTest() {
    source.database = "d";
    source.table = "t";
    source.columns = {not_null(named(number(ColumnType::Int), "id")), named(number(ColumnType::Int), "code"),
                      named(text(ColumnType::VarChar, 40), "name")};
    source.key = {0};
    destination.schema = source;
    destination.engine = "InnoDB";
  }
  PlanTable plan() {
    why.clear();
    return plan_table(source, destination, base::TableNames(0), why);
  }
  message::TableSchema source;
  TableInfo destination;
  std::string why;
};

TEST_F(PlanTableTest, a_plain_table_folds) {
  destination.unique_keys = {{1}};
  const auto p = plan();
  EXPECT_FALSE(p.ordered) << why;
  EXPECT_EQ(p.unique_keys.size(), 1U);
}

TEST_F(PlanTableTest, a_unique_text_whose_collation_is_not_binary_keeps_the_order) {
  destination.unique_keys = {{2}};
  EXPECT_TRUE(plan().ordered);
  destination.schema.columns[2].collation = "utf8mb4_bin";
  const auto p = plan();
  EXPECT_FALSE(p.ordered) << why;
  EXPECT_EQ(p.unique_keys[0].pads, (std::vector<char>{1}));
  destination.schema.columns[2].collation = "utf8mb4_nopad_bin";
  EXPECT_EQ(plan().unique_keys[0].pads, (std::vector<char>{0}));
}

TEST_F(PlanTableTest, a_key_that_is_not_unique_at_the_destination_keeps_the_order) {
  EXPECT_FALSE(plan().repeats);
  destination.schema.key = {};
  EXPECT_TRUE(plan().ordered);
  EXPECT_TRUE(plan().repeats);
}

TEST_F(PlanTableTest, only_a_key_that_is_not_unique_at_the_destination_may_repeat) {
  EXPECT_FALSE(plan().repeats);
  source.key = destination.schema.key = {2};
  source.columns[2].nullable = destination.schema.columns[2].nullable = false;
  EXPECT_TRUE(plan().ordered);
  EXPECT_FALSE(plan().repeats) << "its text compares by a collation, but it is unique";
  destination.schema.key = {};
  EXPECT_TRUE(plan().repeats);
}

TEST_F(PlanTableTest, cascades_prefixes_and_foreign_columns_in_keys_keep_the_order) {
  destination.foreign_keys = {{"fk", {"code"}, "d", "p", {"id"}, "RESTRICT", "CASCADE"}};
  EXPECT_TRUE(plan().ordered);
  destination.foreign_keys.front().on_delete = "NO ACTION";
  EXPECT_FALSE(plan().ordered) << why;
  destination.unique_by_prefix = true;
  EXPECT_TRUE(plan().ordered);
  destination.unique_by_prefix = false;
  destination.schema.columns.push_back(named(number(ColumnType::Int), "extra"));
  destination.unique_keys = {{3}};
  EXPECT_TRUE(plan().ordered);
}

TEST_F(PlanTableTest, what_the_destination_lacks_or_needs_is_listed) {
  const MariaDbDialect dialect;
  source.columns.push_back(named(number(ColumnType::Int), "added"));
  source.columns[1].generated = destination.schema.columns[1].generated = true;
  const auto f = fit(source, destination, dialect, {"must", "id"});
  EXPECT_EQ(f.missing, (std::vector<std::uint16_t>{3}));
  EXPECT_EQ(f.written, (std::vector<std::uint16_t>{0, 2}));
  EXPECT_EQ(f.unfilled, (std::vector<std::string>{"must"}));
  EXPECT_TRUE(f.narrow.empty());
}

TEST(MariaDbDialect, makes_a_table_with_exact_types) {
  message::TableSchema schema;
  schema.database = "d";
  schema.table = "t";
  schema.columns = {not_null(named(number(ColumnType::BigInt, true), "id")),
                    named(text(ColumnType::VarChar, 40), "a`b"), named(labelled({"it's", "b"}), "e"),
                    not_null(named(timed(ColumnType::Timestamp, 3), "ts")), named(decimal(65, 30), "n")};
  schema.key = {0};
  EXPECT_EQ(MariaDbDialect().create_table(schema, "x", "y"),
            "CREATE TABLE IF NOT EXISTS `x`.`y` (`id` BIGINT UNSIGNED NOT NULL, "
            "`a``b` VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL DEFAULT NULL, "
            "`e` ENUM('it''s','b') CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL DEFAULT NULL, "
            "`ts` TIMESTAMP(3) NOT NULL DEFAULT '0000-00-00 00:00:00', `n` DECIMAL(65,30) NULL DEFAULT NULL, "
            "PRIMARY KEY (`id`)) ENGINE=InnoDB");
}

TEST(SnapshotState, survives_a_round_trip) {
  for (const SnapshotState& state : {SnapshotState{}, SnapshotState{"s", {"a.b", "odd.na\\me\n"}}}) {
    const auto back = parse_snapshot_state(to_text(state));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, state);
  }
  EXPECT_FALSE(parse_snapshot_state("no line end"));
}

}  // namespace
}  // namespace datasync::apply
