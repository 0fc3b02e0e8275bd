// The writer, the executor and the catalog with a destination in memory.

#include "agents/apply/write/writer.hpp"

#include <gmock/gmock.h>

#include "agents/destination/memory/memory.hpp"
#include "agents/message/record.hpp"
#include "agents/message/row.hpp"
#include "tests/unit/protocol/memory_log.hpp"

namespace datasync::apply {
namespace {

using base::Reason;
using testing::HasSubstr;
using Rows = std::map<std::int64_t, std::string>;

message::TableSchema schema_of_t() {
  message::TableSchema out;
  out.database = "a";
  out.table = "t";
  out.columns.resize(2);
  out.columns[0] = {.name = "id", .type = message::ColumnType::BigInt, .nullable = false};
  out.columns[1] = {.name = "v",
                    .type = message::ColumnType::VarChar,
                    .length = 80,
                    .charset = "utf8mb4",
                    .collation = "utf8mb4_bin"};
  out.key = {0};
  return out;
}

/// Changes of a.t as a message has them.
class Changes {
 public:
  Changes&& insert(std::int64_t id, std::string_view v) && {
    op(message::Op::Insert);
    image(id, v);
    return std::move(*this);
  }
  Changes&& update(std::int64_t id, std::string_view before, std::string_view after) && {
    op(message::Op::Update);
    image(id, before);
    image(id, after);
    return std::move(*this);
  }
  Changes&& remove(std::int64_t id, std::string_view v) && {
    op(message::Op::Delete);
    image(id, v);
    return std::move(*this);
  }
  Changes&& truncate() && {
    op(message::Op::Truncate);
    return std::move(*this);
  }
  [[nodiscard]] std::string text() const { return std::string(out_.text()); }

 private:
  void op(message::Op op) { out_.put(static_cast<std::uint8_t>(op)); }
  void image(std::int64_t id, std::string_view v) {
    message::ImageWriter image(out_, 2);
    image.fixed(id);
    image.bytes(base::as_bytes(v));
  }
  base::Buffer out_;
};

/// One instance that has taken over the stream.
struct Holder {
  Holder(const DestinationEngine& engine, const config::Apply& config, SchemaBook& book, const std::string& instance)
      : server(std::move(*engine.connect(config, std::chrono::seconds(1)))),
        known(config.ledger_database, kKey),
        catalog(
            config, engine.dialect(), book, known,
            [&engine, &config] { return engine.connect(config, std::chrono::seconds(1)); },
            [] { return base::Result<void>(); }),
        ledger(config.ledger_database, kKey, {}, instance) {
    EXPECT_TRUE(server->prepare_to_write());
    auto opened = Writer::open(*server, engine.dialect(), catalog, config, ledger, [] {});
    if (opened) {
      writer = std::move(*opened);
      catalog.set_token(writer->token());
      EXPECT_TRUE(known.read(*server));
    } else {
      error = opened.error();
    }
  }

  /// The rows of `changes`, which are of the newest definition.
  RowBuffer buffer(const message::TableSchema& schema, const Changes& changes) {
    const auto activated = catalog.activate(schema.id(), {});
    EXPECT_TRUE(activated) << activated.error().what;
    RowBuffer out;
    TableIndex index = 0;
    EXPECT_NE(catalog.active(schema.id(), index), nullptr);
    EXPECT_TRUE(out.append(index, schema, changes.text()));
    return out;
  }
  base::Result<void> commit(const message::TableSchema& schema, const Changes& changes,
                            const SnapshotState& snapshot = {}) {
    const auto rows = buffer(schema, changes);
    auto next = writer->ledger();
    ++next.next_offset;
    next.snapshot = snapshot;
    return writer->commit(rows, rows.rows(), next);
  }

