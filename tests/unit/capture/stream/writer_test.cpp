#include "agents/capture/stream/writer.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using message::End;
using message::Gtid;
using message::SchemaId;

struct Sent {
  std::int32_t stream;
  std::string type;
  End end;
  std::string rows;
  std::uint32_t fragment;
  bool operator==(const Sent&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Sent& s) {
  return out << s.stream << " " << s.type << " " << message::to_string(s.end) << " '" << s.rows << "' " << s.fragment;
}

class Recorder final : public Output {
 public:
  base::Result<void> change(std::int32_t stream, message::Headers headers, base::Buffer value, const Gtid&) override {
    Sent s{stream, headers.type, headers.end, "", 0};
    if (headers.kind == message::Kind::Change) {
      const auto change = *message::decode<message::Change>(value.bytes());
      s.fragment = change.fragment;
      for (const auto& t : change.tables) s.rows += std::to_string(t.order) + ":" + t.rows + " ";
    } else {
      s.rows = message::decode<message::SchemaNote>(value.bytes())->table;
    }
    sent.push_back(s);
    return {};
  }
  base::Result<void> between(std::int32_t stream, message::Headers headers, const std::string& value,
                             OnAcked) override {
    sent.push_back({stream, std::string(message::to_string(headers.kind)), headers.end,
                    message::decode<message::Watermark>(base::as_bytes(value))->position.text(), 0});
    return {};
  }
  void finished(const Gtid& gtid) override { over.push_back(gtid.text()); }

  std::vector<Sent> sent;
  std::vector<std::string> over;
};

struct Writer : testing::Test {
  Writer() {
    a.database = b.database = c.database = "shop";
    a.table = "a", b.table = "b", c.table = "c";
    a.type = "orders", b.type = "people", c.type = "other";
    c.stream = 1;
  }
  static StreamWriter make(Output& out, std::uint64_t record_bytes = 1U << 20U, std::string sent = "") {
    return {out, {*message::GtidSet::parse(sent), {}}, {}, {record_bytes, 1'000'000}, [](SchemaId) {
              return std::string("the row");
            }};
  }
  static void put(StreamWriter& w, const TableChoice& table, std::string_view bytes) {
    (*w.rows(table, SchemaId(std::hash<std::string>{}(table.table)), bytes.size()).value()).append(bytes);
    ASSERT_TRUE(w.added(1));
  }
  TableChoice a, b, c;
  Recorder out;
};

// A new column of a table without writes came with the next row, if ever.
TEST_F(Writer, announces_a_schema_without_a_row) {
  auto w = make(out);
  w.begin({0, 1, 7}, 1);
  w.announce(a, SchemaId(5));
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent, (std::vector<Sent>{{0, "orders", End::Transaction, "0: ", 0}}));
}

TEST_F(Writer, makes_one_record_per_type_and_ends_on_the_last) {
  auto w = make(out);
  w.begin({0, 1, 7}, 1);
  put(w, a, "A1");
  put(w, b, "B1");
  put(w, a, "A2");
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent, (std::vector<Sent>{{0, "orders", End::None, "0:A1 2:A2 ", 0},
                                         {0, "people", End::Transaction, "1:B1 ", 1}}));
  EXPECT_EQ(out.over, std::vector<std::string>{"0-1-7"});
  EXPECT_EQ(w.position().text(), "0-1-7");
  EXPECT_EQ(w.counts().rows, 3U);
}

// Numbers fell before the stream began: its rows are older than the copy, and its number would hide later ones.
TEST_F(Writer, a_transaction_before_the_start_leaves_no_record_and_moves_nothing) {
  auto w = make(out);
  w.begin_before_start({0, 1, 9}, 1);
  EXPECT_FALSE(w.wants(0));
  ASSERT_TRUE(w.commit());
  EXPECT_TRUE(out.sent.empty());
  EXPECT_TRUE(out.over.empty());
  EXPECT_EQ(w.position().text(), "");
  w.begin({0, 1, 7}, 1);
  EXPECT_TRUE(w.wants(0));
  put(w, a, "A1");
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(w.position().text(), "0-1-7");
}

TEST_F(Writer, ends_the_transaction_on_every_stream_it_touched) {
  auto w = make(out);
  w.begin({0, 1, 7}, 1);
  put(w, a, "A1");
  put(w, c, "C1");
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent, (std::vector<Sent>{{0, "orders", End::Transaction, "0:A1 ", 0},
                                         {1, "other", End::Transaction, "0:C1 ", 0}}));
}

