#include "agents/binlog/inflate.hpp"

#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace datasync::binlog {
namespace {

using std::string_literals::operator""s;

std::string deflated(const std::string& text) {
  std::string out(compressBound(text.size()), '\0');
  uLongf size = out.size();
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size());
  out.resize(size);
  return out;
}

std::string inflated(const Compressed& c) {
  std::string out(c.length, '?');
  Inflater inflater;
  return inflater.inflate(c, reinterpret_cast<std::byte*>(out.data())) ? out : "failed";
}

TEST(Inflate, an_event_part_comes_back) {
  const std::string text(300, 'x');
  const auto bytes = "\x82\x01\x2c"s + deflated(text);
  const auto good = read_event_header(base::as_bytes(bytes));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->length, 300U);
  EXPECT_EQ(inflated(*good), text);
}

TEST(Inflate, an_event_part_with_a_false_header_is_refused) {
  const auto stream = deflated(std::string(300, 'x'));
  for (const auto& head :
       {""s, "\x80"s, "\x02\x01\x2c"s, "\x92\x01\x2c"s, "\x87\0\0\0\0\0\x01\x2c"s, "\x84\x7f\xff\xff\xff"s})
    EXPECT_FALSE(read_event_header(base::as_bytes(head + stream))) << testing::PrintToString(head);
}

TEST(Inflate, an_impossible_length_allocates_no_memory) {
  EXPECT_FALSE(read_event_header(base::as_bytes("\x84\x3f\xff\xff\xff"s + "tiny")));
}

TEST(Inflate, a_wrong_length_or_damaged_stream_fails) {
  const auto stream = deflated(std::string(300, 'x'));
  for (const auto& bytes : {"\x82\x01\x2d"s + stream, "\x82\x01\x2b"s + stream, "\x82\x01\x2c"s + stream.substr(0, 5),
                            "\x82\x01\x2c"s + std::string(40, '\x55')}) {
    const auto header = read_event_header(base::as_bytes(bytes));
    ASSERT_TRUE(header);
    EXPECT_EQ(inflated(*header), "failed");
  }
}

TEST(Inflate, a_column_value_may_be_empty_stored_or_deflated) {
  EXPECT_EQ(inflated(*read_column_header({})), "");
  const auto stored = "\0abc"s;
  EXPECT_EQ(inflated(*read_column_header(base::as_bytes(stored))), "abc");
  const auto wrapped = "\x82\x01\x2c"s + deflated(std::string(300, 'x'));
  EXPECT_EQ(inflated(*read_column_header(base::as_bytes(wrapped))), std::string(300, 'x'));
  const auto stream = deflated(std::string(300, 'x'));
  const auto raw = "\x8a\x01\x2c"s + stream.substr(2, stream.size() - 6);  // without zlib's header and trailer
  EXPECT_EQ(inflated(*read_column_header(base::as_bytes(raw))), std::string(300, 'x'));
}

TEST(Inflate, a_column_value_of_an_unknown_algorithm_is_refused) {
  EXPECT_FALSE(read_column_header(base::as_bytes("\x12\x01\x2cxxxx"s)));
  EXPECT_FALSE(read_column_header(base::as_bytes("\x80xxxx"s)));
}

TEST(Inflate, one_inflater_serves_many_values) {
  Inflater inflater;
  for (int i = 1; i < 50; ++i) {
    const std::string text(static_cast<std::size_t>(i) * 5, static_cast<char>('a' + i % 26));
    const auto stream = deflated(text);
    Compressed c{.length = text.size(), .raw = false, .stored = false, .payload = base::as_bytes(stream)};
    std::string out(text.size(), '?');
    ASSERT_TRUE(inflater.inflate(c, reinterpret_cast<std::byte*>(out.data())));
    EXPECT_EQ(out, text);
  }
}

}  // namespace
}  // namespace datasync::binlog
