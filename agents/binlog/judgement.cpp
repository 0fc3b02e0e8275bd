#include "agents/binlog/judgement.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agents/binlog/judge.hpp"
#include "agents/binlog/token_reader.hpp"

namespace datasync::binlog {
namespace {

using What = TableEffect::What;

bool control(Control kind, TokenReader& in, Judgement& out) {
  out.control = kind;
  return in.rest();
}

/// Reads [WORK] [AND [NO] CHAIN] [[NO] RELEASE]
bool end_of_transaction(Control kind, TokenReader& in, Judgement& out) {
  out.control = kind;
  in.take("WORK");
  if (in.take("AND")) {
    in.take("NO");
    if (!in.take("CHAIN")) return false;
  }
  in.take("NO");
  in.take("RELEASE");
  return in.finished();
}

bool judge_begin(TokenReader& in, Judgement& out) {
  out.control = Control::Begin;
  in.take("WORK");
  return in.finished();  // BEGIN NOT ATOMIC begins a compound statement
}

bool judge_rollback(TokenReader& in, Judgement& out) {
  in.take("WORK");
  if (in.take("TO")) return control(Control::RollbackTo, in, out);
  return end_of_transaction(Control::Rollback, in, out);
}

bool judge_xa(TokenReader& in, Judgement& out) {
  if (in.is("START") || in.is("BEGIN")) return control(Control::XaStart, in, out);
  if (in.is("END")) return control(Control::XaEnd, in, out);
  if (in.is("PREPARE")) return control(Control::XaPrepare, in, out);
  if (in.is("COMMIT")) return control(Control::XaCommit, in, out);
  if (in.is("ROLLBACK")) return control(Control::XaRollback, in, out);
  return in.is("RECOVER") && in.rest();
}

/// Reads SET without STATEMENT: it assigns settings. A value in which a function may be called is not understood.
bool judge_set(TokenReader& in) {
  if (in.is("PASSWORD")) return in.rest();
  while (!in.at_end() && !in.is(';')) {
    if (in.is('(')) return false;
    in.advance();
  }
  return in.finished();
}

/// Reads ANALYZE, OPTIMIZE or REPAIR [NO_WRITE_TO_BINLOG | LOCAL] {TABLE | TABLES} a, b ...
bool judge_maintenance(TokenReader& in, Judgement& out) {
  const bool analyze = in.is("ANALYZE");
  const auto what = in.is("REPAIR") ? What::Rows : What::Definition;  // a repair may discard rows
  in.advance();
  if (!in.take("NO_WRITE_TO_BINLOG")) in.take("LOCAL");
  if (!in.is("TABLE") && !in.is("TABLES")) {
    out.by_statement = analyze;  // ANALYZE UPDATE ... executes it
    return what == What::Rows && in.is("VIEW") && in.rest();
  }
  in.advance();
  if (analyze) return in.rest();
  do {
    auto name = in.table();
    if (!name) return false;
    out.effects.push_back({std::move(*name), what});
  } while (in.take(','));
  static constexpr std::array<std::string_view, 4> kOptions{"QUICK", "EXTENDED", "USE_FRM", "FORCE"};
  while (is_any(in.now(), kOptions)) in.advance();
  in.wait();
  return in.finished();
}

/// Reads statements that change no user table in any form.
bool judge_without_rows(TokenReader& in) {
  static constexpr std::array<std::string_view, 13> kFirst{"GRANT",  "REVOKE",   "FLUSH", "KILL",   "USE",
                                                           "SHOW",   "RESET",    "PURGE", "CHANGE", "CACHE",
                                                           "UNLOCK", "CHECKSUM", "CHECK"};
  static constexpr std::array<std::string_view, 2> kLoaded{"PLUGIN", "SONAME"};
  if (is_any(in.now(), kFirst)) return in.rest();
  if ((in.is("INSTALL") || in.is("UNINSTALL")) && is_any(in.after(), kLoaded)) return in.rest();
  return in.are("LOAD", "INDEX") && in.rest();
}

/// Skips every SET STATEMENT variable = value, ... FOR at the beginning.
bool skip_settings(TokenReader& in, bool& quoting_changes) {
  while (in.take("SET", "STATEMENT")) {
    int depth = 0;
    for (; !(depth == 0 && in.is("FOR")); in.advance()) {
      if (in.at_end() || in.is(';')) return false;
      if (in.is('(')) ++depth;
      if (in.is(')')) --depth;
      if (in.is("SQL_MODE")) quoting_changes = true;
    }
    in.advance();
  }
  return true;
}

bool judge_rows(const TokenReader& in, Judgement& out) {
  static constexpr std::array<std::string_view, 6> kNamed{"INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "WITH"};
  static constexpr std::array<std::string_view, 8> kNameless{"SELECT", "VALUES",  "CALL",    "DO",
                                                             "TABLE",  "HANDLER", "EXECUTE", "BEGIN"};
  out.any_table = is_any(in.now(), kNameless) || in.is('(');
  out.by_statement = out.any_table || is_any(in.now(), kNamed);
  return false;
}

bool judge_statement(TokenReader& in, Judgement& out) {
  if (in.at_end()) return in.finished();
  if (in.is("BEGIN") && !in.after().is("NOT")) {
    in.advance();
    return judge_begin(in, out);
  }
  if (in.take("START", "TRANSACTION")) return control(Control::Begin, in, out);
  if (in.take("COMMIT")) return end_of_transaction(Control::Commit, in, out);
  if (in.take("ROLLBACK")) return judge_rollback(in, out);
  if (in.take("SAVEPOINT") || in.take("RELEASE", "SAVEPOINT")) return control(Control::Savepoint, in, out);
  if (in.take("XA")) return judge_xa(in, out);
  if (in.take("SET")) return judge_set(in);
  if (in.take("TRUNCATE")) return judge_truncate(in, out);
  if (in.take("DROP")) return judge_drop(in, out);
  if (in.take("RENAME")) return judge_rename(in, out);
  if (in.take("CREATE")) return judge_create(in, out);
  if (in.take("ALTER")) return judge_alter(in, out);
  if (in.is("ANALYZE") || in.is("OPTIMIZE") || in.is("REPAIR")) return judge_maintenance(in, out);
  return judge_without_rows(in) || judge_rows(in, out);
}

bool has_quotes(std::string_view sql) noexcept {
  return sql.find_first_of("\"\\[") != std::string_view::npos;
}

/// Used when it is not known what a statement did to the tables that it names: it failed on the source after it had
/// done part of its work, or some of the names are names of temporary tables. Then each table counts as What::Rows.
void weaken(Judgement& out) {
  std::vector<TableEffect> all;
  for (auto& e : out.effects) {
    if (e.what == What::Moved) all.push_back({std::move(e.was), What::Rows});
    all.push_back({std::move(e.name), What::Rows});
  }
  out.effects = std::move(all);
}

Judgement judge_as_written(std::string_view sql, const StatementContext& context) {
  TokenReader in(sql, context);
  Judgement out;
  bool quoting_changes = false;
  while (in.take(';')) {
  }
  const bool settled = skip_settings(in, quoting_changes);
  // The server writes separate DROP statements for temporary and for other tables. A table that is not created as
  // TEMPORARY is not a temporary one.
  const bool may_be_temporary = context.temporary && !in.is("DROP") && !in.is("CREATE");
  out.certain = settled && judge_statement(in, out);
  if ((quoting_changes || !context.quoting_known) && has_quotes(sql)) out.certain = false;
  if (out.by_statement) out.certain = false;
  if (!out.certain) out.control = Control::None;
  if (context.failed || may_be_temporary) weaken(out);
  return out;
}

}  // namespace

std::string_view to_string(TableEffect::What what) noexcept {
  static constexpr std::array<std::string_view, 8> kNames{"Truncated",  "Dropped", "Created", "Moved",
                                                          "Definition", "Values",  "Rows",    "Statement"};
  const auto index = static_cast<std::size_t>(what);
  return index < kNames.size() ? kNames[index] : "?";
}

std::string_view to_string(Control control) noexcept {
  static constexpr std::array<std::string_view, 11> kNames{"None",      "Begin",      "Commit",    "Rollback",
                                                           "Savepoint", "RollbackTo", "XaStart",   "XaEnd",
                                                           "XaPrepare", "XaCommit",   "XaRollback"};
  const auto index = static_cast<std::size_t>(control);
  return index < kNames.size() ? kNames[index] : "?";
}

Judgement judge(std::string_view sql, const StatementContext& context) {
  auto out = judge_as_written(sql, context);
  if (!may_be_made_by_server(sql, context)) return out;
  StatementContext utf8 = context;
  utf8.charset = "utf8mb4";
  auto other = judge_as_written(sql, utf8);
  for (auto& effect : other.effects)
    if (std::ranges::find(out.effects, effect) == out.effects.end()) out.effects.push_back(std::move(effect));
  out.certain = out.certain && other.certain;
  return out;
}

bool may_be_made_by_server(std::string_view sql, const StatementContext& context) noexcept {
  if (context.charset.starts_with("utf8")) return false;
  const bool ascii = std::ranges::all_of(sql, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return !ascii && is_utf8(sql);
}

}  // namespace datasync::binlog
