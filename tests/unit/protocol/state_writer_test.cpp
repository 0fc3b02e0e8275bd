#include "agents/protocol/state_writer.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "agents/protocol/request_ids.hpp"
#include "tests/unit/protocol/memory_log.hpp"
#include "tests/unit/protocol/records.hpp"

namespace datasync::protocol {
namespace {

class StateWriterTest : public testing::Test {
 protected:
  StateWriterTest() { records.push_back(claim_at(0, 1, "a")); }

  void tidy_schemas(const std::set<message::SchemaId>& used) {
    do ASSERT_TRUE(writer.check({}));
    while (!writer.remove_schemas(view.old_schemas(used), {}).value());
  }

  std::vector<StateRecord> records;
  MemoryStateLog log{records};
  StateView view;
  StateWriter writer{log, view, message::Epoch(1)};
};

/// What compaction may leave: the last record of each key.
std::vector<StateRecord> compacted(const std::vector<StateRecord>& records) {
  std::vector<StateRecord> out;
  for (std::size_t i = 0; i < records.size(); ++i) {
    bool last = true;
    for (std::size_t j = i + 1; j < records.size(); ++j) last = last && records[j].key != records[i].key;
    if (last) out.push_back(records[i]);
  }
  return out;
}

TEST_F(StateWriterTest, stops_at_a_higher_claim) {
  ASSERT_TRUE(writer.write(message::Checkpoint{{}, 0, 5, set_of({gtid(1)}), {}}, {}));
  records.push_back(claim_at(2, 2, "b"));
  const auto written = writer.write(message::Checkpoint{{}, 0, 6, set_of({gtid(2)}), {}}, {});
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().is(base::Reason::Superseded));
  EXPECT_EQ(records.size(), 3U);
}

TEST_F(StateWriterTest, compaction_always_leaves_a_certain_checkpoint) {
  for (int before = 1; before <= 20; ++before) {
    records.assign(1, claim_at(0, 1, "a"));
    MemoryStateLog zombie_log(records);
    StateView zombie_view;
    StateWriter zombie(zombie_log, zombie_view, message::Epoch(1));
    for (int i = 0; i < before; ++i) ASSERT_TRUE(zombie.write(message::Checkpoint{{}, 0, i, {}, {}}, {}));
    // The claim lands between the zombie's look at the log and its append.
    zombie_log.before_append = [&](message::Kind) {
      records.push_back(claim_at(static_cast<Offset>(records.size()), 2, "b"));
    };
    ASSERT_TRUE(zombie.write(message::Checkpoint{{}, 0, 1000, {}, {}}, {}));
    zombie_log.before_append = nullptr;
    ASSERT_FALSE(zombie.write(message::Checkpoint{{}, 0, 1001, {}, {}}, {}));
    StateView successor;
    for (const auto& r : compacted(records)) ASSERT_TRUE(successor.see(r));
    ASSERT_TRUE(successor.checkpoint(0)) << before;
    EXPECT_EQ(successor.checkpoint(0)->offset, before - 1);
  }
}

TEST_F(StateWriterTest, progress_goes_round_a_ring_too) {
  std::set<std::string> keys;
  for (std::uint64_t i = 0; i < 20; ++i) {
    message::SnapshotProgress p;
    p.id = "s";
    p.database = "shop";
    p.table = "orders";
    p.rows_done = i;
    ASSERT_TRUE(writer.write(p, {}));
    keys.insert(records.back().key);
  }
  EXPECT_EQ(keys.size(), message::kCheckpointSlots);
  ASSERT_TRUE(writer.check({}));
  ASSERT_EQ(view.snapshot().size(), 1U);
  EXPECT_EQ(view.snapshot()[0].rows_done, 19U);
}

TEST_F(StateWriterTest, a_failed_append_keeps_its_slot) {
  log.fates = {Fate::LandsUnacknowledged};
  ASSERT_FALSE(writer.write(message::Checkpoint{{}, 0, 5, {}, {}}, {}));
  const auto first = records.back().key;
  ASSERT_TRUE(writer.write(message::Checkpoint{{}, 0, 6, {}, {}}, {}));
  EXPECT_EQ(records.back().key, first);
}

TEST_F(StateWriterTest, a_schema_is_written_once) {
  message::TableSchema schema;
  schema.database = "shop";
  schema.table = "orders";
  schema.columns.push_back({"id", message::ColumnType::BigInt});
  schema.key = {0};
  ASSERT_TRUE(writer.write(schema, {}));
  ASSERT_TRUE(writer.check({}));
  ASSERT_TRUE(writer.write(schema, {}));
  EXPECT_EQ(records.size(), 2U);
}

// The state topic grew with every epoch, and every agent reads all of it at each start.
TEST_F(StateWriterTest, what_is_left_of_former_epochs_is_removed) {
  records.clear();
  std::uint64_t epoch = 0;
  std::size_t after_ten = 0;
  for (int i = 0; i < 100; ++i) {
    MemoryStateLog restarted(records);
    StateView fresh;
    ASSERT_TRUE(catch_up(restarted, fresh, {}));
    const auto instance = "pod-" + std::to_string(i % 3);
    ++epoch;
    records.push_back(ranked_claim_at(static_cast<Offset>(records.size()), epoch, instance, fresh.rank_for(instance)));
    StateWriter writes(restarted, fresh, message::Epoch(epoch));
    EXPECT_TRUE(fresh.obsolete(message::Epoch(epoch), 2).empty()) << "its own checkpoints are not there yet";
    for (int stream = 0; stream < 2; ++stream)
      for (int n = 0; n < 5; ++n)
        ASSERT_TRUE(writes.write(message::Checkpoint{{}, stream, 10 * i + n, set_of({gtid(epoch)}), {}}, {}));
    while (!writes.tidy(2, {}).value()) {
    }
    std::erase_if(records, [&](const auto& r) {
      return std::ranges::any_of(records, [&](const auto& other) { return other.removed && other.key == r.key; });
    });
    if (i == 10) after_ten = records.size();
  }
  EXPECT_EQ(records.size(), after_ten);
  StateView rest;
  MemoryStateLog reader(records);
  ASSERT_TRUE(catch_up(reader, rest, {}));
  EXPECT_EQ(rest.checkpoint(0)->published, set_of({gtid(100)}));
  EXPECT_EQ(rest.newer_than("pod-0"), "pod-2");
  EXPECT_EQ(rest.newer_than("pod-1"), "pod-2");
}

// Each definition that a table ever had stayed on the state topic, and every agent reads all of it at each start.
TEST_F(StateWriterTest, schemas_that_no_record_needs_keep_only_column_names) {
  message::TableSchema schema{"shop", "orders", {{.name = "id"}}, {0}}, other = schema;
  other.table = "other";
  std::set<message::SchemaId> used;
  for (int i = 0; i < 2000; ++i) {
    schema.columns.resize(1);
    schema.columns.push_back({.name = "c" + std::to_string(i % 70)});
    schema.columns.push_back({.name = "d" + std::to_string(i % 1000)});
    if (i % 100 == 0) schema.columns.push_back({.name = "Secret"});
    if (i % 20 == 0) other.columns.push_back({.name = "c" + std::to_string(i)});
    ASSERT_TRUE(writer.write(schema, {}));
    if (i % 20 == 0) {
      ASSERT_TRUE(writer.write(other, {}));
    }
  }
  used.insert(schema.id());
  tidy_schemas(used);
  const auto small = compacted(records);
  const auto of = [&](const std::string& table) {
    records = small;
    MemoryStateLog successor(records);
    StateView fresh;
    EXPECT_TRUE(catch_up(successor, fresh, {}));
    std::vector<message::TableSchema> out;
    for (const auto& [id, s] : fresh.schemas())
      if (s.table == table) out.push_back(s);
    std::ranges::sort(out, {}, [](const auto& s) { return s.columns.size(); });
    return out;
  };
  const auto orders = of("orders");
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[0], schema);
  EXPECT_TRUE(orders[1].key.empty()) << "no rows are of it";
  EXPECT_EQ(orders[1].columns.size(), 1U + 70 + 1000 + 1);
  EXPECT_EQ(of("other").size(), 100U) << "nothing is known to be newer";
}

