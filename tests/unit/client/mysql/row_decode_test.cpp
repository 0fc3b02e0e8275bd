#include "agents/client/mysql/row_decode.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "agents/client/mysql/time_value.hpp"

namespace datasync::sql {
namespace {

using message::Column;
using message::ColumnType;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto b = static_cast<unsigned char>(c);
    out += kDigits[b >> 4U];
    out += kDigits[b & 0xFU];
  }
  return out;
}

/// The image of a one-column row whose value stands on the wire as `wire`; nothing when the packet is refused.
std::optional<std::string> image_of(const Column& column, std::string_view wire, const Kept& kept) {
  const std::string packet = std::string(2, '\0') + std::string(wire);
  base::Buffer out;
  if (!append_image({column}, {kept}, base::as_bytes(packet), out)) return std::nullopt;
  return hex(out.text()).substr(2);  // without the null bitmap
}
std::optional<std::string> image_of(const Column& column, std::string_view wire) {
  return image_of(column, wire, kept_as(column));
}

std::string_view bytes(const char* text, std::size_t n) {
  return {text, n};
}

TEST(RowDecode, values_go_from_the_wire_into_the_layout) {
  EXPECT_EQ(image_of({.type = ColumnType::TinyInt}, "\xFF"), "ff");
  EXPECT_EQ(image_of({.type = ColumnType::Enum}, bytes("\x03\0\0\0\0\0\0\0", 8)), "0300");
  EXPECT_EQ(image_of({.type = ColumnType::Bit, .length = 12}, "\x02\x0F\xFE"), "fe0f000000000000");
  EXPECT_EQ(image_of({.type = ColumnType::VarChar}, "\x02hi"), "026869");
  EXPECT_EQ(image_of({.type = ColumnType::Inet4}, "\x04\x01\x02\x03\x04"), "01020304");
  EXPECT_EQ(image_of({.type = ColumnType::Date}, bytes("\0", 1)), "00000000");
}

TEST(RowDecode, zerofill_is_not_part_of_a_decimal) {
  EXPECT_EQ(image_of({.type = ColumnType::Decimal, .scale = 1},
                     "\x05"
                     "000.5"),
            hex("\x03"
                "0.5"));
  EXPECT_EQ(image_of({.type = ColumnType::Decimal},
                     "\x03"
                     "000"),
            hex("\x01"
                "0"));
  EXPECT_EQ(image_of({.type = ColumnType::Decimal, .scale = 1}, "\x04-0.5"), hex("\x04-0.5"));
}

TEST(RowDecode, nulls_are_kept) {
  const std::string packet("\0\x04\x07", 3);  // column 0 is bit 2
  base::Buffer out;
  ASSERT_TRUE(append_image({{.type = ColumnType::Int}, {.type = ColumnType::TinyInt}}, {{Wire::Int4}, {Wire::Int1}},
                           base::as_bytes(packet), out));
  EXPECT_EQ(hex(out.text()), "0107");
}

TEST(RowDecode, a_packet_that_does_not_fit_its_columns_is_refused) {
  EXPECT_FALSE(image_of({.type = ColumnType::Int}, "\x01\x02"));
  EXPECT_FALSE(image_of({.type = ColumnType::TinyInt}, "\x01\x02"));
  EXPECT_FALSE(image_of({.type = ColumnType::VarChar}, "\x09hi"));
  base::Buffer out;
  EXPECT_FALSE(append_image({{.type = ColumnType::Int}}, {{Wire::Int4}}, {}, out));
}

TEST(RowDecode, values_of_a_wider_column_look_as_in_the_narrower_one) {
  const Column tiny{.type = ColumnType::TinyInt}, small{.type = ColumnType::SmallInt, .is_unsigned = true};
  EXPECT_EQ(image_of(tiny, "\xFE\xFF\xFF\xFF", {Wire::Int4}), "fe");
  EXPECT_EQ(image_of(tiny, bytes("\xFE\xFF\0\0", 4), {Wire::Int4}), "feff000000000000") << "65534 is another value";
  EXPECT_EQ(image_of(small, bytes("\xFE\xFF\0\0", 4), {Wire::Int4}), "feff");
  EXPECT_EQ(image_of(small, bytes("\xFE\xFF\0\0\0\0\0\0", 8), {Wire::Int8, true}), "feff");
  EXPECT_EQ(image_of(small, "\xFE\xFF\xFF\xFF", {Wire::Int4}), "feffffffffffffff") << "-2 is another value";
  EXPECT_EQ(image_of({.type = ColumnType::Float}, bytes("\0\0\0\0\0\0\xF8\xBF", 8), {Wire::Double}), "0000c0bf");
  EXPECT_EQ(image_of({.type = ColumnType::Float}, bytes("\0\0\0\0\0\0\0\x80", 8), {Wire::Double}), "00000080");
  EXPECT_EQ(image_of({.type = ColumnType::Float}, "\x9A\x99\x99\x99\x99\x99\xB9\x3F", {Wire::Double}),
            "9a9999999999b93f");
  const auto decimal = [](const char* wire, std::uint8_t scale) {
    return image_of({.type = ColumnType::Decimal, .scale = scale},
                    std::string(1, static_cast<char>(std::strlen(wire))) + wire);
  };
  EXPECT_EQ(decimal("-1.5000", 2), hex("\x05-1.50"));
  EXPECT_EQ(decimal("1.5010", 2), hex("\x06"
                                      "1.5010"));
  EXPECT_EQ(decimal("20.00", 0), hex("\x02"
                                     "20"));
  EXPECT_EQ(decimal("200", 0), hex("\x03"
                                   "200"));
}

TEST(RowDecode, a_column_is_wider_when_it_holds_every_value) {
  const Column medium{.type = ColumnType::MediumInt, .is_unsigned = true};
  EXPECT_TRUE(is_wider(medium, {Wire::Int4, false}));
  EXPECT_FALSE(is_wider({.type = ColumnType::Int, .is_unsigned = true}, {Wire::Int4, false}));
  EXPECT_TRUE(is_wider({.type = ColumnType::Int, .is_unsigned = true}, {Wire::Int8, false}));
  EXPECT_FALSE(is_wider({.type = ColumnType::Int}, {Wire::Int8, true}));
  EXPECT_FALSE(is_wider({.type = ColumnType::Int}, {Wire::Int2, false}));
  EXPECT_FALSE(is_wider({.type = ColumnType::Int}, {Wire::Bytes, false}));
  EXPECT_TRUE(is_wider({.type = ColumnType::Float}, {Wire::Double, false}));
  EXPECT_FALSE(is_wider({.type = ColumnType::Double}, {Wire::Float, false}));
}

TEST(TimeValue, timestamps_go_to_calendar_fields_and_back) {
  for (const std::int64_t micros : {std::int64_t{0}, std::int64_t{1000000}, std::int64_t{951782400000000},
                                    std::int64_t{2147483647999999}, std::int64_t{4294967295999999}}) {
    EXPECT_EQ(timestamp_micros(timestamp_parts(micros)), micros);
  }
  EXPECT_EQ(timestamp_parts(951782400000001), (message::DateTimeParts{2000, 2, 29, 0, 0, 0, 1}));
}

}  // namespace
}  // namespace datasync::sql
