// TRUNCATE, DROP, RENAME and CREATE.

#include <array>
#include <utility>

#include "agents/binlog/judge.hpp"
#include "agents/binlog/renames.hpp"

namespace datasync::binlog {
namespace {

using What = TableEffect::What;

/// Stored programs, accounts and servers: the statement only stores or drops them and executes nothing in them.
constexpr std::array<std::string_view, 8> kStored{"TRIGGER", "PROCEDURE", "FUNCTION", "EVENT",
                                                  "PACKAGE", "USER",      "ROLE",     "SERVER"};

/// Reads to the end of the text: a stored program may contain semicolons.
bool program(TokenReader& in) {
  while (!in.at_end()) in.advance();
  return in.whole();
}

/// Reads the tables a, b.c ... and adds each with the effect `what`.
bool names(TokenReader& in, What what, Judgement& out) {
  do {
    auto name = in.table();
    if (!name) return false;
    out.effects.push_back({std::move(*name), what});
  } while (in.take(','));
  return true;
}

/// Reads the end of DROP: [WAIT n | NOWAIT] [RESTRICT | CASCADE]
bool end_of_drop(TokenReader& in) {
  in.wait();
  if (!in.take("RESTRICT")) in.take("CASCADE");
  return in.finished();
}

/// Reads the options of CREATE INDEX and DROP INDEX after the table's name, to the end.
bool end_of_index(TokenReader& in) {
  while (!in.at_end() && !in.is(';')) {
    if (in.is('(') ? !in.brackets() : (in.advance(), false)) return false;
  }
  return in.finished();
}

bool drop_index(TokenReader& in, Judgement& out) {
  if (!in.if_exists()) return false;
  const auto index = in.ident();
  if (!index || !in.take("ON")) return false;
  auto name = in.table();
  if (!name) return false;
  TableEffect effect{std::move(*name), What::Definition};
  effect.key = base::same_column(*index, "PRIMARY");
  out.effects.push_back(std::move(effect));
  return end_of_index(in);
}

/// Returns true at the beginning of a query in CREATE TABLE ... [IGNORE | REPLACE] [AS] SELECT.
bool at_query(const TokenReader& in) noexcept {
  static constexpr std::array<std::string_view, 6> kQuery{"AS", "SELECT", "VALUES", "TABLE", "IGNORE", "REPLACE"};
  return is_any(in.now(), kQuery) || (in.is("WITH") && !in.after().is("SYSTEM")) || in.is('(');
}

bool like(TokenReader& in) {
  return in.take("LIKE") && in.table().has_value();
}

/// Reads CREATE TABLE, starting at its name.
bool create_table(TokenReader& in, bool replace, bool temporary, Judgement& out) {
  const bool if_missing = in.is("IF");
  if (!in.if_exists()) return false;
  auto name = in.table();
  if (!name) return false;
  TableEffect created{std::move(*name), What::Created};
  created.replaced = replace;
  created.if_missing = if_missing;
  PartEffect options;
  bool understood = true;
  bool query = false;
  if (in.is("LIKE")) {
    understood = like(in);
  } else if (in.is('(') && in.after().is("LIKE")) {
    in.advance();
    understood = like(in) && in.take(')');
  } else {
    static constexpr std::array<std::string_view, 3> kQuery{"SELECT", "VALUES", "WITH"};
    query = in.is('(') && (is_any(in.after(), kQuery) || in.after().is('('));
    if (in.is('(') && !query) understood = in.brackets();
    while (understood && !query && !in.at_end() && !in.is(';')) {
      if ((query = at_query(in))) break;
      understood = at_partitioning(in) ? judge_partitioning(in, options) : judge_table_option(in, options);
      in.take(',');
    }
  }
  if (!temporary) {
    out.effects.push_back(created);
    if (options.rows) out.effects.push_back({created.name, What::Rows});
  }
  if (!query) return understood && in.finished();
  // With binlog_format=ROW the server writes CREATE TABLE and the rows separately. A query in the text means statement
  // format: this statement writes the rows.
  if (!temporary) out.effects.push_back({created.name, What::Statement});
  out.by_statement = true;
  return false;
}

bool create_view(TokenReader& in, Judgement& out) {
  if (!in.if_exists()) return false;
  auto name = in.table();
  if (!name) return false;
  out.effects.push_back({std::move(*name), What::Definition});
  return program(in);
}

bool create_sequence(TokenReader& in, bool replace, bool temporary, Judgement& out) {
  if (!in.if_exists()) return false;
  auto name = in.table();
  if (!name) return false;
  // OR REPLACE also replaces a table of this name.
  if (!temporary) out.effects.push_back({std::move(*name), replace ? What::Rows : What::Definition});
  return in.rest();
}

bool create_index(TokenReader& in, Judgement& out) {
  if (!in.take("INDEX") || !in.if_exists()) return false;
  for (; !in.is("ON"); in.advance())
    if (in.at_end() || in.is(';') || in.is('(')) return false;
  in.advance();
  auto name = in.table();
  if (!name) return false;
  out.effects.push_back({std::move(*name), What::Definition});
  return end_of_index(in);
}

/// Skips DEFINER = user, SQL SECURITY x, ALGORITHM = x and AGGREGATE, which may be between CREATE or ALTER and the
/// kind.
bool skip_attributes(TokenReader& in) {
  for (;;) {
    if (in.take("DEFINER") || in.take("ALGORITHM")) {
      if (!in.take('=')) return false;
      in.advance();
      if (in.is('(')) in.brackets();  // CURRENT_USER()
      if (in.take('@')) in.advance();
    } else if (in.take("SQL", "SECURITY")) {
      in.advance();
    } else if (!in.take("AGGREGATE")) {
      return true;
    }
  }
}

bool create_database(TokenReader& in, bool replace, Judgement& out) {
  if (!in.if_exists()) return false;
  auto name = in.ident();
  if (!name) return false;
  if (replace) out.effects.push_back({{std::move(*name), ""}, What::Dropped});
  return in.rest();
}

bool alter_database(TokenReader& in, Judgement& out) {
  // ALTER DATABASE x UPGRADE DATA DIRECTORY NAME changes the names of all tables.
  const bool named = in.now().can_be_name() && !in.is("CHARACTER") && !in.is("CHARSET") && !in.is("DEFAULT") &&
                     !in.is("COLLATE") && !in.is("COMMENT");
  if (named) {
    auto name = in.ident();
    if (!name) return false;
    if (in.is("UPGRADE")) out.effects.push_back({{std::move(*name), ""}, What::Rows});
  }
  return !in.is("UPGRADE") && in.rest();
}

}  // namespace

bool judge_truncate(TokenReader& in, Judgement& out) {
  in.take("TABLE");
  auto name = in.table();
  if (!name) return false;
  out.effects.push_back({std::move(*name), What::Truncated});
  in.wait();
  if (in.is("DROP") || in.is("REUSE")) {
    in.advance();
    if (!in.take("STORAGE")) return false;
  }
  return in.finished();
}

bool judge_drop(TokenReader& in, Judgement& out) {
  if (in.take("DATABASE") || in.take("SCHEMA")) {
    if (!in.if_exists()) return false;
    auto name = in.ident();
    if (!name) return false;
    out.effects.push_back({{std::move(*name), ""}, What::Dropped});
    return in.finished();
  }
  if (in.take("INDEX")) return drop_index(in, out);
  if (is_any(in.now(), kStored)) return in.rest();
  const bool temporary = in.take("TEMPORARY");
  // DROP VIEW and DROP SEQUENCE do not drop a table of that name.
  const auto what = in.is("TABLE") || in.is("TABLES") ? What::Dropped : What::Definition;
  if (!in.take("TABLE") && !in.take("TABLES") && !in.take("SEQUENCE") && (temporary || !in.take("VIEW"))) return false;
  Judgement aside;
  return in.if_exists() && names(in, what, temporary ? aside : out) && end_of_drop(in);
}

bool judge_rename(TokenReader& in, Judgement& out) {
  if (in.take("USER")) return in.rest();
  if (!in.take("TABLE") && !in.take("TABLES")) return false;
  const bool if_exists = in.is("IF");
  if (!in.if_exists()) return false;
  Renames renames(in.context().names, if_exists);
  bool understood = true;
  do {
    auto from = in.table();
    in.wait();
    understood = from && in.take("TO");
    auto to = understood ? in.table() : std::nullopt;
    understood = to.has_value();
    if (understood) renames.move(std::move(*from), std::move(*to));
  } while (understood && in.take(','));
  renames.write(out.effects);
  out.renames = true;
  return understood && in.finished();
}

bool judge_create(TokenReader& in, Judgement& out) {
  const bool replace = in.take("OR", "REPLACE");
  if (in.take("DATABASE") || in.take("SCHEMA")) return create_database(in, replace, out);
  const bool temporary = in.take("TEMPORARY");
  if (in.take("TABLE")) return create_table(in, replace, temporary, out);
  if (in.take("SEQUENCE")) return create_sequence(in, replace, temporary, out);
  if (temporary) return false;
  static constexpr std::array<std::string_view, 4> kIndex{"UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR"};
  if (is_any(in.now(), kIndex)) in.advance();
  if (in.is("INDEX")) return create_index(in, out);
  if (!skip_attributes(in)) return false;
  if (in.take("VIEW")) return create_view(in, out);
  return is_any(in.now(), kStored) && program(in);
}

bool judge_alter(TokenReader& in, Judgement& out) {
  bool ignore = false;
  while (in.is("ONLINE") || in.is("IGNORE")) {
    ignore = ignore || in.is("IGNORE");
    in.advance();
  }
  if (in.take("TABLE")) return judge_alter_table(in, ignore, out);
  if (ignore) return false;
  if (in.take("DATABASE") || in.take("SCHEMA")) return alter_database(in, out);
  if (in.take("SEQUENCE")) {
    if (!in.if_exists()) return false;
    auto name = in.table();
    if (!name) return false;
    out.effects.push_back({std::move(*name), What::Definition});
    return in.rest();
  }
  if (!skip_attributes(in)) return false;
  if (in.take("VIEW")) return create_view(in, out);
  return is_any(in.now(), kStored) && program(in);
}

}  // namespace datasync::binlog