  inline static const LedgerKey kKey{"task", "topic", 0};
  std::unique_ptr<DestinationServer> server;
  KnownTables known;
  Catalog catalog;
  Ledger ledger;
  std::unique_ptr<Writer> writer;
  std::optional<base::Error> error;
};

struct WriterInMemory : testing::Test {
  WriterInMemory() { publish(schema); }
  void publish(const message::TableSchema& definition) {
    records.push_back({static_cast<protocol::Offset>(records.size()), message::Kind::SchemaBody,
                       message::schema_key(definition.id()), serialize(definition)});
  }
  Holder holder(const std::string& instance = "one") { return {*engine, config, book, instance}; }
  [[nodiscard]] Rows rows() const {
    Rows out;
    for (const auto& row : database->rows("a.t"))
      out[base::Cursor(base::as_bytes(*row[0])).get<std::int64_t>()] = row[1].value_or("NULL");
    return out;
  }

  message::TableSchema schema = schema_of_t();
  config::Apply config;
  std::shared_ptr<MemoryDatabase> database = std::make_shared<MemoryDatabase>(std::chrono::milliseconds(50));
  std::unique_ptr<DestinationEngine> engine = make_memory_engine(database);
  std::vector<protocol::StateRecord> records;
  SchemaBook book{[this]() -> base::Result<std::unique_ptr<protocol::StateLog>> {
    return std::unique_ptr<protocol::StateLog>(std::make_unique<protocol::MemoryStateLog>(records));
  }};
};

TEST_F(WriterInMemory, a_table_is_made_and_its_rows_count_with_the_place) {
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "a").insert(2, "b").insert(3, "c")));
  ASSERT_TRUE(one.commit(schema, Changes().update(1, "a", "x").remove(2, "b").insert(4, "d")));
  EXPECT_EQ(rows(), (Rows{{1, "x"}, {3, "c"}, {4, "d"}}));
  EXPECT_EQ(one.writer->ledger().next_offset, 1);
  auto again = holder();
  EXPECT_EQ(again.writer->ledger().next_offset, 1);
  ASSERT_NE(again.known.find("a.t"), nullptr);
  EXPECT_TRUE(again.known.find("a.t")->has_rows);
}

TEST_F(WriterInMemory, a_row_that_is_there_already_is_named_and_nothing_of_its_batch_counts) {
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "secret")));
  const auto done = one.commit(schema, Changes().insert(2, "b").insert(1, "hidden"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().reason, Reason::RowConflict);
  EXPECT_THAT(done.error().what, HasSubstr("insert of a.t (key id): the row is there already"));
  EXPECT_THAT(done.error().what, testing::Not(HasSubstr("hidden")));
  ASSERT_TRUE(one.writer->refused());
  one.writer->rollback();
  EXPECT_EQ(rows(), (Rows{{1, "secret"}}));
  EXPECT_EQ(holder().writer->ledger().next_offset, 0);
}

TEST_F(WriterInMemory, a_row_that_is_missing_is_named) {
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "a")));
  auto done = one.commit(schema, Changes().update(2, "b", "c"));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("update of a.t (key id): the row is missing"));
  one.writer->rollback();
  done = one.commit(schema, Changes().remove(2, "b"));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("delete of a.t (key id): the row is missing"));
}

TEST_F(WriterInMemory, conflicts_are_overwritten_where_the_configuration_wants_that) {
  config.on_conflict = config::OnConflict::Overwrite;
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "a")));
  const auto done = one.commit(schema, Changes().insert(1, "x").update(2, "b", "y").remove(3, "c").insert(4, "d"));
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(rows(), (Rows{{1, "x"}, {2, "y"}, {4, "d"}}));
  EXPECT_GE(one.writer->counts().overwritten, 3U);
}

TEST_F(WriterInMemory, rows_streamed_before_stay_when_a_part_is_executed_row_by_row) {
  config.on_conflict = config::OnConflict::Overwrite;
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(3, "old")));
  const auto first = one.buffer(schema, Changes().insert(1, "a").insert(2, "b"));
  ASSERT_TRUE(one.writer->stream(first, first.rows()));
  const auto second = one.buffer(schema, Changes().insert(4, "d").update(5, "e", "f"));
  ASSERT_TRUE(one.writer->stream(second, second.rows()));
  EXPECT_TRUE(one.writer->streaming());
  EXPECT_EQ(rows(), (Rows{{3, "old"}})) << "before the commit";
  auto next = one.writer->ledger();
  ++next.next_offset;
  ASSERT_TRUE(one.writer->commit(RowBuffer(), {}, next));
  EXPECT_EQ(rows(), (Rows{{1, "a"}, {2, "b"}, {3, "old"}, {4, "d"}, {5, "f"}}));
  EXPECT_EQ(one.writer->counts().overwritten, 1U) << "what the part had done was rolled back before";
}

