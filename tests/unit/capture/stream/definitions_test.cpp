#include "agents/capture/stream/definitions.hpp"

#include <gtest/gtest.h>

#include "tests/unit/protocol/records.hpp"

namespace datasync::capture {
namespace {

using binlog::WireType;
using message::ColumnType;
using protocol::gtid;
using protocol::set_of;

binlog::TableMap map(std::vector<binlog::WireColumn> columns) {
  binlog::TableMap m{.database = "d", .table = "t", .columns = std::move(columns), .primary_key = {0}};
  m.has_names = true;
  return m;
}
binlog::WireColumn bytes16(const std::string& name) {
  return {.type = WireType::String, .length = 16, .collation = 63, .name = name};
}
const binlog::WireColumn kId{.type = WireType::Long, .name = "id"};

message::TableSchema schema(std::vector<message::Column> columns) {
  message::TableSchema s{.database = "d", .table = "t", .columns = std::move(columns), .key = {0}};
  s.columns.insert(s.columns.begin(), {.name = "Id", .type = ColumnType::Int});
  return s;
}

TEST(Definitions, describe_the_maps_of_their_columns_only) {
  const auto uuid = schema({{.name = "u", .type = ColumnType::Uuid}});
  EXPECT_TRUE(describes(uuid, map({kId, bytes16("U")})));
  EXPECT_FALSE(describes(uuid, map({kId})));
  EXPECT_FALSE(describes(uuid, map({kId, bytes16("u"), bytes16("w")})));
  EXPECT_FALSE(describes(uuid, map({bytes16("u"), kId}))) << "another order";
  // CHAR(16) became a UUID later: the rows of before are text.
  EXPECT_FALSE(describes(uuid, map({kId, {.type = WireType::String, .length = 16, .collation = 8, .name = "u"}})));
  EXPECT_FALSE(describes(schema({{.name = "u", .type = ColumnType::Char, .length = 16}}), map({kId, bytes16("u")})));
  EXPECT_TRUE(describes(schema({{.name = "u", .type = ColumnType::Binary, .length = 16}}), map({kId, bytes16("u")})));
  auto other_key = map({kId, bytes16("u")});
  other_key.primary_key = {1};
  EXPECT_FALSE(describes(uuid, other_key));
  EXPECT_TRUE(describes(uuid, map({kId, bytes16("u"), {.type = WireType::LongLong, .name = "DB_ROW_HASH_1"}})));
}

TEST(Definitions, refine_what_the_map_leaves_out) {
  const auto known = schema({{.name = "u", .type = ColumnType::Uuid}, {.name = "g", .generated = true}});
  const auto refined = refine(map({kId,
                                   bytes16("u"),
                                   {.type = WireType::Long, .name = "g"},
                                   {.type = WireType::LongLong, .name = "DB_ROW_HASH_1"}}),
                              &known);
  ASSERT_EQ(refined.size(), 3U);
  EXPECT_EQ(refined[0].type, ColumnType::Uuid);
  EXPECT_TRUE(refined[1].generated);
  EXPECT_TRUE(refined[2].hidden);
  EXPECT_TRUE(refine(map({kId, bytes16("u")}), nullptr).empty()) << "nothing is known: bytes are bytes";
}

// A capture that lagged took UUID columns for BINARY(16) once they were dropped, and readers stopped.
// After a restart or at another replica, no earlier map shows that a definition changed without a statement.
TEST(Definitions, a_change_between_two_connections_is_seen_by_what_was_kept) {
  TableChoice table;
  table.exclude = {"SECRET"};
  const auto carried = schema({{.name = "v", .type = ColumnType::VarChar, .length = 200}});
  const auto m = map({kId, {.type = WireType::VarString, .length = 200, .name = "v"}});
  message::Definition kept;
  kept.schema = carried;
  EXPECT_TRUE(carries(kept, table, carried, m));
  kept.schema.columns.insert(kept.schema.columns.begin() + 1, {.name = "secret", .type = ColumnType::Int});
  EXPECT_TRUE(carries(kept, table, carried, m)) << "an excluded column is not carried";
  kept.schema.columns.push_back({.name = "more", .type = ColumnType::Int});
  EXPECT_FALSE(carries(kept, table, carried, m)) << "a column was dropped";
  kept.schema = schema({});
  EXPECT_FALSE(carries(kept, table, carried, m)) << "a column was added";
  kept.schema = schema({{.name = "v", .type = ColumnType::VarChar, .length = 400}});
  EXPECT_FALSE(carries(kept, table, carried, m)) << "values may have been cut";
  kept.schema = carried;
  kept.schema.key = {1};
  EXPECT_FALSE(carries(kept, table, carried, m)) << "another key";
  auto keyless = m;
  keyless.primary_key.clear();
  EXPECT_FALSE(carries(kept, table, carried, keyless));
  kept.schema.key.clear();
  EXPECT_TRUE(carries(kept, table, carried, keyless)) << "with a declared key";
  kept.exists = false;
  EXPECT_FALSE(carries(kept, table, carried, keyless)) << "it was dropped, and nothing created it";
}

TEST(Definitions, the_newest_at_a_place_counts_not_the_newest) {
  const auto at = [](std::uint64_t sequence, std::uint64_t place) {
    message::Definition d;
    d.sequence = sequence;
    d.position = set_of({gtid(place)});
    return d;
  };
  const std::vector<message::Definition> known{at(1, 10), at(2, 20), at(3, 30), at(4, 20)};
  EXPECT_FALSE(newest_at(known, set_of({gtid(9)})));
  EXPECT_EQ(newest_at(known, set_of({gtid(19)}))->sequence, 1U);
  EXPECT_EQ(newest_at(known, set_of({gtid(29)}))->sequence, 4U) << "learnt again at the same place";
  EXPECT_EQ(newest_at(known, set_of({gtid(31)}))->sequence, 3U);
}

}  // namespace
}  // namespace datasync::capture
