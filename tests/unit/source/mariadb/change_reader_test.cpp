#include "agents/source/mariadb/change_reader.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/binlog/events.hpp"

namespace datasync::source::mariadb {
namespace {

using binlog::EventType;
using Lines = std::vector<std::string>;

/// Records what is reported. Of transactions in which something cannot be read, only the end is wanted.
class Handler final : public ChangeHandler {
 public:
  void on_heard() override {}
  base::Result<void> on_begin(const Transaction& transaction, const Place&) override {
    return line(
        fmt::format("begin {}{}", transaction.gtid.text(), transaction.before_start ? " before the start" : ""));
  }
  bool wants(std::string_view, std::string_view) override { return false; }
  base::Result<TableToken> on_table(const binlog::TableMap&, const binlog::Where&) override { return kUnwanted; }
  base::Result<void> on_rows(TableToken, const binlog::RowsEvent&) override { return {}; }
  base::Result<void> on_statement(const Statement&) override { return {}; }
  std::optional<std::string> to_utf8(std::string_view, std::string_view) override { return std::nullopt; }
  [[nodiscard]] base::TableNames table_names() const override { return base::TableNames(); }
  base::Result<void> on_commit(const Place&) override { return line("commit"); }
  base::Result<void> on_rollback(const Place&) override { return line("rollback"); }
  base::Result<void> on_broken_off(const Place&) override { return line("broken off"); }
  base::Result<void> on_xa_prepare(std::string_view, const Place&) override { return line("prepare"); }
  base::Result<void> on_xa_commit(std::string_view, const Place&) override { return line("XA commit"); }
  base::Result<void> on_xa_rollback(std::string_view, const Place&) override { return line("XA rollback"); }
  base::Result<void> on_idle(const Place&) override { return line("idle"); }
  base::Result<void> on_moved(const Place&) override { return {}; }
  base::Result<void> on_incident(std::string_view, const binlog::Where&) override { return line("incident"); }
  base::Result<void> on_unreadable(base::Error error) override {
    return line(fmt::format("unreadable: {}", base::info(error.reason).name));
  }
  [[nodiscard]] base::Error too_large(base::Error error) const override { return error; }
  [[nodiscard]] bool skips() const override { return false; }
  void on_skipped(bool) override {}
  base::Result<void> on_end_unread(const Place&) override { return line("end that was not read"); }

  Lines lines;

 private:
  base::Result<void> line(std::string text) {
    lines.push_back(std::move(text));
    return {};
  }
};

class Changes : public testing::Test {
 protected:
  Changes() { feed(binlog::test::format_description(binlog::Checksum::Crc32)); }

  void feed(const std::string& event) {
    const auto fed = reader_.take(handler_, base::as_bytes(event));
    EXPECT_TRUE(fed) << fed.error().what;
  }
  void begin(std::uint64_t number) { feed(binlog::test::gtid_event(number, binlog::GtidEvent::kTransactional)); }
  /// An event of a type that no version of the reader knows.
  void unreadable() { feed(binlog::test::make_event({.type = static_cast<EventType>(150)})); }
  void rollback() { feed(binlog::test::query_event("", "ROLLBACK")); }
  void commit() { feed(binlog::test::make_event({.type = EventType::Xid, .body = binlog::test::le(1, 8)})); }
  void heartbeat() { feed(binlog::test::make_event({.type = EventType::Heartbeat, .body = "mariadb-bin.000001"})); }

  Handler handler_;
  ChangeReader reader_{{}, false, binlog::kMaxInflated};
};

TEST_F(Changes, the_end_of_a_transaction_that_was_not_read_is_seen_by_what_follows) {
  begin(5);
  unreadable();
  begin(6);
  unreadable();
  heartbeat();
  EXPECT_EQ(handler_.lines,
            (Lines{"begin 0-1-5", "unreadable: UnsupportedEvent", "unreadable: BinlogCorrupt", "end that was not read",
                   "begin 0-1-6", "unreadable: UnsupportedEvent", "end that was not read"}));
}

// The heartbeat after it ended it a second time, so that it was committed and counted again.
TEST_F(Changes, a_transaction_rolled_back_after_an_unreadable_part_ends_once) {
  begin(5);
  unreadable();
  rollback();
  heartbeat();
  EXPECT_EQ(handler_.lines, (Lines{"begin 0-1-5", "unreadable: UnsupportedEvent", "rollback", "idle"}));
}

TEST_F(Changes, a_transaction_committed_after_an_unreadable_part_ends_once) {
  begin(5);
  unreadable();
  commit();
  heartbeat();
  EXPECT_EQ(handler_.lines, (Lines{"begin 0-1-5", "unreadable: UnsupportedEvent", "commit", "idle"}));
}

// It always counted as over, so that the server's second try at it was a diverged history.
TEST_F(Changes, a_transaction_that_a_crash_cut_off_after_an_unreadable_part_is_over_if_the_next_file_has_it_before) {
  const auto restarts = [&](std::uint64_t last) {
    feed(binlog::test::format_description(binlog::Checksum::Crc32, 1));
    EXPECT_FALSE(reader_.outside()) << "it is not known yet what it was";
    feed(binlog::test::make_event({.type = EventType::GtidList,
                                   .body = binlog::test::le(1, 4) + binlog::test::le(0, 4) + binlog::test::le(1, 4) +
                                           binlog::test::le(last, 8)}));
    EXPECT_TRUE(reader_.outside());
  };
  begin(5);
  unreadable();
  restarts(4);
  begin(5);
  unreadable();
  restarts(5);
  begin(6);
  commit();
  EXPECT_EQ(handler_.lines, (Lines{"begin 0-1-5", "unreadable: UnsupportedEvent", "broken off", "begin 0-1-5",
                                   "unreadable: UnsupportedEvent", "end that was not read", "begin 0-1-6", "commit"}));
}

// A dump from 0-1-12 begins with 0-1-15 where numbers fell before the stream began.
TEST_F(Changes, transactions_before_the_start_are_reported_as_such) {
  message::GtidSet from;
  from.add({0, 1, 12});
  ChangeReader reader(from, true, binlog::kMaxInflated, {{{0, 1, 12}, 15}});
  const auto take = [&](const std::string& event) {
    const auto taken = reader.take(handler_, base::as_bytes(event));
    EXPECT_TRUE(taken) << taken.error().what;
  };
  take(binlog::test::format_description(binlog::Checksum::Crc32));
  for (const std::uint64_t number : {15U, 12U, 13U}) {
    take(binlog::test::gtid_event(number, binlog::GtidEvent::kTransactional));
    take(binlog::test::make_event({.type = EventType::Xid, .body = binlog::test::le(1, 8)}));
  }
  EXPECT_EQ(handler_.lines, (Lines{"begin 0-1-15 before the start", "commit", "begin 0-1-12 before the start", "commit",
                                   "begin 0-1-13", "commit"}));
}

}  // namespace
}  // namespace datasync::source::mariadb