TEST_F(WriterInMemory, rows_of_a_table_that_is_being_copied_may_be_there_or_missing) {
  auto one = holder();
  const SnapshotState copying{"snapshot", {"a.t"}};
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "a").insert(2, "b"), copying));
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "x").update(3, "c", "y").remove(4, "d").remove(2, "b"), copying));
  EXPECT_EQ(rows(), (Rows{{1, "x"}, {3, "y"}}));
  ASSERT_TRUE(one.commit(schema, Changes().insert(5, "e")));
  EXPECT_FALSE(one.commit(schema, Changes().insert(5, "e"))) << "the copy has ended";
}

TEST_F(WriterInMemory, a_table_is_emptied_in_parts) {
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "a").insert(2, "b").insert(3, "c")));
  ASSERT_TRUE(one.commit(schema, Changes().truncate().insert(4, "d")));
  EXPECT_EQ(rows(), (Rows{{4, "d"}}));
}

TEST_F(WriterInMemory, a_holder_that_was_replaced_writes_nothing) {
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "a")));
  auto restarted = holder();
  const auto late = one.commit(schema, Changes().insert(2, "b"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().reason, Reason::Superseded);
  one.writer->rollback();
  ASSERT_TRUE(restarted.commit(schema, Changes().insert(3, "c")));
  EXPECT_EQ(rows(), (Rows{{1, "a"}, {3, "c"}}));
  const auto other = holder("two");
  ASSERT_TRUE(other.error) << "it has not claimed the stream";
  EXPECT_EQ(other.error->reason, Reason::Superseded);
}

TEST_F(WriterInMemory, a_table_that_another_transaction_has_locked_is_named) {
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "a")));
  const auto other = std::move(*engine->connect(config, std::chrono::seconds(1)));
  ASSERT_TRUE(other->begin());
  ASSERT_TRUE(other->delete_batch({"a", "t"}));
  const auto done = one.commit(schema, Changes().insert(2, "b"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().reason, Reason::DestinationBusy);
  EXPECT_THAT(done.error().what, HasSubstr("a.t"));
  one.writer->rollback();
  other->rollback();
  ASSERT_TRUE(one.commit(schema, Changes().insert(2, "b")));
  EXPECT_EQ(rows(), (Rows{{1, "a"}, {2, "b"}}));
}

TEST_F(WriterInMemory, a_column_that_the_source_added_is_added) {
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "a")));
  auto wider = schema;
  wider.columns.push_back(schema.columns[1]);
  wider.columns.back().name = "w";
  publish(wider);
  const auto activated = one.catalog.activate(wider.id(), {});
  ASSERT_TRUE(activated) << activated.error().what;
  EXPECT_EQ(one.server->table({"a", "t"})->value().schema.columns.size(), 3U);
  EXPECT_EQ(one.known.find("a.t")->schema, wider.id());
}

TEST_F(WriterInMemory, a_table_that_disappeared_is_missed_and_not_made_again) {
  auto one = holder();
  ASSERT_TRUE(one.commit(schema, Changes().insert(1, "a")));
  ASSERT_TRUE(one.catalog.check_known(*one.server, {}));
  ASSERT_TRUE(one.server->define(engine->dialect().drop_table("a", "t")));
  for (int i = 0; i < 2; ++i) {
    const auto checked = one.catalog.check_known(*one.server, {});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().reason, Reason::DestinationTableMissing);
    EXPECT_THAT(checked.error().what, HasSubstr("copied again"));
  }
  ASSERT_TRUE(one.catalog.failed_known());
  EXPECT_EQ(one.catalog.failed_known()->target, "a.t");
  EXPECT_FALSE(one.server->table({"a", "t"})->has_value());
}

}  // namespace
}  // namespace datasync::apply
