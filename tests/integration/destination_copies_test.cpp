// Copies that a user requests, whatever the table is called and whether it is captured yet.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/destination_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

// Its rows were left out for good: nothing ended the wait for a copy of a table that the source did not have.
TEST_F(Destination, copy_requested_before_the_table_is_captured) {
  prepare("early", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE `b c` (id INT PRIMARY KEY, v INT)",
                    "INSERT INTO a VALUES (1, 1)", "INSERT INTO `b c` VALUES (1, 1)"});
  auto apply = apply_here();
  apply.copy_tables = "early.b c,early.none#1";
  start({"a"}, apply);
  ASSERT_TRUE(equal({"a"}));
  fixture_->capture().process().terminate();
  fixture_->forget(fixture_->capture());
  fixture_->start_capture(capture_of({"a", "b c"}));
  ASSERT_TRUE(equal({"a", "b c"}));
  at_source(
      {"INSERT INTO `b c` VALUES (2, 2)", "CREATE TABLE none (id INT PRIMARY KEY)", "INSERT INTO none VALUES (1)"});
  EXPECT_TRUE(equal({"a", "b c"}));
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Streaming", "")) << "early.none is awaited no more";
}

// The recommended annotation was read as the name of another table.
TEST_F(Destination, copy_of_a_table_whose_name_has_special_characters) {
  prepare("special", {"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE `a b,#c` (id INT PRIMARY KEY, v INT)",
                      "INSERT INTO a VALUES (1, 1)", "INSERT INTO `a b,#c` VALUES (1, 1), (2, 2)"});
  start({"a", "a b,#c"});
  ASSERT_TRUE(equal({"a", "a b,#c"}));
  at_destination({"DELETE FROM `a b,#c` WHERE id=1"});
  at_source({"UPDATE `a b,#c` SET v=3 WHERE id=1"});
  const auto message = refusal("RowConflict");
  constexpr std::string_view kName = "datasync.dev/copy-tables=";
  const auto at = message.find(kName);
  ASSERT_NE(at, std::string::npos) << message;
  auto apply = apply_here();
  apply.copy_tables = message.substr(at + kName.size(), message.find_first_of(" ;\n", at) - at - kName.size());
  restart_apply(apply);
  EXPECT_TRUE(recovers({"a", "a b,#c"})) << apply.copy_tables;
}

}  // namespace
}  // namespace datasync::test
