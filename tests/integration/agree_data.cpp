#include "tests/integration/agree_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

class Maker {
 public:
  explicit Maker(std::mt19937_64& random) : random_(random) {}

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  /// An X'..' literal of so many bytes by chance, of which `tail` at the end are the same byte.
  std::string bytes(std::size_t size, std::size_t tail = 0, unsigned byte = 0) {
    std::string out = "X'";
    for (std::size_t i = 0; i < size; ++i)
      fmt::format_to(std::back_inserter(out), "{:02X}", i + tail >= size ? byte : static_cast<unsigned>(below(256)));
    return out + "'";
  }
  /// Characters that every one of the usual character sets has or replaces, some of which look like padding in bytes.
  std::string text(std::size_t characters) {
    static const Texts kCharacters{"a",      "Z",  "0",  " ", "\t",   "é",  "ß",      "Ġ",  "ฃ",  "\u2020",
                                   "\u2000", "日", "語", "😀", "\\\\", "''", "\u00A0", "ソ", "表", "Я"};
    std::string out = "'";
    for (std::size_t i = 0; i < characters; ++i) out += kCharacters[below(kCharacters.size())];
    return out + "'";
  }
  std::string integer(unsigned bits) {
    const auto v = random_() >> below(bits);
    return below(2) == 0 ? fmt::format("-{}", v >> 1U) : fmt::format("{}", v);
  }
  std::string decimal() {
    std::string out = below(2) == 0 ? "-" : "";
    for (auto i = below(40); i-- > 0;) out += static_cast<char>('0' + below(10));
    out += "0.";
    for (auto i = 1 + below(38); i-- > 0;) out += static_cast<char>('0' + below(10));
    return out;
  }
  std::string real() {
    return fmt::format("{}{}.{}e{}", below(2) == 0 ? "-" : "", below(10), below(1000000000),
                       static_cast<int>(below(600)) - 300);
  }
  std::string small_real() {
    return fmt::format("{}{}.{}e{}", below(2) == 0 ? "-" : "", below(10), below(1000000000),
                       static_cast<int>(below(80)) - 40);
  }
  std::string datetime(std::uint64_t first_year, std::uint64_t years) {
    return fmt::format("'{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}'", first_year + below(years), 1 + below(12),
                       1 + below(28), below(24), below(60), below(60), below(1000000));
  }
  std::string time() {
    return fmt::format("'{}{:02}:{:02}:{:02}.{:06}'", below(2) == 0 ? "-" : "", below(839), below(60), below(60),
                       below(1000000));
  }
  template <class Make>
  Texts with(Texts edges, std::size_t n, Make make) {
    for (std::size_t i = 0; i < n; ++i) edges.push_back(make());
    return edges;
  }

 private:
  std::mt19937_64& random_;
};

AgreeTable integers(Maker& make) {
  AgreeTable t{"integers", {}};
  const std::pair<const char*, unsigned> kinds[] = {
      {"TINYINT", 8}, {"SMALLINT", 16}, {"MEDIUMINT", 24}, {"INT", 32}, {"BIGINT", 64}};
  for (const auto& [name, bits] : kinds)
    for (const char* more : {"", "(3)", " UNSIGNED", " ZEROFILL", "(2) UNSIGNED ZEROFILL", " NOT NULL"}) {
      const unsigned n = bits;
      t.columns.push_back({fmt::format("{}{}", name, more),
                           make.with({"0", "NULL", "-1", "1", fmt::format("{}", ~0ULL >> (65 - n)),
                                      fmt::format("{}", ~0ULL >> (64 - n)), fmt::format("-{}", 1ULL << (n - 1))},
                                     9, [&] { return make.integer(n); })});
    }
  t.columns.push_back({"BOOLEAN", {"TRUE", "FALSE", "NULL"}});
  t.columns.push_back({"INT INVISIBLE", {"NULL", "7"}});
  t.columns.push_back({"INT DEFAULT (1 + 2)", {"DEFAULT", "NULL"}});
  t.columns.push_back({"BIGINT UNSIGNED DEFAULT 18446744073709551615", {"DEFAULT", "5"}});
  return t;
}

