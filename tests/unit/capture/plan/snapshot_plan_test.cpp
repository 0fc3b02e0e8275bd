#include "agents/capture/plan/snapshot_plan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/capture/replica/cascades.hpp"

namespace datasync::capture {
namespace {

using config::SnapshotMode;
using message::SnapshotProgress;

Selection selection(std::vector<std::string> tables, std::vector<std::string> excluded = {},
                    const std::string& type = "orders", std::int32_t streams = 1) {
  return *Selection::make({config::Type{type, std::move(tables), std::move(excluded), {}}}, streams);
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

// A parent's row that was deleted before it was copied left its children at the destination.
TEST(SnapshotPlan, children_of_cascades_are_copied_after_their_parents) {
  const auto s = selection({"shop.a", "shop.b", "shop.c", "shop.d"});
  auto plan = plan_snapshot(s, SnapshotMode::Initial, {}, new_id);
  ASSERT_TRUE(plan);
  const auto order = [&](const CascadingParents& parents) {
    auto tasks = plan->tasks;
    parents_first(tasks, parents);
    std::string out;
    for (const auto& task : tasks) out += task.table->table;
    return out;
  };
  EXPECT_EQ(order({}), "abcd");
  EXPECT_EQ(order({{"shop.a", {"shop.c"}}, {"shop.c", {"shop.d"}}}), "bdca");
  EXPECT_EQ(order({{"shop.a", {"shop.b"}}, {"shop.b", {"shop.a"}}}), "cdab") << "each other's parents";
  EXPECT_EQ(order({{"shop.a", {"shop.elsewhere"}}}), "abcd") << "copied before";
}

TEST(SnapshotPlan, reads_nothing_when_none_is_wanted) {
  EXPECT_FALSE(plan_snapshot(selection({"shop.a"}), SnapshotMode::Never, {}, new_id));
}

TEST(SnapshotPlan, reads_nothing_when_all_is_done) {
  const auto s = selection({"shop.a"});
  EXPECT_FALSE(
      plan_snapshot(s, SnapshotMode::Initial, {whole("x", {"shop.a"}, true), of("x", "a", "k", true)}, new_id));
}

TEST(SnapshotPlan, continues_after_the_last_acknowledged_key) {
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

/// A state topic: what it says after records were written.
class State {
 public:
  const KnownSnapshot& operator()() const { return known_; }
  void write(const SnapshotProgress& p) {
    if (!known_.empty() && known_.front().id != p.id) known_.clear();
    std::erase_if(known_, [&](const auto& k) { return k.table == p.table; });
    known_.push_back(p);
  }
  /// What a session does at its beginning: the selection and the account in line, then the plan.
  std::optional<SnapshotPlan> start(const Selection& s, SnapshotMode mode = SnapshotMode::Initial) {
    const auto outdated = outdated_by(s, known_);
    EXPECT_TRUE(outdated);
    revise(s, *outdated);
    return plan_snapshot(s, mode, known_, [this] { return fmt::format("s{}", ++ids_); });
  }
  void revise(const Selection& s, const std::vector<Outdated>& outdated) {
    for (const auto& p : capture::revise(known_, s, outdated, fmt::format("s{}", ++ids_))) write(p);
  }
  void begin(const SnapshotPlan& plan) {
    write(plan.whole(false));
    for (const auto* t : plan.done) write(of(plan.id, t->table, "k", true));
  }
  void copy(const SnapshotPlan& plan) {
    begin(plan);
    write(plan.whole(true));
  }
  void copy_all(const Selection& s) { copy(start(s).value()); }

 private:
  KnownSnapshot known_;
  int ids_ = 0;
};

TEST(SnapshotPlan, reads_again_a_table_that_was_removed_and_added_back) {
  const auto both = selection({"shop.a", "shop.b"});
  State state;
  state.copy_all(both);
  EXPECT_FALSE(state.start(selection({"shop.a"}))) << "nothing to read, but written down";
  EXPECT_FALSE(state.start(selection({"shop.a"})));
  const auto plan = state.start(both);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->tasks.size(), 1U);
  EXPECT_EQ(plan->tasks[0].table->table, "b");
  EXPECT_TRUE(plan->tasks[0].replace) << "rows that were deleted meanwhile are there still";
  state.begin(*plan);
  const auto again = state.start(both);
  ASSERT_TRUE(again && !again->fresh) << "killed while it was copied";
  EXPECT_TRUE(again->tasks.at(0).replace);
  state.write(again->whole(true));
  EXPECT_FALSE(state.start(both));
}

TEST(SnapshotPlan, reads_again_a_table_added_back_during_the_first_snapshot) {
  const auto both = selection({"shop.a", "shop.b"}), one = selection({"shop.a"});
  State state;
  const auto first = state.start(both);
  state.write(first->whole(false));
  state.write(of(first->id, "a", "k", false));
  state.write(of(first->id, "b", "k", true));
  const auto less = state.start(one);
  ASSERT_TRUE(less);
  ASSERT_EQ(less->tasks.size(), 1U);
  EXPECT_EQ(less->tasks[0].after_key, "k") << "the other one goes on where it was";
  EXPECT_FALSE(less->tasks[0].replace);
  state.copy(*less);
  const auto back = state.start(both);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->tasks.at(0).table->table, "b");
  EXPECT_TRUE(back->tasks.at(0).replace);
}

TEST(SnapshotPlan, reads_a_table_again_when_a_column_is_no_longer_excluded) {
  const auto less = selection({"shop.a"}, {"shop.a.secret"}), more = selection({"shop.a"});
  State state;
  state.copy_all(more);
  EXPECT_FALSE(state.start(less)) << "excluded: nothing is missing";
  const auto plan = state.start(more);
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->tasks.at(0).replace) << "no row came or went unseen";
  state.copy(*plan);
  EXPECT_FALSE(state.start(more));
}

TEST(SnapshotPlan, reads_a_table_again_that_is_of_another_type) {
  const auto before = selection({"shop.a"}), now = selection({"shop.a"}, {}, "other");
  State state;
  state.copy_all(before);
  const auto plan = state.start(now);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->tasks.at(0).replace);
}

