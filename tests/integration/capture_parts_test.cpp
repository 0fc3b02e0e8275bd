// Parts of the capture agent with a real server behind them and everything else in memory.

#include <algorithm>
#include <mutex>

#include "agents/capture/pipeline.hpp"
#include "agents/capture/snapshot.hpp"
#include "agents/protocol/capture_epoch.hpp"
#include "agents/sql/binlog_place.hpp"
#include "tests/integration/sql_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/binlog/events.hpp"
#include "tests/unit/protocol/memory_log.hpp"

namespace datasync::capture {
namespace {

using binlog::EventType;
using binlog::test::le;
using message::End;
using message::Gtid;
using Phase = message::Snapshot::Phase;

/// Writes down what goes out and keeps the callbacks for whoever plays the broker.
class Recorder final : public Output {
 public:
  base::Result<void> change(std::int32_t, message::Headers headers, base::Buffer value, const Gtid& gtid) override {
    std::size_t rows = 0;
    const auto change = *message::decode<message::Change>(value.bytes());
    for (const auto& t : change.tables) rows += t.count;
    changes.push_back(fmt::format("{} {} rows={}", gtid.text(), message::to_string(headers.end), rows));
    return {};
  }
  base::Result<void> between(std::int32_t, message::Headers headers, const std::string& value,
                             OnAcked on_acked) override {
    const std::scoped_lock lock(mutex);
    if (headers.kind == message::Kind::Snapshot)
      phases.push_back(message::decode<message::Snapshot>(base::as_bytes(value))->phase);
    if (on_acked) reports.push_back(std::move(on_acked));
    return {};
  }
  void finished(const Gtid&) override {}

  std::vector<std::string> changes;
  std::mutex mutex;
  std::vector<Phase> phases;
  std::vector<OnAcked> reports;
};

class CaptureParts : public sql::SqlTest {
 protected:
  void SetUp() override {
    SqlTest::SetUp();
    server_->execute("CREATE TABLE a.t (id INT PRIMARY KEY, v INT NOT NULL)");
    selection_ = std::make_unique<Selection>(*Selection::make({config::Type{"things", {"a.t"}, {}, {}}}, 1));
    catalog_ = std::make_unique<Catalog>(
        *selection_, PreflightRules{}, [] { return sql::Connection::open(options(sql::Role::Source)); },
        [this](const message::TableSchema&) -> base::Result<void> {
          ++published_;
          return {};
        },
        DefinitionStore{[] { return message::GtidSet(); },
                        [](const TableChoice&, const message::GtidSet&) { return std::nullopt; },
                        [](const message::Definition&) -> base::Result<void> { return {}; },
                        [](const TableChoice&, const std::vector<std::string>&) { return std::nullopt; }});
  }
  [[nodiscard]] const TableChoice& table() const { return selection_->tables()[0]; }
  static std::string map_body(std::uint64_t id) {
    return binlog::test::table_map_body({.id = id,
                                         .database = "a",
                                         .table = "t",
                                         .types = "\x03\x03",
                                         .nullable = std::string(1, '\0'),
                                         .optional = binlog::test::names_and_key({"id", "v"})});
  }
  std::uint32_t add(std::uint64_t id) {
    const auto body = map_body(id);
    auto map = binlog::parse_table_map(base::as_bytes(body), {});
    EXPECT_TRUE(map) << map.error().what;
    auto number = catalog_->add(table(), std::move(*map));
    EXPECT_TRUE(number) << number.error().what;
    return number ? number->number : ~0U;
  }

  StreamWriter writer() {
    return {out_, {message::GtidSet{}}, {}, {}, [](message::SchemaId, base::Bytes) { return std::string("the row"); }};
  }