AgreeTable numbers(Maker& make) {
  AgreeTable t{"numbers", {}};
  const std::pair<unsigned, unsigned> kSizes[] = {{65, 30}, {65, 38}, {65, 0},  {38, 38}, {1, 0},   {1, 1},  {9, 9},
                                                  {10, 9},  {18, 9},  {19, 10}, {20, 1},  {27, 18}, {64, 37}};
  for (const auto& [precision, scale] : kSizes)
    for (const char* more : {"", " UNSIGNED ZEROFILL"})
      t.columns.push_back({fmt::format("DECIMAL({},{}){}", precision, scale, more),
                           make.with({"0", "NULL", "-0.0", "1e64", "-1e64", "1e-38", "-1e-30", "0.5", "1"}, 12,
                                     [&] { return make.decimal(); })});
  const Texts edges{"0",
                    "-0e0",
                    "NULL",
                    "3.402823466e38",
                    "-3.402823466e38",
                    "1.1754943508222875e-38",
                    "1.401298464324817e-45",
                    "1.7976931348623157e308",
                    "4.9406564584124654e-324",
                    "16777217",
                    "0.1",
                    "1e300",
                    "-2.5"};
  for (const char* type : {"FLOAT", "FLOAT(7,3)", "FLOAT(24)", "FLOAT UNSIGNED", "FLOAT ZEROFILL", "FLOAT(30,20)"})
    t.columns.push_back({type, make.with(edges, 10, [&] { return make.small_real(); })});
  for (const char* type :
       {"DOUBLE", "FLOAT(53)", "DOUBLE(15,4)", "REAL", "DOUBLE UNSIGNED ZEROFILL", "DOUBLE PRECISION NOT NULL"})
    t.columns.push_back({type, make.with(edges, 10, [&] { return make.real(); })});
  return t;
}

AgreeTable bits(Maker& make) {
  AgreeTable t{"bits", {}};
  for (unsigned n = 1; n <= 64; ++n)
    t.columns.push_back(
        {fmt::format("BIT({}){}", n, n % 5 == 0 ? " NOT NULL" : ""),
         make.with({"0", "1", "NULL", fmt::format("{}", ~0ULL >> (64 - n)), fmt::format("{}", 1ULL << (n - 1))}, 3,
                   [&] { return fmt::format("{}", make.below(~0ULL)); })});
  return t;
}

std::vector<AgreeTable> temporals(Maker& make) {
  std::vector<AgreeTable> out;
  for (const bool old : {false, true})
    for (const char* zone : {"+00:00", "+05:30", "-11:00"}) {
      AgreeTable t{fmt::format("temporals{}{}", old ? "_old" : "", out.size()), {}, old, zone};
      t.columns.push_back({"DATE", make.with({"NULL", "'0000-00-00'", "'9999-12-31'", "'1000-01-01'", "'2024-00-00'",
                                              "'2021-02-31'", "'0000-01-01'", "'0001-01-01'"},
                                             4, [&] { return make.datetime(1, 9999); })});
      t.columns.push_back({"YEAR", {"0", "1901", "2155", "NULL", "2024", "70", "69", "'0'"}});
      t.columns.push_back({"YEAR(4) NOT NULL", {"0", "1901", "2155"}});
      t.columns.push_back({"YEAR(2)", {"70", "69", "99", "0", "NULL", "'2000'", "1999"}});
      for (int digits = 0; digits <= 6; ++digits) {
        t.columns.push_back({fmt::format("TIME({})", digits),
                             make.with({"NULL", "'-838:59:59.999999'", "'838:59:59.999999'", "'0'",
                                        "'-00:00:00.000001'", "'-00:00:00.9'", "'-00:00:01'", "'23:59:59.999999'"},
                                       8, [&] { return make.time(); })});
        t.columns.push_back({fmt::format("DATETIME({})", digits),
                             make.with({"NULL", "'0000-00-00'", "'9999-12-31 23:59:59.999999'", "'2021-02-31 01:02:03'",
                                        "'2020-00-00 00:00:00.5'", "'0000-01-01 00:00:00.000001'", "'1000-01-01'"},
                                       8, [&] { return make.datetime(1, 9999); })});
        t.columns.push_back({fmt::format("TIMESTAMP({}) NULL", digits),
                             make.with({"NULL", "'0000-00-00'", "'1970-01-01 12:00:01'", "'1970-01-02 00:00:00.000001'",
                                        "'2038-01-18 03:14:07.999999'", "FROM_UNIXTIME(1)", "FROM_UNIXTIME(0.5)",
                                        "FROM_UNIXTIME(2147483647.999999)", "'2024-03-31 02:30:00'"},
                                       8, [&] { return make.datetime(1971, 66); })});
      }
      t.columns.push_back(
          {"TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP", {"DEFAULT", "'2020-01-01'"}});
      out.push_back(std::move(t));
    }
  return out;
}