TEST_F(Writer, filtered_transaction_moves_the_position_without_a_record) {
  auto w = make(out);
  w.begin({0, 1, 7}, 1);
  ASSERT_TRUE(w.commit());
  EXPECT_TRUE(out.sent.empty());
  EXPECT_EQ(w.position().text(), "0-1-7");
  EXPECT_EQ(w.counts().filtered, 1U);
}

TEST_F(Writer, splits_a_large_transaction_and_ends_it_with_an_empty_record) {
  auto w = make(out, 5000);
  const std::string row(600, 'x');
  w.begin({0, 1, 7}, 1);
  put(w, a, row);
  put(w, b, row);  // beyond what may be left: the group goes
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent, (std::vector<Sent>{{0, "orders", End::None, "0:" + row + " ", 0},
                                         {0, "people", End::Group, "1:" + row + " ", 1},
                                         {0, "", End::Transaction, "", 2}}));
}

// Rows that fit were refused for the rows beside them: RowTooLarge for rows of 0.75 to 1 MB on a topic of defaults.
TEST_F(Writer, a_row_that_fits_alone_is_not_refused_for_its_neighbours) {
  auto w = make(out, 16U << 20U);  // more than the topic takes
  w.begin({0, 1, 7}, 1);
  for (int i = 0; i < 3; ++i) put(w, a, std::string(700'000, 'x'));
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent.size(), 3U);
}

TEST_F(Writer, many_small_runs_of_alternating_tables_fit_the_topic) {
  auto w = make(out, 900'000);
  auto d = a;
  d.table = "d";
  w.begin({0, 1, 7}, 1);
  for (int i = 0; i < 100'000; ++i) put(w, i % 2 == 0 ? a : d, "123456");
  EXPECT_TRUE(w.commit());
  EXPECT_GT(out.sent.size(), 1U);
}

TEST_F(Writer, a_row_that_needs_its_own_record_leaves_no_run) {
  auto w = make(out);
  w.begin({0, 1, 7}, 1);
  put(w, a, "A1");
  ASSERT_TRUE(w.rows(b, SchemaId(9), 10));
  ASSERT_TRUE(w.added(0));
  put(w, a, "A2");
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent, (std::vector<Sent>{{0, "orders", End::Transaction, "0:A1A2 ", 0}}));
}

TEST(TargetBytes, is_never_more_than_the_topic_accepts) {
  EXPECT_EQ(target_bytes(1000, 1'000'000), 1000U);
  EXPECT_LT(target_bytes(16U << 20U, 1'000'000) + kRecordOverhead, 1'000'000U);
  EXPECT_GT(target_bytes(16U << 20U, 1'000'000), 990'000U);
  EXPECT_EQ(target_bytes(16U << 20U, 1000), 500U);
}

TEST_F(Writer, skips_streams_that_have_the_transaction_already) {
  auto w = make(out, 1U << 20U, "0-1-9");
  w.begin({0, 1, 7}, 1);
  EXPECT_FALSE(w.wants(0));
  EXPECT_TRUE(w.wants(1));
  put(w, c, "C1");
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent, (std::vector<Sent>{{1, "other", End::Transaction, "0:C1 ", 0}}));
  w.begin({0, 1, 10}, 1);
  EXPECT_TRUE(w.wants(0));
}

TEST_F(Writer, aborts_what_was_sent_of_a_transaction_that_rolled_back) {
  auto w = make(out, 4500);
  w.begin({0, 1, 7}, 1);
  put(w, a, std::string(600, 'x'));
  put(w, c, "C1");
  ASSERT_TRUE(w.rollback());
  ASSERT_EQ(out.sent.size(), 2U);
  EXPECT_EQ(out.sent[1], (Sent{0, "", End::Abort, "", 1}));
  EXPECT_EQ(w.position().text(), "0-1-7") << "it is over";
  EXPECT_EQ(w.counts().rows, 0U);
}

TEST_F(Writer, transaction_broken_off_comes_again_from_its_first_fragment) {
  auto w = make(out, 4500);
  w.begin({0, 1, 7}, 1);
  put(w, a, std::string(600, 'x'));
  ASSERT_TRUE(w.discard());
  EXPECT_EQ(out.sent.back(), (Sent{0, "", End::Abort, "", 1}));
  EXPECT_EQ(w.position().text(), "") << "it is not over";
  EXPECT_TRUE(out.over.empty());
  w.begin({0, 1, 7}, 1);
  put(w, a, "A1");
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent.back(), (Sent{0, "orders", End::Transaction, "0:A1 ", 0}));
}

TEST_F(Writer, discards_nothing_outside_of_a_transaction) {
  auto w = make(out);
  ASSERT_TRUE(w.discard());
  EXPECT_TRUE(out.sent.empty());
}

// After a rollback of a transaction with an unreadable part, it was ended a second time.
TEST_F(Writer, a_transaction_ends_once) {
  auto w = make(out, 4500);
  w.begin({0, 1, 7}, 1);
  put(w, a, std::string(600, 'x'));
  w.note(a, {{0, 1, 7}, "shop", "a", message::SchemaNote::What::Dropped, "DROP TABLE a", ""});
  ASSERT_TRUE(w.rollback());
  const auto sent = out.sent;
  EXPECT_EQ(sent.back(), (Sent{0, "", End::Abort, "", 1}));
  ASSERT_TRUE(w.commit());
  ASSERT_TRUE(w.rollback());
  ASSERT_TRUE(w.discard());
  EXPECT_EQ(out.sent, sent);
  EXPECT_EQ(out.over, std::vector<std::string>{"0-1-7"});
  EXPECT_EQ(w.counts().filtered + w.counts().transactions, 1U);
}

TEST_F(Writer, publishes_a_held_transaction_under_its_commit_number) {
  auto w = make(out, 4500);
  w.begin_held({0, 1, 7}, 1, 10000);
  put(w, a, std::string(600, 'x'));
  put(w, a, "A2");
  auto held = w.take_held();
  ASSERT_TRUE(w.commit());
  EXPECT_TRUE(out.sent.empty());
  EXPECT_EQ(held.bytes, 602U + 2 * Run::kFraming) << "two groups of one run each";
  w.begin({0, 1, 8}, 1);
  ASSERT_TRUE(w.put_held(std::move(held)));
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent, (std::vector<Sent>{{0, "orders", End::Group, "0:" + std::string(600, 'x') + " ", 0},
                                         {0, "orders", End::Transaction, "1:A2 ", 1}}));
  EXPECT_EQ(out.over, (std::vector<std::string>{"0-1-7", "0-1-8"}));
}

