#include "agents/message/record.hpp"

#include <gtest/gtest.h>

namespace datasync::message {
namespace {

using namespace std::string_view_literals;

GtidSet set(const char* text) {
  return GtidSet::parse(text).value();
}

TEST(Record, change_survives_a_round_trip) {
  Change c{.gtid = Gtid::parse("0-1-7").value(), .commit_time_us = 1700000000000000, .fragment = 3, .last = true};
  c.tables.push_back({SchemaId(UINT64_MAX), 2, 5, 0, std::string("\0\xff rows", 7)});
  const auto back = decode<Change>(base::as_bytes(encode(c)));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->gtid, c.gtid);
  EXPECT_EQ(back->fragment, 3U);
  EXPECT_TRUE(back->last);
  ASSERT_EQ(back->tables.size(), 1U);
  EXPECT_EQ(back->tables[0].rows, c.tables[0].rows);
  EXPECT_EQ(back->tables[0].schema, c.tables[0].schema);
}

TEST(Record, checkpoint_survives_a_round_trip) {
  const Checkpoint c{Epoch(9), 3, 1234567890123, set("0-1-7,1-1-2"), set("0-1-6")};
  const auto back = decode<Checkpoint>(base::as_bytes(encode(c)));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->offset, c.offset);
  EXPECT_EQ(back->published, c.published);
  EXPECT_EQ(back->dump_from, c.dump_from);
}

TEST(Record, snapshot_survives_a_round_trip) {
  Snapshot s{
      .id = "a", .phase = Snapshot::Phase::Begin, .position = set("0-1-7"), .tables = {"shop.orders", "shop.größe"}};
  const auto back = decode<Snapshot>(base::as_bytes(encode(s)));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->tables, s.tables);
  EXPECT_EQ(back->position, s.position);
}

TEST(Record, request_survives_a_round_trip) {
  Request r{"copy/sync/shop/shop.orders#2", "sync/shop", {"shop.orders"}, true, Epoch(4), {"shop.gone"}};
  const auto back = decode<Request>(base::as_bytes(encode(r)));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->id, r.id);
  EXPECT_EQ(back->from, r.from);
  EXPECT_EQ(back->tables, r.tables);
  EXPECT_TRUE(back->served);
  EXPECT_EQ(back->epoch, r.epoch);
  EXPECT_EQ(back->absent, r.absent);
  EXPECT_FALSE(decode<Request>(base::as_bytes("\x08\x01"sv))) << "it has no id";
  const auto answer = request_key(r);
  r.served = false;
  EXPECT_NE(request_key(r), answer) << "a request that is written again must not replace the answer";
}

TEST(Record, bytes_of_another_format_are_foreign) {
  for (const auto* text : {"", "hello", "\x08\x01", "{\"json\":true}"}) {
    const auto r = decode<Change>(base::as_bytes(text));
    ASSERT_FALSE(r) << text;
    EXPECT_TRUE(r.error().is(base::Reason::ForeignMessage));
  }
}

TEST(Record, a_newer_version_is_refused_with_the_advice_to_upgrade) {
  const auto r = decode<Watermark>(base::as_bytes("\x08\x02"));  // field 1, varint 2
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().what.find("upgrade"), std::string::npos);
}

TEST(Record, an_older_version_is_read_and_no_version_is_none) {
  EXPECT_TRUE(readable(1, 1));
  EXPECT_TRUE(readable(1, 2));
  EXPECT_FALSE(readable(3, 2));
  EXPECT_FALSE(readable(0, 2));
  const auto r = decode<Watermark>(base::as_bytes("\x08\x00"sv));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().what.find("upgrade"), std::string::npos) << r.error().what;
}

TEST(Record, kinds_and_ends_have_names_that_read_back) {
  for (auto k = 0; k <= static_cast<int>(Kind::Request); ++k)
    EXPECT_EQ(parse_kind(to_string(static_cast<Kind>(k))), static_cast<Kind>(k));
  for (const auto e : {End::Group, End::Transaction, End::Abort}) EXPECT_EQ(parse_end(to_string(e)), e);
  EXPECT_FALSE(parse_kind("nonsense"));
  EXPECT_FALSE(parse_end("nonsense"));
}

TEST(Record, checkpoint_keys_form_a_ring_of_eight) {
  const Checkpoint c{.epoch = Epoch(2), .stream = 1};
  EXPECT_EQ(checkpoint_key(c, 0), checkpoint_key(c, 8));
  EXPECT_NE(checkpoint_key(c, 0), checkpoint_key(c, 7));
}

}  // namespace
}  // namespace datasync::message