AgreeTable binaries(Maker& make) {
  AgreeTable t{"binaries", {}};
  for (const std::size_t n : {0U, 1U, 4U, 5U, 16U, 63U, 255U})
    t.columns.push_back(
        {fmt::format("BINARY({})", n), make.with({"''", "NULL", "' '", "X'00'", "X'0000'", "'a '", "X'6100'"}, 6,
                                                 [&] { return make.bytes(make.below(n + 1), make.below(3)); })});
  for (const std::size_t n : {0U, 1U, 255U, 256U, 3000U})
    t.columns.push_back({fmt::format("VARBINARY({})", n), make.with({"''", "NULL", "' '", "X'0000'", "'a '"}, 6, [&] {
                           return make.bytes(make.below(n + 1), make.below(3));
                         })});
  for (const char* type :
       {"TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BLOB(10)", "LONGBLOB NOT NULL", "TINYBLOB NOT NULL"})
    t.columns.push_back(
        {type, make.with({"''", "NULL", "X'00'", "' '", "REPEAT('x', 255)", "REPEAT('y', 256)", "REPEAT('z', 70000)"},
                         3, [&] { return make.bytes(make.below(200), 2); })});
  for (const char* type : {"VARBINARY(400) COMPRESSED", "BLOB COMPRESSED", "TINYBLOB COMPRESSED", "LONGBLOB COMPRESSED",
                           "MEDIUMBLOB COMPRESSED NOT NULL"})
    t.columns.push_back({type, make.with({"''", "NULL", "X'00'", "REPEAT('x', 99)", "REPEAT('y', 101)",
                                          "REPEAT('z', 250)", "REPEAT(X'00', 66000)"},
                                         4, [&] { return make.bytes(make.below(300)); })});
  t.columns.push_back({"UUID",
                       {"NULL", "'123e4567-e89b-12d3-a456-426655440000'", "'00000000-0000-0000-0000-000000000000'",
                        "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "'123e4567-e89b-42d3-8456-426655440000'",
                        "'123e4567-e89b-72d3-b456-000000000000'", "UUID()"}});
  t.columns.push_back(
      {"INET4", {"NULL", "'0.0.0.0'", "'255.255.255.255'", "'10.0.0.0'", "'1.2.3.4'", "'32.32.32.32'"}});
  t.columns.push_back(
      {"INET6",
       {"NULL", "'::'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", "'::1.2.3.4'", "'fe80::'", "'2001:db8::2020'"}});
  t.columns.push_back({"JSON", {"NULL", "'{}'", R"('{"a": "ü😀"}')", "'[1, 2]'", "'null'", "'  1 '"}});
  return t;
}

