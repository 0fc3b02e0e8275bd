#include "agents/binlog/statement.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agents/binlog/alter.hpp"
#include "agents/binlog/charset.hpp"

namespace datasync::binlog {
namespace {

using Kind = StatementKind;

template <std::size_t N>
bool is_any(const Token& token, const std::array<std::string_view, N>& words) noexcept {
  return std::any_of(words.begin(), words.end(), [&](auto w) { return token.is(w); });
}

class Classifier {
 public:
  Classifier(std::string_view sql, std::string_view database, Quoting quoting)
      : lexer_(sql, quoting), database_(database) {}

  Statement run() {
    token_ = lexer_.next();
    skip_set_statement();
    while (token_.is('(') || token_.is(';')) advance();
    if (token_.kind == Token::Kind::End) return {};
    if (transaction() || xa() || tables()) return std::move(out_);
    // Statements that change accounts, settings or nothing; every other one may change rows.
    static constexpr std::array<std::string_view, 18> kNoRows{
        "SET",       "GRANT", "REVOKE", "FLUSH", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECK", "INSTALL",
        "UNINSTALL", "KILL",  "USE",    "SHOW",  "RESET",   "CHANGE",   "CACHE",  "LOCK",  "UNLOCK"};
    out_.kind = is_any(token_, kNoRows) ? Kind::Other : Kind::Dml;
    return std::move(out_);
  }

 private:
  void advance() { token_ = lexer_.next(); }
  bool take(std::string_view word) {
    if (!token_.is(word)) return false;
    advance();
    return true;
  }
  bool done(Kind kind) {
    out_.kind = kind;
    return true;
  }
  [[nodiscard]] bool at_end() const noexcept { return token_.kind == Token::Kind::End; }

  /// SET STATEMENT variable = value, ... FOR statement
  void skip_set_statement() {
    if (!token_.is("SET") || !lexer_.peek().is("STATEMENT")) return;
    int depth = 0;
    while (!at_end() && !(depth == 0 && token_.is("FOR"))) {
      if (token_.is('(')) ++depth;
      if (token_.is(')')) --depth;
      advance();
    }
    advance();
  }

  bool transaction() {
    if (take("BEGIN")) return done(Kind::Begin);
    if (token_.is("START") && lexer_.peek().is("TRANSACTION")) return done(Kind::Begin);
    if (take("COMMIT")) return done(Kind::Commit);
    if (token_.is("SAVEPOINT") || (token_.is("RELEASE") && lexer_.peek().is("SAVEPOINT"))) return done(Kind::Savepoint);
    if (!take("ROLLBACK")) return false;
    take("WORK");
    return done(token_.is("TO") ? Kind::RollbackTo : Kind::Rollback);
  }

  bool xa() {
    if (!take("XA")) return false;
    if (token_.is("START") || token_.is("BEGIN")) return done(Kind::XaStart);
    if (token_.is("END")) return done(Kind::XaEnd);
    if (token_.is("PREPARE")) return done(Kind::XaPrepare);
    if (token_.is("COMMIT")) return done(Kind::XaCommit);
    return done(token_.is("ROLLBACK") ? Kind::XaRollback : Kind::Other);
  }

  bool tables() {
    if (take("TRUNCATE")) {
      take("TABLE");
      name();
      return done(Kind::Truncate);
    }
    if (take("DROP")) return drop();
    if (take("RENAME")) return rename();
    if (take("CREATE")) return create();
    if (take("ALTER")) return alter();
    return false;
  }

  /// [database.]table
  void name() {
    if (!token_.can_be_name()) return;
    NamedTable out{database_, token_.name};
    advance();
    if (token_.is('.')) {
      advance();
      out.database = std::exchange(out.table, token_.name);
      advance();
    }
    out_.tables.push_back(std::move(out));
  }
  void skip_if_exists() {
    if (!take("IF")) return;
    take("NOT");
    take("EXISTS");
  }

  bool drop() {
    if (take("DATABASE") || take("SCHEMA")) {
      skip_if_exists();
      out_.tables.push_back({token_.name, ""});
      return done(Kind::DropDatabase);
    }
    if (!take("TABLE") && !take("TABLES")) return done(Kind::OtherDdl);  // also DROP TEMPORARY TABLE
    skip_if_exists();
    do {
      name();
    } while (take_comma());
    return done(Kind::DropTable);
  }
  bool take_comma() {
    if (!token_.is(',')) return false;
    advance();
    return true;
  }

  bool rename() {
    if (!take("TABLE") && !take("TABLES")) return done(Kind::OtherDdl);  // RENAME USER
    skip_if_exists();
    do {
      name();
      while (!at_end() && !token_.is("TO")) advance();  // WAIT n, NOWAIT
      advance();
      name();
    } while (take_comma());
    return done(Kind::RenameTable);
  }

