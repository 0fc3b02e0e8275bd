#include "agents/source/mariadb/virtual_columns.hpp"

#include <gtest/gtest.h>

namespace datasync::source::mariadb {
namespace {

message::TableSchema people() {
  message::TableSchema s{.database = "crm", .table = "people", .columns = {}, .key = {0}};
  s.columns = {{.name = "id"},
               {.name = "born", .type = message::ColumnType::Date},
               {.name = "seen", .type = message::ColumnType::Timestamp},
               {.name = "version"}};
  return s;
}

struct Row {
  const char *title, *expression, *by;
};
class Unsteady : public testing::TestWithParam<Row> {};

// Copy and stream did not agree on such a column: the age on the day of the copy, and on the day of the change.
TEST_P(Unsteady, virtual_column_is_named) {
  EXPECT_EQ(unsteady({"c", GetParam().expression, true}, people()), GetParam().by);
  EXPECT_EQ(unsteady({"c", GetParam().expression, false}, people()), "") << "a stored one has one value";
}

INSTANTIATE_TEST_SUITE_P(
    VirtualColumns, Unsteady,
    testing::Values(Row{"age", "timestampdiff(YEAR,`born`,curdate())", "CURDATE()"},
                    Row{"now", "current_timestamp()", "CURRENT_TIMESTAMP()"},
                    Row{"now_without_brackets", "`born` > current_date", "CURRENT_DATE()"},
                    Row{"zone", "from_unixtime(`id`)", "FROM_UNIXTIME()"}, Row{"chance", "rand()", "RAND()"},
                    Row{"user", "concat(user(),`id`)", "USER()"}, Row{"variable", "@@time_zone", "a variable"},
                    Row{"user_variable", "@a + 1", "a variable"},
                    Row{"column_of_a_timestamp", "year(`seen`)", "column seen of type TIMESTAMP"},
                    Row{"week_without_mode", "week(`born`)", "WEEK() without a mode"},
                    Row{"week_with_mode", "week(`born`,3)", ""},
                    Row{"names_of_days", "date_format(`born`,'%W')", "DATE_FORMAT() with names of days or months"},
                    Row{"names_of_days_by_a_locale", "date_format(`born`,'%W','en_US')", ""},
                    Row{"digits_only", "date_format(`born`,'%Y-%m-%d')", ""},
                    Row{"escaped_percent", "date_format(`born`,_utf8mb4'%%W')", ""},
                    Row{"format_of_a_column", "date_format(`born`,`id`)", "DATE_FORMAT() with names of days or months"},
                    Row{"stored_function", "`crm`.`f`(`id`)", "the stored function f"},
                    Row{"column_of_the_name_of_a_function", "`version` + `id`", ""},
                    Row{"text_of_the_name_of_a_function", "concat('curdate()',`id`)", ""},
                    Row{"sum", "`id` * 2 + length(`born`)", ""}),
    [](const auto& row) { return row.param.title; });

TEST(VirtualColumns, excluded_one_is_no_finding) {
  TableChoice choice;
  choice.database = "crm";
  choice.table = "people";
  const std::vector<Computed> computed{{"age", "timestampdiff(YEAR,`born`,curdate())", true},
                                       {"twice", "`id` * 2", true}};
  const auto findings = check_virtual_columns(choice, computed, people());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_NE(findings.front().what.find("VIRTUAL column age of crm.people uses CURDATE()"), std::string::npos);
  EXPECT_NE(findings.front().fix.find("name crm.people.age in excludeColumns"), std::string::npos);
  choice.exclude = {"AGE"};
  EXPECT_TRUE(check_virtual_columns(choice, computed, people()).empty());
}

}  // namespace
}  // namespace datasync::source::mariadb
