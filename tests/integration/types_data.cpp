#include "tests/integration/types_data.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tests/support/session.hpp"

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

/// A column and the values its rows take; shorter lists start again.
struct EdgeColumn {
  std::string name, type;
  Texts values;
};

EdgeTable edge_table(const std::string& name, const std::vector<EdgeColumn>& columns, const std::string& options = "") {
  EdgeTable table;
  table.name = name;
  table.definition = "(id INT NOT NULL PRIMARY KEY";
  std::size_t count = 0;
  for (const auto& column : columns) {
    table.definition += fmt::format(", {} {}", quote_name(column.name), column.type);
    table.columns.push_back(quote_name(column.name));
    count = std::max(count, column.values.size());
  }
  table.definition += ") " + options;
  for (std::size_t i = 0; i < count; ++i) {
    Texts row;
    for (const auto& column : columns) row.push_back(column.values[i % column.values.size()]);
    table.rows.push_back(row);
  }
  return table;
}

EdgeTable integers() {
  const auto signed_values = [](int bits) {
    const auto top = (1LL << (bits - 1)) - 1;
    return Texts{fmt::format("{}", -top - 1), fmt::format("{}", top), "0", "NULL", "-1", "1"};
  };
  const auto unsigned_values = [](int bits) {
    const auto top = bits == 64 ? ~0ULL : (1ULL << bits) - 1;
    return Texts{"0", fmt::format("{}", top), fmt::format("{}", top / 2 + 1), "NULL", "1"};
  };
  std::vector<EdgeColumn> columns;
  const std::pair<const char*, int> kinds[] = {
      {"TINYINT", 8}, {"SMALLINT", 16}, {"MEDIUMINT", 24}, {"INT", 32}, {"BIGINT", 64}};
  for (const auto& [type, bits] : kinds) {
    auto values = signed_values(bits);
    if (bits == 64) values = {"-9223372036854775808", "9223372036854775807", "0", "NULL", "-1", "1"};
    columns.push_back({fmt::format("s{}", bits), type, values});
    columns.push_back({fmt::format("u{}", bits), fmt::format("{} UNSIGNED", type), unsigned_values(bits)});
  }
  columns.push_back({"flag", "BOOLEAN NOT NULL DEFAULT TRUE", {"TRUE", "FALSE"}});
  return edge_table("integers", columns);
}

EdgeTable decimals() {
  const std::string nines(35, '9'), fraction(30, '9');
  return edge_table(
      "decimals",
      {{"d65",
        "DECIMAL(65,30)",
        {nines + "." + fraction, "-" + nines + "." + fraction, "0", "NULL", "0." + std::string(29, '0') + "1",
         "-0." + std::string(29, '0') + "1", "1", "-1.5"}},
       {"whole", "DECIMAL(65,0)", {std::string(65, '9'), "-" + std::string(65, '9'), "0", "NULL", "10"}},
       {"small", "DECIMAL(38,38)", {"0." + std::string(38, '9'), "-0." + std::string(38, '9'), "0", "NULL", "0.1"}},
       {"money", "DECIMAL(10,2) NOT NULL", {"99999999.99", "-99999999.99", "0.00", "-0.01", "0.10", "1000000000e-2"}},
       {"d1", "DECIMAL(1,0) UNSIGNED", {"0", "9", "NULL"}},
       {"d9", "DECIMAL(9,9)", {"0.123456789", "-0.000000001", "NULL"}},
       {"d19", "DECIMAL(19,10)", {"123456789.0123456789", "-1.1", "100000000", "NULL"}}});
}

EdgeTable floats() {
  return edge_table(
      "floats", {{"f",
                  "FLOAT",
                  {"3.402823466e38", "-3.402823466e38", "0", "NULL", "-0e0", "1.1754943508222875e-38",
                   "1.401298464324817e-45", "16777217", "0.1", "1e-7"}},
                 {"d",
                  "DOUBLE",
                  {"1.7976931348623157e308", "-1.7976931348623157e308", "0", "NULL", "-0e0", "2.2250738585072014e-308",
                   "4.9406564584124654e-324", "0.1", "9007199254740993", "1e-300"}},
                 {"fu", "FLOAT UNSIGNED", {"0", "1.5", "NULL", "3.4e38"}},
                 {"f72", "FLOAT(7,2)", {"12345.67", "-12345.67", "NULL", "0"}},
                 {"d102", "DOUBLE(20,5) NOT NULL", {"123456789012.12345", "-0.00001", "0"}}});
}