TEST_F(Writer, holds_no_more_than_it_may) {
  auto w = make(out, 4500);
  w.begin_held({0, 1, 7}, 1, 500);
  (*w.rows(a, SchemaId(1), 600).value()).append(std::string(600, 'x'));
  EXPECT_TRUE(w.added(1).error().is(base::Reason::XaTooLarge));
}

TEST_F(Writer, names_the_row_that_exceeds_the_topics_limit) {
  auto w = make(out);
  w.begin({0, 1, 7}, 1);
  auto* buffer = w.rows(a, SchemaId(1), 1).value();
  buffer->append(std::string(1'000'000, 'x'));
  auto added = w.added(1);
  if (added) added = w.commit();
  ASSERT_FALSE(added);
  EXPECT_TRUE(added.error().is(base::Reason::RowTooLarge));
  EXPECT_NE(added.error().what.find("the row"), std::string::npos);
}

TEST_F(Writer, notes_of_dropped_tables_follow_rows_and_end_the_transaction) {
  auto w = make(out);
  w.begin({0, 1, 7}, 1);
  put(w, a, "A1");
  w.note(a, {{0, 1, 7}, "shop", "a", message::SchemaNote::What::Dropped, "DROP TABLE a, b"});
  w.note(b, {{0, 1, 7}, "shop", "b", message::SchemaNote::What::Dropped, "DROP TABLE a, b"});
  ASSERT_TRUE(w.commit());
  EXPECT_EQ(out.sent, (std::vector<Sent>{{0, "orders", End::Group, "0:A1 ", 0},
                                         {0, "orders", End::Group, "a", 0},
                                         {0, "people", End::Transaction, "b", 0}}));
}

TEST_F(Writer, watermark_goes_to_every_stream) {
  auto w = make(out);
  w.begin({0, 1, 7}, 1);
  ASSERT_TRUE(w.commit());
  ASSERT_TRUE(w.watermark(5));
  EXPECT_EQ(out.sent,
            (std::vector<Sent>{{0, "watermark", End::None, "0-1-7", 0}, {1, "watermark", End::None, "0-1-7", 0}}));
}

}  // namespace
}  // namespace datasync::capture
