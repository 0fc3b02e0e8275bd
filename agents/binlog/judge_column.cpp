// Columns, constraints, table options and partitions, in the syntax of CREATE TABLE and ALTER TABLE.

#include <array>
#include <utility>

#include "agents/binlog/judge.hpp"

namespace datasync::binlog {
namespace {

bool named(const Token& token, std::string_view word) noexcept {
  return token.can_be_name() && same_ignoring_case(token.name, word);
}

template <std::size_t N>
bool is_named(const Token& token, const std::array<std::string_view, N>& words) noexcept {
  return std::ranges::any_of(words, [&](auto w) { return named(token, w); });
}

/// Returns true at the end of a part of a definition.
bool at_end_of_part(const TokenReader& in) noexcept {
  return in.at_end() || in.is(',') || in.is(')') || in.is(';') || at_partitioning(in);
}

/// Returns true for engines that keep exactly the rows of a table that is converted to them. Other engines may store no
/// rows (BLACKHOLE) or return rows of other tables and servers (MERGE, FEDERATED, CONNECT, ...).
bool keeps_rows(const Token& engine) noexcept {
  static constexpr std::array<std::string_view, 6> kKeep{"INNODB", "MYISAM", "ARIA", "ROCKSDB", "MEMORY", "HEAP"};
  return is_named(engine, kKeep) || (engine.kind == Token::Kind::String && same_ignoring_case(engine.raw, "'InnoDB'"));
}

/// Reads [=] value
bool value(TokenReader& in) {
  in.take('=');
  if (!in.take('-')) in.take('+');
  if (in.now().kind == Token::Kind::Symbol || in.at_end()) return false;
  in.advance();
  return true;
}

/// Reads [DEFAULT] {CHARACTER SET | CHARSET | COLLATE} [=] name: the default of the table, not of existing columns.
bool default_charset(TokenReader& in) {
  in.take("DEFAULT");
  if (!in.take("CHARACTER", "SET") && !in.take("CHARSET") && !in.take("COLLATE")) return false;
  return value(in);
}

/// Returns true for a word in a column's definition with which the column is NULL in every existing row, unless another
/// part of the definition changes that.
bool is_plain_word(const Token& token) noexcept {
  static constexpr auto kWords = std::to_array<std::string_view>({"TINYINT",
                                                                  "SMALLINT",
                                                                  "MEDIUMINT",
                                                                  "INT",
                                                                  "INTEGER",
                                                                  "BIGINT",
                                                                  "INT1",
                                                                  "INT2",
                                                                  "INT3",
                                                                  "INT4",
                                                                  "INT8",
                                                                  "MIDDLEINT",
                                                                  "BOOL",
                                                                  "BOOLEAN",
                                                                  "BIT",
                                                                  "FLOAT",
                                                                  "FLOAT4",
                                                                  "FLOAT8",
                                                                  "DOUBLE",
                                                                  "PRECISION",
                                                                  "REAL",
                                                                  "DECIMAL",
                                                                  "DEC",
                                                                  "NUMERIC",
                                                                  "FIXED",
                                                                  "NUMBER",
                                                                  "DATE",
                                                                  "TIME",
                                                                  "DATETIME",
                                                                  "TIMESTAMP",
                                                                  "YEAR",
                                                                  "CHAR",
                                                                  "VARCHAR",
                                                                  "VARCHAR2",
                                                                  "VARYING",
                                                                  "NCHAR",
                                                                  "NVARCHAR",
                                                                  "NATIONAL",
                                                                  "BINARY",
                                                                  "VARBINARY",
                                                                  "RAW",
                                                                  "TINYTEXT",
                                                                  "TEXT",
                                                                  "MEDIUMTEXT",
                                                                  "LONGTEXT",
                                                                  "TINYBLOB",
                                                                  "BLOB",
                                                                  "MEDIUMBLOB",
                                                                  "LONGBLOB",
                                                                  "CLOB",
                                                                  "LONG",
                                                                  "ENUM",
                                                                  "SET",
                                                                  "JSON",
                                                                  "UUID",
                                                                  "INET4",
                                                                  "INET6",
                                                                  "GEOMETRY",
                                                                  "POINT",
                                                                  "LINESTRING",
                                                                  "POLYGON",
                                                                  "MULTIPOINT",
                                                                  "MULTILINESTRING",
                                                                  "MULTIPOLYGON",
                                                                  "GEOMETRYCOLLECTION",
                                                                  "UNSIGNED",
                                                                  "SIGNED",
                                                                  "ZEROFILL",
                                                                  "ASCII",
                                                                  "UNICODE",
                                                                  "BYTE",
                                                                  "NULL",
                                                                  "UNIQUE",
                                                                  "KEY",
                                                                  "INVISIBLE",
                                                                  "COMPRESSED",
                                                                  "CHECK",
                                                                  "FIRST",
                                                                  "COMMENT"});
  return is_any(token, kWords);
}

/// Skips CHARACTER SET x, CHARSET x, COLLATE x, AFTER x and CONSTRAINT x, where x may be any name.
bool take_with_name(TokenReader& in) {
  static constexpr std::array<std::string_view, 3> kNamed{"CHARSET", "COLLATE", "AFTER"};
  if (in.is("CONSTRAINT")) {
    in.advance();
    if (!in.is("CHECK")) in.advance();
    return true;
  }
  if (!is_any(in.now(), kNamed) && !in.are("CHARACTER", "SET")) return false;
  if (in.take("CHARACTER"))
    in.take("SET");
  else
    in.advance();
  in.advance();
  return true;
}

/// Reads a column's definition. `plain`: the column is NULL in every existing row.
bool read_column(TokenReader& in, PartEffect& out, bool& plain) {
  bool timestamp = false;
  bool null = false;
  bool unique = false;
  plain = !at_end_of_part(in);
  while (!at_end_of_part(in)) {
    if (in.is('(')) {
      if (!in.brackets()) return false;
      unique = false;
      continue;
    }
    if (take_with_name(in)) continue;
    if (in.take("DEFAULT", "NULL")) {
      null = true;
      continue;
    }
    if (in.take("REFERENCES")) {
      if (!in.table()) return false;
      while (!at_end_of_part(in))
        if (in.is('(') ? !in.brackets() : (in.advance(), false)) return false;
      break;
    }
    // KEY alone means PRIMARY KEY.
    if (in.is("PRIMARY") || (in.is("KEY") && !unique) || in.is("SERIAL")) out.key = true;
    unique = in.is("UNIQUE");
    timestamp = timestamp || in.is("TIMESTAMP");
    null = null || in.is("NULL");
    if (in.now().kind != Token::Kind::String && !is_plain_word(in.now())) plain = false;
    in.advance();
  }
  // Without explicit_defaults_for_timestamp, TIMESTAMP is NOT NULL unless its definition contains NULL.
  if ((timestamp && !null) || out.key) plain = false;
  return true;
}

}  // namespace

bool judge_table_option(TokenReader& in, PartEffect& out) {
  static constexpr auto kHarmless = std::to_array<std::string_view>({"AUTO_INCREMENT",
                                                                     "AVG_ROW_LENGTH",
                                                                     "CHECKSUM",
                                                                     "TABLE_CHECKSUM",
                                                                     "COMMENT",
                                                                     "DELAY_KEY_WRITE",
                                                                     "ENCRYPTED",
                                                                     "ENCRYPTION_KEY_ID",
                                                                     "IETF_QUOTES",
                                                                     "INSERT_METHOD",
                                                                     "KEY_BLOCK_SIZE",
                                                                     "MAX_ROWS",
                                                                     "MIN_ROWS",
                                                                     "PACK_KEYS",
                                                                     "PAGE_CHECKSUM",
                                                                     "PAGE_COMPRESSED",
                                                                     "PAGE_COMPRESSION_LEVEL",
                                                                     "PASSWORD",
                                                                     "ROW_FORMAT",
                                                                     "STATS_AUTO_RECALC",
                                                                     "STATS_PERSISTENT",
                                                                     "STATS_SAMPLE_PAGES",
                                                                     "STORAGE",
                                                                     "TABLESPACE",
                                                                     "TRANSACTIONAL"});
  if (in.is("DEFAULT") || in.are("CHARACTER", "SET") || in.is("CHARSET") || in.is("COLLATE"))
    return default_charset(in);
  if (in.take("DATA", "DIRECTORY") || in.take("INDEX", "DIRECTORY")) return value(in);
  if (in.take("WITH", "SYSTEM")) return in.take("VERSIONING");
  if (is_named(in.now(), kHarmless)) {
    in.advance();
    return value(in);
  }
  if (in.is("ENGINE") || in.is("TYPE")) {
    in.advance();
    in.take('=');
    out.rows = out.rows || !keeps_rows(in.now());
    return value(in);
  }
  out.rows = true;  // UNION, CONNECTION, SEQUENCE and options that an engine defines
  if (!in.now().can_be_name() || !in.after().is('=')) {
    static constexpr std::array<std::string_view, 3> kBare{"UNION", "CONNECTION", "SEQUENCE"};
    if (!is_any(in.now(), kBare)) return false;
  }
  in.advance();
  in.take('=');
  return in.is('(') ? in.brackets() : value(in);
}

bool judge_new_column(TokenReader& in, PartEffect& out) {
  bool plain = false;
  PartEffect part;
  if (!read_column(in, part, plain)) return false;
  out.key = out.key || part.key;
  out.values = out.values || !plain;
  return true;
}

bool judge_changed_column(TokenReader& in, PartEffect& out) {
  bool plain = false;
  PartEffect part;
  if (!read_column(in, part, plain)) return false;
  out.key = out.key || part.key;
  out.values = true;
  return true;
}

bool at_constraint(const TokenReader& in) noexcept {
  static constexpr std::array<std::string_view, 8> kFirst{"INDEX",   "KEY",        "UNIQUE",  "FULLTEXT",
                                                          "PRIMARY", "CONSTRAINT", "FOREIGN", "CHECK"};
  if (is_any(in.now(), kFirst)) return true;
  const bool index = in.after().is("INDEX") || in.after().is("KEY");
  return in.is("SPATIAL") || (in.is("VECTOR") && index) || in.are("PERIOD", "FOR");
}

bool judge_constraint(TokenReader& in, PartEffect& out) {
  if (in.is("PERIOD")) out.values = out.others = true;  // the columns of a period become NOT NULL
  while (!at_end_of_part(in)) {
    if (in.are("PRIMARY", "KEY")) out.key = out.values = out.others = true;  // and so do those of the key
    if (in.is('(') ? !in.brackets() : (in.advance(), false)) return false;
  }
  return true;
}

bool at_partitioning(const TokenReader& in) noexcept {
  return in.are("PARTITION", "BY") || in.are("REMOVE", "PARTITIONING");
}

bool judge_partitioning(TokenReader& in, PartEffect& out) {
  if (in.take("REMOVE", "PARTITIONING")) return true;
  // Reads to the end, or to the query of CREATE TABLE ... SELECT. Rows move between partitions; none is lost.
  static constexpr std::array<std::string_view, 5> kQuery{"AS", "SELECT", "IGNORE", "REPLACE", "WITH"};
  int depth = 0;
  bool engine = false;  // ENGINE [=] was read, and its value comes next
  for (; !in.at_end() && !in.is(';'); in.advance()) {
    if (depth == 0 && is_any(in.now(), kQuery)) break;
    if (in.is('(')) ++depth;
    if (in.is(')') && --depth < 0) return false;
    if (in.is("CONNECTION") || (engine && !in.is('=') && !keeps_rows(in.now()))) out.rows = true;
    engine = in.is("ENGINE") || (engine && in.is('='));
  }
  return depth == 0;
}

}  // namespace datasync::binlog