AgreeTable geometries() {
  AgreeTable t{"geometries", {}};
  const Texts all{"NULL",
                  "POINT(1, -0e0)",
                  "ST_GeomFromText('LINESTRING(0 0, 1 1, 2 1e300)')",
                  "ST_GeomFromText('POLYGON((0 0, 0 3, 3 0, 0 0), (1 1, 1 2, 2 1, 1 1))')",
                  "ST_GeomFromText('MULTIPOINT(0 0, 1 2)', 4326)",
                  "ST_GeomFromText('MULTILINESTRING((0 0, 1 1))')",
                  "ST_GeomFromText('MULTIPOLYGON(((0 0, 0 3, 3 0, 0 0)))')",
                  "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))', 7)",
                  "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')"};
  t.columns.push_back({"GEOMETRY", all});
  t.columns.push_back({"GEOMETRY NOT NULL", {all.begin() + 1, all.end()}});
  const char* const kinds[] = {"POINT",           "LINESTRING",   "POLYGON",           "MULTIPOINT",
                               "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};
  for (std::size_t i = 0; i < std::size(kinds); ++i) t.columns.push_back({kinds[i], {all[i + 1], "NULL"}});
  t.columns.push_back({"POINT REF_SYSTEM_ID=4326", {"NULL", "ST_GeomFromText('POINT(1 2)', 4326)"}});
  return t;
}

std::vector<AgreeTable> texts(Maker& make, const Texts& charsets) {
  std::vector<AgreeTable> out;
  for (const auto& charset : charsets) {
    if (charset == "binary") continue;
    AgreeTable t{"text_" + charset, {}};
    const auto values = [&](std::size_t characters) {
      return make.with(
          {"''", "NULL", "' '", "'a'", "'a '", "'a  b  '", "'\\0'", "'\\0 '", "' \\0'", "'Ġ'", "'\u2020 '", "'ß'"}, 6,
          [&] { return make.text(make.below(characters + 1)); });
    };
    for (const std::size_t n : {0U, 1U, 5U, 63U, 64U, 255U})
      t.columns.push_back({fmt::format("CHAR({}) CHARACTER SET {}", n, charset), values(n)});
    for (const std::size_t n : {1U, 20U, 63U, 64U, 255U, 256U})
      t.columns.push_back(
          {fmt::format("VARCHAR({}) CHARACTER SET {}", n, charset), values(std::min<std::size_t>(n, 80))});
    for (const char* type :
         {"TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "LONGTEXT COMPRESSED", "VARCHAR(100) COMPRESSED"}) {
      const std::string name(type);
      const auto at = name.find(" COMPRESSED");
      t.columns.push_back({fmt::format("{}{} CHARACTER SET {}", name.substr(0, at),
                                       at == std::string::npos ? "" : " COMPRESSED", charset),
                           values(60)});
      t.columns.back().values.push_back("REPEAT('ab ', 70)");
    }
    t.columns.push_back({fmt::format("ENUM('x','y z','''','a,b','\\\\','ß','') CHARACTER SET {}", charset),
                         {"'x'", "'y z'", "''''", "'a,b'", "'\\\\'", "'ß'", "''", "NULL", "0", "'none'"}});
    t.columns.push_back({fmt::format("SET('x','y z','''','ß','\\\\') CHARACTER SET {}", charset),
                         {"''", "'x'", "'x,y z'", "31", "NULL", "'ß'"}});
    out.push_back(std::move(t));
  }
  AgreeTable labels{"labels", {}};
  Texts many, members;
  for (int i = 0; i < 300; ++i) many.push_back(fmt::format("'m{}'", i));
  for (int i = 0; i < 64; ++i) members.push_back(fmt::format("'s{}'", i));
  labels.columns = {
      {fmt::format("ENUM({})", fmt::join(many, ",")), {"'m0'", "'m254'", "'m255'", "'m256'", "'m299'", "NULL", "0"}},
      {fmt::format("SET({})", fmt::join(members, ",")), {"0", "NULL", "18446744073709551615", "9223372036854775808"}},
      {"ENUM('😀','?','日本','a''b')", {"'😀'", "'?'", "'日本'", "0", "NULL"}},
      {"SET('1','2','3','4','5','6','7','8','9') NOT NULL", {"0", "511", "256"}},
      {"CHAR(10) COLLATE utf8mb4_nopad_bin", {"'a '", "'a'", "' '", "''"}},
      {"VARCHAR(10) COLLATE utf8mb4_unicode_nopad_ci", {"'a '", "'A'", "''"}}};
  out.push_back(std::move(labels));
  return out;
}

AgreeTable generated(Maker& make) {
  AgreeTable t{"generated", {}};
  t.columns = {{"INT", make.with({"NULL", "1"}, 5, [&] { return make.integer(20); })},
               {"VARCHAR(6) CHARACTER SET ucs2", make.with({"'a '", "NULL"}, 3, [&] { return make.text(4); })},
               {"BIGINT AS (c0 * 2) VIRTUAL", {}},
               {"DECIMAL(20,3) AS (c0 / 7) STORED", {}},
               {"VARCHAR(30) CHARACTER SET ucs2 AS (CONCAT(c1, c1)) PERSISTENT", {}},
               {"CHAR(9) CHARACTER SET ucs2 AS (c1) VIRTUAL INVISIBLE", {}},
               {"BINARY(6) AS (c0) STORED", {}}};
  return t;
}

/// Hundreds of columns, of which each row has others NULL.
AgreeTable wide(Maker& make) {
  AgreeTable t{"wide", {}};
  const char* const kinds[] = {"INT",       "CHAR(3)", "VARCHAR(5)",  "BIT(3)", "SMALLINT UNSIGNED",
                               "BINARY(2)", "DATE",    "DECIMAL(5,2)"};
  for (int i = 0; i < 500; ++i) {
    AgreeColumn c{kinds[make.below(std::size(kinds))], {}};
    for (int k = 0; k < 7; ++k) c.values.push_back(make.below(2) == 0 ? "NULL" : fmt::format("{}", make.below(100)));
    t.columns.push_back(std::move(c));
  }
  return t;
}

}  // namespace

std::vector<AgreeTable> agree_tables(std::mt19937_64& random, const std::vector<std::string>& charsets) {
  Maker make(random);
  std::vector<AgreeTable> out{integers(make), numbers(make),   bits(make), binaries(make),
                              geometries(),   generated(make), wide(make)};
  for (auto& t : temporals(make)) out.push_back(std::move(t));
  for (auto& t : texts(make, charsets)) out.push_back(std::move(t));
  return out;
}

}  // namespace datasync::test
