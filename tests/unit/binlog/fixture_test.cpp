// Whole binlog files of a real server (tests/data/binlog) against what its tables held.

#include <gtest/gtest.h>

#include "tests/unit/binlog/binlog_file.hpp"
#include "tests/unit/binlog/events.hpp"

namespace datasync::binlog::test {
namespace {

using message::ColumnType;

/// What information_schema would show of the columns of types.sql.
SchemaOptions refined(const TableMap& map) {
  std::vector<Refinement> out;
  for (std::uint16_t i = 0; i < map.columns.size(); ++i) {
    const auto& name = map.columns[i].name;
    Refinement r{.column = i};
    if (map.table == "uuids" && name == "u") r.type = ColumnType::Uuid;
    if (map.table == "uuids" && name == "v4") r.type = ColumnType::Inet4;
    if (map.table == "uuids" && name == "v6") r.type = ColumnType::Inet6;
    if (map.table == "gen" && (name == "v" || name == "p" || name == "k")) r.generated = true;
    if (map.table == "oldtime" && name != "id") r.fractional_digits = static_cast<std::uint8_t>(name.back() - '0');
    out.push_back(r);
  }
  return options(std::move(out));
}

class Fixture : public testing::Test {
 protected:
  void decode_file(const std::string& name) {
    recorder_.options_of = refined;
    // Tables without a key.
    recorder_.wanted = [](auto, auto table) { return !table.starts_with("cs") && table != "sq"; };
    const auto file = fixture(name);
    const auto result = decode(base::as_bytes(file), recorder_);
    ASSERT_TRUE(result) << result.error().what;
  }
  const message::TableSchema& schema(const std::string& table) const {
    const auto* found = recorder_.schema(table);
    if (found == nullptr) throw std::runtime_error("no table " + table);
    return *found;
  }
  const message::Column& column(const std::string& table, std::size_t i) const { return schema(table).columns.at(i); }

  Recorder recorder_;
};

void expect_lines(const std::vector<std::string>& got, const std::vector<std::string>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], wanted[i]) << "line " << i + 1;
}

TEST_F(Fixture, every_type_decodes_to_what_the_tables_held) {
  decode_file("types");
  expect_lines(recorder_.lines(), fixture_lines("types.txt"));
}

TEST_F(Fixture, every_kind_of_transaction_is_reported_in_order) {
  decode_file("transactions");
  expect_lines(recorder_.lines(), fixture_lines("transactions.txt"));
}

TEST_F(Fixture, compressed_events_read_like_plain_ones) {
  decode_file("compressed");
  expect_lines(recorder_.lines(), fixture_lines("compressed.txt"));
}

TEST_F(Fixture, signs_come_from_the_metadata_and_year_counts_as_a_number) {
  decode_file("types");
  for (const std::size_t i : {2U, 4U, 6U, 8U, 10U}) EXPECT_TRUE(column("t.ints", i).is_unsigned) << i;
  for (const std::size_t i : {0U, 1U, 3U, 5U, 7U, 9U, 11U}) EXPECT_FALSE(column("t.ints", i).is_unsigned) << i;
  EXPECT_TRUE(column("t.floats", 4).is_unsigned);
  EXPECT_FALSE(column("t.mix", 3).is_unsigned) << "bigint after a YEAR";
  EXPECT_TRUE(column("t.mix", 7).is_unsigned) << "smallint unsigned after BIT, YEAR, GEOMETRY, TEXT and DATE";
}

TEST_F(Fixture, charsets_come_from_the_metadata_and_geometry_counts_as_text) {
  decode_file("types");
  EXPECT_EQ(column("t.texts", 1).charset, "latin1");
  EXPECT_EQ(column("t.texts", 2).collation, "utf8mb4_general_ci");
  EXPECT_EQ(column("t.texts", 4).charset, "ucs2");
  EXPECT_EQ(column("t.texts", 6).collation, "latin1_bin");
  EXPECT_EQ(column("t.mix", 5).charset, "latin1");
  EXPECT_EQ(column("t.mix", 9).charset, "ucs2");
  EXPECT_EQ(column("t.comp", 5).charset, "utf8mb4");
  EXPECT_EQ(column("t.bins", 1).charset, "");
}

