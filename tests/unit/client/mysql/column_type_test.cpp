#include "agents/client/mysql/column_type.hpp"

#include <gtest/gtest.h>

namespace datasync::sql {
namespace {

using message::ColumnType;
using Labels = std::vector<std::string>;

TEST(Labels, escapes_are_undone_and_quotes_halved) {
  EXPECT_EQ(parse_labels("enum('a','b')"), (Labels{"a", "b"}));
  EXPECT_EQ(parse_labels("set('it''s','','x,y',')')"), (Labels{"it's", "", "x,y", ")"}));
  EXPECT_EQ(parse_labels("enum('b\\\\x','d\\nl','\\r','\\0')"), (Labels{"b\\x", "d\nl", "\r", std::string(1, '\0')}));
  EXPECT_EQ(parse_labels("enum('ü','😀')"), (Labels{"ü", "😀"}));
}

TEST(Labels, what_is_no_list_is_refused) {
  for (const char* text :
       {"int(11)", "enum", "enum(", "enum()", "enum('a'", "enum('a", "enum('a',)", "enum('a';'b')"}) {
    EXPECT_FALSE(parse_labels(text)) << text;
  }
}

TEST(Labels, a_question_mark_is_suspect_only_with_four_byte_characters) {
  EXPECT_TRUE(may_be_damaged("a?", "utf8mb4"));
  EXPECT_TRUE(may_be_damaged("?", "utf16le"));
  EXPECT_FALSE(may_be_damaged("a?", "latin1"));
  EXPECT_FALSE(may_be_damaged("a?", "utf8mb3"));
  EXPECT_FALSE(may_be_damaged("a", "utf8mb4"));
}

TEST(ColumnType, the_type_in_information_schema_makes_a_column) {
  const auto number = column_of({.name = "n", .data_type = "bigint", .column_type = "bigint(20) unsigned"});
  ASSERT_TRUE(number);
  EXPECT_EQ(number->type, ColumnType::BigInt);
  EXPECT_TRUE(number->is_unsigned);
  EXPECT_EQ(number->length, 0U);

  const auto decimal = column_of({.name = "d",
                                  .data_type = "decimal",
                                  .column_type = "decimal(8,3) unsigned zerofill",
                                  .numeric_precision = 8,
                                  .numeric_scale = 3,
                                  .nullable = false});
  ASSERT_TRUE(decimal);
  EXPECT_EQ(decimal->precision, 8);
  EXPECT_EQ(decimal->scale, 3);
  EXPECT_FALSE(decimal->nullable);

  const auto text = column_of({.name = "t",
                               .data_type = "varchar",
                               .column_type = "varchar(10)",
                               .octet_length = 40,
                               .charset = "utf8mb4",
                               .collation = "utf8mb4_bin"});
  ASSERT_TRUE(text);
  EXPECT_EQ(text->length, 40U);
  EXPECT_EQ(text->collation, "utf8mb4_bin");

  const auto label = column_of({.name = "e", .data_type = "enum", .column_type = "enum(' unsigned','b')"});
  ASSERT_TRUE(label);
  EXPECT_FALSE(label->is_unsigned);
  EXPECT_EQ(label->labels.size(), 2U);
}

TEST(ColumnType, numbers_of_one_kind_do_not_leak_into_another) {
  const auto integer = column_of({.name = "i", .data_type = "int", .column_type = "int(11)", .numeric_precision = 10});
  const auto moment =
      column_of({.name = "m", .data_type = "timestamp", .column_type = "timestamp(6)", .datetime_precision = 6});
  const auto bit = column_of({.name = "b", .data_type = "bit", .column_type = "bit(12)", .numeric_precision = 12});
  EXPECT_EQ(integer->precision, 0);
  EXPECT_EQ(moment->scale, 6);
  EXPECT_EQ(bit->length, 12U);
}

TEST(ColumnType, an_unknown_type_is_refused) {
  EXPECT_FALSE(column_of({.name = "v", .data_type = "vector", .column_type = "vector(3)"}));
}

}  // namespace
}  // namespace datasync::sql
