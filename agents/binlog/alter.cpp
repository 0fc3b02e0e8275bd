#include "agents/binlog/alter.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace datasync::binlog {
namespace {

using Words = std::vector<Token>;  ///< of one action

template <std::size_t N>
bool is_any(const Token& token, const std::array<std::string_view, N>& words) noexcept {
  return std::any_of(words.begin(), words.end(), [&](auto w) { return token.is(w); });
}

/// At `i`, or the end's token.
const Token& at(const Words& words, std::size_t i) noexcept {
  static const Token kEnd;
  return i < words.size() ? words[i] : kEnd;
}

bool has(const Words& words, std::string_view word) noexcept {
  return std::ranges::any_of(words, [&](const Token& t) { return t.is(word); });
}

/// Past COLUMN and IF [NOT] EXISTS.
std::size_t past_column_word(const Words& words, std::size_t i) noexcept {
  if (at(words, i).is("COLUMN")) ++i;
  if (!at(words, i).is("IF")) return i;
  ++i;
  if (at(words, i).is("NOT")) ++i;
  return i + 1;
}

/// A new column has a value in rows that were there before, if it is no plain NULL.
bool new_column_has_values(const Words& words) noexcept {
  static constexpr std::array<std::string_view, 4> kMade{"AUTO_INCREMENT", "SERIAL", "AS", "GENERATED"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& next = at(words, i + 1);
    if (is_any(words[i], kMade)) return true;
    if (words[i].is("NOT") && next.is("NULL")) return true;
    if (words[i].is("DEFAULT") && !next.is("NULL")) return true;
    // NOT NULL unless it says NULL, and the first one of a table has a default, without
    // explicit_defaults_for_timestamp.
    if (words[i].is("TIMESTAMP") && i > 0 && !has(words, "NULL")) return true;
  }
  return false;
}

/// In a column's definition: KEY alone means PRIMARY KEY.
bool makes_primary(const Words& words) noexcept {
  for (std::size_t i = 1; i < words.size(); ++i)
    if (words[i].is("PRIMARY") || (words[i].is("KEY") && !words[i - 1].is("UNIQUE"))) return true;
  return false;
}

/// The names of ADD [COLUMN] c ..., and of ADD [COLUMN] (c ..., d ...).
void take_names(const Words& words, AlterEffects& out) {
  const auto first = past_column_word(words, 1);
  if (!at(words, first).is('(')) {
    out.added.push_back(at(words, first).name);
    return;
  }
  int depth = 0;
  for (std::size_t i = first; i < words.size(); ++i) {
    if (words[i].is(')')) --depth;
    if (depth == 1 && (words[i - 1].is('(') || words[i - 1].is(','))) out.added.push_back(words[i].name);
    if (words[i].is('(')) ++depth;
  }
}

void read_add(const Words& words, AlterEffects& out) {
  static constexpr std::array<std::string_view, 9> kNoColumn{"INDEX",      "KEY",     "UNIQUE", "FULLTEXT", "SPATIAL",
                                                             "CONSTRAINT", "FOREIGN", "CHECK",  "PARTITION"};
  if (at(words, 1).is("PRIMARY") || (at(words, 1).is("CONSTRAINT") && has(words, "PRIMARY"))) {
    out.primary_key = out.values = true;
    return;
  }
  if (is_any(at(words, 1), kNoColumn)) return;
  if (at(words, 1).is("VECTOR") && (at(words, 2).is("INDEX") || at(words, 2).is("KEY"))) return;
  if (at(words, 1).is("SYSTEM") || at(words, 1).is("PERIOD")) {
    out.values = true;
    return;
  }
  take_names(words, out);
  if (makes_primary(words)) out.primary_key = out.values = true;
  out.values = out.values || new_column_has_values(words);
}

void read_action(const Words& words, AlterEffects& out) {
  // Of the table and its indexes; values of columns are not touched.
  static constexpr std::array<std::string_view, 47> kKeepsValues{"ALTER",
                                                                 "DROP",
                                                                 "ALGORITHM",
                                                                 "ANALYZE",
                                                                 "AUTO_INCREMENT",
                                                                 "AVG_ROW_LENGTH",
                                                                 "CHARACTER",
                                                                 "CHARSET",
                                                                 "CHECK",
                                                                 "CHECKSUM",
                                                                 "COALESCE",
                                                                 "COLLATE",
                                                                 "COMMENT",
                                                                 "CONNECTION",
                                                                 "DATA",
                                                                 "DEFAULT",
                                                                 "DELAY_KEY_WRITE",
                                                                 "DISABLE",
                                                                 "ENABLE",
                                                                 "ENCRYPTED",
                                                                 "ENGINE",
                                                                 "FORCE",
                                                                 "IETF_QUOTES",
                                                                 "INDEX",
                                                                 "INSERT_METHOD",
                                                                 "KEY_BLOCK_SIZE",
                                                                 "LOCK",
                                                                 "MAX_ROWS",
                                                                 "MIN_ROWS",
                                                                 "OPTIMIZE",
                                                                 "ORDER",
                                                                 "PACK_KEYS",
                                                                 "PAGE_CHECKSUM",
                                                                 "PARTITION",
                                                                 "REBUILD",
                                                                 "REMOVE",
                                                                 "REORGANIZE",
                                                                 "REPAIR",
                                                                 "ROW_FORMAT",
                                                                 "STATS_PERSISTENT",
                                                                 "STATS_AUTO_RECALC",
                                                                 "STATS_SAMPLE_PAGES",
                                                                 "TABLESPACE",
                                                                 "TRANSACTIONAL",
                                                                 "UNION",
                                                                 "ENCRYPTION_KEY_ID",
                                                                 "PAGE_COMPRESSED"};
  const auto& first = at(words, 0);
  const auto touch = [&](std::size_t i) {
    out.values = true;
    out.columns.push_back(at(words, i).name);
  };
  if (first.kind == Token::Kind::End || is_any(first, kKeepsValues)) return;
  if (first.is("ADD")) return read_add(words, out);
  if (first.is("MODIFY") || first.is("CHANGE")) {
    out.primary_key = out.primary_key || makes_primary(words);
    return touch(past_column_word(words, 1));
  }
  if (first.is("RENAME")) {
    if (at(words, 1).is("COLUMN")) touch(past_column_word(words, 1));
    return;  // an index, or the table: told elsewhere
  }
  out.values = true;  // CONVERT TO CHARACTER SET, and what is not known
}

/// A list without brackets, of partitions or of columns to order by: what follows a comma may belong to it.
bool is_open_list(const Words& words) noexcept {
  return at(words, 1).is("PARTITION") || (at(words, 0).is("ORDER") && at(words, 1).is("BY"));
}

bool begins_action(const Words& words) noexcept {
  static constexpr std::array<std::string_view, 7> kActions{"ADD",  "ALTER",  "CHANGE", "CONVERT",
                                                            "DROP", "MODIFY", "RENAME"};
  return is_any(at(words, 0), kActions);
}

}  // namespace

AlterEffects read_alter(Token token, Lexer rest) {
  AlterEffects out;
  if (token.is("NOWAIT")) {
    token = rest.next();
  } else if (token.is("WAIT")) {
    rest.next();
    token = rest.next();
  }
  Words action;
  bool in_list = false;
  const auto take = [&] {
    in_list = (in_list && !begins_action(action)) || is_open_list(action);
    if (!in_list) read_action(action, out);
    action.clear();
  };
  int depth = 0;
  for (; token.kind != Token::Kind::End; token = rest.next()) {
    if (token.is('(')) ++depth;
    if (token.is(')')) --depth;
    if (depth == 0 && token.is(',')) {
      take();
    } else {
      action.push_back(std::move(token));
    }
  }
  take();
  return out;
}

}  // namespace datasync::binlog