EdgeTable bits() {
  std::vector<EdgeColumn> columns;
  for (unsigned n = 1; n <= 64; ++n) {
    const auto ones = n == 64 ? ~0ULL : (1ULL << n) - 1;
    columns.push_back({fmt::format("b{}", n),
                       fmt::format("BIT({})", n),
                       {"0", fmt::format("{}", ones), "1", fmt::format("{}", 1ULL << (n - 1)), "NULL"}});
  }
  return edge_table("bits", columns);
}

EdgeTable enums() {
  Texts many;
  for (int i = 0; i < 300; ++i) many.push_back(fmt::format("'m{}'", i));
  Texts members, masks{"0", "NULL", "18446744073709551615", "1", "9223372036854775808", "5"};
  for (int i = 0; i < 64; ++i) members.push_back(fmt::format("'s{}'", i));
  return edge_table(
      "enums",
      {{"e", "ENUM('a','b','it''s','ü','😀','x,y','')", {"'a'", "''", "NULL", "'it''s'", "'ü'", "'😀'", "0", "'x,y'"}},
       {"zero", "ENUM('a','b') NOT NULL", {"0", "'b'", "'a'"}},
       {"many", fmt::format("ENUM({})", fmt::join(many, ",")), {"'m0'", "'m255'", "'m256'", "'m299'", "NULL", "0"}},
       {"latin", "ENUM('é','ß','€') CHARACTER SET latin1", {"'é'", "'ß'", "'€'", "NULL"}},
       {"s", "SET('x','y','z z','ö','😀')", {"''", "'x'", "'x,y,z z,ö,😀'", "NULL", "'ö,😀'"}},
       {"s64", fmt::format("SET({})", fmt::join(members, ",")), masks},
       {"s9", "SET('1','2','3','4','5','6','7','8','9') NOT NULL", {"0", "511", "256"}}});
}

EdgeTable dates() {
  return edge_table("dates", {{"d",
                               "DATE",
                               {"'0000-00-00'", "'9999-12-31'", "'1000-01-01'", "NULL", "'2024-00-00'", "'2024-02-00'",
                                "'2024-02-31'", "'0000-01-01'", "'2024-02-29'"}},
                              {"y", "YEAR", {"0", "1901", "2155", "NULL", "2024"}},
                              {"n", "DATE NOT NULL", {"'0000-00-00'", "'2000-01-01'"}}});
}

EdgeTable times() {
  std::vector<EdgeColumn> columns;
  for (int n = 0; n <= 6; ++n) {
    const auto f = n == 0 ? std::string() : "." + std::string(static_cast<std::size_t>(n), '9');
    const auto tiny = n == 0 ? std::string("1") : "0." + std::string(static_cast<std::size_t>(n - 1), '0') + "1";
    const auto digits = n == 0 ? std::string() : "." + std::string("123456").substr(0, static_cast<std::size_t>(n));
    columns.push_back({fmt::format("t{}", n),
                       fmt::format("TIME({})", n),
                       {"'-838:59:59" + f + "'", "'838:59:59" + f + "'", "'00:00:00'", "NULL", "'-00:00:0" + tiny + "'",
                        "'00:00:0" + tiny + "'", "'25:00:01" + digits + "'", "'-100:59:59" + digits + "'",
                        "'-00:00:01" + f + "'", "'-12:00:00'"}});
    columns.push_back({fmt::format("dt{}", n),
                       fmt::format("DATETIME({})", n),
                       {"'0000-00-00 00:00:00'", "'9999-12-31 23:59:59" + f + "'", "'1000-01-01 00:00:00'", "NULL",
                        "'2024-00-00 01:02:03" + digits + "'", "'2024-02-31 00:00:00" + f + "'",
                        "'1969-12-31 23:59:59" + f + "'", "'2024-03-31 02:30:00" + digits + "'"}});
  }
  return edge_table("times", columns);
}

