#include "agents/source/mariadb/computed_columns.hpp"

#include <gtest/gtest.h>

#include "agents/source/mariadb/requirements.hpp"
#include "tests/unit/source/people.hpp"

namespace datasync::source::mariadb {
namespace {

using Texts = std::vector<std::string>;

using source::test::people;
using source::test::people_with;

// ADD COLUMN hash VARCHAR(64) AS (MD5(secret)): what an excluded column holds was carried under another name.
TEST(ComputedColumns, columns_computed_from_an_excluded_one_are_found) {
  const std::vector<Computed> computed{
      {"twice", "concat(`once`,'x')"}, {"once", "md5(`SECRET`)"}, {"other", "`v` + 1"}, {"text", "'secret'"}};
  EXPECT_EQ(computed_from_excluded(people(), computed), (Texts{"once (from Secret)", "twice (from once)"}));
  auto all = people();
  all.exclude = {"secret", "once", "TWICE"};
  EXPECT_TRUE(computed_from_excluded(all, computed).empty());
}

// ADD COLUMN shown VARCHAR(50) DEFAULT (secret): rows that were there got the value of the excluded column.
TEST(ComputedColumns, columns_whose_default_is_an_excluded_one_are_found) {
  EXPECT_EQ(computed_from_excluded(people(), {{"shown", "`secret`"}, {"text", "'secret'"}, {"n", "NULL"}, {"m", "1"}}),
            (Texts{"shown (from Secret)"}));
  auto bits = people();
  bits.exclude = {"b"};
  EXPECT_TRUE(computed_from_excluded(bits, {{"flag", "b'1'"}}).empty());
  EXPECT_EQ(computed_from_excluded(bits, {{"flag", "`b`"}, {"other", "b + 1"}}).size(), 2U);
}

TEST(ComputedColumns, preflight_names_columns_computed_from_an_excluded_one) {
  const auto choice = people();
  TableDetails facts;
  facts.choice = &choice;
  facts.info.emplace();
  facts.info->schema = people_with({"id", "secret", "hash"});
  facts.info->engine = "InnoDB";
  facts.computed = {{"hash", "md5(`secret`)"}};
  const auto selection = Selection::make({config::Type{"t", {"crm.people"}, {}, {}}}, 1);
  const auto findings = check_table(facts, *selection, {});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings.front().what, "column hash (from Secret) of crm.people is computed from an excluded column");
}

}  // namespace
}  // namespace datasync::source::mariadb
