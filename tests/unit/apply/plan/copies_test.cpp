#include "agents/apply/plan/copies.hpp"

#include <gmock/gmock.h>

#include "agents/base/clock.hpp"
#include "agents/message/route.hpp"
#include "tests/unit/apply/plan/change_maker.hpp"
#include "tests/unit/protocol/memory_log.hpp"
#include "tests/unit/protocol/records.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using message::Epoch;
using message::Kind;
using testing::HasSubstr;
using Names = std::vector<std::string>;

/// A state topic that a user may only read.
class ReadOnlyLog final : public protocol::MemoryStateLog {
 public:
  using MemoryStateLog::MemoryStateLog;
  base::Result<protocol::Offset> append(Kind, const std::string&, const std::string&) override {
    return Error(Reason::PermissionDenied, "appending to topic t.state: not authorized");
  }
};

class CopiesTest : public testing::Test {
 protected:
  CopiesTest() {
    config.common.name = "sync/shop";
    message::SnapshotProgress whole;
    whole.epoch = Epoch(1);
    whole.id = "s";
    whole.tables = {"d.orders", "d.items", "d.people"};
    whole.scopes = {{"goods", {}}, {"goods", {}}, {"persons", {}}};
    records.push_back({0, Kind::Progress, message::progress_key(whole), message::encode(whole)});
    for (const auto& schema : {orders, items})
      records.push_back({1, Kind::SchemaBody, message::schema_key(schema.id()), message::serialize(schema)});
  }
  base::Result<Names> tables(const message::Headers& headers, const std::string& value) {
    return tables_of({7, 0, headers, base::as_bytes(value)}, {"s", {"d.items"}}, book, {});
  }
  [[nodiscard]] std::vector<message::Request> requests() const {
    std::vector<message::Request> out;
    for (const auto& r : records)
      if (r.kind == Kind::Request) out.push_back(message::decode<message::Request>(base::as_bytes(r.value)).value());
    return out;
  }

  [[nodiscard]] base::Result<std::unique_ptr<protocol::StateLog>> open() {
    ++opened;
    return std::unique_ptr<protocol::StateLog>(std::make_unique<protocol::MemoryStateLog>(records));
  }

  int opened = 0;
  message::TableSchema orders = int_schema("orders", 2), items = int_schema("items", 2);
  config::Apply config;
  std::vector<protocol::StateRecord> records;
  bool read_only = false;
  SchemaBook book{[this]() -> base::Result<std::unique_ptr<protocol::StateLog>> {
    if (read_only) return std::unique_ptr<protocol::StateLog>(std::make_unique<ReadOnlyLog>(records));
    return std::unique_ptr<protocol::StateLog>(std::make_unique<protocol::MemoryStateLog>(records));
  }};
};

// Every schema that the topic ever had was kept.
TEST_F(CopiesTest, schemas_that_make_room_for_others_are_read_again) {
  std::vector<message::TableSchema> schemas;
  for (int i = 0; i < 200; ++i) {
    schemas.push_back(int_schema("t" + std::to_string(i), 5));
    records.push_back(
        {2 + i, Kind::SchemaBody, message::schema_key(schemas.back().id()), message::serialize(schemas.back())});
  }
  const auto size = message::serialize(schemas.back()).size();
  SchemaBook small([this] { return open(); }, 10 * size);
  for (const int i : {199, 195, 3, 4, 3, 199}) {
    const auto found = small.find(schemas[static_cast<std::size_t>(i)].id(), {});
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ((*found)->table, "t" + std::to_string(i));
  }
  EXPECT_EQ(opened, 3) << "once at first, then for 3 and for 4";
  EXPECT_EQ(small.tables_of("goods"), (Names{"d.items", "d.orders"}));
  EXPECT_EQ(small.tables().size(), 203U);
}

// Each table of which only an unknown definition was known kept all streams waiting for ten seconds.
TEST_F(CopiesTest, a_schema_that_the_topic_lacks_is_not_waited_for) {
  const auto schema = int_schema("late", 5);
  const auto begun = base::steady_now();
  const auto missing = book.look(schema.id(), {});
  ASSERT_TRUE(missing) << missing.error().what;
  EXPECT_EQ(*missing, nullptr);
  EXPECT_LT(base::steady_now() - begun, std::chrono::seconds(5));
  records.push_back({900, Kind::SchemaBody, message::schema_key(schema.id()), message::serialize(schema)});
  SchemaBook other([this] { return open(); });
  const auto found = other.look(schema.id(), {});
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->table, "late");
}

