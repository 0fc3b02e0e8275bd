#include "agents/binlog/event.hpp"

#include <gtest/gtest.h>

#include "tests/unit/binlog/binlog_file.hpp"
#include "tests/unit/binlog/events.hpp"

namespace datasync::binlog::test {
namespace {

using base::as_bytes;
using base::Reason;

const Where kWhere{"bin.000007", 1234};

TEST(Header, is_decoded) {
  const auto event =
      make_event({.type = EventType::Xid, .body = "12345678", .flags = 0x84, .next_position = 77, .server = 9});
  const auto h = parse_header(as_bytes(event), "f");
  ASSERT_TRUE(h);
  EXPECT_EQ(h->type, EventType::Xid);
  EXPECT_EQ(h->server_id, 9U);
  EXPECT_EQ(h->size, event.size());
  EXPECT_EQ(h->next_position, 77U);
  EXPECT_EQ(h->flags, 0x84);
  EXPECT_EQ(h->timestamp, 1700000000U);
}

TEST(Header, with_a_wrong_size_names_file_and_position) {
  const auto event = make_event({.next_position = 77}) + "x";
  const auto h = parse_header(as_bytes(event), "bin.000007");
  ASSERT_FALSE(h);
  EXPECT_EQ(h.error().reason, Reason::BinlogCorrupt);
  EXPECT_NE(h.error().what.find("bin.000007:77"), std::string::npos);
  EXPECT_FALSE(parse_header({}, "f"));
}

TEST(Header, without_a_position_is_artificial) {
  EXPECT_TRUE((EventHeader{.next_position = 0}.artificial()));
  EXPECT_TRUE((EventHeader{.next_position = 5, .flags = kFlagArtificial}.artificial()));
  EXPECT_FALSE((EventHeader{.next_position = 5}.artificial()));
}

TEST(ChecksumOf, matches_whatever_the_in_use_flag_is) {
  auto event = make_event({.body = "body"});
  EXPECT_TRUE(checksum_fits(as_bytes(event)));
  event[17] = '\x01';
  EXPECT_TRUE(checksum_fits(as_bytes(event)));
  event[20] = '?';
  EXPECT_FALSE(checksum_fits(as_bytes(event)));
  EXPECT_FALSE(checksum_fits(as_bytes("short")));
}

TEST(FormatDescriptionEvent, has_server_checksum_and_header_lengths) {
  const auto crc = format_description(Checksum::Crc32, 5);
  const auto d = parse_format_description(as_bytes(crc), kWhere);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->server, "10.11.19-MariaDB-log");
  EXPECT_EQ(d->checksum, Checksum::Crc32);
  EXPECT_EQ(d->created, 5U);
  EXPECT_EQ(d->post_header(EventType::TableMap), 8);
  EXPECT_EQ(d->post_header(static_cast<EventType>(250)), 0);
  const auto none = format_description(Checksum::None);
  EXPECT_EQ(parse_format_description(as_bytes(none), kWhere)->checksum, Checksum::None);
}

TEST(FormatDescriptionEvent, of_another_version_or_checksum_is_unsupported) {
  auto event = format_description(Checksum::Crc32);
  event[kHeaderSize] = 3;
  EXPECT_EQ(parse_format_description(as_bytes(event), kWhere).error().reason, Reason::UnsupportedEvent);
  event = format_description(Checksum::Crc32);
  event[event.size() - 5] = 7;
  EXPECT_EQ(parse_format_description(as_bytes(event), kWhere).error().reason, Reason::UnsupportedEvent);
}

TEST(GtidOf, plain_and_grouped) {
  const auto plain = le(100, 8) + le(3, 4) + le(GtidEvent::kTransactional, 1) + std::string(6, '\0');
  const auto g = parse_gtid(as_bytes(plain), EventHeader{.server_id = 7}, kWhere);
  ASSERT_TRUE(g);
  EXPECT_EQ(g->gtid, (message::Gtid{3, 7, 100}));
  EXPECT_FALSE(g->standalone());
  const auto grouped = le(100, 8) + le(3, 4) + le(GtidEvent::kGroupCommit | GtidEvent::kDdl, 1) + le(55, 8) + le(2, 1);
  const auto gg = parse_gtid(as_bytes(grouped), {}, kWhere);
  ASSERT_TRUE(gg);
  EXPECT_EQ(gg->commit_id, 55U);
  EXPECT_TRUE(gg->ddl());
  EXPECT_TRUE(gg->start_alter());
}

TEST(GtidOf, a_prepared_transaction_names_its_xid) {
  const auto body = le(1, 8) + le(0, 4) + le(GtidEvent::kPreparedXa, 1) + le(7, 4) + le(2, 1) + le(2, 1) + "g1b1";
  const auto g = parse_gtid(as_bytes(body), {}, kWhere);
  ASSERT_TRUE(g);
  ASSERT_TRUE(g->xid);
  EXPECT_EQ(g->xid->text(), "X'6731',X'6231',7");
}

TEST(Bodies, that_are_cut_off_are_damaged_and_name_the_position) {
  const auto gtid = le(1, 8) + le(0, 4) + le(GtidEvent::kPreparedXa, 1) + le(7, 4) + le(2, 1) + le(2, 1) + "g1b1";
  for (std::size_t n = 0; n < gtid.size(); ++n) EXPECT_FALSE(parse_gtid(as_bytes(gtid.substr(0, n)), {}, kWhere)) << n;
  const auto list = le(2, 4) + le(0, 4) + le(1, 4) + le(5, 8) + le(1, 4) + le(1, 4) + le(6, 8);
  for (std::size_t n = 0; n < list.size(); ++n) EXPECT_FALSE(parse_gtid_list(as_bytes(list.substr(0, n)), kWhere)) << n;
  EXPECT_EQ(parse_gtid_list(as_bytes(list), kWhere)->text(), "0-1-5,1-1-6");
  const auto prepare = le(0, 1) + le(7, 4) + le(2, 4) + le(2, 4) + "g1b1";
  for (std::size_t n = 0; n < prepare.size(); ++n)
    EXPECT_FALSE(parse_xa_prepare(as_bytes(prepare.substr(0, n)), kWhere)) << n;
  const auto rotate = parse_rotate(as_bytes(le(4, 8)), kWhere);
  ASSERT_FALSE(rotate);
  EXPECT_NE(rotate.error().what.find("ROTATE event at bin.000007:1234"), std::string::npos);
}

TEST(QueryOf, has_database_sql_mode_and_text) {
  const auto event = query_event("db", "select 1", 0x4);
  const auto body = as_bytes(event).subspan(kHeaderSize, event.size() - kHeaderSize - kChecksumSize);
  const auto q = parse_query(body, kWhere);
  ASSERT_TRUE(q);
  EXPECT_EQ(q->database, "db");
  EXPECT_EQ(q->sql, "select 1");
  EXPECT_EQ(q->sql_mode, 0x4U);
  EXPECT_FALSE(parse_query(body.first(20), kWhere));
}

TEST(EventTypeName, has_the_number_of_an_unknown_one) {
  EXPECT_EQ(to_string(EventType::TableMap), "TABLE_MAP");
  EXPECT_EQ(to_string(static_cast<EventType>(200)), "event type 200");
}

}  // namespace
}  // namespace datasync::binlog::test
