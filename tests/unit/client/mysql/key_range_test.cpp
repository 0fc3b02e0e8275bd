#include "agents/client/mysql/key_range.hpp"

#include <gtest/gtest.h>

#include "agents/destination/mariadb/bulk.hpp"

namespace datasync::sql {
namespace {

using message::Column;
using message::ColumnType;

template <class T>
std::string literal_of(ColumnType type, T value, bool is_unsigned = false) {
  const Column column{.name = "c", .type = type, .is_unsigned = is_unsigned};
  return literal(column, std::as_bytes(std::span(&value, 1)));
}

TEST(Literal, numbers_keep_sign_and_digits) {
  EXPECT_EQ(literal_of(ColumnType::TinyInt, std::int8_t{-128}), "-128");
  EXPECT_EQ(literal_of(ColumnType::TinyInt, std::uint8_t{255}, true), "255");
  EXPECT_EQ(literal_of(ColumnType::MediumInt, std::int32_t{-8388608}), "-8388608");
  EXPECT_EQ(literal_of(ColumnType::BigInt, ~std::uint64_t{0}, true), "18446744073709551615");
  EXPECT_EQ(literal_of(ColumnType::BigInt, INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(literal_of(ColumnType::Bit, std::uint64_t{5}), "5");
  EXPECT_EQ(std::stod(literal_of(ColumnType::Float, 0.1F)), static_cast<double>(0.1F));
  EXPECT_EQ(std::stod(literal_of(ColumnType::Double, 0.1)), 0.1);
}

TEST(Literal, moments_are_written_whole) {
  EXPECT_EQ(literal_of(ColumnType::Date, message::pack_date(2020, 2, 0)), "'2020-02-00'");
  EXPECT_EQ(literal_of(ColumnType::DateTime, message::pack_datetime({2020, 1, 2, 3, 4, 5, 6})),
            "'2020-01-02 03:04:05.000006'");
  EXPECT_EQ(literal_of(ColumnType::Timestamp, std::int64_t{0}), "'0000-00-00 00:00:00.000000'");
  EXPECT_EQ(literal_of(ColumnType::Timestamp, std::int64_t{2147483647999999}), "'2038-01-19 03:14:07.999999'");
  EXPECT_EQ(literal_of(ColumnType::Time, std::int64_t{-3600000001}), "'-01:00:00.000001'");
  EXPECT_EQ(literal_of(ColumnType::Time, std::int64_t{838} * 3600 * 1000000), "'838:00:00.000000'");
}

TEST(Literal, text_names_its_character_set_and_collation) {
  const Column text{.name = "t", .type = ColumnType::VarChar, .charset = "latin1", .collation = "latin1_bin"};
  EXPECT_EQ(literal(text, base::as_bytes("a'\\")), "_latin1 X'61275C' COLLATE latin1_bin");
  const Column binary{.name = "b", .type = ColumnType::Binary};
  EXPECT_EQ(literal(binary, base::as_bytes("\xFF")), "X'FF'");
  const Column decimal{.name = "d", .type = ColumnType::Decimal};
  EXPECT_EQ(literal(decimal, base::as_bytes("-12.30")), "-12.30");
}

TEST(Placeholder, only_compared_text_names_its_character_set) {
  const Column text{.name = "t", .type = ColumnType::Char, .charset = "ucs2", .collation = "ucs2_bin"};
  EXPECT_EQ(placeholder(text, false), "?");
  EXPECT_EQ(placeholder(text, true), "CONVERT(? USING ucs2) COLLATE ucs2_bin");
  EXPECT_EQ(placeholder({.name = "e", .type = ColumnType::Enum}, true), "?");
}

class KeyRange : public ::testing::Test {
 protected:
  /// The image of (a, b); nothing is NULL.
  message::ImageView image(std::optional<std::int32_t> a, std::int32_t b) {
    values_ = {a.value_or(0), b};
    message::ImageView view;
    view.nulls = {static_cast<char>(a ? 0 : 1), 0};
    view.values = {std::as_bytes(std::span(values_.data(), 1)), std::as_bytes(std::span(values_.data() + 1, 1))};
    return view;
  }
  std::array<std::int32_t, 2> values_{};
};

TEST_F(KeyRange, composite_keys_compare_column_after_column) {
  const message::TableSchema keys{.columns = {{.name = "a", .nullable = false}, {.name = "b", .nullable = false}}};
  EXPECT_EQ(after_key(keys, image(5, 7)), "(`a`>5 OR (`a`=5 AND (`b`>7)))");
  EXPECT_EQ(up_to_key(keys, image(5, 7)), "(`a`<5 OR (`a`=5 AND (`b`<7 OR `b`=7)))");
}

TEST_F(KeyRange, null_is_before_every_value) {
  const message::TableSchema keys{.columns = {{.name = "a", .nullable = true}, {.name = "b", .nullable = false}}};
  EXPECT_EQ(after_key(keys, image(std::nullopt, 7)), "(`a` IS NOT NULL OR (`a` IS NULL AND (`b`>7)))");
  EXPECT_EQ(up_to_key(keys, image(std::nullopt, 7)), "(FALSE OR (`a` IS NULL AND (`b`<7 OR `b`=7)))");
  EXPECT_EQ(up_to_key(keys, image(5, 7)), "((`a`<5 OR `a` IS NULL) OR (`a`=5 AND (`b`<7 OR `b`=7)))");
}

}  // namespace
}  // namespace datasync::sql
