#include "agents/source/mariadb/event_reader.hpp"

#include <gtest/gtest.h>

#include "tests/unit/binlog/binlog_file.hpp"
#include "tests/unit/binlog/events.hpp"

namespace datasync::binlog::test {
namespace {

using base::as_bytes;
using base::Reason;
using Lines = std::vector<std::string>;

class Reader : public testing::Test {
 protected:
  Reader() { EXPECT_TRUE(feed(format_description(Checksum::Crc32))); }

  base::Result<void> feed(const std::string& event) { return reader_.feed(as_bytes(event)); }
  void ok(const std::string& event) {
    const auto r = feed(event);
    EXPECT_TRUE(r) << r.error().what;
  }
  Reason refused(const std::string& event) {
    const auto r = feed(event);
    EXPECT_FALSE(r);
    if (r) return Reason::Internal;
    what_ = r.error().what;
    return r.error().reason;
  }
  static std::string plain(EventType type, const std::string& body = "", std::uint16_t flags = 0) {
    return make_event({.type = type, .body = body, .flags = flags});
  }
  static std::string map_event(std::uint64_t id, const std::string& table = "t") {
    return plain(EventType::TableMap, table_map_body({.id = id,
                                                      .table = table,
                                                      .types = "\x03",
                                                      .nullable = std::string(1, '\0'),
                                                      .optional = names_and_key({"id"})}));
  }
  static std::string rows_event(std::uint64_t id, std::uint32_t value, bool end = true) {
    return plain(EventType::WriteRowsV1, rows_body(id, 1, "\xfe" + le(value, 4), false, end));
  }
  static std::string xid() { return plain(EventType::Xid, le(1, 8)); }

