#include "agents/binlog/charset.hpp"

#include <gtest/gtest.h>

namespace datasync::binlog {
namespace {

using std::string_literals::operator""s;

struct Row {
  const char* name;
  std::string charset, text, utf8;
};
class Known : public testing::TestWithParam<Row> {};
TEST_P(Known, becomes_utf8) {
  const auto out = to_utf8(GetParam().charset, GetParam().text, {});
  ASSERT_TRUE(out);
  EXPECT_EQ(*out, GetParam().utf8);
}
INSTANTIATE_TEST_SUITE_P(Charset, Known,
                         testing::Values(Row{"utf8mb4", "utf8mb4", "ü😀", "ü😀"}, Row{"ascii", "ascii", "a", "a"},
                                         Row{"latin1", "latin1", "caf\xe9", "café"},
                                         Row{"latin1_is_cp1252", "latin1", "\x80\x81\x9f", "€\xc2\x81Ÿ"},
                                         Row{"ucs2", "ucs2", "\0a\x04\x36"s, "aж"},
                                         Row{"utf16_pair", "utf16", "\xd8\x3d\xde\x00"s, "😀"},
                                         Row{"utf16le", "utf16le", "a\0"s, "a"},
                                         Row{"utf32", "utf32", "\0\x01\xf6\x00"s, "😀"},
                                         Row{"ascii_in_others", "cp1251", "plain", "plain"},
                                         Row{"empty", "ucs2", "", ""}, Row{"binary_that_is_utf8", "binary", "é", "é"}),
                         [](const auto& i) { return std::string(i.param.name); });

class Unknown : public testing::TestWithParam<Row> {};
TEST_P(Unknown, has_no_utf8) {
  EXPECT_FALSE(to_utf8(GetParam().charset, GetParam().text, {}));
}
INSTANTIATE_TEST_SUITE_P(Charset, Unknown,
                         testing::Values(Row{"bad_utf8", "utf8mb4", "\xff", ""},
                                         Row{"overlong", "utf8mb4", "\xc0\x80", ""},
                                         Row{"surrogate", "utf8mb3", "\xed\xa0\x80", ""},
                                         Row{"cut", "utf8mb4", "\xf0\x9f\x98", ""}, Row{"odd_ucs2", "ucs2", "a", ""},
                                         Row{"lone_surrogate", "utf16", "\xd8\x3d", ""},
                                         Row{"utf32_too_big", "utf32", "\x00\x11\x00\x00"s, ""},
                                         Row{"no_converter", "cp1251", "\xe6", ""}, Row{"swe7", "swe7", "[", ""}),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Charset, other_sets_go_to_the_converter) {
  const ToUtf8 convert = [](std::string_view charset, std::string_view text) {
    return std::optional<std::string>(std::string(charset) + ":" + std::string(text));
  };
  EXPECT_EQ(to_utf8("cp1251", "\xe6", convert), "cp1251:\xe6");
}

}  // namespace
}  // namespace datasync::binlog
