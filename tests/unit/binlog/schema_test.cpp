#include "agents/binlog/schema.hpp"

#include <gtest/gtest.h>

#include "tests/unit/binlog/binlog_file.hpp"

namespace datasync::binlog::test {
namespace {

using base::Reason;
using message::ColumnType;

TableMap table(std::vector<WireColumn> columns, std::vector<std::uint16_t> key = {0}) {
  TableMap map{.id = TableId(1), .database = "d", .table = "t"};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].name = std::string(1, static_cast<char>('a' + i));
    map.columns.push_back(columns[i]);
  }
  map.primary_key = std::move(key);
  map.has_names = true;
  return map;
}

Reason reason(const TableMap& map, const SchemaOptions& o) {
  const auto out = schema_of(map, o);
  EXPECT_FALSE(out);
  if (!out) {
    EXPECT_NE(out.error().what.find("d.t"), std::string::npos) << out.error().what;
    return out.error().reason;
  }
  return Reason::Internal;
}

const WireColumn kInt{.type = WireType::Long};
const WireColumn kChar{.type = WireType::String, .length = 16, .collation = 8};
const WireColumn kBinary{.type = WireType::String, .length = 16, .collation = 63};

TEST(Schema, needs_names) {
  auto map = table({kInt});
  map.has_names = false;
  EXPECT_EQ(reason(map, options()), Reason::MetadataMissing);
}

TEST(Schema, needs_a_key) {
  EXPECT_EQ(reason(table({kInt}, {}), options()), Reason::KeyMissing);
}

TEST(Schema, takes_declared_key_columns_only_without_a_primary_key) {
  auto o = options();
  o.declared_key = {"B"};
  EXPECT_EQ(schema_of(table({kInt, kInt}, {}), o)->schema.key, std::vector<std::uint16_t>{1});
  EXPECT_EQ(schema_of(table({kInt, kInt}, {0}), o)->schema.key, std::vector<std::uint16_t>{0});
  o.declared_key = {"nosuch"};
  EXPECT_EQ(reason(table({kInt}, {}), o), Reason::KeyMissing);
}

// A UNIQUE key over TEXT adds DB_ROW_HASH_1 to the binlog: it became a column of every reader.
TEST(Schema, leaves_hidden_columns_out) {
  auto map = table({kInt, kChar, {.type = WireType::LongLong}});
  map.columns[2].name = "DB_ROW_HASH_1";
  EXPECT_TRUE(named_as_hidden(map.columns[2]));
  EXPECT_EQ(schema_of(map, options())->schema.columns.size(), 3U) << "a user may name a column so";
  auto o = options();
  o.refinements = {{.column = 2, .hidden = true}};
  const auto out = schema_of(map, o);
  ASSERT_TRUE(out) << out.error().what;
  EXPECT_EQ(out->schema.columns.size(), 2U);
  EXPECT_FALSE(out->columns[2].place);
  map.columns[2].name = "DB_ROW_HASH_";
  EXPECT_FALSE(named_as_hidden(map.columns[2]));
  map.columns[2] = {.type = WireType::Long, .name = "DB_ROW_HASH_1"};
  EXPECT_FALSE(named_as_hidden(map.columns[2]));
}

TEST(Schema, leaves_excluded_columns_out_and_moves_the_key) {
  auto o = options();
  o.excluded = {"A", "gone"};
  const auto out = schema_of(table({kChar, kInt, kInt}, {2}), o);
  ASSERT_TRUE(out);
  ASSERT_EQ(out->schema.columns.size(), 2U);
  EXPECT_EQ(out->schema.columns[0].name, "b");
  EXPECT_EQ(out->schema.key, std::vector<std::uint16_t>{1});
  EXPECT_FALSE(out->columns[0].place);
  EXPECT_EQ(out->columns[2].place, 1);
  EXPECT_EQ(out->missing_exclusions, std::vector<std::string>{"gone"});
}

TEST(Schema, an_excluded_key_column_is_refused) {
  auto o = options();
  o.excluded = {"a"};
  EXPECT_EQ(reason(table({kInt, kInt}, {0}), o), Reason::KeyMissing);
}

