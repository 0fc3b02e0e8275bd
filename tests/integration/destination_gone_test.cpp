// Tables that were written before and of which nothing comes any more: a user may remove them here as well.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/destination_fixture.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

using testing::HasSubstr;

class DestinationGone : public Destination {
 protected:
  /// Tables a, b and c with a row each, equal on both sides.
  void begin(const std::string& name, const config::Apply& apply) {
    fixture_->start_capture(capture_of({"a", "b", "c"}));
    fixture_->start_apply(apply);
    ASSERT_TRUE(equal({"a", "b", "c"})) << name;
  }
  void prepare_three(const std::string& name) {
    Texts statements;
    for (const std::string table : {"a", "b", "c"}) {
      statements.push_back("CREATE TABLE " + table + " (id INT PRIMARY KEY, v INT)");
      statements.push_back("INSERT INTO " + table + " VALUES (1, 1)");
    }
    prepare(name, statements);
  }
  /// What apply knows of the table; "0" once nothing is expected of it.
  testing::AssertionResult becomes_unknown(const std::string& table) {
    return fixture_->eventually_value(
        fixture_->destination(),
        fmt::format("SELECT COUNT(*) FROM {}.tables WHERE target='{}.{}'", apply_here().ledger_database, name_, table),
        "0");
  }
  /// Through several comparisons with the destination's catalogue.
  void expect_stays_streaming(int id) {
    for (int i = 0; i < 3; ++i) {
      std::this_thread::sleep_for(milliseconds(1100));
      at_source({fmt::format("INSERT INTO c VALUES ({}, 1)", id + i)});
      ASSERT_TRUE(equal({"c"}));
    }
    EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Streaming", ""));
  }
};

// The whole stream halted, and each copy that the message recommended was answered with "the source has none".
TEST_F(DestinationGone, table_that_the_source_dropped_or_renamed_is_removed_here_too) {
  prepare_three("gone_there");
  auto apply = apply_here();
  begin("gone_there", apply);
  at_source({"DROP TABLE a", "RENAME TABLE b TO outside", "INSERT INTO c VALUES (2, 2)"});
  for (int i = 0; i < 2; ++i) {
    apply.skip_offsets.push_back(recommended_annotation(refusal("TableDropped"), "skip-offsets"));
    restart_apply(apply);
  }
  ASSERT_TRUE(recovers({"c"}));
  at_destination({"DROP TABLE a", "RENAME TABLE b TO outside"});
  expect_stays_streaming(10);
  EXPECT_TRUE(becomes_unknown("a"));
  EXPECT_TRUE(becomes_unknown("b"));
  at_source({"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (7, 7)", "RENAME TABLE outside TO b"});
  EXPECT_TRUE(recovers({"a", "b", "c"}));
  at_source({"UPDATE a SET v=8", "UPDATE b SET v=8"});
  EXPECT_TRUE(equal({"a", "b", "c"}));
}

// The same when the table is missed first, and the message recommends a copy.
TEST_F(DestinationGone, table_dropped_here_before_it_is_known_that_the_source_dropped_it) {
  prepare_three("gone_here_first");
  auto apply = apply_here();
  begin("gone_here_first", apply);
  at_source({"DROP TABLE a", "INSERT INTO c VALUES (2, 2)"});
  apply.skip_offsets.push_back(recommended_annotation(refusal("TableDropped"), "skip-offsets"));
  at_destination({"DROP TABLE a"});
  restart_apply(apply);
  apply.copy_tables = recommended_annotation(refusal("DestinationTableMissing"), "copy-tables");
  EXPECT_THAT(apply.copy_tables, HasSubstr("gone_here_first.a#"));
  restart_apply(apply);
  ASSERT_TRUE(recovers({"b", "c"}));
  expect_stays_streaming(10);
}

// docs/agents.md promised it.
TEST_F(DestinationGone, table_removed_from_the_resource_is_dropped_here_and_comes_back) {
  prepare_three("not_captured");
  auto apply = apply_here();
  begin("not_captured", apply);
  const auto capture_again = [&](const Texts& tables) {
    fixture_->capture().process().terminate();
    fixture_->forget(fixture_->capture());
    fixture_->start_capture(capture_of(tables));
  };
  capture_again({"b", "c"});
  at_source({"UPDATE a SET v=2", "INSERT INTO c VALUES (2, 2)"});
  ASSERT_TRUE(equal({"b", "c"}));
  at_destination({"DROP TABLE a"});
  apply.copy_tables = recommended_annotation(refusal("DestinationTableMissing"), "copy-tables");
  restart_apply(apply);
  ASSERT_TRUE(recovers({"b", "c"}));
  expect_stays_streaming(10);
  capture_again({"a", "b", "c"});
  EXPECT_TRUE(recovers({"a", "b", "c"}));
  at_source({"INSERT INTO a VALUES (3, 3)"});
  EXPECT_TRUE(equal({"a", "b", "c"}));
}