EdgeTable timestamps() {
  std::vector<EdgeColumn> columns;
  for (int n = 0; n <= 6; ++n) {
    const auto f = n == 0 ? std::string() : "." + std::string(static_cast<std::size_t>(n), '9');
    columns.push_back({fmt::format("ts{}", n),
                       fmt::format("TIMESTAMP({}) NULL DEFAULT NULL", n),
                       {"'1970-01-02 00:00:01'", "'2038-01-18 00:00:00" + f + "'", "'0000-00-00 00:00:00'", "NULL",
                        "'2024-03-31 02:30:00" + f + "'", "'2001-09-09 01:46:40'"}});
  }
  columns.push_back({"auto",
                     "TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)",
                     {"DEFAULT", "'1999-01-01 00:00:00'"}});
  return edge_table("timestamps", columns);
}

EdgeColumn text_column(const std::string& name, const std::string& type, const std::string& charset, Texts values) {
  return {name, fmt::format("{} CHARACTER SET {}", type, charset), std::move(values)};
}

EdgeTable texts() {
  const Texts cp1252{"''",      "X'80818283848586878889'", "X'8A8B8C8D8E8F9091929394'", "NULL", "X'FFE9A0DF'", "'a b '",
                     "'  lead'"};
  const Texts bmp{"''", "'€ßüñ日本'", "'a\\0b'", "NULL", "'tab\\tnl\\ncr\\r\\'\"`\\\\'", "'trail  '"};
  const Texts full{"''", "'😀𝄞 €'", "'a\\0b'", "NULL", "'x'", "'e\u0301'", "'trail  '"};
  std::vector<EdgeColumn> columns;
  const auto add = [&](const std::string& charset, const Texts& values) {
    columns.push_back(text_column("c_" + charset, "CHAR(30)", charset, values));
    columns.push_back(text_column("v_" + charset, "VARCHAR(300)", charset, values));
    columns.push_back(text_column("t_" + charset, "TEXT", charset, values));
  };
  add("latin1", cp1252);
  add("utf8mb3", bmp);
  add("utf8mb4", full);
  add("ucs2", bmp);
  add("utf16", full);
  add("utf32", full);
  add("utf16le", full);
  add("ascii", {"''", "'plain'", "NULL", "'~'"});
  add("cp1251", {"''", "'Привет'", "NULL"});
  add("sjis", {"''", "'日本'", "NULL"});
  add("gbk", {"''", "'中文'", "NULL"});
  add("eucjpms", {"''", "'日本語'", "NULL"});
  add("big5", {"''", "'中文'", "NULL"});
  add("koi8r", {"''", "'Привет'", "NULL"});
  return edge_table("texts", columns);
}

EdgeTable long_texts() {
  return edge_table("long texts",
                    {{"tiny", "TINYTEXT", {"''", "REPEAT('ü', 127)", "NULL"}},
                     {"medium", "MEDIUMTEXT", {"''", "REPEAT('€', 30000)", "NULL", "'x'"}},
                     {"big", "LONGTEXT", {"REPEAT('long ', 50000)", "NULL", "''"}},
                     {"v255", "VARCHAR(255) CHARACTER SET latin1", {"REPEAT('a', 255)", "''", "NULL"}},
                     {"v256", "VARCHAR(256) CHARACTER SET latin1", {"REPEAT('b', 256)", "''", "NULL"}},
                     {"v5000", "VARCHAR(5000) CHARACTER SET utf8mb4", {"REPEAT('😀', 5000)", "'x'", "NULL"}},
                     {"c255", "CHAR(255) CHARACTER SET utf8mb4", {"REPEAT('😀', 255)", "''", "NULL", "'x'"}}});
}