TEST(Schema, an_excluded_column_need_not_be_understood) {
  auto o = options();
  o.excluded = {"b"};
  EXPECT_TRUE(schema_of(table({kInt, {.type = WireType::Json, .length = 4}}), o));
  EXPECT_TRUE(schema_of(table({kInt, {.type = WireType::VarChar, .length = 4, .collation = 9999}}), o));
  EXPECT_EQ(reason(table({kInt, {.type = WireType::Time}}), o), Reason::UnsupportedType) << "its width is not known";
}

TEST(Schema, old_temporal_types_need_their_digits) {
  EXPECT_EQ(reason(table({kInt, {.type = WireType::DateTime}}), options()), Reason::UnsupportedType);
  const auto out =
      schema_of(table({kInt, {.type = WireType::DateTime}}), options({{.column = 1, .fractional_digits = 3}}));
  ASSERT_TRUE(out);
  EXPECT_EQ(out->schema.columns[1].type, ColumnType::DateTime);
  EXPECT_EQ(out->schema.columns[1].scale, 3);
  EXPECT_EQ(out->columns[1].scale, 3);
}

TEST(Schema, a_refinement_must_fit_the_wire) {
  EXPECT_EQ(schema_of(table({kBinary}), options({{.column = 0, .type = ColumnType::Uuid}}))->schema.columns[0].type,
            ColumnType::Uuid);
  EXPECT_EQ(reason(table({kInt}), options({{.column = 0, .type = ColumnType::Uuid}})), Reason::SchemaUnknown);
  EXPECT_EQ(reason(table({kBinary}), options({{.column = 0, .type = ColumnType::Inet4}})), Reason::SchemaUnknown);
  EXPECT_EQ(reason(table({kBinary}), options({{.column = 0, .type = ColumnType::Text}})), Reason::SchemaUnknown);
}

TEST(Schema, unknown_collations_and_missing_metadata_are_named) {
  EXPECT_EQ(reason(table({{.type = WireType::VarChar, .length = 5, .collation = 9999}}), options()),
            Reason::SchemaUnknown);
  EXPECT_EQ(reason(table({{.type = WireType::VarChar, .length = 5}}), options()), Reason::MetadataMissing);
  EXPECT_EQ(reason(table({{.type = WireType::Enum, .length = 1, .collation = 8}}), options()), Reason::MetadataMissing);
}

TEST(Schema, labels_without_utf8_are_unsupported_unless_converted) {
  const auto map = table({{.type = WireType::Enum, .length = 1, .collation = 51, .labels = {"\xe6"}}});
  EXPECT_EQ(reason(map, options()), Reason::UnsupportedType);
  auto o = options();
  o.to_utf8 = [](auto, auto) { return std::optional<std::string>("ж"); };
  EXPECT_EQ(schema_of(map, o)->schema.columns[0].labels, std::vector<std::string>{"ж"});
}

struct BadColumn {
  const char* name;
  WireColumn column;
  Reason reason;
};
class Impossible : public testing::TestWithParam<BadColumn> {};
TEST_P(Impossible, is_refused) {
  EXPECT_EQ(reason(table({GetParam().column}), options()), GetParam().reason);
}
INSTANTIATE_TEST_SUITE_P(
    Schema, Impossible,
    testing::Values(
        BadColumn{"decimal_of_66_digits", {.type = WireType::NewDecimal, .length = 66}, Reason::BinlogCorrupt},
        BadColumn{"decimal_scale", {.type = WireType::NewDecimal, .length = 3, .scale = 4}, Reason::BinlogCorrupt},
        BadColumn{"bit_65", {.type = WireType::Bit, .length = 65}, Reason::BinlogCorrupt},
        BadColumn{"bit_0", {.type = WireType::Bit}, Reason::BinlogCorrupt},
        BadColumn{"blob_of_5", {.type = WireType::Blob, .length = 5, .collation = 63}, Reason::BinlogCorrupt},
        BadColumn{"seven_digits", {.type = WireType::Time2, .scale = 7}, Reason::BinlogCorrupt},
        BadColumn{
            "wide_enum", {.type = WireType::Enum, .length = 3, .collation = 8, .labels = {"a"}}, Reason::BinlogCorrupt},
        BadColumn{"json_of_mysql", {.type = WireType::Json, .length = 4}, Reason::UnsupportedType},
        BadColumn{"ancient_decimal", {.type = WireType::Decimal}, Reason::UnsupportedType}),
    [](const auto& i) { return std::string(i.param.name); });

}  // namespace
}  // namespace datasync::binlog::test
