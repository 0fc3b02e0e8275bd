#include "agents/capture/plan/exclusions.hpp"

#include <gtest/gtest.h>

#include "agents/capture/plan/captured_schema.hpp"
#include "tests/unit/source/people.hpp"

namespace datasync::capture {
namespace {

using Texts = std::vector<std::string>;

using source::test::people;
using source::test::people_with;

// RENAME COLUMN secret TO secret2: the table was copied with the column under its new name.
TEST(Exclusions, table_without_an_excluded_column_is_not_captured) {
  EXPECT_EQ(captured_schema(people(), people_with({"id", "secret", "v"}))->columns.size(), 2U);
  const auto refused = captured_schema(people(), people_with({"id", "secret2", "v"}));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(base::Reason::PreflightFailed));
  EXPECT_NE(refused.error().what.find("crm.people lacks the excluded column Secret"), std::string::npos)
      << refused.error().what;
}

/// After these statements, each of which renames and drops columns.
std::vector<message::MovedColumn> moved(const std::vector<ColumnNames>& statements) {
  std::vector<message::MovedColumn> out;
  for (const auto& names : statements) out = moved_by(people(), out, names);
  return out;
}
ColumnNames renamed(const std::string& was, const std::string& is) {
  return {{{was, is}}, {}, {}, {}, true};
}

// RENAME secret TO tmp, RENAME name TO secret, RENAME tmp TO name: the table has the columns of before, and the values
// of the excluded one were published.
TEST(Exclusions, names_exchanged_by_several_statements_are_followed) {
  const auto after = moved({renamed("secret", "tmp"), renamed("name", "secret"), renamed("TMP", "name")});
  const auto* shown = shown_by_name(people(), after, "NAME");
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(shown->was, "secret");
  EXPECT_EQ(shown_by_name(people(), after, "secret"), nullptr);
  EXPECT_EQ(shown_by_name(people(), after, "tmp"), nullptr);
  auto both = people();
  both.exclude = {"secret", "name"};
  EXPECT_EQ(shown_by_name(both, after, "name"), nullptr) << "it is excluded by now";
  both.exclude = {"tmp"};
  EXPECT_EQ(shown_by_name(both, after, "name"), nullptr) << "nothing says any more that nobody is to see it";

  EXPECT_NE(shown_by_name(people(), moved({renamed("secret", "a"), renamed("a", "b")}), "b"), nullptr);
  EXPECT_TRUE(moved({renamed("secret", "a"), renamed("a", "secret")}).empty()) << "renamed back";
  EXPECT_TRUE(moved({renamed("secret", "a"), {{}, {"A"}, {}, {}, true}}).empty()) << "dropped";
  EXPECT_EQ(moved({renamed("secret", "a"), {{}, {"a"}, {}, {}, false}}).size(), 1U) << "perhaps not dropped";
  EXPECT_EQ(moved({renamed("secret", "a"), {{{"a", "b"}}, {}, {}, {}, false}}).size(), 2U) << "perhaps not renamed";
  EXPECT_EQ(moved({renamed("v", "w"), {{{"v", "a"}, {"a", "v"}}, {}, {}, {}, true}}).size(), 0U);
}

// ADD b DEFAULT (secret), ALTER b DROP DEFAULT: the table had no trace of it, and b had the values.
TEST(Exclusions, columns_keep_values_that_an_expression_gave_them) {
  const auto filled = [](std::vector<FilledColumn> columns, bool certain = true) {
    return ColumnNames{{}, {}, std::move(columns), {}, certain};
  };
  const auto after = moved({filled({{"b", {"CONCAT", "SECRET"}}}), {}});
  ASSERT_NE(shown_by_name(people(), after, "B"), nullptr);
  EXPECT_EQ(shown_by_name(people(), after, "B")->was, "SECRET");
  EXPECT_TRUE(moved({filled({{"b", {"v"}}})}).empty());
  EXPECT_EQ(moved({filled({{"b", {"secret"}}}, false)}).size(), 1U) << "perhaps it did";
  EXPECT_EQ(moved({filled({{"c", {"b"}}, {"b", {"secret"}}})}).size(), 2U) << "in any order";
  EXPECT_EQ(moved({filled({{"b", {"secret"}}}), filled({{"c", {"b"}}})}).size(), 2U) << "from a filled column";
  EXPECT_EQ(moved({filled({{"b", {"secret"}}}), renamed("b", "c")}).size(), 1U);
  EXPECT_TRUE(moved({filled({{"b", {"secret"}}}), {{}, {"b"}, {}, {}, true}}).empty()) << "dropped";
  EXPECT_TRUE(moved({filled({{"b", {"secret"}}}), {{}, {}, {}, {"b"}, true}}).empty()) << "a new column of the name";
  EXPECT_EQ(moved({filled({{"b", {"secret"}}}), {{}, {}, {{"b", {"secret"}}}, {"b"}, true}}).size(), 1U);
  // CHANGE secret s2, ADD b DEFAULT (s2): an expression has the names of after the statement.
  EXPECT_EQ(moved({{{{"secret", "s2"}}, {}, {{"b", {"s2"}}}, {"b"}, true}}).size(), 2U);
}

}  // namespace
}  // namespace datasync::capture
