#pragma once
// Makes random statements about tables: every form of a name, comment and quote that the server's grammar has, in
// several character sets and sql_modes. Many of them fail on a server, as those of users do.

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace datasync::test {

/// A table as it is at the moment.
struct DdlTable {
  std::string database, name;
  std::vector<std::string> columns = {};     ///< all
  std::vector<std::string> indexes = {};     ///< without the primary key
  std::vector<std::string> partitions = {};  ///< empty: it has none
  [[nodiscard]] std::string qualified() const { return database + "." + name; }
};

struct DdlOptions {
  std::vector<std::string> databases{"d1", "größe"};
  std::vector<std::string> tables{"orders", "größe", "a.b", "x`y", "select", "1st", "Items", "q\"s", "archive", "tmp"};
  std::vector<std::string> charsets{"utf8mb4", "utf8mb4", "latin1", "gbk"};
  std::vector<std::string> sql_modes{"", "", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"};
  bool databases_too = true;  ///< also DROP DATABASE and CREATE OR REPLACE DATABASE
  /// Also what takes a table away from every tool that follows the binlog: other engines, tablespaces, system
  /// versioning, views and sequences of a table's name.
  bool exotic = true;
  bool noise = true;  ///< comments and odd spaces between words
};

/// One statement, and the session that it runs in: USE `database`, SET sql_mode, SET NAMES charset, then `sql`.
struct DdlStatement {
  std::string database, sql_mode, charset;
  std::string sql;                                          ///< in `charset`
  std::string text;                                         ///< the same in UTF-8, for messages
  std::vector<std::pair<std::string, std::string>> tables;  ///< database and name of each table that it names
};

/// The same seed and the same tables make the same statements. Not thread-safe.
class DdlGrammar {
 public:
  explicit DdlGrammar(std::uint64_t seed, DdlOptions options = {});
  /// The next statement; `tables` are those that exist now.
  DdlStatement next(std::span<const DdlTable> tables);
  [[nodiscard]] const DdlOptions& options() const noexcept { return options_; }

 private:
  DdlOptions options_;
  std::mt19937_64 random_;
};

/// `text` from UTF-8 to a character set of the server (latin1 is cp1252); empty when it cannot be written so.
std::string to_charset(std::string_view charset, std::string_view text);

}  // namespace datasync::test
