// What capture expects of every engine of a source. An engine is added by one line at the end.

#include "tests/integration/source_conformance.hpp"

#include <atomic>
#include <stop_token>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace datasync::test {
namespace {

using base::Reason;
using source::Fitness;
using source::Place;
using Events = std::vector<std::string>;

TEST_P(SourceConformance, a_server_as_it_should_be_has_no_finding) {
  const auto server = connect();
  const auto examined = must(server->examine(rules_, selection_));
  EXPECT_TRUE(examined.supported);
  for (const auto& finding : examined.findings) ADD_FAILURE() << finding.what;
  EXPECT_TRUE(must(server->condition(rules_, selection_)).findings.empty());
}

TEST_P(SourceConformance, a_table_is_described_and_an_absent_one_is_a_finding) {
  const auto server = connect();
  const auto facts = must(server->check_table(*selection_.find("a", "t"), rules_, selection_));
  EXPECT_TRUE(facts.exists);
  ASSERT_TRUE(facts.info);
  EXPECT_EQ(facts.info->schema.columns.size(), 2U);
  EXPECT_EQ(facts.info->schema.key, std::vector<std::uint16_t>{0});
  EXPECT_TRUE(facts.findings.empty());
  const auto absent = must(server->check_table(*selection_.find("a", "absent"), rules_, selection_));
  EXPECT_FALSE(absent.exists);
  ASSERT_EQ(absent.findings.size(), 1U);
  EXPECT_FALSE(absent.findings[0].fix.empty()) << "what a user has to do";
  EXPECT_FALSE(must(server->table("a", "absent", {})));
}

TEST_P(SourceConformance, a_table_without_a_key_is_a_finding_unless_one_is_declared) {
  source_->create_table("a.t", false);
  const auto server = connect();
  auto choice = *selection_.find("a", "t");
  const auto facts = must(server->check_table(choice, rules_, selection_));
  ASSERT_EQ(facts.findings.size(), 1U);
  EXPECT_EQ(facts.findings[0].reason, Reason::KeyMissing);
  choice.key_columns = {"id"};
  EXPECT_TRUE(must(server->check_table(choice, rules_, selection_)).findings.empty());
}

TEST_P(SourceConformance, changes_after_the_position_come_in_their_order) {
  const auto position = must(connect()->executed());
  auto to = listener();
  const auto stream = open(position);
  source_->insert("a.t", 1, "one");
  source_->update("a.t", 1, "uno");
  source_->insert("a.t", 2, "two");
  source_->remove("a.t", 1);
  read_all(*stream, to);
  EXPECT_EQ(to.events, (Events{"insert 1 one", "commit", "update 1 uno", "commit", "insert 2 two", "commit", "delete 1",
                               "commit"}));
  EXPECT_TRUE(to.seen.contains(must(connect()->executed()))) << to.seen.text();
}

TEST_P(SourceConformance, the_definition_of_the_stream_is_that_of_the_table) {
  const auto stream = open(must(connect()->executed()));
  source_->insert("a.t", 1, "one");
  auto to = listener();
  read_all(*stream, to);
  ASSERT_TRUE(to.encoder);
  EXPECT_EQ(to.encoder->schema(), schema());
}

TEST_P(SourceConformance, a_stream_continues_where_another_ended) {
  const auto begin = must(connect()->executed());
  source_->insert("a.t", 1, "one");
  auto first = listener();
  read_all(*open(begin), first);
  source_->insert("a.t", 2, "two");
  auto second = listener();
  auto position = begin;
  position.unite(first.seen);
  read_all(*open(position), second);
  EXPECT_EQ(second.events, (Events{"insert 2 two", "commit"}));
}

TEST_P(SourceConformance, rows_of_other_tables_are_not_reported) {
  source_->create_table("a.other", true);
  const auto stream = open(must(connect()->executed()));
  source_->insert("a.other", 1, "one");
  auto to = listener();
  read_all(*stream, to);
  EXPECT_EQ(to.events, Events{"commit"});
}

TEST_P(SourceConformance, a_truncated_table_is_reported_by_a_statement) {
  source_->insert("a.t", 1, "one");
  const auto stream = open(must(connect()->executed()));
  source_->truncate("a.t");
  auto to = listener();
  read_all(*stream, to);
  EXPECT_EQ(to.events, (Events{std::string(binlog::to_string(binlog::TableEffect::What::Truncated)), "commit"}));
}

TEST_P(SourceConformance, an_aborted_stream_returns_at_once) {
  const auto stream = open(must(connect()->executed()));
  auto to = listener();
  base::Result<void> ended;
  std::jthread reader([&] {
    while (ended) ended = stream->next(to);
  });
  stream->abort();
  reader.join();
  EXPECT_EQ(ended.error().outcome(), base::Outcome::Retry) << ended.error().what;
}

// The rows of a snapshot, and the changes after its place, make the table.
TEST_P(SourceConformance, a_snapshot_has_exactly_the_changes_before_its_place) {
  const auto begin = must(connect()->executed());
  std::atomic<bool> stop = false;
  std::jthread writer([&] {
    for (std::int64_t id = 1; !stop; ++id) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the rows after each transaction are kept below
      source_->insert("a.t", id, "written");
      if (id % 3 == 0) source_->update("a.t", id - 1, "again");
      if (id % 5 == 0) source_->remove("a.t", id - 2);
    }
  });
  const auto server = connect();
  must(server->prepare_copy());
  std::vector<std::pair<source::SnapshotPlace, SourceRows>> snapshots;
  for (int i = 0; i < 5; ++i) {
    auto opened = server->open_snapshot(true);
    if (!opened) {
      ASSERT_EQ(opened.error().outcome(), base::Outcome::Retry) << opened.error().what;
      continue;
    }
    EXPECT_FALSE(opened->until) << "it was to be exact";
    const auto reader = must(server->read(schema(), {}));
    snapshots.emplace_back(std::move(*opened), rows_of(*reader, schema()));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    server->close_snapshot();
  }
  stop = true;
  writer.join();
  ASSERT_FALSE(snapshots.empty());
  auto to = listener();
  const auto stream = open(begin);
  // After each transaction: the rows so far, and where it ended.
  std::vector<std::pair<Place, SourceRows>> states{{Place(), {}}};
  const auto all = must(connect()->executed());
  while (!to.seen.contains(all)) {
    const auto before = to.end;
    must(stream->next(to));
    if (to.end != before) states.emplace_back(to.end, to.rows);
  }
  for (const auto& [place, rows] : snapshots) {
    const SourceRows* expected = nullptr;
    for (const auto& [end, state] : states)
      if (!place.place.before(end)) expected = &state;
    ASSERT_NE(expected, nullptr);
    EXPECT_EQ(rows, *expected);
  }
}

