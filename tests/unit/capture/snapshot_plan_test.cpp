#include "agents/capture/snapshot_plan.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using config::SnapshotMode;
using message::SnapshotProgress;

Selection selection(std::vector<std::string> tables) {
  return *Selection::make({config::Type{"orders", std::move(tables), {}, {}}}, 1);
}

SnapshotProgress whole(std::string id, std::vector<std::string> tables, bool done) {
  SnapshotProgress p;
  p.id = std::move(id);
  p.tables = std::move(tables);
  p.done = done;
  return p;
}

SnapshotProgress of(std::string id, std::string table, std::string key, bool done) {
  SnapshotProgress p;
  p.id = std::move(id);
  p.database = "shop";
  p.table = std::move(table);
  p.last_key = std::move(key);
  p.rows_done = 10;
  p.done = done;
  return p;
}

std::string new_id() {
  return "new";
}

TEST(SnapshotPlan, reads_all_tables_of_a_new_stream) {
  const auto s = selection({"shop.a", "shop.b"});
  const auto plan = plan_snapshot(s, SnapshotMode::Initial, {}, new_id);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->fresh);
  EXPECT_EQ(plan->id, "new");
  EXPECT_EQ(plan->tasks.size(), 2U);
}

TEST(SnapshotPlan, reads_nothing_when_none_is_wanted) {
  EXPECT_FALSE(plan_snapshot(selection({"shop.a"}), SnapshotMode::Never, {}, new_id));
}

TEST(SnapshotPlan, reads_nothing_when_all_is_done) {
  const auto s = selection({"shop.a"});
  EXPECT_FALSE(
      plan_snapshot(s, SnapshotMode::Initial, {whole("x", {"shop.a"}, true), of("x", "a", "k", true)}, new_id));
}

TEST(SnapshotPlan, goes_on_after_the_last_acknowledged_key) {
  const auto s = selection({"shop.a", "shop.b", "shop.c"});
  const auto plan = plan_snapshot(
      s, SnapshotMode::Initial,
      {whole("x", {"shop.a", "shop.b", "shop.c"}, false), of("x", "a", "k", true), of("x", "b", "m", false)}, new_id);
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->fresh);
  EXPECT_EQ(plan->id, "x");
  ASSERT_EQ(plan->tasks.size(), 2U);
  EXPECT_EQ(plan->tasks[0].table->table, "b");
  EXPECT_EQ(plan->tasks[0].after_key, "m");
  EXPECT_EQ(plan->tasks[0].rows_done, 10U);
  EXPECT_TRUE(plan->tasks[1].after_key.empty());
}

TEST(SnapshotPlan, ends_a_snapshot_whose_tables_are_all_done) {
  const auto s = selection({"shop.a"});
  const auto plan =
      plan_snapshot(s, SnapshotMode::Initial, {whole("x", {"shop.a"}, false), of("x", "a", "k", true)}, new_id);
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->fresh);
  EXPECT_TRUE(plan->tasks.empty());
}

TEST(SnapshotPlan, reads_only_a_table_that_was_added) {
  const auto s = selection({"shop.a", "shop.b"});
  const auto plan =
      plan_snapshot(s, SnapshotMode::Initial, {whole("x", {"shop.a"}, true), of("x", "a", "k", true)}, new_id);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->fresh);
  ASSERT_EQ(plan->tasks.size(), 1U);
  EXPECT_EQ(plan->tasks[0].table->table, "b");
  ASSERT_EQ(plan->done.size(), 1U);
  EXPECT_EQ(plan->done[0]->table, "a");
}

TEST(SnapshotPlan, goes_on_replacing_after_a_restart) {
  const auto s = selection({"shop.a"});
  const auto first = plan_replacement(s, new_id);
  EXPECT_TRUE(first.replace);
  const auto plan = plan_snapshot(s, SnapshotMode::Never, {whole(first.id, {"shop.a"}, false)}, new_id);
  ASSERT_TRUE(plan) << "one that began is brought to its end";
  EXPECT_TRUE(plan->replace);
  EXPECT_EQ(plan->id, first.id);
}

}  // namespace
}  // namespace datasync::capture
