#include "agents/config/patterns.hpp"

#include <regex>

#include <gtest/gtest.h>

#include "agents/config/orders.hpp"

namespace datasync::config {
namespace {

struct Row {
  const char* name;
  const Pattern& pattern;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

const std::string kLong64(64, 'a');
const std::string kLong65(65, 'a');

class Patterns : public testing::TestWithParam<Row> {};

TEST(CopyOrder, reads_back_every_name_that_was_written) {
  const std::vector<std::string> names{"shop.orders", "shop.order items", "shop.a#b",   "shop.a,b;c",
                                       "shop.50%",    "shop.%2C",         "shop.größe", "shop.'x'\t\"y\""};
  const auto value = copy_value(names);
  EXPECT_EQ(value.find_first_of(" #;\n\t"), std::string::npos) << value;
  EXPECT_EQ(copy_order(value).tables, names);
  EXPECT_EQ(copy_order(value + "#0-15").tables, names);
  EXPECT_EQ(copy_order(value + "#0-15").token, "0-15");
  EXPECT_EQ(copy_order("shop.order items,shop.100%#1").tables,
            (std::vector<std::string>{"shop.order items", "shop.100%"}))
      << "as users write them";
}

TEST_P(Patterns, accept_and_refuse_what_they_should) {
  for (const auto& s : GetParam().good) EXPECT_TRUE(GetParam().pattern.matches(s)) << s;
  for (const auto& s : GetParam().bad) EXPECT_FALSE(GetParam().pattern.matches(s)) << s;
}

// The schema of the resource carries the regular expression: it may be wider than the function, never narrower.
TEST_P(Patterns, the_regular_expression_accepts_all_that_the_function_accepts) {
  const std::regex regex(std::string(GetParam().pattern.regex));
  for (const auto& s : GetParam().good) EXPECT_TRUE(std::regex_match(s, regex)) << s;
}

INSTANTIATE_TEST_SUITE_P(
    All, Patterns,
    testing::Values(
        Row{"table",
            kTableName,
            {"shop.orders", "a b.c`d", "shöp.\"x\"", kLong64 + ".x"},
            {"shop", ".", "a.", ".b", "a.b.c", kLong65 + ".x", "", "a\n.b"}},
        Row{"column", kColumnName, {"shop.orders.note", "a.b.c.d"}, {"shop.orders", "a..b", "a.b."}},
        Row{"type", kTypeName, {"orders", "Orders-2.x_y", "0"}, {"", "-a", "a b", kLong64}},
        Row{"label", kDnsLabel, {"a", "a-b", "0a"}, {"", "A", "-a", "a-", "a.b", kLong64}},
        Row{"dns", kDnsName, {"a", "a.b-c.d"}, {"", ".", "a.", "a..b", "A.b"}},
        Row{"host", kHost, {"db", "db-1.shop", "10.0.0.1", "::1", "fe80::1%eth0"}, {"", "-a", "a b", "a/b", ".a"}},
        Row{"topic", kTopic, {"shop", "a.b_c-D"}, {"", ".", "..", "a b", std::string(244, 'a')}},
        Row{"bootstrap",
            kBootstrap,
            {"k:9092", "a:1,b:65535", "[::1]:9092"},
            {"", "k", "k:", ":1", "k:0", "k:65536", "k:9x", "a:1,", "a:1,,b:2"}},
        Row{"key", kSecretKey, {"password", "tls.crt", "A_b"}, {"", ".", "..", "a/b"}},
        Row{"database", kDatabase, {"datasync", "a b"}, {"", "a.b", "a/b", kLong65}},
        Row{"copies",
            kCopyTables,
            {"shop.orders", "shop.orders,shop.items", "shop.orders#2", "shop.a#b#", "a b.c`d,x.y#29.11."},
            {"", "shop", "shop.orders,", ",shop.orders", "shop.orders,items", "#2", "shop.a.b"}},
        Row{"gtids", kGtidList, {"0-1-7", "0-1-7,10-20-30"}, {"", "0-1", "0-1-", "0-1-x", "0-1-7,", "0-1-7 ", "-1-1"}},
        Row{"offset", kStreamOffset, {"0:123", "17:0"}, {"", "0", ":1", "0:", "a:1", "0:-1", "0:1:2"}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace datasync::config