EdgeTable binaries() {
  return edge_table(
      "binaries",
      {{"b8", "BINARY(8)", {"X'0000000000000000'", "X'6100620000000000'", "X'FFFFFFFFFFFFFFFF'", "NULL", "'a'", "''"}},
       {"b255", "BINARY(255)", {"REPEAT(X'00', 255)", "REPEAT(X'FF', 255)", "NULL", "X'0100'"}},
       {"v", "VARBINARY(300)", {"''", "X'00'", "X'610000'", "NULL", "REPEAT(X'00FF', 150)", "'a  '"}},
       {"tiny", "TINYBLOB", {"''", "X'0000'", "REPEAT(X'FE', 255)", "NULL"}},
       {"blob", "BLOB", {"''", "X'0A0D1A00225C27'", "REPEAT(X'C3', 65535)", "NULL"}},
       {"medium", "MEDIUMBLOB", {"REPEAT(X'00', 70000)", "NULL", "''"}},
       {"large", "LONGBLOB", {"REPEAT(X'FFFE', 100000)", "NULL", "''"}}});
}

EdgeTable huge_blobs() {
  return edge_table("huge_blobs",
                    {{"b", "LONGBLOB", {"REPEAT(UNHEX(SHA2('a', 512)), 262144)", "REPEAT(X'00', 16777216)", "NULL"}}});
}

EdgeTable documents() {
  return edge_table("documents", {{"j",
                                   "JSON",
                                   {"'{}'", "'[]'", "'null'", "NULL",
                                    "'{\"a\": 1, \"a\": 2, \"b\": [1.0, 1e400, -0.0, \"\\\\u0000\"]}'", "'\"€ 😀\"'",
                                    "CONCAT('[', REPEAT('{\"key\": \"value\"},', 5000), '1]')",
                                    "'18446744073709551616'", "'  [ 1 ]  '"}},
                                  {"n", "JSON NOT NULL DEFAULT '{}'", {"'{\"x\": null}'", "DEFAULT"}}});
}

EdgeTable geometries() {
  return edge_table("geometries",
                    {{"g",
                      "GEOMETRY",
                      {"ST_GeomFromText('POINT(1.5 -2.5)')", "ST_GeomFromText('LINESTRING(0 0, 1 1, 2 0)', 4326)",
                       "NULL", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 5 5))')",
                       "ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))', 3857)"}},
                     {"p", "POINT", {"POINT(-0e0, 1e300)", "NULL", "ST_GeomFromText('POINT(1 2)', 4326)"}},
                     {"m", "MULTIPOLYGON", {"NULL", "ST_GeomFromText('MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))')"}}});
}

EdgeTable addresses() {
  return edge_table("addresses",
                    {{"u",
                      "UUID",
                      {"'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "NULL",
                       "'123e4567-e89b-12d3-a456-426655440000'", "'01890a5d-ac96-774b-bcce-b302099a8057'",
                       "'12345678-9abc-4def-8123-456789abcdef'"}},
                     {"i6",
                      "INET6",
                      {"'::'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", "NULL", "'2001:db8::ff00:42:8329'",
                       "'::ffff:192.0.2.1'"}},
                     {"i4", "INET4", {"'0.0.0.0'", "'255.255.255.255'", "NULL", "'192.0.2.1'"}}});
}

EdgeTable compressed_columns() {
  return edge_table("compressed_columns",
                    {{"v", "VARCHAR(1000) COMPRESSED", {"''", "REPEAT('abc', 300)", "NULL", "'x'"}},
                     {"t", "TEXT COMPRESSED", {"REPEAT('compressed ', 1000)", "''", "NULL"}},
                     {"b", "LONGBLOB COMPRESSED", {"REPEAT(X'00FF', 50000)", "X'00'", "NULL"}}});
}

EdgeTable generated() {
  auto table = edge_table("generated", {{"a", "INT", {"1", "-5", "NULL", "0"}},
                                        {"txt", "VARCHAR(20)", {"'x'", "NULL", "'yy'"}},
                                        {"hidden", "INT INVISIBLE DEFAULT 7", {"DEFAULT", "NULL", "12"}}});
  table.definition =
      "(id INT NOT NULL PRIMARY KEY, a INT, stored INT AS (a * 2) STORED, `virtual` INT AS (a + 1) VIRTUAL, "
      "txt VARCHAR(20), shout VARCHAR(30) AS (CONCAT(UPPER(txt), '!')) STORED, hidden INT INVISIBLE DEFAULT 7, "
      "later VARCHAR(50) AS (CONCAT(txt, ' ', a)) VIRTUAL, KEY (`virtual`))";
  return table;
}

