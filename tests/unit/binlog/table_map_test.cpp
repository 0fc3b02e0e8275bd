#include "agents/binlog/table_map.hpp"

#include <gtest/gtest.h>

#include "tests/unit/binlog/binlog_file.hpp"
#include "tests/unit/binlog/events.hpp"

namespace datasync::binlog::test {
namespace {

using base::as_bytes;
using base::Reason;

const Where kWhere{"bin.000007", 1234};

MapSpec two_columns() {
  return {.types = "\x03\x0f", .metadata = le(300, 2), .nullable = "\x02", .optional = names_and_key({"id", "name"})};
}

TEST(TableMapOf, two_columns) {
  const auto body = table_map_body(two_columns());
  const auto map = parse_table_map(as_bytes(body), kWhere);
  ASSERT_TRUE(map) << map.error().what;
  EXPECT_EQ(map->id.value(), 42U);
  EXPECT_EQ(map->qualified(), "d.t");
  ASSERT_EQ(map->columns.size(), 2U);
  EXPECT_EQ(map->columns[0].type, WireType::Long);
  EXPECT_FALSE(map->columns[0].nullable);
  EXPECT_EQ(map->columns[1].name, "name");
  EXPECT_EQ(map->columns[1].length, 300U);
  EXPECT_TRUE(map->columns[1].nullable);
  EXPECT_EQ(map->primary_key, std::vector<std::uint16_t>{0});
}

TEST(TableMapOf, the_name_is_read_without_the_rest) {
  const auto body = table_map_body(two_columns());
  const auto name = parse_table_name(as_bytes(body).first(14), kWhere);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->database, "d");
  EXPECT_EQ(name->table, "t");
}

struct StringRow {
  const char* name;
  std::string metadata;
  WireType type;
  std::uint32_t length;
};
class StringColumn : public testing::TestWithParam<StringRow> {};
TEST_P(StringColumn, hides_type_and_length_in_its_metadata) {
  const auto body = table_map_body({.types = "\xfe",
                                    .metadata = GetParam().metadata,
                                    .nullable = std::string(1, '\0'),
                                    .optional = names_and_key({"c"})});
  const auto map = parse_table_map(as_bytes(body), kWhere);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->columns[0].type, GetParam().type);
  EXPECT_EQ(map->columns[0].length, GetParam().length);
}
INSTANTIATE_TEST_SUITE_P(TableMap, StringColumn,
                         testing::Values(StringRow{"short", "\xfe\x0a", WireType::String, 10},
                                         StringRow{"longest", "\xce\xfc", WireType::String, 1020},
                                         StringRow{"over_255", "\xee\x90", WireType::String, 400},
                                         StringRow{"enum_small", "\xf7\x01", WireType::Enum, 1},
                                         StringRow{"set_large", "\xf8\x08", WireType::Set, 8}),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(TableMapOf, a_string_hides_nothing_but_enum_set_and_char) {
  for (const std::string metadata : {"\x3e\xff", "\xfc\xff", "\xf6\x42"}) {
    const auto body = table_map_body({.types = "\xfe", .metadata = metadata, .nullable = std::string(1, '\0')});
    const auto map = parse_table_map(as_bytes(body), kWhere);
    ASSERT_FALSE(map);
    EXPECT_EQ(map.error().reason, Reason::UnsupportedType);
  }
}

TEST(TableMapOf, every_cut_is_damage_or_lacks_metadata) {
  const auto body = table_map_body(two_columns());
  const auto without_metadata = body.size() - names_and_key({"id", "name"}).size();
  for (std::size_t n = 0; n < body.size(); ++n) {
    const auto map = parse_table_map(as_bytes(body.substr(0, n)), kWhere);
    if (n == without_metadata || n + 3 == body.size()) {
      EXPECT_TRUE(map) << "a whole number of fields at " << n;
    } else {
      ASSERT_FALSE(map) << n;
      EXPECT_EQ(map.error().reason, Reason::BinlogCorrupt) << n;
    }
  }
}

TEST(TableMapOf, an_unknown_type_is_refused_by_its_number) {
  const auto body = table_map_body({.types = "\x4d", .nullable = std::string(1, '\0')});
  const auto map = parse_table_map(as_bytes(body), kWhere);
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().reason, Reason::UnsupportedType);
  EXPECT_NE(map.error().what.find("column type 77"), std::string::npos);
}

struct BadField {
  const char* name;
  std::string field;
};
class BadMetadata : public testing::TestWithParam<BadField> {};
TEST_P(BadMetadata, is_damage) {
  auto spec = two_columns();
  spec.optional = GetParam().field;
  const auto body = table_map_body(spec);
  const auto map = parse_table_map(as_bytes(body), kWhere);
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().reason, Reason::BinlogCorrupt);
}
INSTANTIATE_TEST_SUITE_P(TableMap, BadMetadata,
                         testing::Values(BadField{"key_beyond_the_columns", metadata_field(8, "\x02")},
                                         BadField{"charset_beyond_the_columns", metadata_field(2, "\x08\x05\x08")},
                                         BadField{"too_few_names", metadata_field(4, "\x02id")},
                                         BadField{"too_many_names", metadata_field(4,
                                                                                   "\x01"
                                                                                   "a\x01"
                                                                                   "b\x01"
                                                                                   "c")},
                                         BadField{"prefix_without_length", metadata_field(9, std::string(1, '\0'))},
                                         BadField{"no_signs", metadata_field(1, "")},
                                         BadField{"null_length", "\x04\xfb"}, BadField{"cut", "\x04\x20xx"}),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(TableMapOf, a_field_of_a_later_version_is_stepped_over) {
  auto spec = two_columns();
  spec.optional += metadata_field(12, "\xc0") + metadata_field(99, "whatever");
  const auto body = table_map_body(spec);
  EXPECT_TRUE(parse_table_map(as_bytes(body), kWhere));
}

TEST(TableIdOf, dummies_close_a_statement) {
  EXPECT_TRUE(is_dummy(TableId(0x00FFFFFF)));
  EXPECT_FALSE(is_dummy(TableId(42)));
}

TEST(PackedLength, has_four_forms) {
  const std::string bytes = "\xfa\xfc\x01\x02\xfd\x01\x02\x03\xfe\x01\x02\x03\x04\x05\x06\x07\x08\xff";
  base::Cursor in(as_bytes(bytes));
  EXPECT_EQ(packed_length(in), 0xFAU);
  EXPECT_EQ(packed_length(in), 0x0201U);
  EXPECT_EQ(packed_length(in), 0x030201U);
  EXPECT_EQ(packed_length(in), 0x0807060504030201U);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(packed_length(in), 0U);
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace datasync::binlog::test