// A column was added and, weeks later, dropped: the table had a schema again that had been removed. Its rows were
// published without it, and each apply that began after a compaction stopped.
TEST_F(StateWriterTest, a_schema_that_was_removed_is_written_when_it_is_used_again) {
  const message::TableSchema first{"shop", "orders", {{.name = "id"}}, {0}};
  auto second = first;
  second.columns.push_back({.name = "a"});
  ASSERT_TRUE(writer.write(first, {}));
  ASSERT_TRUE(writer.write(second, {}));
  tidy_schemas({second.id()});
  EXPECT_FALSE(view.on_topic(first.id()));
  EXPECT_TRUE(view.schema(first.id())) << "readers were given it";
  ASSERT_TRUE(writer.write(first, {}));
  auto small = compacted(records);
  MemoryStateLog rest(small);
  StateView fresh;
  ASSERT_TRUE(catch_up(rest, fresh, {}));
  ASSERT_TRUE(fresh.on_topic(first.id()));
  EXPECT_EQ(*fresh.schema(first.id()), first);
}

TEST_F(StateWriterTest, old_answers_to_requests_are_removed_with_what_they_answer) {
  message::Request fact;
  fact.id = std::string(request_ids::kFact) + "domain/2";
  ASSERT_TRUE(writer.write(fact, {}));
  for (int i = 0; i < 700; ++i) {
    message::Request request;
    request.id = "skip/0:" + std::to_string(i);
    records.push_back({static_cast<Offset>(records.size()), message::Kind::Request, message::request_key(request),
                       message::encode(request)});
    ASSERT_TRUE(writer.write(request, {}));
  }
  ASSERT_TRUE(writer.check({}));
  const auto keys = view.obsolete(message::Epoch(100), 0);
  EXPECT_EQ(std::ranges::count(keys, message::Kind::Request, &StateView::Key::kind), 2 * 200);
  for (const auto& key : keys) ASSERT_TRUE(log.remove(key.kind, key.key));
  auto small = compacted(records);
  MemoryStateLog rest(small);
  StateView fresh;
  ASSERT_TRUE(catch_up(rest, fresh, {}));
  EXPECT_EQ(fresh.served_requests().size(), StateView::kAnswers + 1);
  EXPECT_TRUE(fresh.served(fact.id)) << "no answer but a fact";
  EXPECT_TRUE(fresh.requests().empty()) << "a wish without its answer would be served again";
}