  bool create() {
    bool replace = false;
    if (take("OR")) replace = take("REPLACE");
    if (!take("TABLE")) return done(Kind::OtherDdl);  // also CREATE TEMPORARY TABLE
    skip_if_exists();
    name();
    // With binlog_format=ROW the server writes CREATE TABLE and the rows apart; by statement the rows are in here.
    for (; !at_end(); advance()) {
      if (token_.is("SELECT") || (token_.is("VALUES") && lexer_.peek().is('('))) return done(Kind::Dml);
    }
    return done(replace ? Kind::DropTable : Kind::OtherDdl);
  }

  bool alter() {
    take("ONLINE");
    const bool ignore = take("IGNORE");
    if (!take("TABLE")) return done(Kind::OtherDdl);
    skip_if_exists();
    name();
    auto effects = read_alter(token_, lexer_);
    out_.kind = ignore ? Kind::RowsByDdl : effects.values ? Kind::ValuesByDdl : Kind::OtherDdl;
    out_.columns = std::move(effects.columns);
    out_.primary_key = effects.primary_key;
    out_.added = std::move(effects.added);
    for (; !at_end(); advance()) {
      if (moves_rows()) {
        out_.kind = Kind::RowsByDdl;
      } else if (token_.is("RENAME") && !rename_inside()) {
        out_.kind = Kind::RenameTable;
        return true;
      }
    }
    return true;
  }
  [[nodiscard]] bool moves_rows() const {
    static constexpr std::array<std::string_view, 4> kWithPartition{"DROP", "TRUNCATE", "EXCHANGE", "CONVERT"};
    const auto after = lexer_.peek();
    if (is_any(token_, kWithPartition) && (after.is("PARTITION") || after.is("SYSTEM"))) return true;
    if (token_.is("CONVERT") && after.is("TABLE")) return true;
    return (token_.is("DISCARD") || token_.is("IMPORT")) && (after.is("TABLESPACE") || after.is("PARTITION"));
  }
  /// At RENAME in ALTER TABLE: true for RENAME COLUMN, INDEX, KEY; else takes the new name.
  bool rename_inside() {
    static constexpr std::array<std::string_view, 3> kParts{"COLUMN", "INDEX", "KEY"};
    const auto after = lexer_.peek();
    if (is_any(after, kParts)) return true;
    advance();
    if (token_.is('=') || token_.is("TO") || token_.is("AS")) advance();
    name();
    return false;
  }

  Lexer lexer_;
  std::string database_;
  Token token_;
  Statement out_;
};

/// The same name; a statement in another character set than UTF-8 may spell a name that is not ASCII with other bytes.
bool may_be(std::string_view token, std::string_view name) noexcept {
  if (same_ignoring_case(token, name)) return true;
  const auto foreign = [](std::string_view s) {
    return std::any_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  };
  return foreign(name) && foreign(token) && !is_utf8(token);
}

}  // namespace

std::string_view to_string(StatementKind kind) noexcept {
  static constexpr std::array<std::string_view, 19> kNames{
      "Begin",     "Commit",      "Rollback",   "Savepoint", "RollbackTo", "XaStart",     "XaEnd",
      "XaPrepare", "XaCommit",    "XaRollback", "Truncate",  "DropTable",  "RenameTable", "DropDatabase",
      "RowsByDdl", "ValuesByDdl", "OtherDdl",   "Dml",       "Other"};
  const auto index = static_cast<std::size_t>(kind);
  return index < kNames.size() ? kNames[index] : "?";
}

Statement classify(std::string_view sql, std::string_view default_database, Quoting quoting) {
  return Classifier(sql, default_database, quoting).run();
}

std::string without_values(std::string_view sql, Quoting quoting) {
  std::string out;
  Lexer lexer(sql, quoting);
  for (auto token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next()) {
    const bool number = token.kind == Token::Kind::Word && token.raw.front() >= '0' && token.raw.front() <= '9';
    const bool value = number || token.kind == Token::Kind::String;
    const bool joined = token.is('.') || token.is(',') || token.is(')') || out.ends_with('.') || out.ends_with('(');
    if (!out.empty() && !joined) out.push_back(' ');
    out.append(value ? std::string_view("?") : token.raw);
  }
  return out;
}

bool mentions(std::string_view sql, std::string_view default_database, std::string_view database,
              std::string_view table, Quoting quoting) {
  Lexer lexer(sql, quoting);
  const bool at_home = default_database.empty() || may_be(default_database, database);
  Token qualifier;  // the name before a dot, while the dot stands between it and the current token
  for (Token token = lexer.next(); token.kind != Token::Kind::End;) {
    Token after = lexer.next();
    if (token.can_be_name() && may_be(token.name, table)) {
      const bool qualified = qualifier.can_be_name();
      if (qualified ? may_be(qualifier.name, database) : at_home) return true;
    }
    if (token.can_be_name() && after.is('.')) {
      qualifier = std::move(token);
      token = lexer.next();
    } else {
      qualifier = {};
      token = std::move(after);
    }
  }
  return false;
}

}  // namespace datasync::binlog