TEST_F(CopiesTest, the_book_knows_which_foreign_keys_of_the_source_act) {
  const auto add = [&](std::uint64_t sequence, std::optional<std::vector<message::ActingKey>> keys) {
    message::Definition d;
    d.database = "d";
    d.table = "items";
    d.sequence = sequence;
    d.acting_keys = std::move(keys);
    records.push_back({static_cast<protocol::Offset>(10 + sequence), Kind::Definition, message::definition_key(d),
                       message::encode(d)});
  };
  const std::vector<message::ActingKey> keys{{"fk", {"a"}, "d", "orders", {"id"}, "RESTRICT", "CASCADE"}};
  add(1, std::nullopt);
  ASSERT_TRUE(book.refresh({}));
  EXPECT_FALSE(book.acting_keys("d.items")) << "a capture that does not say it";
  add(3, keys);
  add(2, std::vector<message::ActingKey>());
  ASSERT_TRUE(book.refresh({}));
  EXPECT_EQ(book.acting_keys("d.items"), keys) << "the newest counts";
  add(4, std::vector<message::ActingKey>());
  ASSERT_TRUE(book.refresh({}));
  EXPECT_EQ(book.acting_keys("d.items"), std::vector<message::ActingKey>());
}

TEST_F(CopiesTest, a_record_is_about_the_tables_of_its_rows) {
  message::Change change;
  change.tables = {{items.id(), 0, 1, 0, ""}, {orders.id(), 1, 1, 0, ""}, {items.id(), 2, 1, 0, ""}};
  EXPECT_EQ(tables({Kind::Change, "goods", Epoch(1), {}}, encode(change)).value(), (Names{"d.items", "d.orders"}));
  const message::SchemaNote note{{0, 1, 2}, "d", "people", message::SchemaNote::What::Dropped, ""};
  EXPECT_EQ(tables({Kind::Schema, "persons", Epoch(1), {}}, encode(note)).value(), (Names{"d.people"}));
  EXPECT_TRUE(tables({Kind::Watermark, "", Epoch(1), {}}, "?").value().empty());
}

TEST_F(CopiesTest, a_record_that_cannot_be_read_is_about_all_tables_of_its_type) {
  EXPECT_EQ(tables({Kind::Change, "goods", Epoch(1), {}}, "?").value(), (Names{"d.items", "d.orders"}));
  EXPECT_EQ(tables({Kind::Schema, "persons", Epoch(1), {}}, "?").value(), (Names{"d.people"}));
}

TEST_F(CopiesTest, the_end_of_a_snapshot_applies_to_the_tables_being_copied) {
  message::Snapshot end;
  end.phase = message::Snapshot::Phase::End;
  EXPECT_EQ(tables({Kind::Snapshot, "", Epoch(1), {}}, encode(end)).value(), (Names{"d.items"}));
  EXPECT_EQ(tables({Kind::Snapshot, "", Epoch(1), {}}, "?").value(), (Names{"d.items"}));
}

TEST_F(CopiesTest, a_request_is_written_once_and_answered_with_missing_tables) {
  AwaitedCopies copies(config, book, 0, 1);
  const Awaited awaited{{"d.items", "skip/0:7"}, {"d.orders", "skip/0:7"}};
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(copies.look(awaited, {}).empty());
  ASSERT_EQ(requests().size(), 1U);
  EXPECT_EQ(requests()[0].tables, (Names{"d.items", "d.orders"}));
  ASSERT_TRUE(copies.state(awaited));
  EXPECT_EQ(copies.state(awaited)->reason, Reason::AwaitingCopy);
  EXPECT_THAT(copies.state(awaited)->what, HasSubstr("d.items,d.orders"));
  message::Request answer{"skip/0:7", "sync/shop", {"d.items"}, true, Epoch(1), {"d.orders"}};
  records.push_back({9, Kind::Request, message::request_key(answer), message::encode(answer)});
  EXPECT_EQ(copies.look(awaited, {}), Names{"d.orders"}) << "no copy of it comes";
  EXPECT_THAT(copies.state(awaited)->what, testing::Not(HasSubstr("d.orders")));
  EXPECT_FALSE(copies.state({{"d.orders", "skip/0:7"}})) << "the source has no such table";
  EXPECT_FALSE(copies.state({}));
}

TEST_F(CopiesTest, without_the_right_to_request_the_annotation_is_named) {
  read_only = true;
  AwaitedCopies copies(config, book, 0, 1);
  const Awaited awaited{{"d.items", "copy/sync/shop/d.items#2"}};
  EXPECT_TRUE(copies.look(awaited, {}).empty());
  ASSERT_TRUE(copies.state(awaited));
  EXPECT_EQ(copies.state(awaited)->reason, Reason::CopyNeeded);
  EXPECT_THAT(copies.state(awaited)->what, HasSubstr("datasync.dev/copy-tables=d.items#copy/sync/shop/d.items-2"));
}