TEST_P(SourceConformance, a_range_of_keys_is_read_in_its_order) {
  for (std::int64_t id = 1; id <= 9; ++id) source_->insert("a.t", id * 100, "v");
  const auto server = connect();
  must(server->prepare_copy());
  must(server->open_snapshot(false));
  const auto table = schema();
  const auto ids = [&](const source::KeyRange& range) {
    std::vector<std::int64_t> out;
    for (const auto& [id, v] : rows_of(*must(server->read(table, range)), table)) out.push_back(id);
    return out;
  };
  EXPECT_EQ(ids({"", "", 2}), (std::vector<std::int64_t>{100, 200}));
  EXPECT_EQ(ids({key(200), "", 3}), (std::vector<std::int64_t>{300, 400, 500}));
  EXPECT_EQ(ids({key(700), key(800), 0}), (std::vector<std::int64_t>{800}));
  EXPECT_TRUE(ids({key(900), "", 3}).empty());
  EXPECT_EQ(rows_of(*must(server->scan(table)), table).size(), 9U);
  EXPECT_FALSE(must(server->repeats_a_key(table, {})));
  server->close_snapshot();
}

TEST_P(SourceConformance, a_history_is_that_of_one_run_of_one_server) {
  const auto before = must(connect()->history());
  EXPECT_EQ(must(connect()->history()), before);
  EXPECT_EQ(open(must(connect()->executed()))->history(), before);
  source_->restart();
  const auto server = connect();
  const auto after = must(server->history());
  EXPECT_NE(after, before);
  EXPECT_TRUE(server->same_server(after, before));
}