// After 500 requests, a restart forgot which transactions were before the stream and which ones a user had accepted,
// and copied tables again because of an annotation that it had followed long ago.
TEST_F(StateWriterTest, answers_that_capture_remembers_do_not_make_room_for_others) {
  const auto serve = [&](const std::string& from, const std::string& id) {
    message::Request request;
    request.from = from;
    request.id = id;
    ASSERT_TRUE(writer.write(request, {}));
  };
  const std::vector<std::string> kept{"accept-xa/x",
                                      "accept/0-1-7",
                                      "before/0-1-12/15",
                                      "copy/n/a/shop.orders#2",
                                      "copy/n/b/shop.orders#1/0",
                                      "copy/n/b/shop.orders#1/11"};
  serve("n/a", "copy/n/a/shop.orders#1");
  serve("n/a", "copy/n/a/shop.orders#0");
  serve("n/a", kept[3]);
  for (const auto i : {5U, 4U}) serve("n/b", kept[i]);
  for (const auto i : {2U, 1U, 0U}) serve("n/a", kept[i]);
  for (int i = 0; i < 700; ++i) serve("n/b", "skip/0:" + std::to_string(i));
  ASSERT_TRUE(writer.check({}));
  for (const auto& key : view.obsolete(message::Epoch(100), 0)) ASSERT_TRUE(log.remove(key.kind, key.key));
  auto small = compacted(records);
  MemoryStateLog rest(small);
  StateView fresh;
  ASSERT_TRUE(catch_up(rest, fresh, {}));
  for (const auto& id : kept) EXPECT_TRUE(fresh.served(id)) << id;
  EXPECT_EQ(fresh.served_requests().size(), StateView::kAnswers + kept.size());
  EXPECT_FALSE(fresh.served("copy/n/a/shop.orders#1")) << "the annotation has another value by now";
}

TEST_F(StateWriterTest, claims_are_removed_last_and_one_per_instance_stays) {
  const auto read = [] {
    StateView v;
    Offset at = 0;
    for (const auto* instance : {"a/b@x", "a/b@y", "c/d@z", "a/b@x"}) {
      const auto epoch = static_cast<std::uint64_t>(at) / 2 + 1;
      EXPECT_TRUE(v.see(ranked_claim_at(at++, epoch, instance, epoch)));
      EXPECT_TRUE(v.see(checkpoint_at(at++, epoch, 5, {})));
    }
    return v;
  }();
  const auto keys = read.obsolete(message::Epoch(4), 1);
  ASSERT_EQ(keys.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(keys[i].kind, message::Kind::Checkpoint);
  EXPECT_EQ(keys[3].key, "claim/1/a/b@x/0");
}

TEST_F(StateWriterTest, the_claim_of_an_epoch_whose_snapshot_progress_counts_stays) {
  StateView v;
  ASSERT_TRUE(v.see(ranked_claim_at(0, 1, "x", 1)));
  ASSERT_TRUE(v.see(progress_at(1, 1, "s1", "orders", 10, true)));
  ASSERT_TRUE(v.see(progress_at(2, 1, "s1", "items", 5)));
  ASSERT_TRUE(v.see(ranked_claim_at(3, 2, "x", 1)));
  ASSERT_TRUE(v.see(progress_at(4, 2, "s1", "items", 9)));
  ASSERT_TRUE(v.see(ranked_claim_at(5, 3, "x", 1)));
  ASSERT_TRUE(v.see(checkpoint_at(6, 3, 5, {})));
  const auto keys = v.obsolete(message::Epoch(3), 1);
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].kind, message::Kind::Progress);  // of table items, of which epoch 2 has newer progress
}

}  // namespace
}  // namespace datasync::protocol