// No copy was even requested: the stream halted for ever.
TEST_F(DestinationGone, table_of_a_type_that_is_no_longer_stored_is_dropped_here) {
  prepare_three("fewer_types");
  const auto capture = fixture_->capture_config({{.name = "goods", .tables = {"fewer_types.a", "fewer_types.b"}},
                                                 {.name = "others", .tables = {"fewer_types.c"}}},
                                                name_);
  fixture_->start_capture(capture);
  auto apply = apply_here();
  apply.types = {"goods", "others"};
  fixture_->start_apply(apply);
  ASSERT_TRUE(equal({"a", "b", "c"}));
  apply.types = {"others"};
  restart_apply(apply);
  at_destination({"DROP TABLE a"});
  apply.copy_tables = recommended_annotation(refusal("DestinationTableMissing"), "copy-tables");
  restart_apply(apply);
  at_source({"INSERT INTO a VALUES (2, 2)", "INSERT INTO c VALUES (2, 2)"});
  ASSERT_TRUE(recovers({"c"}));
  expect_stays_streaming(10);
}

// It was held for ever.
TEST_F(DestinationGone, held_table_that_the_source_dropped_is_removed_here_too) {
  prepare_three("gone_held");
  auto apply = apply_here();
  apply.on_table_error = config::OnTableError::HoldTable;
  begin("gone_held", apply);
  at_source({"DROP TABLE a", "INSERT INTO c VALUES (2, 2)"});
  ASSERT_TRUE(becomes_held("a:TableDropped"));
  at_destination({"DROP TABLE a"});
  apply.skip_offsets.push_back(recommended_annotation(held_message("a"), "skip-offsets"));
  restart_apply(apply);
  EXPECT_TRUE(becomes_held(""));
  EXPECT_TRUE(becomes_unknown("a"));
  expect_stays_streaming(10);
  EXPECT_EQ(held(), "");
  at_source({"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (7, 7)"});
  EXPECT_TRUE(recovers({"a", "b", "c"}));
}

// The copy of a held table that the source had dropped meanwhile never came, and the table stayed held.
TEST_F(DestinationGone, held_table_whose_copy_does_not_come_is_held_no_longer) {
  prepare_three("gone_while_held");
  auto apply = apply_here();
  apply.on_table_error = config::OnTableError::HoldTable;
  begin("gone_while_held", apply);
  at_destination({"INSERT INTO a VALUES (2, 5)"});
  at_source({"INSERT INTO a VALUES (2, 2)"});
  ASSERT_TRUE(becomes_held("a:RowConflict"));
  apply.copy_tables = recommended_annotation(held_message("a"), "copy-tables");
  at_source({"DROP TABLE a", "INSERT INTO c VALUES (2, 2)"});
  ASSERT_TRUE(recovers({"c"}));
  restart_apply(apply);
  EXPECT_TRUE(becomes_held(""));
  expect_stays_streaming(10);
  at_source({"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (7, 7)"});
  EXPECT_TRUE(recovers({"a", "b", "c"}));
}

// Apply emptied the table and altered it once; then it took it for one that had lost its rows, and the error that named
// the cause was seen once.
TEST_F(DestinationGone, table_that_apply_emptied_is_not_missed_when_a_second_alter_is_refused) {
  prepare("second_alter",
          {"CREATE TABLE a (id INT PRIMARY KEY, v INT, w INT)", "INSERT INTO a VALUES (1, 1, 1), (2, 2, 2)",
           "CREATE TABLE c (id INT PRIMARY KEY)", "INSERT INTO c VALUES (1)"});
  auto apply = apply_here();
  apply.schema_changes = config::SchemaChanges::ApplyAll;
  start({"a", "c"}, apply);
  ASSERT_TRUE(equal({"a", "c"}));
  at_destination({"ALTER TABLE a ADD COLUMN own VARCHAR(16000) CHARACTER SET utf8mb4"});  // almost the longest row
  std::this_thread::sleep_for(milliseconds(3100));  // until CREATE_TIME says which table it is
  at_source({"INSERT INTO a VALUES (3, 3, 3)"});
  ASSERT_TRUE(equal({"a", "c"}));
  at_source(
      {"CREATE OR REPLACE TABLE a (id INT PRIMARY KEY, v UUID, w VARCHAR(1000)) AS "
       "SELECT 1 AS id, '00112233-4455-6677-8899-aabbccddeeff' AS v, 'one' AS w"});
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("tried: ALTER TABLE"));
  restart_apply(apply);
  EXPECT_THAT(refusal("DestinationSchemaMismatch"), HasSubstr("tried: ALTER TABLE"));
  at_destination({"ALTER TABLE a DROP COLUMN own"});
  EXPECT_TRUE(recovers({"a", "c"}));
}

}  // namespace
}  // namespace datasync::test