TEST_P(SourceConformance, a_server_is_judged_by_what_it_has) {
  const auto& engine = source_->engine();
  const auto server = connect();
  source_->insert("a.t", 1, "one");
  const auto before = must(server->executed());
  source_->insert("a.t", 2, "two");
  const auto now = must(server->executed());
  const auto facts = must(server->history_facts());
  EXPECT_EQ(engine.judge(facts, {now, now}).fitness, Fitness::Good);
  EXPECT_EQ(engine.judge(facts, {before, now}).fitness, Fitness::Good);
  EXPECT_EQ(engine.stream_position(facts, before, {}), before);
  auto ahead = now;
  auto gtid = now.domains().begin()->second;
  gtid.sequence += 1000;
  ahead.add(gtid);
  EXPECT_NE(engine.judge(facts, {ahead, ahead}).fitness, Fitness::Good);
  source_->purge();
  const auto purged = must(server->history_facts());
  EXPECT_EQ(engine.judge(purged, {before, now}).fitness, Fitness::Purged);
  EXPECT_EQ(engine.judge(purged, {now, now}).fitness, Fitness::Good);
}

TEST_P(SourceConformance, foreign_keys_that_change_rows_are_described) {
  source_->insert("a.t", 1, "one");
  source_->create_child("a.child", "a.t");
  const auto child = must(connect()->table("a", "child", {}));
  source_->drop_table("a.child");
  ASSERT_TRUE(child);
  ASSERT_EQ(child->foreign_keys.size(), 1U);
  EXPECT_EQ(child->foreign_keys[0].parent_table, "t");
  const message::ActingKey expected{"refers", {"id"}, "a", "t", {"id"}, "RESTRICT", "CASCADE"};
  EXPECT_EQ(child->acting_keys, std::vector<message::ActingKey>{expected});
  EXPECT_TRUE(must(connect()->table("a", "t", {}))->acting_keys.empty());
}

TEST_P(SourceConformance, a_row_is_called_by_its_table_and_key) {
  const auto name = source_->engine().name_row(schema());
  EXPECT_NE(name.find("a.t"), std::string::npos) << name;
  EXPECT_NE(name.find("id"), std::string::npos) << name;
  EXPECT_FALSE(source_->engine().fix_of_other_history().empty());
}

// A server that wrote numbers that fell sends a new stream transactions that are before its position.
TEST_P(SourceConformance, transactions_before_the_start_of_a_stream_are_reported_as_such) {
  source_->insert_with_falling_numbers("a.t", 1, 2);
  auto from = options(must(connect()->executed()));
  from.strict = false;
  bool heard = false;
  from.before_start =
      must(source_->engine().before_start(source_->server(), from, std::stop_token(), [&] { heard = true; }));
  EXPECT_TRUE(heard);
  EXPECT_FALSE(from.before_start.empty());
  source_->insert("a.t", 3, "after");
  auto to = listener();
  read_all(*must(source_->engine().open_stream(source_->server(), from)), to);
  EXPECT_EQ(to.events,
            (Events{"before the start", "commit", "before the start", "commit", "insert 3 after", "commit"}));
}

TEST_P(SourceConformance, a_new_stream_begins_after_what_is_executed) {
  const auto server = connect();
  const auto start = must(server->start_position());
  EXPECT_TRUE(start.position.contains(must(server->executed())));
  EXPECT_TRUE(start.position.contains(start.dump_from));
  EXPECT_GT(must(server->clock()).now_us, 0U);
}

// One line for each engine.
INSTANTIATE_TEST_SUITE_P(Engines, SourceConformance,
                         testing::Values(Named{"mariadb", mariadb_source}, Named{"memory", memory_source}),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace datasync::test