  Recorder recorder_;
  EventReader reader_{recorder_};
  std::string what_;
};

TEST_F(Reader, a_transaction_opens_and_ends_once) {
  EXPECT_TRUE(reader_.outside());
  ok(gtid_event(5, GtidEvent::kTransactional));
  EXPECT_FALSE(reader_.outside());
  ok(map_event(1));
  ok(rows_event(1, 7));
  ok(xid());
  EXPECT_TRUE(reader_.outside());
  EXPECT_EQ(recorder_.lines(), (Lines{"gtid 0-1-5", "d.t insert id=7", "commit"}));
}

TEST_F(Reader, a_standalone_group_ends_with_its_statement) {
  ok(gtid_event(5, GtidEvent::kStandalone | GtidEvent::kDdl));
  ok(plain(EventType::IntVar, std::string(9, '\0')));
  ok(query_event("d", "truncate t"));
  EXPECT_TRUE(reader_.outside());
  EXPECT_EQ(recorder_.lines(), (Lines{"gtid 0-1-5 standalone ddl", "query [Truncated d.t] truncate t", "commit"}));
}

TEST_F(Reader, a_commit_or_rollback_statement_ends_a_group) {
  ok(gtid_event(5, 0));
  ok(query_event("d", "BEGIN"));
  ok(query_event("d", "COMMIT"));
  ok(gtid_event(6, 0));
  ok(query_event("d", "ROLLBACK TO `s`"));
  ok(query_event("d", "ROLLBACK"));
  EXPECT_EQ(recorder_.lines(),
            (Lines{"gtid 0-1-5", "commit", "gtid 0-1-6", "query [RollbackTo] ROLLBACK TO `s`", "rollback"}));
}

TEST_F(Reader, unwanted_tables_are_never_parsed) {
  recorder_.wanted = [](auto, auto table) { return table == "t"; };
  ok(gtid_event(5, 0));
  // The rest of this table map is nonsense.
  ok(plain(EventType::TableMap,
           le(9, 6) + le(1, 2) + le(1, 1) + "d" + le(0, 1) + le(1, 1) + "u" + le(0, 1) + "nonsense"));
  ok(map_event(1));
  ok(rows_event(9, 1, false));
  ok(rows_event(1, 2));
  ok(xid());
  EXPECT_EQ(recorder_.lines(), (Lines{"gtid 0-1-5", "d.t insert id=2", "commit"}));
  EXPECT_EQ(reader_.counters().unwanted_rows_events, 1U);
}

// The largest event of the whole binlog was held whole, also when its table is not captured.
TEST_F(Reader, the_head_of_a_large_event_is_enough_for_unwanted_rows) {
  recorder_.wanted = [](auto, auto table) { return table == "t"; };
  ok(gtid_event(5, 0));
  ok(map_event(1));
  ok(map_event(2, "other"));
  const auto front = [](const std::string& event) { return as_bytes(event).first(kHeaderSize + 20); };
  const auto rows = [](std::uint64_t id, bool end) {
    return plain(EventType::WriteRowsV1, rows_body(id, 1, "\xfe" + le(1, 4) + std::string(100, 'x'), false, end));
  };
  const auto wanted = rows(1, true), other = rows(2, true), unknown = rows(3, true);
  EXPECT_TRUE(reader_.needs_whole(front(wanted)));
  EXPECT_NE(reader_.name_of(front(wanted)).find("a row of d.t "), std::string::npos);
  EXPECT_FALSE(reader_.needs_whole(front(other)));
  EXPECT_TRUE(reader_.needs_whole(front(unknown))) << "a table without a table map is an error, which feed reports";
  EXPECT_FALSE(reader_.needs_whole(front(plain(EventType::AppendBlock, std::string(100, 'x')))));
  EXPECT_TRUE(reader_.needs_whole(front(query_event("d", "DROP TABLE " + std::string(100, 'x')))));
  EXPECT_TRUE(reader_.pass_over(front(other)));
  EXPECT_EQ(refused(rows_event(1, 7)), Reason::BinlogCorrupt) << "the event that was passed over ends its statement";
}

TEST_F(Reader, a_compressed_event_above_the_limit_is_not_inflated) {
  EventReader limited(recorder_, {.max_inflated = 1000});
  const auto take = [&](const std::string& event) { return limited.feed(as_bytes(event)); };
  EXPECT_TRUE(take(format_description(Checksum::Crc32)));
  EXPECT_TRUE(take(gtid_event(5, 0)));
  EXPECT_TRUE(take(map_event(1)));
  // Says that it holds 2000 bytes; what follows is no zlib stream at all.
  const auto body = le(1, 6) + le(1, 2) + le(1, 1) + "\xff" + "\x82" + "\x07\xd0" + std::string(100, 'x');
  const auto result = take(plain(EventType::WriteRowsCompressedV1, body));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::RowTooLarge);
}

TEST_F(Reader, the_same_table_map_is_read_once_and_a_changed_one_again) {
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ok(gtid_event(i, 0));
    ok(map_event(1, i == 3 ? "renamed" : "t"));
    ok(rows_event(1, 1));
    ok(xid());
  }
  ASSERT_EQ(recorder_.encoders().size(), 2U);
  EXPECT_EQ(recorder_.encoders()[1].schema().table, "renamed");
}

TEST_F(Reader, a_reopened_table_is_remembered_once) {
  for (std::uint64_t i = 1; i <= 100; ++i) {
    ok(gtid_event(i, 0));
    ok(map_event(10 + i));
    ok(map_event(1000 + i, "tt"));
    ok(rows_event(10 + i, 1));
    ok(xid());
  }
  EXPECT_EQ(reader_.known_tables(), 2U);
}

TEST_F(Reader, table_ids_mean_nothing_after_the_end_of_their_statement) {
  ok(gtid_event(5, 0));
  ok(map_event(1));
  ok(rows_event(1, 1));
  EXPECT_EQ(refused(rows_event(1, 2)), Reason::BinlogCorrupt);
  EXPECT_NE(what_.find("table id 1"), std::string::npos);
}

