#include "agents/capture/change_encoder.hpp"

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
       {ChangeFrame{{0, 1, 100}, 1700000000000000, 3, true}, ChangeFrame{{1, 2, 1}, 0, 0, false}})
    EXPECT_EQ(encode_change(frame, two_tables()).text(), message::encode(same_change(frame)));
}

TEST(ChangeEncoder, encodes_a_record_without_rows) {
  message::Change change;
  change.gtid = {0, 1, 5};
  change.last = true;
  EXPECT_EQ(encode_change({{0, 1, 5}, 0, 0, true}, TypeRows{}).text(), message::encode(change));
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

}  // namespace
}  // namespace datasync::capture
