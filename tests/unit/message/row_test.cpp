#include "agents/message/row.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace datasync::message {
namespace {

TableSchema two_columns() {
  return {.database = "shop",
          .table = "t",
          .columns = {{.name = "id", .type = ColumnType::Int},
                      {.name = "name", .type = ColumnType::VarChar, .charset = "utf8mb4"}},
          .key = {0}};
}

void put_image(base::Buffer& out, std::int32_t id, const char* name) {
  ImageWriter w(out, 2);
  w.fixed(id);
  if (name == nullptr)
    w.null();
  else
    w.bytes(base::as_bytes(name));
}

TEST(Rows, every_operation_survives_a_round_trip) {
  base::Buffer out;
  out.put(static_cast<std::uint8_t>(Op::Insert));
  put_image(out, 1, "one");
  out.put(static_cast<std::uint8_t>(Op::Update));
  put_image(out, 1, "one");
  put_image(out, 1, nullptr);
  out.put(static_cast<std::uint8_t>(Op::Truncate));
  out.put(static_cast<std::uint8_t>(Op::Delete));
  put_image(out, -7, "");

  const auto schema = two_columns();
  RowReader reader(schema, out.bytes());
  RowView row;
  ASSERT_TRUE(reader.next(row).value());
  EXPECT_EQ(row.op, Op::Insert);
  EXPECT_EQ(display_image(schema, row.after), "{id=1, name='one'}");
  ASSERT_TRUE(reader.next(row).value());
  EXPECT_EQ(row.op, Op::Update);
  EXPECT_EQ(display_image(schema, row.before), "{id=1, name='one'}");
  EXPECT_EQ(display_image(schema, row.after), "{id=1, name=NULL}");
  ASSERT_TRUE(reader.next(row).value());
  EXPECT_EQ(row.op, Op::Truncate);
  ASSERT_TRUE(reader.next(row).value());
  EXPECT_EQ(row.op, Op::Delete);
  EXPECT_EQ(display_image(schema, row.before), "{id=-7, name=''}");
  EXPECT_FALSE(reader.next(row).value());
}

TEST(Rows, every_cut_is_refused_naming_the_table) {
  base::Buffer out;
  out.put(static_cast<std::uint8_t>(Op::Update));
  put_image(out, 1, "before");
  put_image(out, 2, "after");
  const auto schema = two_columns();
  for (std::size_t n = 1; n < out.size(); ++n) {
    RowReader reader(schema, out.bytes().subspan(0, n));
    RowView row;
    const auto r = reader.next(row);
    ASSERT_FALSE(r) << n;
    EXPECT_NE(r.error().what.find("shop.t"), std::string::npos);
  }
}

TEST(Rows, an_unknown_operation_is_refused) {
  const auto schema = two_columns();
  RowReader reader(schema, base::as_bytes("\x09"));
  RowView row;
  EXPECT_FALSE(reader.next(row));
}

TEST(Rows, equal_images_are_equal_bytes_whatever_was_there_before) {
  TableSchema schema{.database = "d",
                     .table = "t",
                     .columns = std::vector<Column>(9, Column{.name = "c", .type = ColumnType::TinyInt})};
  base::Buffer a;
  base::Buffer b(64);
  for (auto* out : {&a, &b}) {
    ImageWriter w(*out, 9);
    for (int i = 0; i < 9; ++i) i % 2 == 0 ? w.fixed(static_cast<std::int8_t>(i)) : w.null();
  }
  EXPECT_EQ(a.text(), b.text());
  EXPECT_EQ(std::to_integer<int>(a.bytes()[1]), 0);
}

template <class T>
std::string shown(Column c, T value) {
  base::Buffer b;
  b.put(value);
  return display(c, b.bytes());
}

TEST(Display, shows_the_edges_of_each_type) {
  EXPECT_EQ(shown({.type = ColumnType::BigInt, .is_unsigned = true}, UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(shown({.type = ColumnType::TinyInt}, std::int8_t{-128}), "-128");
  EXPECT_EQ(shown({.type = ColumnType::Float}, -0.0F), "-0");
  EXPECT_EQ(shown({.type = ColumnType::Date}, pack_date(0, 0, 0)), "0000-00-00");
  EXPECT_EQ(shown({.type = ColumnType::Date}, pack_date(9999, 12, 31)), "9999-12-31");
  EXPECT_EQ(shown({.type = ColumnType::DateTime, .scale = 6}, pack_datetime({9999, 12, 31, 23, 59, 59, 999999})),
            "9999-12-31 23:59:59.999999");
  EXPECT_EQ(shown({.type = ColumnType::Time}, std::int64_t{-3020399000000}), "-838:59:59");
  EXPECT_EQ(shown({.type = ColumnType::Time, .scale = 3}, std::int64_t{-500000}), "-00:00:00.500");
  EXPECT_EQ(shown({.type = ColumnType::Timestamp}, std::int64_t{0}), "0000-00-00 00:00:00");
  EXPECT_EQ(shown({.type = ColumnType::Timestamp, .scale = 1}, std::int64_t{1700000000500000}),
            "2023-11-14 22:13:20.5");
  EXPECT_EQ(shown({.type = ColumnType::Year}, std::uint16_t{0}), "0000");
  EXPECT_EQ(shown({.type = ColumnType::Enum, .labels = {"a", "b"}}, std::uint16_t{2}), "b");
  EXPECT_EQ(shown({.type = ColumnType::Enum, .labels = {"a", "b"}}, std::uint16_t{0}), "");
  EXPECT_EQ(shown({.type = ColumnType::Set, .labels = {"a", "b", "c"}}, std::uint64_t{5}), "a,c");
  EXPECT_EQ(shown({.type = ColumnType::Bit, .length = 64}, UINT64_MAX), "18446744073709551615");
}

TEST(Display, text_that_is_not_utf8_is_shown_as_hex) {
  EXPECT_EQ(display({.type = ColumnType::VarChar, .charset = "utf8mb4"}, base::as_bytes("\xff\xfe")), "0xFFFE");
  EXPECT_EQ(display({.type = ColumnType::VarChar, .charset = "utf8mb4"}, base::as_bytes("größe")), "größe");
  EXPECT_EQ(display({.type = ColumnType::VarChar, .charset = "latin1"}, base::as_bytes("\xe4")), "0xE4");
  EXPECT_EQ(display({.type = ColumnType::Uuid}, base::as_bytes("0123456789abcdef")),
            "30313233-3435-3637-3839-616263646566");
}

TEST(DateTimeParts, fit_the_packed_form_at_both_ends) {
  for (const auto& p :
       {DateTimeParts{}, DateTimeParts{9999, 12, 31, 23, 59, 59, 999999}, DateTimeParts{2024, 0, 31, 1, 2, 3, 4}})
    EXPECT_EQ(unpack_datetime(pack_datetime(p)), p);
  EXPECT_EQ(unpack_date(pack_date(2024, 2, 30)), (DateTimeParts{2024, 2, 30}));
}

}  // namespace
}  // namespace datasync::message
