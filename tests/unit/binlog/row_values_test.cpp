// Single values, byte by byte as a server wrote them, and at the edges of their formats.

#include "agents/binlog/row_values.hpp"

#include <gtest/gtest.h>

#include "tests/unit/binlog/binlog_file.hpp"

namespace datasync::binlog::test {
namespace {

const std::byte* bytes(const std::string& s) {
  return base::as_bytes(s).data();
}

struct DecimalRow {
  unsigned precision, scale;
  std::string hex, text;
};
class Decimal : public testing::TestWithParam<DecimalRow> {};
TEST_P(Decimal, is_written_with_all_its_digits) {
  const auto& row = GetParam();
  const auto in = from_hex(row.hex);
  ASSERT_EQ(in.size(), values::decimal_bytes(row.precision, row.scale));
  char out[values::kMaxDecimalText];
  const char* end = values::write_decimal(bytes(in), row.precision, row.scale, out);
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(std::string(static_cast<const char*>(out), end), row.text);
}
INSTANTIATE_TEST_SUITE_P(
    Value, Decimal,
    testing::Values(DecimalRow{5, 0, "818 69f", "99999"}, DecimalRow{5, 0, "7e7960", "-99999"},
                    DecimalRow{5, 0, "800000", "0"}, DecimalRow{10, 2, "8000000001", "0.01"},
                    DecimalRow{10, 2, "85f5e0ff63", "99999999.99"}, DecimalRow{9, 9, "bb9ac9ff", "0.999999999"},
                    DecimalRow{9, 9, "446536 00", "-0.999999999"}, DecimalRow{1, 1, "85", "0.5"},
                    DecimalRow{1, 0, "7c", "-3"}, DecimalRow{18, 9, "8000000100000002", "1.000000002"},
                    DecimalRow{10, 0, "8005f5e100", "100000000"}, DecimalRow{2, 1, "7ffe", "-0.1"}));

TEST(DecimalDamage, digits_beyond_a_group_are_refused) {
  char out[values::kMaxDecimalText];
  const auto in = from_hex("bfffffff");  // 1073741823 in nine digits
  EXPECT_EQ(values::write_decimal(bytes(in), 9, 9, out), nullptr);
  const auto narrow = from_hex("ff");  // 127 in two digits
  EXPECT_EQ(values::write_decimal(bytes(narrow), 2, 0, out), nullptr);
}

TEST(DecimalDamage, the_longest_number_fits_its_room) {
  for (unsigned scale = 0; scale <= 38; ++scale) {
    const std::string in(values::decimal_bytes(65, scale), '\x7f');
    char out[values::kMaxDecimalText + 1];
    out[values::kMaxDecimalText] = '!';
    (void)values::write_decimal(bytes(in), 65, scale, out);
    EXPECT_EQ(out[values::kMaxDecimalText], '!');
  }
}

struct TimeRow {
  unsigned digits;
  std::string hex;
  std::int64_t us;
};
class Time2 : public testing::TestWithParam<TimeRow> {};
TEST_P(Time2, counts_microseconds) {
  const auto in = from_hex(GetParam().hex);
  ASSERT_EQ(in.size(), 3 + values::fraction_bytes(GetParam().digits));
  EXPECT_EQ(values::time2(bytes(in), GetParam().digits), GetParam().us);
}
constexpr std::int64_t kMost = 3'020'399'000'000;  // 838:59:59
INSTANTIATE_TEST_SUITE_P(Value, Time2,
                         testing::Values(TimeRow{0, "b46efb", kMost}, TimeRow{0, "4b9105", -kMost},
                                         TimeRow{0, "800000", 0}, TimeRow{1, "b46efb5a", kMost + 900'000},
                                         TimeRow{1, "4b9104a6", -kMost - 900'000}, TimeRow{2, "7ffffff6", -100'000},
                                         TimeRow{3, "7ffffffff6", -1'000}, TimeRow{6, "b46efb0f423f", kMost + 999'999},
                                         TimeRow{6, "7fffffffffff", -1}, TimeRow{6, "7ffffff85ee0", -500'000}));

TEST(Temporal, datetime2_keeps_zero_and_partial_dates) {
  const auto zero = from_hex("8000000000");
  EXPECT_EQ(values::datetime2(bytes(zero), 0), 0U);
  const auto partial = from_hex("99b2800000");
  EXPECT_EQ(message::unpack_datetime(values::datetime2(bytes(partial), 0)), (message::DateTimeParts{2024, 2}));
  const auto most = from_hex("fef3ff7efb0f423f");
  EXPECT_EQ(message::unpack_datetime(values::datetime2(bytes(most), 6)),
            (message::DateTimeParts{9999, 12, 31, 23, 59, 59, 999999}));
}

TEST(Temporal, a_datetime2_below_zero_is_not_a_date) {
  const auto in = from_hex("7fffffffff");
  EXPECT_EQ(values::datetime2(bytes(in), 0), values::kInvalidDateTime);
}

TEST(Temporal, timestamp2_zero_is_the_zero_timestamp) {
  const auto zero = from_hex("00000000000000");
  EXPECT_EQ(values::timestamp2(bytes(zero), 6), 0);
  const auto first = from_hex("00000000000001");
  EXPECT_EQ(values::timestamp2(bytes(first), 6), 1);
  const auto last = from_hex("7fffffff0f423f");
  EXPECT_EQ(values::timestamp2(bytes(last), 6), 2'147'483'647'999'999);
  const auto unsigned_32 = from_hex("ffffffff");
  EXPECT_EQ(values::timestamp2(bytes(unsigned_32), 0), 4'294'967'295'000'000);
}

TEST(Temporal, old_time_counts_from_its_own_zero) {
  const auto most = from_hex("a7f57f");
  EXPECT_EQ(values::old_time(bytes(most), 0), kMost);
  const auto least = from_hex("590a80");
  EXPECT_EQ(values::old_time(bytes(least), 0), -kMost);
  const auto most1 = from_hex("0399c0bf");
  EXPECT_EQ(values::old_time(bytes(most1), 1), kMost + 900'000);
  const auto least1 = from_hex("00000001");
  EXPECT_EQ(values::old_time(bytes(least1), 1), -kMost - 900'000);
}

TEST(Temporal, an_old_datetime_with_an_impossible_part_is_not_a_date) {
  const auto in = from_hex("ffffffffffffffff");
  EXPECT_EQ(values::old_datetime(bytes(in), 0), values::kInvalidDateTime);
}

}  // namespace
}  // namespace datasync::binlog::test
