// Parts of capture with a real server: what the definitions of tables, the binlog and snapshots make of each other.

#include "tests/integration/capture_parts.hpp"

namespace datasync::capture {
namespace {

// FLUSH TABLES in a loop gave the table a new id, and each id an encoder that stayed.
TEST_F(CaptureParts, a_reopened_table_is_the_known_table) {
  const auto number = add(17);
  for (std::uint64_t id = 18; id < 40; ++id) EXPECT_EQ(add(id), number);
  EXPECT_EQ(published_, 1);
}

TEST_F(CaptureParts, changed_columns_with_an_equal_table_map_are_a_new_version) {
  const auto number = add(17);
  const auto schema = catalog_->schema_of(table()).value().value();
  server_->execute("ALTER TABLE a.t DROP COLUMN v, ADD COLUMN v INT AS (id + 1) STORED");
  ASSERT_TRUE(catalog_->changed(table(), {.columns = {"v"}}));
  EXPECT_NE(add(18), number);
  EXPECT_NE(catalog_->schema_of(table()).value().value(), schema);
  server_->execute("CREATE OR REPLACE TABLE a.t (id INT PRIMARY KEY, v INT NOT NULL)");
  ASSERT_TRUE(catalog_->changed(table(), {.all = true}));
  EXPECT_EQ(add(19), number);
  EXPECT_EQ(catalog_->schema_of(table()).value().value(), schema)
      << "the newest table map counts, not the newest version";
}

// A server that goes down while it logs a group forgets it and may log it again under the same GTID. Counted as rolled
// back, its rows were lost.
TEST_F(CaptureParts, an_interrupted_group_is_accepted_when_it_is_sent_again) {
  auto stream = writer();
  Dump dump(*this, stream);
  const auto rows = [&](std::uint32_t id) {
    dump.feed(plain(EventType::TableMap, map_body(1)));
    dump.feed(plain(EventType::WriteRowsV1, binlog::test::rows_body(1, 2, "\xfc" + le(id, 4) + le(id, 4))));
  };
  dump.feed(binlog::test::gtid_event(5, binlog::GtidEvent::kTransactional));
  rows(7);
  dump.feed(binlog::test::format_description(binlog::Checksum::Crc32, 1700000000));
  EXPECT_EQ(stream.position().text(), "");
  dump.feed(binlog::test::gtid_event(5, binlog::GtidEvent::kTransactional));
  rows(7);
  rows(8);
  dump.feed(xid_event());
  EXPECT_EQ(out_.changes, (std::vector<std::string>{"0-1-5 tx rows=2"}));
  EXPECT_EQ(stream.position().text(), "0-1-5");
}

// Each new id of a table cost the dump thread four queries; FLUSH TABLES gives every table a new one.
TEST_F(CaptureParts, a_new_id_of_a_known_table_needs_no_query) {
  const auto statements = [&] { return server_->query("SHOW GLOBAL STATUS LIKE 'Questions'").front()[1].value(); };
  add(17);
  const auto before = std::stoull(statements());
  for (std::uint64_t id = 18; id < 40; ++id) add(id);
  EXPECT_EQ(std::stoull(statements()) - before, 1U) << "this question itself";
}

// It was forgotten with the connection: readers had the new column only with the next row of the table.
TEST_F(CaptureParts, a_new_definition_is_published_after_a_reconnect_without_rows) {
  auto stream = writer();
  const auto now = *message::GtidSet::parse(executed());
  const auto newest = now.domains().at(0).sequence;
  server_->execute("ALTER TABLE a.t ADD COLUMN later INT NULL");  // executed, and not yet read
  {
    Dump dump(*this, stream);
    dump.feed(binlog::test::gtid_event(newest, binlog::GtidEvent::kStandalone | binlog::GtidEvent::kDdl));
    dump.feed(binlog::test::query_event("a", "ALTER TABLE t ADD COLUMN later INT NULL"));
    EXPECT_EQ(out_.changes, std::vector<std::string>{}) << "it may be the definition of a later place";
  }
  Dump dump(*this, stream);
  dump.feed(binlog::test::gtid_event(newest + 1, binlog::GtidEvent::kTransactional));
  dump.feed(xid_event());
  EXPECT_EQ(out_.changes, (std::vector<std::string>{fmt::format("0-1-{} tx rows=0", newest + 1)}));
  EXPECT_EQ(reported_, std::vector<std::string>{});
}

// A statement that hides a captured table behind a temporary one emptied it at readers.
TEST_F(CaptureParts, a_temporary_table_is_not_mistaken_for_the_captured_one) {
  auto stream = writer();
  Dump dump(*this, stream);
  const auto statement = [&](std::uint64_t number, const std::string& sql, std::uint16_t flags) {
    dump.feed(binlog::test::gtid_event(number, binlog::GtidEvent::kStandalone | binlog::GtidEvent::kDdl));
    dump.feed(binlog::test::query_event("a", sql, 0, flags));
  };
  statement(5, "TRUNCATE TABLE t", binlog::kFlagThreadSpecific);
  EXPECT_EQ(out_.changes, std::vector<std::string>{});
  EXPECT_EQ(reported_, std::vector<std::string>{"a.t is emptied"}) << "and copied again, which changes nothing";
  statement(6, "TRUNCATE TABLE t", 0);
  EXPECT_EQ(out_.changes, (std::vector<std::string>{"0-1-6 tx rows=1"}));
}

// The commit of a prepare that was passed ended in PositionUnknown.
TEST_F(CaptureParts, the_commit_of_a_skipped_xa_prepare_schedules_its_copies) {
  accepted_ = {"0-1-5", "0-1-7"};
  auto stream = writer();
  Dump dump(*this, stream);
  const auto xid = [](std::string_view name) { return le(7, 4) + le(name.size(), 1) + le(0, 1) + std::string(name); };
  const auto gtid = [&](std::uint64_t number, std::uint8_t flags, std::string_view name) {
    dump.feed(plain(EventType::Gtid, le(number, 8) + le(0, 4) + le(flags, 1) + xid(name)));
  };
  const auto prepare = [&](std::uint64_t number, std::string_view name) {
    gtid(number, binlog::GtidEvent::kPreparedXa, name);
    dump.feed(plain(EventType::TableMap, map_body(1)));
    dump.feed(plain(EventType::WriteRowsV1, binlog::test::rows_body(1, 2, "\xfc" + le(1, 4) + le(1, 4))));
    dump.feed(plain(EventType::XaPrepare, le(0, 1) + le(7, 4) + le(name.size(), 4) + le(0, 4) + std::string(name)));
  };
  const auto complete = [&](std::uint64_t number, std::string_view name, const char* how) {
    gtid(number, binlog::GtidEvent::kCompletedXa | binlog::GtidEvent::kStandalone, name);
    std::string hex;
    for (const char c : name) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    dump.feed(binlog::test::query_event("", fmt::format("XA {} X'{}',X'',7", how, hex)));
  };
  prepare(5, "g");
  EXPECT_EQ(reported_, std::vector<std::string>{}) << "nothing is changed yet";
  complete(6, "g", "COMMIT");
  EXPECT_EQ(reported_, (std::vector<std::string>{"0-1-6 passed: a.t"}));
  prepare(7, "h");
  complete(8, "h", "ROLLBACK");
  EXPECT_EQ(reported_.size(), 1U);
  EXPECT_EQ(stream.position().text(), "0-1-8");
  EXPECT_EQ(out_.changes, std::vector<std::string>{});
}

// The heartbeat after it committed it once more, so that it was counted again.
TEST_F(CaptureParts, a_skipped_transaction_that_is_rolled_back_is_not_committed_by_a_heartbeat) {
  accepted_ = {"0-1-5"};
  auto stream = writer();
  Dump dump(*this, stream);
  dump.feed(binlog::test::gtid_event(5, binlog::GtidEvent::kTransactional));
  dump.feed(plain(static_cast<EventType>(150), ""));  // it cannot be read
  dump.feed(binlog::test::query_event("", "ROLLBACK"));
  EXPECT_EQ(stream.counts().filtered, 1U);
  dump.feed(plain(EventType::Heartbeat, "mariadb-bin.000001"));
  EXPECT_EQ(stream.counts().filtered, 1U);
  EXPECT_EQ(stream.position().text(), "0-1-5");
  EXPECT_EQ(reported_, std::vector<std::string>{});
}

// A host's name, a server and its binlog are three things: rows were taken for those of the dump's server by its name.
TEST_F(CaptureParts, rows_of_another_binlog_history_are_refused) {
  const auto connect = [](const std::string&) { return connect_to_source(); };
  const auto history = [&] { return connect("").value()->history().value(); };
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
    gate_.connected("here", connect_to_source().value()->history().value(), {});
    gate_.moved_to(now());
  }
  static source::Place now() {
    const auto at = server_->query("SHOW MASTER STATUS").front();
    return {at[0].value(), std::stoull(at[1].value())};
  }
  static protocol::StateView claimed(protocol::StateLog& state) {
    protocol::StateView view;
    base::Backoff backoff(base::Millis(1), base::Millis(1));
    protocol::MemoryStreamLog streams;
    EXPECT_EQ(protocol::claim_epoch(state, streams, view, "test", 1, backoff, {}).value(), message::Epoch(1));
    return view;
  }
  std::unique_ptr<SnapshotRunner> start(bool fresh) {
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
                        [](const std::string&) { return connect_to_source(); },
                        []() -> base::Result<void> { return {}; },
                        [](base::Error error) { ADD_FAILURE() << error.what; },
                        [this] { complete_ = true; }};
    auto runner = std::make_unique<SnapshotRunner>(std::move(parts), SnapshotSettings{.parallelism = 1});
    const auto started = runner->start(std::move(plan), {});
    EXPECT_TRUE(started) << started.error().what;
    return runner;
  }
  void finish() {
    EXPECT_TRUE(test::eventually([this] { return complete_.load(); }, std::chrono::seconds(30)));
  }
  std::unique_ptr<SnapshotRunner> run(bool fresh) {
    auto runner = start(fresh);
    finish();
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
  StateKeeper keeper_{state_log_,
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

// The report called the runner, which was freed by then (reported by the sanitizer).
TEST_F(Snapshots, a_report_after_the_snapshot_ended_is_kept) {
  auto runner = run(true);
  runner.reset();
  ASSERT_FALSE(out_.reports.empty());
  const auto before = progress_notes();
  for (const auto& report : out_.reports) report();
  keeper_.finish();
  EXPECT_GT(progress_notes(), before);
}

// Each row that could not be carried began the copy again that makes up for all of them.
TEST_F(Snapshots, one_covers_changes_before_it_starts_a_table) {
  server_->execute("DELETE FROM a.t WHERE id = 1");  // the dump is not there yet
  const auto runner = start(true);
  EXPECT_TRUE(runner->has_before_it("a.t"));
  EXPECT_FALSE(runner->has_before_it("a.other"));
  gate_.moved_to(now());
  finish();
  EXPECT_FALSE(runner->has_before_it("a.t"));
}

// A kill between the new position and the first record of the copy that makes up for the lost one: the next instance
// knew of no copy to make.
TEST_F(Snapshots, outdated_tables_are_written_to_the_state_topic_at_once) {
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
TEST_F(Snapshots, a_resumed_one_sends_begin_before_its_rows) {
  const auto runner = run(false);
  const std::scoped_lock lock(out_.mutex);
  ASSERT_GE(out_.phases.size(), 3U);
  EXPECT_EQ(out_.phases.front(), Phase::Begin);
  EXPECT_EQ(out_.phases[1], Phase::Rows);
  EXPECT_EQ(out_.phases.back(), Phase::End);
}

}  // namespace
}  // namespace datasync::capture