// The position was lost while the resource changed: the table was forgotten, not marked.
TEST(SnapshotPlan, a_table_added_back_after_a_position_loss_is_emptied) {
  const auto both = selection({"shop.a", "shop.b"}), one = selection({"shop.a"});
  State state;
  state.copy_all(both);
  auto outdated = outdated_by(one, state()).value();
  for (const auto& table : everything(one)) outdated.push_back(table);
  state.revise(one, outdated);
  state.copy_all(one);
  const auto plan = state.start(both);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->tasks.size(), 1U);
  EXPECT_EQ(plan->tasks[0].table->table, "b");
  EXPECT_TRUE(plan->tasks[0].replace);
}

// Taken out between the statement that changed its rows and the copy that follows.
TEST(SnapshotPlan, a_table_removed_before_its_copy_is_emptied_when_added_back) {
  const auto both = selection({"shop.a", "shop.b"}), one = selection({"shop.a"});
  State state;
  state.copy_all(both);
  state.revise(both, {{"shop.b", false}});
  EXPECT_FALSE(state.start(one));
  const auto plan = state.start(both);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->tasks.at(0).replace);
}

// A copy of it was requested before: a reader may leave out its rows until an order to empty the table.
TEST(SnapshotPlan, a_table_that_was_requested_before_it_is_captured_is_emptied_by_its_first_copy) {
  const auto both = selection({"shop.a", "shop.b"}), one = selection({"shop.a"});
  State state;
  state.copy_all(one);
  state.revise(one, {{"shop.b", true}});
  EXPECT_FALSE(state.start(one));
  const auto plan = state.start(both);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->tasks.size(), 1U);
  EXPECT_EQ(plan->tasks[0].table->table, "b");
  EXPECT_TRUE(plan->tasks[0].replace);
}

TEST(SnapshotPlan, a_second_statement_during_the_copy_begins_it_again) {
  const auto s = selection({"shop.a", "shop.b"});
  State state;
  state.copy_all(s);
  state.revise(s, {{"shop.b", false}});
  const auto first = state.start(s);
  state.begin(*first);
  state.write(of(first->id, "b", "k", true));
  state.revise(s, {{"shop.b", false}});
  const auto plan = state.start(s);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->tasks.size(), 1U);
  EXPECT_TRUE(plan->tasks[0].after_key.empty());
}

// The copy was under way, and its progress was not written yet: the acknowledgement of the first copy, which came after
// the second statement, counted as that of the second copy, which was never made.
TEST(SnapshotPlan, a_second_statement_before_the_progress_of_the_first_copy_begins_it_again) {
  const auto s = selection({"shop.a", "shop.b"});
  State state;
  state.copy_all(s);
  state.revise(s, {{"shop.b", false}});
  const auto first = state.start(s);
  state.begin(*first);
  state.write(of(first->id, "a", "k", true));
  state.revise(s, {{"shop.b", false}});
  EXPECT_NE(state().front().id, first->id) << "what is acknowledged late is of another snapshot";
  const auto plan = state.start(s);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->tasks.size(), 1U) << "the other table's copy holds";
  EXPECT_EQ(plan->tasks[0].table->table, "b");
  // One that is not captured has no copy under way.
  const auto one = selection({"shop.a"});
  state.revise(one, {{"shop.b", true}});
  EXPECT_TRUE(revise(state(), one, {{"shop.b", true}}, "y").empty());
}

