#include "agents/apply/plan/stored_columns.hpp"

#include <gtest/gtest.h>

#include "agents/destination/mariadb/dialect.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::ColumnType;

Column column(ColumnType type, std::uint64_t length = 0, std::uint8_t scale = 0) {
  Column c;
  c.name = "c";
  c.type = type;
  c.length = length;
  c.scale = scale;
  if (message::is_text(type)) {
    c.charset = "utf8mb4";
    c.collation = "utf8mb4_general_ci";
  }
  return c;
}

std::vector<ChangedColumn> changed(const Column& before, const Column& now, const Column* source = nullptr) {
  message::TableSchema schema;
  if (source != nullptr) schema.columns = {*source};
  return changed_columns({{before}, {}}, {{now}, {}}, source == nullptr ? nullptr : &schema, MariaDbDialect());
}

TEST(StoredColumns, survive_a_round_trip_and_nothing_else_is_taken_for_them) {
  auto name = column(ColumnType::VarChar, 40);
  name.name = "a\\b\nc";
  const auto stored = stored_columns({name, column(ColumnType::Double)}, {{"c", "DOUBLE(10,2)"}, {"other", "POINT"}},
                                     {"a\\b\nc", "C", "none"});
  EXPECT_EQ(stored.columns.size(), 2U);
  const auto text = to_text(stored);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto again = parse_stored_columns(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->columns, stored.columns);
  EXPECT_EQ(again->restricted, (std::map<std::string, std::string>{{"c", "DOUBLE(10,2)"}}));
  EXPECT_EQ(to_text(StoredColumns{}), "");
  for (const auto* damaged : {"", "0", "xy", "00", "0a"}) EXPECT_FALSE(parse_stored_columns(damaged)) << damaged;
  EXPECT_FALSE(parse_stored_columns(text.substr(2)));
}

// Apply's own ALTER TABLE of one column made all of them unknown.
TEST(StoredColumns, columns_that_apply_alters_are_forgotten_and_no_others) {
  auto price = column(ColumnType::Double);
  price.name = "Price";
  const auto stored = stored_columns({column(ColumnType::Int), price}, {{"price", "DOUBLE(10,2)"}}, {"c", "Price"});
  EXPECT_EQ(unknown_columns(to_text(stored), {"c", "price", "new"}), std::vector<std::string>{"new"});
  const auto left = without(stored, {"PRICE", "none"});
  EXPECT_EQ(unknown_columns(to_text(left), {"c", "price"}), std::vector<std::string>{"price"});
  EXPECT_TRUE(left.restricted.empty());
  EXPECT_EQ(unknown_columns("", {"c"}), std::vector<std::string>{"c"});
  EXPECT_EQ(to_text(without(left, {"c"})), "");
}

TEST(StoredColumns, a_column_that_takes_all_its_values_is_not_changed) {
  EXPECT_TRUE(changed(column(ColumnType::Int), column(ColumnType::BigInt)).empty());
  EXPECT_TRUE(changed(column(ColumnType::VarChar, 40), column(ColumnType::VarChar, 80)).empty());
  EXPECT_TRUE(changed(column(ColumnType::DateTime), column(ColumnType::DateTime, 0, 6)).empty());
  // Those of the source are all that it can have.
  const auto source = column(ColumnType::SmallInt);
  EXPECT_TRUE(changed(column(ColumnType::BigInt), column(ColumnType::Int), &source).empty());
}

// Each of these statements succeeds in strict mode without a warning, and changes values.
TEST(StoredColumns, a_column_that_silently_changed_its_values_is_changed) {
  for (const auto& [before, now] :
       std::vector<std::pair<Column, Column>>{{column(ColumnType::DateTime, 0, 6), column(ColumnType::DateTime)},
                                              {column(ColumnType::Double), column(ColumnType::Float)},
                                              {column(ColumnType::VarChar, 40), column(ColumnType::Char, 40)},
                                              {column(ColumnType::VarBinary, 4), column(ColumnType::Binary, 4)}}) {
    const auto found = changed(before, now, &before);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_FALSE(found[0].suspects);
  }
  auto computed = column(ColumnType::Int);
  computed.generated = true;
  EXPECT_EQ(changed(column(ColumnType::Int), computed).size(), 1U);
  const auto digits =
      changed_columns({{column(ColumnType::Double)}, {}}, {{column(ColumnType::Double)}, {{"c", "DOUBLE(10,2)"}}},
                      nullptr, MariaDbDialect());
  ASSERT_EQ(digits.size(), 1U);
  EXPECT_EQ(digits[0].text, "DOUBLE became DOUBLE(10,2)");
}

TEST(StoredColumns, a_value_that_may_have_been_cut_shows) {
  const auto suspects = [](const Column& before, const Column& now) {
    const auto found = changed(before, now, &before);
    return found.size() == 1 ? found[0].suspects.value_or("any") : "none";
  };
  EXPECT_EQ(suspects(column(ColumnType::VarChar, 80), column(ColumnType::VarChar, 12)), "CHAR_LENGTH(`c`) >= 3");
  EXPECT_EQ(suspects(column(ColumnType::Blob, 65535), column(ColumnType::Blob, 255)), "LENGTH(`c`) >= 255");
  EXPECT_EQ(suspects(column(ColumnType::BigInt), column(ColumnType::MediumInt)), "`c` IN (-8388608, 8388607)");
  auto last = column(ColumnType::BigInt);
  last.is_unsigned = true;
  EXPECT_EQ(suspects(column(ColumnType::BigInt), last), "`c` IN (0, 18446744073709551615)");
  auto required = column(ColumnType::VarChar, 12);
  required.nullable = false;
  EXPECT_EQ(suspects(column(ColumnType::VarChar, 80), required), "`c` = '' OR CHAR_LENGTH(`c`) >= 3");
}

}  // namespace
}  // namespace datasync::apply
