#include "agents/message/gtid.hpp"

#include <gtest/gtest.h>

namespace datasync::message {
namespace {

struct Text {
  const char* name;
  const char* text;
};
std::string name_of(const testing::TestParamInfo<Text>& i) {
  return i.param.name;
}

class Accepted : public testing::TestWithParam<Text> {};
TEST_P(Accepted, prints_as_it_was_read) {
  const auto set = GtidSet::parse(GetParam().text);
  ASSERT_TRUE(set) << set.error().what;
  EXPECT_EQ(set->text(), GetParam().text);
}
INSTANTIATE_TEST_SUITE_P(GtidSet, Accepted,
                         testing::Values(Text{"nothing", ""}, Text{"one_domain", "0-1-100"},
                                         Text{"two_domains", "0-1-5,1-1-9"},
                                         Text{"largest_values", "4294967295-4294967295-18446744073709551615"}),
                         name_of);

class Refused : public testing::TestWithParam<Text> {};
TEST_P(Refused, names_the_text) {
  const auto set = GtidSet::parse(GetParam().text);
  ASSERT_FALSE(set);
  EXPECT_TRUE(set.error().is(base::Reason::BinlogCorrupt));
}
INSTANTIATE_TEST_SUITE_P(GtidSet, Refused,
                         testing::Values(Text{"letters", "a-b-c"}, Text{"two_parts", "0-1"},
                                         Text{"four_parts", "0-1-2-3"}, Text{"a_domain_twice", "0-1-2,0-2-3"},
                                         Text{"a_comma_at_the_end", "0-1-2,"},
                                         Text{"domain_too_large", "4294967296-1-1"}, Text{"negative", "0-1--5"},
                                         Text{"mysql_uuid", "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5"}),
                         name_of);

GtidSet set(const char* text) {
  return GtidSet::parse(text).value();
}
Gtid gtid(const char* text) {
  return Gtid::parse(text).value();
}

TEST(GtidSetTest, accepts_blanks_after_commas_as_servers_print_them) {
  EXPECT_EQ(set("0-1-5, 1-1-9").text(), "0-1-5,1-1-9");
}

TEST(GtidSetTest, contains_compares_within_a_domain_only) {
  const auto s = set("0-1-10,5-1-3");
  EXPECT_TRUE(s.contains(gtid("0-2-10")));
  EXPECT_TRUE(s.contains(gtid("0-1-1")));
  EXPECT_FALSE(s.contains(gtid("0-1-11")));
  EXPECT_FALSE(s.contains(gtid("5-1-4")));
  EXPECT_FALSE(s.contains(gtid("1-1-1")));
  EXPECT_TRUE(s.contains(set("0-1-10")));
  EXPECT_TRUE(s.contains(set("")));
  EXPECT_FALSE(s.contains(set("0-1-1,1-1-1")));
}

TEST(GtidSetTest, add_never_moves_back) {
  auto s = set("0-1-10");
  EXPECT_FALSE(s.add(gtid("0-1-9")));
  EXPECT_EQ(s.text(), "0-1-10");
  EXPECT_TRUE(s.add(gtid("0-2-11")));
  EXPECT_EQ(s.text(), "0-2-11");
}

TEST(GtidSetTest, intersection_leaves_out_what_one_side_lacks) {
  EXPECT_EQ(GtidSet::intersection(set("0-1-10,1-1-5"), set("0-1-7,2-1-1")).text(), "0-1-7");
  EXPECT_EQ(GtidSet::intersection(set("0-1-10"), set("")).text(), "");
}

TEST(GtidSetTest, unite_takes_the_higher_of_each_domain) {
  auto s = set("0-1-10,1-1-5");
  s.unite(set("0-1-7,1-2-6,2-1-1"));
  EXPECT_EQ(s.text(), "0-1-10,1-2-6,2-1-1");
}

}  // namespace
}  // namespace datasync::message
