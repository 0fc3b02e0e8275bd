#include "agents/config/value.hpp"

#include <gtest/gtest.h>

namespace datasync::config {
namespace {

TEST(Value, json_survives_reading_and_writing_in_its_order) {
  const auto* text =
      "{\n  \"b\": [\n    1,\n    -2,\n    2.5,\n    true,\n    null,\n    \"x\"\n  ],\n  \"a\": {}\n}\n";
  const auto tree = parse_json(text);
  ASSERT_TRUE(tree) << tree.error().what;
  EXPECT_EQ(to_json(*tree), text);
}

struct Bad {
  const char* name;
  std::string text;
  std::string part;
};
class ValueBad : public testing::TestWithParam<Bad> {};

TEST_P(ValueBad, is_an_error_with_its_cause) {
  const auto tree = parse_json(GetParam().text);
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().reason, base::Reason::ConfigInvalid);
  EXPECT_NE(tree.error().what.find(GetParam().part), std::string::npos) << tree.error().what;
}

INSTANTIATE_TEST_SUITE_P(All, ValueBad,
                         testing::Values(Bad{"empty", "", "at byte"}, Bad{"rest", "{} x", "at byte"},
                                         Bad{"twice", R"({"a":1,"a":2})", "the key \"a\" occurs twice"},
                                         Bad{"deep", std::string(5000, '['), "nested too deep"},
                                         Bad{"huge", "18446744073709551615", "too large a number"},
                                         Bad{"utf8", "\"\xff\"", "at byte"}),
                         [](const auto& row) { return row.param.name; });

TEST(Value, text_that_is_not_utf8_is_written_without_throwing) {
  EXPECT_EQ(to_json(Value{std::string("a\xff")}), "\"a\xEF\xBF\xBD\"\n");
}

}  // namespace
}  // namespace datasync::config
