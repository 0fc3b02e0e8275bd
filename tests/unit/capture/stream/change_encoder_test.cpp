#include "agents/capture/stream/change_encoder.hpp"

#include <gtest/gtest.h>

#include "agents/message/record.hpp"

namespace datasync::capture {
namespace {

using message::SchemaId;

TypeRows two_tables() {
  TypeRows rows;
  rows.type = "orders";
  std::uint32_t order = 0;
  const auto put = [&](std::uint64_t schema, std::string_view bytes) {
    auto& run = rows.run_of(SchemaId(schema), order);
    rows.rows.append(bytes);
    ++run.count;
  };
  put(7, "first");
  put(7, "second");
  put(9, "third");
  put(7, "fourth");
  return rows;
}

message::Change same_change(const ChangeFrame& frame) {
  message::Change change;
  change.gtid = frame.gtid;
  change.commit_time_us = frame.commit_time_us;
  change.fragment = frame.fragment;
  change.last = frame.last;
  change.tables = {
      {SchemaId(7), 0, 2, 0, "firstsecond"}, {SchemaId(9), 1, 1, 0, "third"}, {SchemaId(7), 2, 1, 0, "fourth"}};
  return change;
}

TEST(ChangeEncoder, gives_the_bytes_that_the_general_encoder_gives) {
  for (const ChangeFrame& frame :
       {ChangeFrame{{0, 1, 100}, 1700000000000000, 3, true}, ChangeFrame{{1, 2, 1}, 0, 0, false}}) {
    auto rows = two_tables();
    EXPECT_EQ(encode_change(frame, rows).text(), message::encode(same_change(frame)));
  }
}

TEST(ChangeEncoder, encodes_a_record_without_rows) {
  message::Change change;
  change.gtid = {0, 1, 5};
  change.last = true;
  TypeRows none;
  EXPECT_EQ(encode_change({{0, 1, 5}, 0, 0, true}, none).text(), message::encode(change));
}

TEST(ChangeEncoder, starts_a_new_run_when_another_type_came_in_between) {
  TypeRows a, b;
  std::uint32_t order = 0;
  a.run_of(SchemaId(1), order);
  b.run_of(SchemaId(2), order);
  a.run_of(SchemaId(1), order);
  ASSERT_EQ(a.runs.size(), 2U);
  EXPECT_EQ(a.runs[0].order, 0U);
  EXPECT_EQ(b.runs[0].order, 1U);
  EXPECT_EQ(a.runs[1].order, 2U);
}

TEST(ChangeEncoder, a_large_run_becomes_part_of_the_value_where_it_is) {
  const std::string large(2U << 20U, 'x');
  TypeRows rows;
  std::uint32_t order = 3;
  rows.run_of(message::SchemaId(7), order).count = 1;
  rows.rows.append(large);
  message::Change change;
  change.gtid = {0, 1, 5};
  change.last = true;
  change.tables = {{message::SchemaId(7), 3, 1, 0, large}};
  EXPECT_TRUE(encode_change({{0, 1, 5}, 0, 0, true}, rows).text() == message::encode(change));
  EXPECT_EQ(rows.rows.capacity(), 0U) << "given away";
}

TEST(ChangeEncoder, a_record_of_a_snapshot_is_what_the_message_is) {
  message::Snapshot record;
  record.id = "abc";
  record.phase = message::Snapshot::Phase::Rows;
  record.fragment = 3;
  record.last = true;
  base::Buffer rows;
  rows.append("the rows");
  const auto value = encode_snapshot_rows(record, {message::SchemaId(7), 2, 5, 0}, std::move(rows));
  record.rows = {{message::SchemaId(7), 2, 5, 0, "the rows"}};
  EXPECT_EQ(value.text(), message::encode(record));
}

}  // namespace
}  // namespace datasync::capture