// The user did what the message said; the answer to that request did not count, and the message stayed.
TEST_F(CopiesTest, a_table_that_the_source_lacks_is_absent_by_the_request_of_the_user_too) {
  read_only = true;
  AwaitedCopies copies(config, book, 0, 1);
  const Awaited awaited{{"d.items", "skip/0:7"}, {"d.orders", "skip/0:9"}};
  EXPECT_TRUE(copies.look(awaited, {}).empty());
  EXPECT_EQ(copies.state(awaited)->reason, Reason::CopyNeeded);
  const message::Request answer{
      "copy/sync/source/d.items,d.orders#skip/0:7", "sync/source", {}, true, Epoch(1), {"d.items", "d.orders"}};
  records.push_back({9, Kind::Request, message::request_key(answer), message::encode(answer)});
  EXPECT_EQ(copies.look(awaited, {}), Names{"d.items"});
  EXPECT_THAT(copies.state(awaited)->what, HasSubstr("datasync.dev/copy-tables=d.orders#skip/0:9"))
      << "the source may have got it after that answer";
}

// Nothing was requested of it, nor was anything forgotten.
TEST_F(CopiesTest, ordered_copies_of_types_that_are_not_stored_do_not_come_here) {
  config.copy_tables = "d.orders,d.people,d.unknown#2";
  config.types = {"goods"};
  AwaitedCopies copies(config, book, 0, 1);
  ASSERT_TRUE(copies.ordered({}));
  EXPECT_EQ(copies.ordered_elsewhere(), Names{"d.people"});
  config.copy_tables.clear();
  EXPECT_TRUE(copies.ordered_elsewhere().empty());
}

// Names with a blank or a '#' were cut: the table of the first part was copied, or none.
TEST_F(CopiesTest, a_name_with_special_characters_is_recommended_so_that_it_can_be_read) {
  read_only = true;
  AwaitedCopies copies(config, book, 0, 1);
  const Awaited awaited{{"d.order items#2", "skip/0:7"}};
  copies.look(awaited, {});
  EXPECT_THAT(copies.state(awaited)->what, HasSubstr("datasync.dev/copy-tables=d.order%20items%232#skip/0:7"));
}

TEST(CopyToken, makes_what_a_message_recommends_a_value_of_its_own) {
  const auto text = [](const char* what) { return with_token({Reason::RowConflict, what}, "0-7").what; };
  EXPECT_EQ(text("annotate with datasync.dev/copy-tables=d.a,d.b"),
            "annotate with datasync.dev/copy-tables=d.a,d.b#0-7");
  EXPECT_EQ(text("x datasync.dev/copy-tables=d.a; or else"), "x datasync.dev/copy-tables=d.a#0-7; or else");
  EXPECT_EQ(text("x datasync.dev/copy-tables=d.a#2 y"), "x datasync.dev/copy-tables=d.a#2 y");
  EXPECT_EQ(text("nothing"), "nothing");
}

// The annotation stays on both resources: at every restart the copy was awaited once more.
TEST_F(CopiesTest, a_copy_requested_at_the_source_is_not_awaited_again) {
  read_only = true;
  config.copy_tables = "d.items#2";
  AwaitedCopies copies(config, book, 0, 1);
  const auto ordered = copies.ordered({}).value();
  copies.look(ordered, {});
  const auto text = copies.state(ordered)->what;
  const message::Request request{"copy/sync/source/" + text.substr(text.find('=') + 1), "sync/source", {"d.items"}};
  records.push_back({9, Kind::Request, message::request_key(request), message::encode(request)});
  EXPECT_TRUE(copies.ordered({}).value().empty());
}

TEST_F(CopiesTest, configured_copies_are_awaited_until_they_are_requested) {
  config.copy_tables = "d.orders,d.people,d.unknown#2";
  config.types = {"goods"};
  AwaitedCopies copies(config, book, 0, 1);
  const auto ordered = copies.ordered({}).value();
  EXPECT_EQ(ordered, (Awaited{{"d.orders", "copy/sync/shop/d.orders,d.people,d.unknown#2"},
                              {"d.unknown", "copy/sync/shop/d.orders,d.people,d.unknown#2"}}))
      << "persons are not stored";
  EXPECT_EQ(copies.ordered({}).value(), ordered) << "no request was made yet";
  copies.look(ordered, {});
  EXPECT_TRUE(copies.ordered({}).value().empty());
  config.copy_tables = "d.orders#3";
  EXPECT_EQ(copies.ordered({}).value().size(), 1U);
}

TEST_F(CopiesTest, each_stream_waits_for_its_own_tables) {
  config.copy_tables = "d.orders,d.people";
  constexpr std::int32_t kStreams = 64;  // the two types go to two of them
  const auto goods = message::stream_of("goods", kStreams), persons = message::stream_of("persons", kStreams);
  ASSERT_NE(goods, persons);
  AwaitedCopies one(config, book, goods, kStreams), other(config, book, persons, kStreams),
      none(config, book, 63, kStreams);
  EXPECT_EQ(one.ordered({}).value().size(), 1U);
  EXPECT_TRUE(one.ordered({}).value().contains("d.orders"));
  EXPECT_TRUE(other.ordered({}).value().contains("d.people"));
  // What was not known at first is left to the stream that has it.
  EXPECT_EQ(one.look({{"d.people", "copy/x"}, {"d.orders", "copy/x"}}, {}), (Names{"d.people"}));
}

}  // namespace
}  // namespace datasync::apply
