#include "agents/apply/read/row_buffer.hpp"

#include <gtest/gtest.h>

#include "tests/unit/apply/plan/change_maker.hpp"

namespace datasync::apply {
namespace {

TEST(RowBuffer, keeps_null_and_empty_apart) {
  auto schema = int_schema("a", 2);
  schema.columns[1].type = message::ColumnType::VarBinary;
  base::Buffer out;
  out.put(static_cast<std::uint8_t>(message::Op::Insert));
  message::ImageWriter image(out, 2);
  image.null();
  image.bytes({});
  RowBuffer buffer;
  ASSERT_TRUE(buffer.append(0, schema, std::string(out.text())));
  const auto& row = buffer.rows()[0];
  EXPECT_TRUE(is_null(buffer.value(row.after, 0)));
  EXPECT_FALSE(is_null(buffer.value(row.after, 1)));
  EXPECT_TRUE(buffer.value(row.after, 1).empty());
}

TEST(RowBuffer, dropping_the_first_rows_leaves_the_others_whole) {
  ChangeMaker made({int_schema("a", 2)});
  made.insert(0, {1, 10});
  made.update(0, {2, 20}, {2, 21});
  made.truncate(0);
  made.insert(0, {3, 30});
  made.erase(0, {4, 40});
  auto& buffer = made.buffer();
  buffer.drop_front(2);
  ASSERT_EQ(buffer.size(), 3U);
  EXPECT_EQ(buffer.rows()[0].op, message::Op::Truncate);
  EXPECT_EQ(row_at(buffer, buffer.rows()[1].after, 2), (TestRow{3, 30}));
  EXPECT_EQ(row_at(buffer, buffer.rows()[2].before, 2), (TestRow{4, 40}));
  buffer.drop_front(2);
  EXPECT_EQ(row_at(buffer, buffer.rows()[0].before, 2), (TestRow{4, 40}));
  buffer.drop_front(1);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.bytes(), 0U);
}

TEST(RowBuffer, damaged_rows_are_a_foreign_message) {
  RowBuffer buffer;
  const auto done = buffer.append(0, int_schema("a", 2), std::string("\x01\x00", 2));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().reason, base::Reason::ForeignMessage);
}

}  // namespace
}  // namespace datasync::apply