  Recorder out_;
  std::unique_ptr<Selection> selection_;
  std::unique_ptr<Catalog> catalog_;
  int published_ = 0;
  ChunkGate gate_;
  std::mutex between_;
  health::Status status_{{"capture", "test", "test", ""}};
};

// FLUSH TABLES in a loop gave the table a new id, and each id an encoder that stayed.
TEST_F(CaptureParts, a_table_that_the_server_opens_anew_is_the_table_that_is_known) {
  const auto number = add(17);
  for (std::uint64_t id = 18; id < 40; ++id) EXPECT_EQ(add(id), number);
  EXPECT_EQ(published_, 1);
}

TEST_F(CaptureParts, a_table_whose_map_is_the_same_and_whose_columns_are_not_is_another_version) {
  const auto number = add(17);
  const auto schema = catalog_->schema_of(table()).value();
  server_->execute("ALTER TABLE a.t DROP COLUMN v, ADD COLUMN v INT AS (id + 1) STORED");
  ASSERT_TRUE(catalog_->changed(table(), {.columns = {"v"}}));
  EXPECT_NE(add(18), number);
  EXPECT_NE(catalog_->schema_of(table()).value(), schema);
  server_->execute("CREATE OR REPLACE TABLE a.t (id INT PRIMARY KEY, v INT NOT NULL)");
  ASSERT_TRUE(catalog_->changed(table(), {.all = true}));
  EXPECT_EQ(add(19), number);
  EXPECT_EQ(catalog_->schema_of(table()).value(), schema) << "the newest table map counts, not the newest version";
}

// A server that goes down while it logs a group forgets it and may log it again under the same GTID. Counted as rolled
// back, its rows were lost.
TEST_F(CaptureParts, a_group_that_the_server_broke_off_is_taken_when_it_comes_again) {
  auto stream = writer();
  PreparedTransactions prepared;
  SourceClock clock;
  Freshness freshness;
  GtidOrder order;
  Pipeline pipeline({*selection_, stream, prepared, gate_, clock, status_, freshness, order, between_, [] {}, [] {},
                     [](const auto&, const auto&) { return base::Result<void>(); }, [] { return base::Result<void>(); },
                     [](const auto&, const auto&) { return false; }, [](const auto&) { return false; },
                     [](const auto&, const auto&, const auto&) { return false; }},
                    *catalog_, {});
  binlog::EventReader reader(pipeline);
  const auto feed = [&](const std::string& event) {
    const auto fed = reader.feed(base::as_bytes(event));
    EXPECT_TRUE(fed) << fed.error().what;
  };
  const auto plain = [](EventType type, const std::string& body) {
    return binlog::test::make_event({.type = type, .body = body});
  };
  const auto rows = [&](std::uint32_t id) {
    feed(plain(EventType::TableMap, map_body(1)));
    feed(plain(EventType::WriteRowsV1, binlog::test::rows_body(1, 2, "\xfc" + le(id, 4) + le(id, 4))));
  };
  feed(binlog::test::format_description(binlog::Checksum::Crc32));
  feed(binlog::test::gtid_event(5, binlog::GtidEvent::kTransactional));
  rows(7);
  feed(binlog::test::format_description(binlog::Checksum::Crc32, 1700000000));
  EXPECT_EQ(stream.position().text(), "");
  feed(binlog::test::gtid_event(5, binlog::GtidEvent::kTransactional));
  rows(7);
  rows(8);
  feed(plain(EventType::Xid, le(1, 8)));
  EXPECT_EQ(out_.changes, (std::vector<std::string>{"0-1-5 tx rows=2"}));
  EXPECT_EQ(stream.position().text(), "0-1-5");
}

// A host's name, a server and its binlog are three things: rows were taken for those of the dump's server by its name.
TEST_F(CaptureParts, rows_of_another_binlog_history_are_refused) {
  const auto connect = [](const std::string&) { return sql::Connection::open(options(sql::Role::Source)); };
  const auto history = [&] { return sql::binlog_history(*connect("").value()).value(); };
  const auto read = [&] { return ChunkReader(gate_, connect).read(table(), "", {}, {}); };
  const auto first = history();
  gate_.connected("here", "another server", {});
  EXPECT_EQ(read().error().reason, base::Reason::SourceMoved);
  gate_.connected("here", first, {});
  const auto chunk = read();
  ASSERT_TRUE(chunk) << chunk.error().what;
  gate_.done(chunk->place);
  EXPECT_EQ(history(), first);
  server_->execute("RESET MASTER");
  EXPECT_EQ(read().error().reason, base::Reason::SourceMoved);
  const auto reset = history();
  server_->restart();
  EXPECT_NE(history(), reset);
}

/// A snapshot of a.t with everything it needs.
class Snapshots : public CaptureParts {
 protected:
  void SetUp() override {
    CaptureParts::SetUp();
    server_->execute("INSERT INTO a.t SELECT seq, seq FROM a.seq_1_to_1000");
    const auto connection = sql::Connection::open(options(sql::Role::Source)).value();
    gate_.connected("here", sql::binlog_history(*connection).value(), {});
    const auto at = server_->query("SHOW MASTER STATUS").front();
    gate_.moved_to({at[0].value(), std::stoull(at[1].value())});
  }
  static protocol::StateView claimed(protocol::StateLog& state) {
    protocol::StateView view;
    base::Backoff backoff(base::Millis(1), base::Millis(1));
    protocol::MemoryStreamLog streams;
    EXPECT_EQ(protocol::claim_epoch(state, streams, view, "test", 1, backoff, {}).value(), message::Epoch(1));
    return view;
  }
  std::unique_ptr<SnapshotRunner> run(bool fresh) {
    SnapshotPlan plan;
    plan.id = "s";
    plan.fresh = fresh;
    plan.all = {&table()};
    plan.tasks = {{&table(), "", 0, 0, false}};
    SnapshotParts parts{*selection_,
                        gate_,
                        out_,
                        stream_,
                        keeper_,
                        between_,
                        status_,
                        [](const std::string&) { return sql::Connection::open(options(sql::Role::Source)); },
                        []() -> base::Result<void> { return {}; },
                        [](base::Error error) { ADD_FAILURE() << error.what; },
                        [this] { complete_ = true; }};
    auto runner = std::make_unique<SnapshotRunner>(std::move(parts), SnapshotSettings{.parallelism = 1});
    const auto started = runner->start(std::move(plan), {});
    EXPECT_TRUE(started) << started.error().what;
    EXPECT_TRUE(test::eventually([this] { return complete_.load(); }, std::chrono::seconds(30)));
    return runner;
  }
  [[nodiscard]] std::size_t progress_notes() const {
    return static_cast<std::size_t>(
        std::ranges::count(records_, message::Kind::Progress, &protocol::StateRecord::kind));
  }

