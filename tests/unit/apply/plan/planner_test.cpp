#include "agents/apply/plan/planner.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/apply/plan/change_maker.hpp"

namespace datasync::apply {
namespace {

PlanTable plain(const std::string& name) {
  PlanTable t;
  t.name = name;
  t.key = {{0}, {0}};
  return t;
}

PlanTable with_unique(const std::string& name) {
  auto t = plain(name);
  t.unique_keys.push_back({{1}, {0}});
  return t;
}

std::string value_text(const TestRow& row) {
  std::string text;
  for (const auto& v : row) text += (text.empty() ? "" : ",") + (v ? std::to_string(*v) : "-");
  return text;
}

/// "insert 0: 1,10 2,20 | delete 0: 3,30": what the plan does, in order.
std::string text_of(const Plan& plan, const ChangeMaker& made) {
  static const std::vector<std::string> kKinds{"insert", "update", "move", "delete", "maybe", "none", "truncate"};
  std::string text;
  for (const auto& run : plan.runs) {
    text += (text.empty() ? "" : " | ") + kKinds[static_cast<std::size_t>(run.kind)] + " " + std::to_string(run.table) +
            ":";
    for (const auto& row : plan.rows_of(run)) {
      text += " ";
      const auto columns = made.columns(run.table);
      if (row.before != kNoImage) text += value_text(row_at(made.buffer(), row.before, columns));
      if (row.before != kNoImage && row.after != kNoImage) text += ">";
      if (row.after != kNoImage) text += value_text(row_at(made.buffer(), row.after, columns));
    }
  }
  return text;
}

struct Fixture {
  explicit Fixture(std::vector<PlanTable> tables) : made(schemas(tables)) { planner.set_tables(std::move(tables)); }
  static std::vector<message::TableSchema> schemas(const std::vector<PlanTable>& tables) {
    std::vector<message::TableSchema> out;
    for (const auto& t : tables) out.push_back(int_schema(t.name, 2));
    return out;
  }
  std::string plan() { return text_of(planner.plan(made.buffer(), made.buffer().rows()), made); }
  Planner planner;
  ChangeMaker made;
};

TEST(Planner, inserts_of_one_table_become_one_statement) {
  Fixture w({plain("a")});
  for (int i = 0; i < 3; ++i) w.made.insert(0, {i, i});
  EXPECT_EQ(w.plan(), "insert 0: 0,0 1,1 2,2");
}

TEST(Planner, folds_all_changes_of_one_row_into_one) {
  Fixture w({plain("a")});
  w.made.insert(0, {1, 1});
  w.made.update(0, {1, 1}, {1, 2});
  w.made.update(0, {2, 1}, {2, 2});
  w.made.update(0, {2, 2}, {2, 3});
  w.made.insert(0, {3, 1});
  w.made.erase(0, {3, 1});
  w.made.erase(0, {4, 1});
  w.made.insert(0, {4, 2});
  w.made.update(0, {5, 1}, {5, 2});
  w.made.erase(0, {5, 2});
  EXPECT_EQ(w.plan(), "insert 0: 1,2 | update 0: 2,1>2,3 4,1>4,2 | delete 0: 5,1 | none 0: 3,1");
}

TEST(Planner, an_inserted_and_deleted_row_must_not_be_there) {
  Fixture w({plain("a")});
  w.made.insert(0, {3, 1});
  w.made.update(0, {3, 1}, {3, 2});
  w.made.erase(0, {3, 2});
  w.made.insert(0, {4, 1});
  w.made.erase(0, {4, 1});
  w.made.insert(0, {4, 5});
  EXPECT_EQ(w.plan(), "insert 0: 4,5 | none 0: 3,2");
}

TEST(Planner, an_inserted_and_deleted_row_is_deleted_if_it_may_exist) {
  auto t = plain("a");
  t.unsure = true;
  Fixture w({t});
  w.made.insert(0, {3, 1});
  w.made.erase(0, {3, 1});
  EXPECT_EQ(w.plan(), "maybe 0: 3,1");
}

TEST(Planner, a_delete_with_a_cascade_is_never_folded_into_an_update) {
  auto t = plain("a");
  Fixture folds({t});
  folds.made.erase(0, {3, 1});
  folds.made.insert(0, {3, 2});
  EXPECT_EQ(folds.plan(), "update 0: 3,1>3,2");
  t.keep_deletes = true;
  Fixture keeps({t});
  keeps.made.erase(0, {3, 1});
  keeps.made.insert(0, {3, 2});
  EXPECT_EQ(keeps.plan(), "delete 0: 3,1 | insert 0: 3,2");
}

TEST(Planner, a_second_insert_of_a_row_is_left_to_the_server) {
  Fixture w({plain("a")});
  w.made.insert(0, {1, 1});
  w.made.insert(0, {1, 2});
  EXPECT_EQ(w.plan(), "insert 0: 1,1 | insert 0: 1,2");
}

TEST(Planner, swapped_unique_values_keep_their_order) {
  Fixture w({with_unique("a")});
  w.made.update(0, {1, 10}, {1, 0});
  w.made.update(0, {2, 20}, {2, 10});
  w.made.update(0, {1, 0}, {1, 20});
  EXPECT_EQ(w.plan(), "update 0: 1,10>1,0 | update 0: 2,20>2,10 | update 0: 1,0>1,20");
}

TEST(Planner, a_null_in_a_unique_key_is_no_conflict) {
  Fixture w({with_unique("a")});
  w.made.insert(0, {1, std::nullopt});
  w.made.insert(0, {2, std::nullopt});
  EXPECT_EQ(w.plan(), "insert 0: 1,- 2,-");
}

TEST(Planner, a_unique_value_moved_to_another_row_starts_a_new_segment) {
  Fixture w({with_unique("a")});
  w.made.erase(0, {1, 10});
  w.made.insert(0, {2, 10});
  EXPECT_EQ(w.plan(), "delete 0: 1,10 | insert 0: 2,10");
}

TEST(Planner, primary_key_changes_run_in_order_between_segments) {
  Fixture w({plain("a")});
  w.made.insert(0, {9, 9});
  w.made.update(0, {2, 0}, {3, 0});
  w.made.update(0, {1, 0}, {2, 0});
  w.made.insert(0, {1, 5});
  EXPECT_EQ(w.plan(), "insert 0: 9,9 | move 0: 2,0>3,0 1,0>2,0 | insert 0: 1,5");
}

TEST(Planner, parents_are_inserted_first_and_deleted_last) {
  auto child = plain("child");
  child.parents = {"parent"};
  Fixture w({child, plain("parent")});
  w.made.erase(0, {1, 1});
  w.made.erase(1, {1, 1});
  w.made.insert(1, {2, 2});
  w.made.insert(0, {2, 2});
  w.made.update(0, {3, 1}, {3, 2});
  EXPECT_EQ(w.plan(), "insert 1: 2,2 | insert 0: 2,2 | update 0: 3,1>3,2 | delete 0: 1,1 | delete 1: 1,1");
}

TEST(Planner, a_change_of_a_referenced_column_is_not_reordered) {
  auto child = plain("child");
  child.parents = {"parent"};
  auto parent = plain("parent");
  parent.referenced = {1};
  Fixture w({child, parent});
  w.made.erase(0, {1, 1});
  w.made.update(1, {1, 1}, {1, 2});
  w.made.insert(0, {1, 2});
  w.made.erase(1, {7, 1});
  w.made.insert(1, {7, 3});
  EXPECT_EQ(w.plan(), "delete 0: 1,1 | move 1: 1,1>1,2 | insert 0: 1,2 | delete 1: 7,1 | insert 1: 7,3");
}

TEST(Planner, ordered_tables_keep_every_change_and_their_order) {
  auto t = plain("a");
  t.ordered = true;
  Fixture w({t});
  w.made.insert(0, {1, 1});
  w.made.insert(0, {2, 1});
  w.made.update(0, {1, 1}, {1, 2});
  w.made.erase(0, {1, 2});
  EXPECT_EQ(w.plan(), "insert 0: 1,1 2,1 | update 0: 1,1>1,2 | delete 0: 1,2");
}

TEST(Planner, a_table_connected_to_an_ordered_one_or_to_itself_is_ordered) {
  auto child = plain("child");
  child.parents = {"parent"};
  auto parent = plain("parent");
  parent.ordered = true;
  auto self = plain("self");
  self.parents = {"self"};
  auto ring_a = plain("ring_a");
  ring_a.parents = {"ring_b"};
  auto ring_b = plain("ring_b");
  ring_b.parents = {"ring_a"};
  Fixture w({child, parent, self, plain("free"), ring_a, ring_b});
  for (const TableIndex t : {0U, 1U, 2U, 4U, 5U}) EXPECT_TRUE(w.planner.is_ordered(t)) << t;
  EXPECT_FALSE(w.planner.is_ordered(3));
}

TEST(Planner, thousands_of_rows_fold_in_one_segment) {
  Fixture w({with_unique("a")});
  for (int i = 0; i < 5000; ++i) w.made.insert(0, {i, i});
  for (int i = 0; i < 5000; ++i) w.made.update(0, {i, i}, {i, i + 10000});
  const Plan& plan = w.planner.plan(w.made.buffer(), w.made.buffer().rows());
  ASSERT_EQ(plan.runs.size(), 1U);
  EXPECT_EQ(plan.runs[0].count, 5000U);
  EXPECT_EQ(row_at(w.made.buffer(), plan.rows[4999].after, 2), (TestRow{4999, 14999}));
}

TEST(Planner, truncate_separates_segments) {
  Fixture w({plain("a")});
  w.made.insert(0, {1, 1});
  w.made.truncate(0);
  w.made.insert(0, {1, 2});
  EXPECT_EQ(w.plan(), "insert 0: 1,1 | truncate 0: | insert 0: 1,2");
}

TEST(Planner, trailing_spaces_are_ignored_under_a_padding_collation) {
  message::TableSchema schema = int_schema("a", 2);
  schema.columns[1].type = message::ColumnType::VarChar;
  schema.columns[1].charset = "utf8mb4";
  schema.columns[1].length = 40;
  const auto row = [](std::int32_t id, std::string_view text) {
    base::Buffer out;
    out.put(static_cast<std::uint8_t>(message::Op::Insert));
    message::ImageWriter image(out, 2);
    image.fixed(id);
    image.bytes(base::as_bytes(text));
    return std::string(out.text());
  };
  auto t = with_unique("a");
  t.unique_keys[0].pads = {1};
  Planner planner;
  planner.set_tables({t});
  RowBuffer buffer;
  ASSERT_TRUE(buffer.append(0, schema, row(1, "x")));
  ASSERT_TRUE(buffer.append(0, schema, row(2, "x  ")));
  ASSERT_TRUE(buffer.append(0, schema, row(3, "y")));
  EXPECT_EQ(planner.plan(buffer, buffer.rows()).runs.size(), 2U);
}

}  // namespace
}  // namespace datasync::apply
