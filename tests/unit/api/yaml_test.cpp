#include "operator/api/yaml.hpp"

#include <gtest/gtest.h>

namespace datasync::api {
namespace {

using config::Value;

struct Scalar {
  const char* name;
  const char* text;
  Value value;
};
class YamlScalar : public testing::TestWithParam<Scalar> {};

TEST_P(YamlScalar, has_the_kind_it_was_written_with) {
  const auto documents = parse_yaml(std::string("v: ") + GetParam().text).value();
  EXPECT_EQ(config::to_text(documents.at(0).problems), "");
  EXPECT_EQ(*documents.at(0).value.find("v"), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    All, YamlScalar,
    testing::Values(
        Scalar{"true_", "true", {true}}, Scalar{"quoted_true", "\"true\"", {std::string("true")}},
        Scalar{"single_quoted_no", "'no'", {std::string("no")}}, Scalar{"whole", "12", {std::int64_t{12}}},
        Scalar{"negative", "-12", {std::int64_t{-12}}}, Scalar{"zero", "0", {std::int64_t{0}}},
        Scalar{"quoted_number", "\"12\"", {std::string("12")}}, Scalar{"fraction", "1.5", {1.5}},
        Scalar{"exponent", "1e3", {1000.0}}, Scalar{"null_", "null", {}}, Scalar{"big_null", "NULL", {}},
        Scalar{"tilde", "~", {}}, Scalar{"nothing", "", {}}, Scalar{"quoted_nothing", "''", {std::string()}},
        Scalar{"tagged", "!!str 12", {std::string("12")}}, Scalar{"quoted_octal", "'010'", {std::string("010")}},
        Scalar{"version", "1.2.3", {std::string("1.2.3")}}, Scalar{"address", "10.0.0.1", {std::string("10.0.0.1")}},
        Scalar{"date", "2026-01-02", {std::string("2026-01-02")}}, Scalar{"offset", "0:5", {std::string("0:5")}},
        Scalar{"block", "|\n  a\n  b\n", {std::string("a\nb\n")}}),
    [](const auto& row) { return row.param.name; });

class YamlAmbiguous : public testing::TestWithParam<const char*> {};
TEST_P(YamlAmbiguous, is_refused_with_its_path_and_line) {
  const auto documents = parse_yaml(std::string("a:\n  - v: ") + GetParam()).value();
  ASSERT_EQ(documents.at(0).problems.size(), 1U);
  EXPECT_EQ(documents.at(0).problems[0].path, "a[0].v");
  EXPECT_NE(documents.at(0).problems[0].message.find("(line 2)"), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(All, YamlAmbiguous,
                         testing::Values("yes", "No", "on", "OFF", "y", "010", "-010", "0x1F", "0o17", "0b1", "+5",
                                         "1_000", ".inf", "-.inf", ".nan", "True"));

TEST(Yaml, documents_keep_their_number_and_empty_ones_are_skipped) {
  const auto documents = parse_yaml("---\na: 1\n---\n---\nb: 2\n").value();
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[0].number, 1U);
  EXPECT_EQ(documents[1].number, 3U);
}

TEST(Yaml, an_alias_stands_for_its_anchor) {
  const auto documents = parse_yaml("a: &x {p: 1}\nb: *x\n").value();
  EXPECT_EQ(*documents.at(0).value.find("b"), *documents.at(0).value.find("a"));
}

TEST(Yaml, aliases_that_multiply_are_cut_off) {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'j'; ++c) {
    const std::string before = std::string("*") + static_cast<char>(c - 1);
    text += std::string(1, c) + ": &" + c + " [" + before;
    for (int i = 0; i < 9; ++i) text += ", " + before;
    text += "]\n";
  }
  const auto documents = parse_yaml(text).value();
  ASSERT_EQ(documents.at(0).problems.size(), 1U);
  EXPECT_NE(documents.at(0).problems[0].message.find("too large"), std::string::npos);
}

TEST(Yaml, deep_nesting_is_an_error_and_not_a_crash) {
  const auto deep = parse_yaml(std::string(20'000, '['));
  EXPECT_FALSE(deep);
  const auto less = parse_yaml(std::string(100, '[') + std::string(100, ']'));
  ASSERT_TRUE(less) << less.error().what;
  EXPECT_EQ(less->at(0).problems.size(), 1U);
}

TEST(Yaml, text_that_is_not_yaml_is_reported_with_line_and_column) {
  const auto bad = parse_yaml("a: 1\nb: [1, 2\nc: 3\n");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().what.find("not valid YAML: line "), 0U) << bad.error().what;
}

TEST(Yaml, any_bytes_give_a_tree_or_an_error) {
  for (const auto* text :
       {"\xff\xfe", "\x01\x02", "%YAML 9.9", "? [a]\n: b", "&a *a", "a: *b", "!!binary x", "\t- x"}) {
    const auto result = parse_yaml(text);
    if (!result) {
      EXPECT_EQ(result.error().reason, base::Reason::ConfigInvalid) << text;
    }
  }
}

}  // namespace
}  // namespace datasync::api