  std::vector<protocol::StateRecord> records_;
  protocol::MemoryStateLog state_log_{records_};
  protocol::StateView view_ = claimed(state_log_);
  protocol::AckTracker acks_{{message::GtidSet{}}, {0}};
  PreparedTransactions prepared_;
  StreamWriter stream_ = writer();
  KeeperOptions options_{.look_every = base::Millis(3'600'000)};
  Keeper keeper_{state_log_,
                 view_,
                 message::Epoch(1),
                 acks_,
                 prepared_,
                 status_,
                 [] { return std::uint64_t{0}; },
                 options_,
                 {[](base::Error error) { ADD_FAILURE() << error.what; }, [] {}, [](auto) {}}};
  std::atomic<bool> complete_ = false;
};

// The report called the runner, which was freed by then (told by the sanitizer).
TEST_F(Snapshots, a_report_that_comes_when_the_snapshot_is_gone_is_kept_by_the_keeper) {
  auto runner = run(true);
  runner.reset();
  ASSERT_FALSE(out_.reports.empty());
  const auto before = progress_notes();
  for (const auto& report : out_.reports) report();
  keeper_.finish();
  EXPECT_GT(progress_notes(), before);
}

// A kill between the new position and the first record of the copy that makes up for the lost one: the next instance
// knew of no copy to make.
TEST_F(Snapshots, what_is_outdated_is_on_the_state_topic_at_once) {
  const auto known = keeper_.revise(*selection_, everything(*selection_), {});
  ASSERT_TRUE(known) << known.error().what;
  protocol::MemoryStateLog log(records_);
  protocol::StateView successor;
  ASSERT_TRUE(protocol::catch_up(log, successor, {}));
  const auto plan = plan_snapshot(*selection_, config::SnapshotMode::Never, successor.snapshot(), make_snapshot_id);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->tasks.at(0).replace);
}

// A kill between End on the streams and its note on the state topic: the last chunk came again to readers that did not
// expect it any more.
TEST_F(Snapshots, one_that_goes_on_says_begin_before_its_rows) {
  const auto runner = run(false);
  const std::scoped_lock lock(out_.mutex);
  ASSERT_GE(out_.phases.size(), 3U);
  EXPECT_EQ(out_.phases.front(), Phase::Begin);
  EXPECT_EQ(out_.phases[1], Phase::Rows);
  EXPECT_EQ(out_.phases.back(), Phase::End);
}

}  // namespace
}  // namespace datasync::capture
