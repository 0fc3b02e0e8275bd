#include "agents/destination/mariadb/bulk_rows.hpp"

#include <gtest/gtest.h>

namespace datasync::sql {
namespace {

using namespace std::string_view_literals;

using message::Column;
using message::ColumnType;

const Column kId{.name = "id", .type = ColumnType::Int};
const Column kText{.name = "t", .type = ColumnType::VarChar};
const Column kEnum{.name = "e", .type = ColumnType::Enum};
const Column kTime{.name = "i", .type = ColumnType::Time};

std::string hex(base::Bytes bytes) {
  std::string out;
  for (const std::byte b : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[std::to_integer<unsigned>(b) >> 4U];
    out += kDigits[std::to_integer<unsigned>(b) & 0xFU];
  }
  return out;
}

template <class T>
void bind(BulkRows& rows, T value) {
  rows.bind(std::as_bytes(std::span(&value, 1)));
}
void bind_text(BulkRows& rows, std::string_view text) {
  rows.bind(base::as_bytes(text));
}

TEST(BulkRows, a_bulk_packet_is_head_types_and_values_behind_indicators) {
  BulkRows rows({&kId, &kText});
  bind(rows, std::int32_t{1});
  bind_text(rows, "ab");
  bind(rows, std::int32_t{-1});
  rows.bind_null();
  EXPECT_EQ(rows.rows(), 2U);
  EXPECT_EQ(hex(rows.bulk_packet(7, 0, 2)),
            "07000000"
            "8000"
            "0300"
            "fc00"
            "0001000000"
            "00026162"
            "00ffffffff"
            "01");
}

TEST(BulkRows, later_rows_go_into_packets_of_their_own) {
  BulkRows rows({&kId});
  for (std::int32_t i = 0; i < 10; ++i) bind(rows, i);
  const std::size_t head = 8, row = 5;
  EXPECT_EQ(rows.fitting(0, 10, head + 3 * row), 3U);
  EXPECT_EQ(rows.fitting(3, 10, head + 3 * row + 4), 6U);
  EXPECT_EQ(rows.fitting(8, 10, 1000), 10U);
  EXPECT_EQ(rows.fitting(4, 10, head + 4), 4U);
  EXPECT_EQ(rows.fitting(4, 10, 2), 4U);
  (void)rows.bulk_packet(7, 0, 3);
  EXPECT_EQ(hex(rows.bulk_packet(7, 3, 5)),
            "07000000800003000003000000"
            "0004000000");
}

TEST(BulkRows, one_row_alone_has_a_null_bitmap) {
  BulkRows rows({&kId, &kText, &kId});
  for (const std::int32_t i : {1, 2}) {
    bind(rows, i);
    rows.bind_null();
    bind(rows, i + 10);
  }
  EXPECT_EQ(hex(rows.execute_packet(7, 1, 1000)),
            "07000000"
            "00"
            "01000000"
            "02"
            "01"
            "0300fc000300"
            "02000000"
            "0c000000");
}

TEST(BulkRows, long_values_are_left_out_of_the_packet_and_named) {
  BulkRows rows({&kText, &kId, &kText});
  const std::string value(300, 'x');
  bind_text(rows, value);
  bind(rows, std::int32_t{1});
  bind_text(rows, "y");
  const auto found = rows.long_values(0, 300);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].parameter, 0);
  EXPECT_EQ(base::as_text(found[0].value), value);
  EXPECT_EQ(hex(rows.execute_packet(7, 0, 300)),
            "07000000"
            "00"
            "01000000"
            "00"
            "01"
            "fc000300fc00"
            "01000000"
            "0179");
}

TEST(BulkRows, lengths_are_encoded_in_one_three_four_or_nine_bytes) {
  for (const auto& [size, prefix] :
       std::vector<std::pair<std::size_t, std::string>>{{0, "00"},
                                                        {250, "fa"},
                                                        {251, "fcfb00"},
                                                        {65535, "fcffff"},
                                                        {65536, "fd000001"},
                                                        {1U << 24U, "fe0000000100000000"}}) {
    BulkRows rows({&kText});
    bind_text(rows, std::string(size, 'x'));
    const base::Bytes packet = rows.bulk_packet(7, 0, 1);
    EXPECT_EQ(hex(packet.subspan(9, prefix.size() / 2)), prefix);
    EXPECT_EQ(packet.size(), 9 + prefix.size() / 2 + size);
    EXPECT_EQ(rows.long_values(0, 0).at(0).value.size(), size);
  }
}

TEST(BulkRows, a_negative_time_is_sign_days_and_fraction) {
  BulkRows rows({&kTime});
  bind(rows, std::int64_t{-(25 * 3600 + 61) * 1000000LL - 5});
  EXPECT_EQ(hex(rows.bulk_packet(7, 0, 1).subspan(8)),
            "000c"
            "01"
            "01000000"
            "01"
            "01"
            "01"
            "05000000");
}

TEST(BulkRows, rows_with_enum_index_zero_are_found) {
  BulkRows rows({&kEnum, &kEnum});
  for (const char e : "\1\2\0\1\3\3\0\0"sv) bind(rows, static_cast<std::uint16_t>(e));
  EXPECT_EQ(rows.next_lax(0), 1U);
  EXPECT_EQ(rows.next_lax(2), 3U);
  EXPECT_EQ(rows.next_lax(4), 4U);
  EXPECT_EQ(rows.enum_zeros(0), 0U);
  EXPECT_EQ(rows.enum_zeros(3), 2U);
}

TEST(BulkRows, incomplete_rows_and_values_of_a_wrong_width_break_the_batch) {
  BulkRows rows({&kId, &kText});
  bind(rows, std::int32_t{1});
  EXPECT_TRUE(rows.broken());
  rows.clear();
  EXPECT_FALSE(rows.broken());
  bind(rows, std::int64_t{1});
  rows.bind_null();
  EXPECT_TRUE(rows.broken());
}

}  // namespace
}  // namespace datasync::sql
