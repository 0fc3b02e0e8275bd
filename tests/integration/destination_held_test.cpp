// Held tables that do not all continue at one place: one of them is emptied in the stream, by its copy or by the
// source, before the others have caught up.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/destination_fixture.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

using testing::StartsWith;

class DestinationHeld : public Destination {
 protected:
  /// A parent and its child on both sides, and a table c; the parent is held because of a row of the destination.
  void begin(const std::string& name) {
    const Texts tables{"CREATE TABLE parent (id INT PRIMARY KEY, v INT)",
                       "CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id))",
                       "CREATE TABLE c (id INT PRIMARY KEY)"};
    prepare(name, tables, tables);
    at_source({"INSERT INTO parent VALUES (1, 1), (2, 2)", "INSERT INTO child VALUES (1, 1), (2, 2)"});
    apply_ = apply_here();
    apply_.on_table_error = config::OnTableError::HoldTable;
    start({"parent", "child", "c"}, apply_);
    ASSERT_TRUE(equal({"parent", "child", "c"}));
    fixture_->apply().wait_for("Streaming", seconds(30));  // rows of a copy would replace the one of the destination
    at_destination({"INSERT INTO parent VALUES (7, 70)"});
    at_source({"INSERT INTO parent VALUES (7, 7)"});
    ASSERT_TRUE(becomes_held("parent:RowConflict"));
  }
  config::Apply apply_;
};

// Rows of the child whose parents the copy was to bring were refused at each try, and the replay never reached the
// copy.
TEST_F(DestinationHeld, copy_of_the_parent_alone_ends_the_hold_of_parent_and_child) {
  begin("parent_copied");
  at_source({"INSERT INTO parent VALUES (8, 8)", "INSERT INTO child VALUES (8, 8)", "INSERT INTO c VALUES (1)",
             "DELETE FROM child WHERE id=1", "DELETE FROM parent WHERE id=1"});
  ASSERT_TRUE(becomes_held("child:RowConflict parent:RowConflict"));
  apply_.copy_tables = recommended_annotation(held_message("parent"), "copy-tables");
  EXPECT_THAT(apply_.copy_tables, StartsWith("parent_copied.parent#"));
  restart_apply(apply_);
  EXPECT_TRUE(recovers({"parent", "child", "c"}));
  EXPECT_TRUE(becomes_held(""));
  at_source({"INSERT INTO parent VALUES (9, 9)", "INSERT INTO child VALUES (9, 9)"});
  EXPECT_TRUE(equal({"parent", "child", "c"}));
}

// Its deletions before that were passed over, and the parent's row could not be deleted while they were missing.
TEST_F(DestinationHeld, child_that_the_source_truncates_does_not_keep_its_parent_held) {
  begin("child_truncated");
  at_source({"INSERT INTO child VALUES (3, 1)", "DELETE FROM child WHERE p=1", "DELETE FROM parent WHERE id=1",
             "TRUNCATE TABLE child", "INSERT INTO child VALUES (9, 7)"});
  ASSERT_TRUE(becomes_held("child:RowConflict parent:RowConflict"));
  at_destination({"DELETE FROM parent WHERE id=7"});
  EXPECT_TRUE(recovers({"parent", "child", "c"}));
  EXPECT_TRUE(becomes_held(""));
}

// The parent was awaited and then held by its child, which could not catch up without it.
TEST_F(DestinationHeld, parent_whose_record_is_skipped_and_its_child_are_held_no_longer) {
  begin("parent_skipped");
  const auto offset = fixture_->apply().status().value_or(AgentStatus{}).at("/held/0/refusedOffset").value_or("");
  at_source({"INSERT INTO parent VALUES (8, 8)", "INSERT INTO child VALUES (8, 8)", "INSERT INTO c VALUES (1)"});
  ASSERT_TRUE(becomes_held("child:RowConflict parent:RowConflict"));
  apply_.skip_offsets = {"0:" + offset};
  restart_apply(apply_);
  EXPECT_TRUE(recovers({"parent", "child", "c"}));
  EXPECT_TRUE(becomes_held(""));
}

// A row of the parent that a user deleted is no row that comes later: that is still reported.
TEST_F(DestinationHeld, missing_parent_row_is_reported_while_both_are_held) {
  begin("parent_missing");
  at_destination({"DELETE FROM child WHERE p=2", "DELETE FROM parent WHERE id=2"});
  at_source({"INSERT INTO child VALUES (3, 2)"});
  ASSERT_TRUE(becomes_held("child:RowConflict parent:RowConflict"));
  at_destination({"DELETE FROM parent WHERE id=7"});
  ASSERT_TRUE(eventually([&] { return held().starts_with("child:ConstraintViolated"); }, seconds(40)))
      << fixture_->diagnostics();
  at_destination({"INSERT INTO parent VALUES (2, 2)", "INSERT INTO child VALUES (2, 2)"});
  EXPECT_TRUE(recovers({"parent", "child", "c"}));
  EXPECT_TRUE(becomes_held(""));
}

// Nothing said how to continue, and the copy that a user ordered could not come: the stream waited for the table before
// the end of the first one.
TEST_F(DestinationHeld, once_a_held_table_that_differs_is_copied_as_the_message_says) {
  prepare("once_differs",
          {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE b (id INT PRIMARY KEY, v INT)",
           "INSERT INTO a VALUES (1, 1), (2, 2)", "INSERT INTO b VALUES (1, 1)"},
          {"CREATE TABLE a (id INT PRIMARY KEY, v INT, CONSTRAINT not_two CHECK (v <> 2))"});
  auto capture = capture_of({"a", "b"});
  apply_ = apply_here();
  capture.common.mode = apply_.common.mode = config::Mode::Once;
  apply_.on_table_error = config::OnTableError::HoldTable;
  fixture_->start_capture(capture);
  fixture_->start_apply(apply_);
  ASSERT_TRUE(becomes_held("a:ConstraintViolated"));
  at_destination({"INSERT INTO a VALUES (99, 9)", "ALTER TABLE a DROP CONSTRAINT not_two"});
  ASSERT_TRUE(becomes_held("a:VerifyFailed"));
  apply_.copy_tables = recommended_annotation(held_message("a"), "copy-tables");
  EXPECT_THAT(apply_.copy_tables, StartsWith("once_differs.a#"));
  restart_apply(apply_);
  fixture_->apply().wait_for("Completed", seconds(60));
  EXPECT_TRUE(equal({"a", "b"}));
}

}  // namespace
}  // namespace datasync::test
