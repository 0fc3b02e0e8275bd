#include <gtest/gtest.h>

#include "agents/capture/snapshot/chunk_reader.hpp"

namespace datasync::capture {
namespace {

message::TableSchema table(message::ColumnType type) {
  message::TableSchema s;
  s.database = "shop";
  s.table = "orders";
  message::Column id;
  id.name = "id";
  id.type = type;
  id.nullable = false;
  s.columns = {id};
  s.key = {0};
  return s;
}

// A copy that continued after an ALTER of the key read on in the order of the new key, after a value of the old one.
TEST(ChunkPlace, of_another_key_is_the_beginning_of_the_table) {
  const auto ints = table(message::ColumnType::Int), times = table(message::ColumnType::Timestamp);
  const std::string key("\0\7\0\0\0", 5);
  const auto place = place_of(ints, key);
  EXPECT_EQ(key_in(ints, place), key);
  EXPECT_EQ(key_in(times, place), "");
  EXPECT_EQ(key_in(ints, ""), "");
  EXPECT_EQ(key_in(ints, key), "") << "a place written without the key's name";
}

TEST(ChunkRows, follow_the_size_of_the_rows) {
  const auto after = [](std::uint64_t rows, bool by_bytes, std::uint64_t limit, std::uint64_t most) {
    Chunk chunk;
    chunk.rows = rows;
    chunk.by_bytes = by_bytes;
    return next_rows(chunk, limit, most);
  };
  EXPECT_EQ(after(8, true, 10000, 10000), 11U);
  EXPECT_EQ(after(1, true, 11, 10000), 2U);
  EXPECT_EQ(after(11, false, 11, 10000), 22U) << "smaller ones again";
  EXPECT_EQ(after(9000, false, 9000, 10000), 10000U);
  EXPECT_EQ(after(9900, true, 10000, 10000), 10000U);
  EXPECT_EQ(after(500, false, 0, 0), 0U) << "all of them";
  EXPECT_EQ(after(8, true, 0, 0), 11U);
}

TEST(KeyIsUnique, only_when_a_unique_key_without_null_is_part_of_it) {
  source::TableInfo info;
  info.schema = table(message::ColumnType::Int);
  auto schema = info.schema;
  EXPECT_TRUE(key_is_unique(info, schema)) << "a primary key";
  info.schema.key.clear();
  EXPECT_FALSE(key_is_unique(info, schema));
  info.unique_keys = {{0}};
  EXPECT_TRUE(key_is_unique(info, schema));
  info.unique_by_prefix = true;
  EXPECT_FALSE(key_is_unique(info, schema));
  info.unique_by_prefix = false;
  info.schema.columns[0].nullable = true;
  EXPECT_FALSE(key_is_unique(info, schema));
  info.schema.columns[0].nullable = false;
  info.schema.columns.push_back(info.schema.columns[0]);
  info.schema.columns[1].name = "other";
  info.unique_keys = {{0, 1}};
  EXPECT_FALSE(key_is_unique(info, schema)) << "a unique key over more columns";
}

}  // namespace
}  // namespace datasync::capture
