#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "agents/base/backoff.hpp"
#include "agents/base/bytes.hpp"
#include "agents/base/reason.hpp"
#include "agents/base/result.hpp"
#include "agents/base/secret.hpp"
#include "agents/base/text.hpp"

namespace datasync::base {
namespace {

TEST(Cursor, a_read_past_the_end_fails_and_stays_failed) {
  const char bytes[] = {1, 2, 3};
  Cursor c(as_bytes({bytes, 3}));
  EXPECT_EQ(c.get<std::uint8_t>(), 1);
  EXPECT_EQ(c.get<std::uint32_t>(), 0U);
  EXPECT_FALSE(c.ok());
  EXPECT_EQ(c.get<std::uint8_t>(), 0);
  EXPECT_TRUE(c.take(1).empty());
}

TEST(Cursor, a_length_larger_than_what_is_left_gives_nothing) {
  Cursor c(as_bytes("abc"));
  EXPECT_TRUE(c.take(SIZE_MAX).empty());
  EXPECT_FALSE(c.ok());
}

TEST(Cursor, reads_both_byte_orders_at_every_width) {
  const unsigned char bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (std::size_t n = 0; n <= 8; ++n) {
    std::uint64_t little = 0;
    std::uint64_t big = 0;
    for (std::size_t i = 0; i < n; ++i) {
      little |= std::uint64_t{bytes[i]} << 8 * i;
      big = big << 8U | bytes[i];
    }
    Cursor a(std::as_bytes(std::span(bytes)));
    Cursor b(std::as_bytes(std::span(bytes)));
    EXPECT_EQ(a.fixed(n), little);
    EXPECT_EQ(b.fixed_be(n), big);
  }
}

class Varint : public testing::TestWithParam<std::uint64_t> {};
TEST_P(Varint, survives_a_round_trip) {
  Buffer b;
  b.varint(GetParam());
  Cursor c(b.bytes());
  EXPECT_EQ(c.varint(), GetParam());
  EXPECT_TRUE(c.ok() && c.empty());
}
INSTANTIATE_TEST_SUITE_P(Edges, Varint,
                         testing::Values(0ULL, 1ULL, 127ULL, 128ULL, 16383ULL, 16384ULL, UINT32_MAX, UINT64_MAX));

TEST(VarintText, eleven_bytes_are_refused) {
  Cursor c(as_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  c.varint();
  EXPECT_FALSE(c.ok());
}

TEST(BufferTest, keeps_its_bytes_when_it_grows_and_releases_them_once) {
  Buffer b;
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    const auto piece = std::to_string(i);
    b.append(piece);
    all += piece;
  }
  EXPECT_EQ(b.text(), all);
  auto* memory = b.release();
  EXPECT_TRUE(b.empty());
  EXPECT_EQ(std::memcmp(memory, all.data(), all.size()), 0);
  std::free(memory);  // NOLINT: that is the contract
}

TEST(BackoffTest, waits_stay_within_their_bounds_and_start_over_after_progress) {
  Backoff b(Millis(100), Millis(5000), 7);
  for (unsigned i = 0; i < 40; ++i) {
    const auto wait = b.next();
    EXPECT_GE(wait, Millis(1));
    EXPECT_LE(wait.count(), std::min<std::int64_t>(5000, 100LL << std::min(i, 20U)));
  }
  b.reset();
  EXPECT_LE(b.next(), Millis(100));
}

TEST(BackoffTest, a_stop_ends_a_sleep) {
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(sleep_for(source.get_token(), std::chrono::hours(1)));
}

TEST(Reasons, have_unique_names_texts_and_their_own_index) {
  std::set<std::string_view> names;
  for (const auto& r : all_reasons()) {
    EXPECT_TRUE(names.insert(r.name).second) << r.name;
    EXPECT_TRUE(r.text.ends_with('.')) << r.name;
    EXPECT_EQ(info(r.reason).name, r.name);
  }
}

Result<int> half(int x) {
  if (x % 2 != 0) return Error(Reason::ConfigInvalid, "odd");
  return x / 2;
}
Result<int> quarter(int x) {
  DS_ASSIGN(const int h, half(x));
  return half(h);
}

TEST(ResultTest, errors_travel_up_and_take_their_context_along) {
  EXPECT_EQ(quarter(8).value(), 2);
  const auto r = quarter(6);
  ASSERT_FALSE(r);
  EXPECT_TRUE(r.error().is(Reason::ConfigInvalid));
  EXPECT_EQ(Error(r.error()).context("while halving 6").what, "while halving 6: odd");
}

TEST(SecretTest, prints_as_stars) {
  EXPECT_EQ(format_as(Secret("hunter2")), "***");
}

TEST(SecretTest, a_line_end_of_either_kind_is_not_part_of_the_password) {
  const auto file = std::filesystem::path(testing::TempDir()) / ("secret" + std::to_string(getpid()));
  const auto read = [&](std::string_view content) {
    std::ofstream(file, std::ios::binary) << content;
    return read_secret(file).value().reveal();
  };
  EXPECT_EQ(read("geheim\r\n"), "geheim");
  EXPECT_EQ(read("geheim\n"), "geheim");
  EXPECT_EQ(read("geheim\n\n"), "geheim\n");
  EXPECT_EQ(read("geheim\r"), "geheim\r");
  EXPECT_EQ(read("\r\n"), "");
  std::filesystem::remove(file);
}

TEST(SecretTest, a_missing_file_is_named) {
  const auto r = read_secret("/nonexistent/shop-reader/password");
  ASSERT_FALSE(r);
  EXPECT_TRUE(r.error().is(Reason::SecretNotFound));
  EXPECT_NE(r.error().what.find("/nonexistent/shop-reader/password"), std::string::npos);
}

TEST(Text, bytes_as_digits_are_the_same_bytes_again) {
  const std::string bytes("\x00\x0f\xf0\xff", 4);
  EXPECT_EQ(to_hex(bytes), "000ff0ff");
  EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  EXPECT_EQ(from_hex("0F"), "\x0f");
  EXPECT_EQ(from_hex(""), "");
  for (const auto* wrong : {"0", "0x", "xy", "-1", "000"}) EXPECT_FALSE(from_hex(wrong)) << wrong;
}

TEST(Text, a_long_one_loses_its_middle_and_no_part_of_a_character) {
  EXPECT_EQ(cut_middle("short", 5), "short");
  EXPECT_EQ(cut_middle("0123456789abcdef", 13), "01 ... abcdef");
  const std::string a = "\xC3\xA4";
  EXPECT_EQ(cut_middle("0" + a + "456789abcdefgh" + a + "123456", 14), "0 ... 123456");
  EXPECT_EQ(cut_middle("too long", 3), "");
}

}  // namespace
}  // namespace datasync::base