TEST_F(Reader, a_dummy_rows_event_only_closes_the_statement) {
  ok(gtid_event(5, 0));
  ok(map_event(1));
  ok(rows_event(0x00FFFFFF, 0));
  EXPECT_EQ(refused(rows_event(1, 2)), Reason::BinlogCorrupt);
}

TEST_F(Reader, events_in_the_wrong_place_are_damage) {
  for (const auto& event :
       {map_event(1), rows_event(1, 1), xid(), query_event("d", "COMMIT"), plain(EventType::XaPrepare)}) {
    EXPECT_EQ(refused(event), Reason::BinlogCorrupt);
    EXPECT_NE(what_.find("outside of a transaction"), std::string::npos) << what_;
  }
  ok(gtid_event(5, 0));
  EXPECT_EQ(refused(gtid_event(6, 0)), Reason::BinlogCorrupt) << "a group that never ended";
  EXPECT_EQ(refused(plain(EventType::Stop)), Reason::BinlogCorrupt);
}

TEST_F(Reader, a_failed_checksum_names_file_and_position) {
  ok(plain(EventType::Rotate, le(4, 8) + "bin.000009"));
  auto event = gtid_event(5, 0);
  event[25] = static_cast<char>(event[25] ^ 1);
  EXPECT_EQ(refused(event), Reason::BinlogCorrupt);
  EXPECT_NE(what_.find("GTID event at bin.000009:958"), std::string::npos) << what_;
}

TEST_F(Reader, checksums_end_and_begin_with_each_format_description) {
  ok(format_description(Checksum::None));
  ok(make_event({.type = EventType::Gtid, .body = le(5, 8) + le(0, 4) + le(0, 1), .checksum = false}));
  ok(make_event({.type = EventType::Xid, .body = le(1, 8), .checksum = false}));
  ok(format_description(Checksum::Crc32));
  EXPECT_EQ(refused(make_event({.type = EventType::Gtid, .body = le(6, 8) + le(0, 4) + le(0, 1), .checksum = false})),
            Reason::BinlogCorrupt);
}

TEST(ReaderStart, a_rotate_before_any_description_may_have_a_checksum_or_not) {
  for (const bool checksum : {true, false}) {
    Recorder recorder;
    EventReader reader(recorder);
    const auto event = make_event({.type = EventType::Rotate,
                                   .body = le(4, 8) + "bin.000003",
                                   .flags = 0x20,
                                   .next_position = 0,
                                   .checksum = checksum});
    ASSERT_TRUE(reader.feed(as_bytes(event)));
    EXPECT_EQ(recorder.lines(), Lines{"rotate bin.000003:4 artificial"});
    EXPECT_EQ(reader.where().text(), "bin.000003:4");
  }
}

TEST_F(Reader, an_unknown_event_is_refused_by_name_unless_it_may_be_ignored) {
  const auto type = static_cast<EventType>(200);
  EXPECT_EQ(refused(plain(type)), Reason::UnsupportedEvent);
  EXPECT_NE(what_.find("event type 200 at "), std::string::npos);
  ok(plain(type, "", kFlagIgnorable));
  EXPECT_EQ(reader_.counters().ignored_unknown, 1U);
}

TEST_F(Reader, a_restarted_server_rolls_back_what_was_open) {
  ok(gtid_event(5, 0));
  ok(map_event(1));
  ok(rows_event(1, 1));
  ok(format_description(Checksum::Crc32, 1700000000));
  EXPECT_TRUE(reader_.outside());
  EXPECT_EQ(recorder_.lines().back(), "rollback");
}

TEST_F(Reader, a_format_description_without_a_restart_changes_nothing) {
  ok(gtid_event(5, 0));
  ok(format_description(Checksum::Crc32, 0));
  ok(xid());
  EXPECT_EQ(recorder_.lines(), (Lines{"gtid 0-1-5", "commit"}));
}

