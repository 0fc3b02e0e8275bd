#include "agents/source/mariadb/virtual_columns.hpp"

#include <gtest/gtest.h>

namespace datasync::source::mariadb {
namespace {

struct VirtualColumns : testing::Test {
  VirtualColumns() {
    choice.database = "crm";
    choice.table = "people";
    people.columns = {{.name = "id"},
                      {.name = "born", .type = message::ColumnType::Date},
                      {.name = "age", .generated = true},
                      {.name = "twice", .generated = true}};
  }
  TableChoice choice;
  message::TableSchema people{.database = "crm", .table = "people", .columns = {}, .key = {0}};
};

TEST_F(VirtualColumns, excluded_one_is_no_finding) {
  const std::vector<Computed> computed{{"age", "timestampdiff(YEAR,`born`,curdate())", true},
                                       {"twice", "`id` * 2", true}};
  const auto findings = check_virtual_columns(choice, computed, people);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_NE(findings.front().what.find("VIRTUAL column age of crm.people uses CURDATE()"), std::string::npos);
  EXPECT_NE(findings.front().fix.find("name crm.people.age in excludeColumns"), std::string::npos);
  EXPECT_NE(findings.front().fix.find("a STORED column"), std::string::npos);
  choice.exclude = {"AGE"};
  EXPECT_TRUE(check_virtual_columns(choice, computed, people).empty());
}

// ALTER TABLE ... ALGORITHM=COPY computes it again, and the binlog has no rows of that.
TEST_F(VirtualColumns, stored_one_is_carried_and_may_be_computed_again) {
  std::vector<Computed> computed{{"age", "`id` / 2", false, true}, {"twice", "`id` * 2", false, true}};
  EXPECT_TRUE(check_virtual_columns(choice, computed, people).empty());
  EXPECT_TRUE(computes_again(choice, computed, people));
  choice.exclude = {"age"};
  EXPECT_FALSE(computes_again(choice, computed, people));
  computed = {{"born", "curdate()"}};  // a default is used once
  EXPECT_FALSE(computes_again(choice, computed, people));
}

}  // namespace
}  // namespace datasync::source::mariadb
