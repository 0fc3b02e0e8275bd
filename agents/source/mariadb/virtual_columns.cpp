#include "agents/source/mariadb/virtual_columns.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"
#include "agents/binlog/lexer.hpp"

namespace datasync::source::mariadb {
namespace {

using binlog::Token;

/// Functions that the manual names as not deterministic, or that depend on settings of the session
/// (https://mariadb.com/kb/en/generated-columns/ and the page of each function).
constexpr std::string_view kUnsteady[] = {
    // The time, also in a time zone.
    "NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE", "CURDATE", "CURRENT_DATE", "CURTIME",
    "CURRENT_TIME", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "UNIX_TIMESTAMP", "FROM_UNIXTIME",
    // Chance.
    "RAND", "UUID", "UUID_SHORT", "UUID_V4", "UUID_V7", "SYS_GUID", "RANDOM_BYTES", "ENCRYPT", "DES_ENCRYPT",
    // The session and its user.
    "USER", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "CURRENT_ROLE", "DATABASE", "SCHEMA", "CONNECTION_ID",
    "VERSION", "LAST_INSERT_ID", "ROW_COUNT", "FOUND_ROWS", "ROWNUM", "LASTVAL", "NEXTVAL", "SETVAL",
    // Settings: lc_time_names, old_passwords, block_encryption_mode.
    "DAYNAME", "MONTHNAME", "PASSWORD", "OLD_PASSWORD", "AES_ENCRYPT", "AES_DECRYPT", "DES_DECRYPT",
    // The server's state and its files.
    "GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS", "IS_FREE_LOCK", "IS_USED_LOCK", "SLEEP", "BENCHMARK", "LOAD_FILE",
    "MASTER_POS_WAIT", "MASTER_GTID_WAIT", "BINLOG_GTID_POS", "WSREP_LAST_SEEN_GTID", "WSREP_LAST_WRITTEN_GTID",
    "WSREP_SYNC_WAIT_UPTO_GTID", "TRT_TRX_ID", "TRT_COMMIT_TS"};
/// Those that are functions also without brackets.
constexpr std::string_view kBare[] = {"CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "CURRENT_DATE",
                                      "CURRENT_TIME",      "UTC_DATE",  "UTC_TIME",       "UTC_TIMESTAMP"};

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

class Expression {
 public:
  explicit Expression(std::string_view text) {
    binlog::Lexer lexer(text, {});
    for (auto token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next()) all_.push_back(token);
  }

  [[nodiscard]] std::string unsteady(const message::TableSchema& table) const {
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (auto found = unsteady_at(i, table); !found.empty()) return found;
    return "";
  }

 private:
  [[nodiscard]] const Token& at(std::size_t i) const noexcept {
    static const Token kEnd;
    return i < all_.size() ? all_[i] : kEnd;
  }

  [[nodiscard]] std::string unsteady_at(std::size_t i, const message::TableSchema& table) const {
    const auto& token = at(i);
    if (token.is('@')) return "a variable";
    const bool called = at(i + 1).is('(');
    if (token.kind == Token::Kind::Name && called) return "the stored function " + token.name;
    if (token.kind == Token::Kind::Word) {
      const auto name = upper(token.raw);
      const auto is = [&](std::string_view one) { return one == name; };
      if (called ? std::ranges::any_of(kUnsteady, is) : std::ranges::any_of(kBare, is)) return name + "()";
      // Without a mode it is that of default_week_format.
      if (called && name == "WEEK" && arguments(i + 1).size() == 1) return "WEEK() without a mode";
      if (called && name == "DATE_FORMAT" && names_in_format(i + 1))
        return "DATE_FORMAT() with names of days or months";
      if (called) return "";
    }
    if (!token.can_be_name()) return "";
    const auto column =
        std::ranges::find_if(table.columns, [&](const auto& c) { return base::same_column(c.name, token.name); });
    // It is converted by the time zone of the session.
    const bool zoned = column != table.columns.end() && column->type == message::ColumnType::Timestamp;
    return zoned ? "column " + column->name + " of type TIMESTAMP" : "";
  }

  /// The index at which each argument begins; `open` is that of the bracket.
  [[nodiscard]] std::vector<std::size_t> arguments(std::size_t open) const {
    std::vector<std::size_t> out{open + 1};
    int depth = 0;
    for (auto i = open; i < all_.size(); ++i) {
      if (all_[i].is('(')) ++depth;
      if (all_[i].is(')') && --depth == 0) break;
      if (all_[i].is(',') && depth == 1) out.push_back(i + 1);
    }
    return out;
  }

  /// The format may write %a %b %M %W, and no locale is named.
  [[nodiscard]] bool names_in_format(std::size_t open) const {
    const auto begins = arguments(open);
    if (begins.size() != 2) return false;
    auto i = begins[1];
    if (at(i).kind == Token::Kind::Word && at(i).raw.starts_with('_')) ++i;  // _utf8mb4'...'
    if (at(i).kind != Token::Kind::String || !at(i + 1).is(')')) return true;
    const auto format = at(i).raw;
    for (std::size_t c = 0; c + 1 < format.size(); ++c) {
      if (format[c] != '%') continue;
      if (std::string_view("abMW").find(format[++c]) != std::string_view::npos) return true;
    }
    return false;
  }

  std::vector<Token> all_;
};

}  // namespace

std::string unsteady(const Computed& column, const message::TableSchema& table) {
  return column.is_virtual ? Expression(column.expression).unsteady(table) : std::string();
}

std::vector<FilterFinding> check_virtual_columns(const TableChoice& choice, const std::vector<Computed>& computed,
                                                 const message::TableSchema& table) {
  std::vector<FilterFinding> out;
  for (const auto& c : computed) {
    const auto by = choice.excludes(c.column) ? std::string() : unsteady(c, table);
    if (by.empty()) continue;
    out.push_back(
        {fmt::format("VIRTUAL column {} of {} uses {}: its value depends on the time or the session that reads it",
                     c.column, choice.qualified(), by),
         fmt::format("name {}.{} in excludeColumns, or replace it by an ordinary column", choice.qualified(),
                     c.column)});
  }
  return out;
}

}  // namespace datasync::source::mariadb