TEST_F(Reader, xa_is_reported_in_two_groups) {
  const auto gtid = [](std::uint64_t n, std::uint8_t flags) {
    return plain(EventType::Gtid, le(n, 8) + le(0, 4) + le(flags, 1) + le(7, 4) + le(1, 1) + le(0, 1) + "g");
  };
  ok(gtid(1, GtidEvent::kPreparedXa));
  ok(map_event(1));
  ok(rows_event(1, 1));
  ok(query_event("d", "XA END X'67',X'',7"));
  ok(plain(EventType::XaPrepare, le(0, 1) + le(7, 4) + le(1, 4) + le(0, 4) + "g"));
  ok(gtid(2, GtidEvent::kCompletedXa | GtidEvent::kStandalone));
  ok(query_event("d", "XA COMMIT X'67',X'',7"));
  EXPECT_EQ(recorder_.lines(), (Lines{"gtid 0-1-1 prepared", "d.t insert id=1", "xa-prepare X'67',X'',7",
                                      "gtid 0-1-2 standalone completed", "xa-commit X'67',X'',7"}));
}

TEST_F(Reader, an_xa_commit_without_its_xid_is_damage) {
  ok(gtid_event(5, GtidEvent::kStandalone));
  EXPECT_EQ(refused(query_event("d", "XA COMMIT X'67',X'',7")), Reason::BinlogCorrupt);
}

// The server sends one after the first transaction's GTID event when it has passed over transactions before it.
TEST_F(Reader, an_artificial_gtid_list_is_skipped) {
  const auto list = le(1, 4) + le(0, 4) + le(1, 4) + le(5, 8);
  ok(plain(EventType::GtidList, list, kFlagArtificial));
  ok(gtid_event(6, 0));
  ok(plain(EventType::GtidList, list, kFlagArtificial));
  ok(xid());
  EXPECT_EQ(recorder_.lines(), (Lines{"gtid 0-1-6", "commit"}));
}

TEST_F(Reader, heartbeats_gtid_lists_and_incidents_are_reported) {
  ok(make_event({.type = EventType::Heartbeat, .body = "bin.000001", .next_position = 99}));
  ok(plain(EventType::GtidList, le(1, 4) + le(0, 4) + le(1, 4) + le(5, 8)));
  ok(gtid_event(6, 0));
  ok(make_event({.type = EventType::Heartbeat, .body = "bin.000001", .next_position = 100}));
  ok(plain(EventType::AnnotateRows, "insert"));
  ok(xid());
  ok(plain(EventType::Incident, le(1, 2) + le(4, 1) + "lost"));
  EXPECT_EQ(recorder_.lines(), (Lines{"heartbeat bin.000001:99", "gtid-list 0-1-5", "gtid 0-1-6",
                                      "heartbeat bin.000001:100", "commit", "incident lost"}));
}

TEST_F(Reader, an_error_of_the_handler_stops_the_reader) {
  recorder_.options_of = [](const TableMap&) { return SchemaOptions{.excluded = {"id"}}; };
  ok(gtid_event(5, 0));
  EXPECT_EQ(refused(map_event(1)), Reason::KeyMissing);
  EXPECT_EQ(refused(map_event(1)), Reason::KeyMissing) << "a map that failed is not taken for known";
}

TEST_F(Reader, a_load_by_statement_is_a_statement) {
  ok(gtid_event(5, 0));
  ok(plain(EventType::BeginLoadQuery, "xxxxdata"));
  const std::string sql = "LOAD DATA INFILE 'x' INTO TABLE t";
  ok(plain(EventType::ExecuteLoadQuery,
           le(7, 4) + le(0, 4) + le(1, 1) + le(0, 2) + le(0, 2) + std::string(13, '\0') + "d" + le(0, 1) + sql));
  EXPECT_EQ(recorder_.lines().back(), "query [rows by statement, ?] " + sql);
}

}  // namespace
}  // namespace datasync::binlog::test