TEST_F(Fixture, types_and_lengths_are_those_of_the_declaration) {
  decode_file("types");
  EXPECT_EQ(column("t.texts", 2).type, ColumnType::Char);
  EXPECT_EQ(column("t.texts", 2).length, 1020U);
  EXPECT_EQ(column("t.texts", 4).length, 600U);
  EXPECT_EQ(column("t.texts", 5).length, 255U);
  EXPECT_EQ(column("t.texts", 8).length, 4294967295U);
  EXPECT_EQ(column("t.bins", 1).type, ColumnType::Binary);
  EXPECT_EQ(column("t.bins", 3).type, ColumnType::VarBinary);
  EXPECT_EQ(column("t.bins", 7).length, 16777215U);
  EXPECT_EQ(column("t.comp", 1).type, ColumnType::VarChar);
  EXPECT_EQ(column("t.comp", 1).length, 1000U);
  EXPECT_EQ(column("t.comp", 4).type, ColumnType::Blob);
  EXPECT_EQ(column("t.bits", 5).length, 33U);
  EXPECT_EQ(column("t.floats", 3).precision, 65);
  EXPECT_EQ(column("t.floats", 3).scale, 30);
  EXPECT_EQ(column("t.temporals", 8).scale, 6);
  EXPECT_EQ(column("t.oldtime", 6).type, ColumnType::Time);
  EXPECT_EQ(column("t.oldtime", 6).scale, 5);
  EXPECT_EQ(column("t.gen", 5).type, ColumnType::Text) << "MariaDB's JSON is LONGTEXT";
}

TEST_F(Fixture, labels_become_utf8_whatever_the_charset) {
  decode_file("types");
  EXPECT_EQ(column("t.enums", 1).labels, (std::vector<std::string>{"x", "y", "ü😀"}));
  EXPECT_EQ(column("t.enums", 2).labels, (std::vector<std::string>{"é", "b"})) << "latin1";
  EXPECT_EQ(column("t.enums", 5).labels, (std::vector<std::string>{"q", "ж"})) << "ucs2";
  EXPECT_EQ(column("t.enums", 6).labels.size(), 64U);
  EXPECT_EQ(column("t.enums", 7).charset, "binary");
  EXPECT_EQ(column("t.bigenum", 1).labels.size(), 300U);
}

TEST_F(Fixture, keys_come_from_the_metadata) {
  decode_file("types");
  using Key = std::vector<std::uint16_t>;
  EXPECT_EQ(schema("t.ints").key, Key({0}));
  EXPECT_EQ(schema("t.keys1").key, Key({1, 0})) << "in key order";
  EXPECT_EQ(schema("t.keys2").key, Key({2, 0})) << "a prefix of a TEXT";
  EXPECT_EQ(schema("t.nokey").key, Key({1})) << "a unique key without NULLs is the primary key where there is none";
}

TEST_F(Fixture, generated_and_invisible_columns_are_in_the_images) {
  decode_file("types");
  EXPECT_TRUE(column("t.gen", 2).generated);
  EXPECT_TRUE(column("t.gen", 3).generated);
  EXPECT_FALSE(column("t.gen", 4).generated);
  EXPECT_EQ(column("t.gen", 4).name, "inv");
}

TEST_F(Fixture, names_keep_spaces_quotes_and_letters) {
  decode_file("types");
  EXPECT_EQ(column("t.we`ird \"tab", 0).name, "co l");
  EXPECT_EQ(column("t.we`ird \"tab", 1).name, "q`\"'");
  EXPECT_EQ(column("t.we`ird \"tab", 2).name, "ünï");
}

TEST(FixtureDamage, no_cut_or_flipped_byte_of_an_event_gets_past_the_checksum) {
  const auto file = fixture("transactions");
  std::size_t n = 0;
  for_each_event(base::as_bytes(file), [&](base::Bytes event) {
    if (++n == 1) return true;
    Recorder recorder;
    EventReader reader(recorder);
    EXPECT_TRUE(reader.feed(base::as_bytes(format_description(Checksum::Crc32))));
    std::string copy(base::as_text(event));
    copy[copy.size() / 2] = static_cast<char>(copy[copy.size() / 2] ^ 0x10);
    const auto result = reader.feed(base::as_bytes(copy));
    EXPECT_FALSE(result);
    if (!result) {
      EXPECT_EQ(result.error().reason, base::Reason::BinlogCorrupt);
    }
    return n < 40;
  });
}

}  // namespace
}  // namespace datasync::binlog::test