TEST(SnapshotPlan, a_table_is_noted_while_no_part_of_its_copy_counts) {
  const auto s = selection({"shop.a"});
  State state;
  state.copy_all(s);
  EXPECT_FALSE(is_noted(state(), {"shop.a", true}));
  state.revise(s, {{"shop.a", true}});
  EXPECT_TRUE(is_noted(state(), {"shop.a", true}));
  EXPECT_FALSE(is_noted(state(), {"shop.a", false}));
  const auto plan = state.start(s);
  state.begin(*plan);
  EXPECT_TRUE(is_noted(state(), {"shop.a", true}));
  state.write(of(plan->id, "a", "k", false));
  EXPECT_FALSE(is_noted(state(), {"shop.a", true}));
}

// A table that was dropped before its copy began kept all tables from being captured.
TEST(SnapshotPlan, a_table_that_the_server_lacks_stays_due) {
  const auto s = selection({"shop.a", "shop.b"});
  State state;
  state.copy_all(s);
  state.revise(s, {{"shop.a", false}, {"shop.b", false}});
  const auto first = state.start(s);
  state.begin(*first);
  state.write(first->whole(true, {"shop.b"}));
  const auto plan = state.start(s);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->tasks.size(), 1U);
  EXPECT_EQ(plan->tasks[0].table->table, "b");
  EXPECT_TRUE(plan->tasks[0].replace) << "another table may have the name";
}

TEST(SnapshotPlan, refuses_a_type_on_another_stream_also_indirectly) {
  const auto before = selection({"shop.a", "shop.b"}, {}, "t0", 64), without = selection({"shop.b"}, {}, "t0", 64),
             now = selection({"shop.a"}, {}, "t1", 64);
  State state;
  state.copy_all(before);
  EXPECT_FALSE(state.start(without));
  EXPECT_FALSE(outdated_by(now, state()));
}

TEST(SnapshotPlan, refuses_a_type_on_another_stream) {
  const auto before = selection({"shop.a"}, {}, "t0", 64), now = selection({"shop.a"}, {}, "t1", 64);
  State state;
  state.copy_all(before);
  const auto outdated = outdated_by(now, state());
  ASSERT_FALSE(outdated);
  EXPECT_TRUE(outdated.error().is(base::Reason::ConfigInvalid));
  EXPECT_NE(outdated.error().what.find("shop.a was published as type t0 on partition"), std::string::npos)
      << outdated.error().what;
}

TEST(SnapshotPlan, reads_everything_again_after_a_lost_position_and_a_kill) {
  const auto s = selection({"shop.a", "shop.b"});
  State state;
  state.copy_all(s);
  state.revise(s, everything(s));
  for (const auto mode : {SnapshotMode::Initial, SnapshotMode::Never}) {
    const auto plan = state.start(s, mode);
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->tasks.size(), 2U);
    EXPECT_TRUE(plan->tasks[0].replace && plan->tasks[1].replace);
  }
}

TEST(SnapshotPlan, a_lost_position_of_a_stream_without_a_snapshot_is_known_too) {
  const auto s = selection({"shop.a"});
  State state;
  state.revise(s, everything(s));
  const auto plan = state.start(s, SnapshotMode::Never);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->tasks.at(0).replace);
}

TEST(SnapshotPlan, a_table_changed_by_a_statement_is_read_again_not_emptied) {
  const auto s = selection({"shop.a", "shop.b"});
  State state;
  state.copy_all(s);
  state.revise(s, {{"shop.a", false}});
  const auto plan = state.start(s);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->tasks.size(), 1U);
  EXPECT_EQ(plan->tasks[0].table->table, "a");
  EXPECT_FALSE(plan->tasks[0].replace);
}

TEST(SnapshotPlan, a_record_without_scopes_gets_them_and_nothing_is_read) {
  const auto s = selection({"shop.a"});
  State state;
  state.write(whole("x", {"shop.a"}, true));
  EXPECT_FALSE(state.start(s));
  EXPECT_EQ(state().at(0).scopes, (std::vector<message::TableScope>{{"orders", {}}}));
  EXPECT_TRUE(revise(state(), s, {}, "y").empty()) << "once";
}

}  // namespace
}  // namespace datasync::capture