EdgeTable odd_names() {
  return edge_table("we`ird \"name\" it's ünïcödé 表", {{"sp ace", "INT", {"1", "NULL"}},
                                                        {"back`tick", "INT", {"2", "NULL"}},
                                                        {"it's", "VARCHAR(20)", {"'q''uote'", "NULL", "''"}},
                                                        {"double\"quote", "INT", {"3"}},
                                                        {"select", "INT", {"4"}},
                                                        {"日本語", "VARCHAR(20)", {"'日本'", "NULL"}},
                                                        {"per%cent {} \\back", "INT", {"5", "NULL"}},
                                                        {std::string(64, 'n'), "INT", {"6"}}});
}

EdgeTable wide() {
  std::vector<EdgeColumn> columns;
  for (int i = 1; i < 200; ++i) {
    const auto name = fmt::format("c{:03}", i);
    switch (i % 5) {
      case 0:
        columns.push_back({name, "INT", {"NULL", fmt::format("{}", i)}});
        break;
      case 1:
        columns.push_back({name, "VARCHAR(20)", {fmt::format("'v{}'", i), "NULL", "''"}});
        break;
      case 2:
        columns.push_back({name, "BIT(3)", {"5", "NULL"}});
        break;
      case 3:
        columns.push_back({name, "DATETIME(3)", {"'2024-01-01 00:00:00.123'", "NULL"}});
        break;
      default:
        columns.push_back({name, "DECIMAL(12,4) NOT NULL", {fmt::format("{}.25", i), "0"}});
        break;
    }
  }
  return edge_table("wide", columns);
}

EdgeTable nopad() {
  return edge_table("nopad", {{"v", "VARCHAR(20) COLLATE utf8mb4_nopad_bin", {"'a'", "'a '", "'A'", "''"}},
                              {"c", "CHAR(20) COLLATE utf8mb4_uca1400_ai_ci", {"'a'", "'é'", "NULL"}},
                              {"s", "VARCHAR(20) COLLATE latin1_swedish_ci", {"'a'", "'ä'", "NULL"}}});
}

std::string insert(const EdgeTable& table, int id, const Texts& row) {
  return fmt::format("INSERT INTO {{}} (id, {}) VALUES ({}, {})", fmt::join(table.columns, ", "), id,
                     fmt::join(row, ", "));
}

}  // namespace

std::vector<std::string> EdgeTable::inserts(int first_id) const {
  Texts statements;
  for (const auto& row : rows) statements.push_back(insert(*this, first_id++, row));
  return statements;
}

std::vector<std::string> EdgeTable::updates(int first_id) const {
  Texts statements;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& next = rows[(i + 1) % rows.size()];
    Texts sets;
    for (std::size_t c = 0; c < columns.size(); ++c) sets.push_back(fmt::format("{} = {}", columns[c], next[c]));
    statements.push_back(
        fmt::format("UPDATE {{}} SET {} WHERE id = {}", fmt::join(sets, ", "), first_id + static_cast<int>(i)));
  }
  return statements;
}

std::vector<std::string> EdgeTable::deletes(int first_id) const {
  const auto last = first_id + static_cast<int>(rows.size()) - 1;
  return {fmt::format("DELETE FROM {{}} WHERE id BETWEEN {} AND {} AND (id - {}) % 3 = 0", first_id, last, first_id)};
}

std::vector<EdgeTable> edge_tables() {
  return {
      integers(),  decimals(),   floats(),   bits(),       enums(),     dates(),      times(),     timestamps(),
      texts(),     long_texts(), binaries(), huge_blobs(), documents(), geometries(), addresses(), compressed_columns(),
      generated(), odd_names(),  wide(),     nopad()};
}

}  // namespace datasync::test
