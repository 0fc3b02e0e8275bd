#include "agents/capture/plan/statement_effects.hpp"

#include <algorithm>

#include "agents/base/identifier.hpp"

namespace datasync::capture {
namespace {

using binlog::NamedTable;
using binlog::TableEffect;
using binlog::Token;
using What = binlog::TableEffect::What;

class Folder {
 public:
  explicit Folder(const Selection& selection) : selection_(selection) {}

  TableStatement& of(const TableChoice& table) {
    const auto at = std::ranges::find(out_, &table, &TableStatement::table);
    if (at != out_.end()) return *at;
    return out_.emplace_back(TableStatement{.table = &table});
  }

  void take(const TableEffect& effect) {
    // What was renamed away has no name that is captured, unless another effect gives that name to another table.
    if (effect.what == What::Moved)
      if (const auto* left = find(effect.was)) leave(of(*left), effect.name.database + "." + effect.name.table);
    if (!effect.name.table.empty()) {
      if (const auto* table = find(effect.name)) apply(of(*table), effect);
      return;
    }
    for (const auto& table : selection_.tables())
      if (selection_.names().same(table.database, effect.name.database)) apply(of(table), effect);
  }

  std::vector<TableStatement> all() { return std::move(out_); }

 private:
  [[nodiscard]] const TableChoice* find(const NamedTable& name) const {
    return selection_.find(name.database, name.table);
  }

  static void leave(TableStatement& s, const std::string& to) {
    s.renamed_to = to;
    if (!s.rows && !s.created) s.gone = true;
  }

  static void apply(TableStatement& s, const TableEffect& effect) {
    std::ranges::copy(effect.columns, std::back_inserter(s.columns));
    std::ranges::copy(effect.added, std::back_inserter(s.added));
    s.key = s.key || effect.key;
    s.others = s.others || effect.others;
    switch (effect.what) {
      case What::Truncated:
        s.truncated = true;
        return;
      case What::Dropped:
        s.gone = !s.rows && !s.created;
        return;
      case What::Created:
        s.replaced = s.replaced || effect.replaced || s.gone;
        s.if_missing = effect.if_missing && !s.replaced;
        s.created = true;
        s.gone = false;
        return;
      case What::Moved:
      case What::Rows:
        s.rows = true;
        s.gone = false;
        return;
      case What::Definition:
        return;
      case What::Values:
        s.values = true;
        // It does not say what changed: that may be the key.
        if (effect.columns.empty() && effect.added.empty()) s.key = s.others = true;
        return;
      case What::Statement:
        s.by_text = true;
        return;
    }
  }

  const Selection& selection_;
  std::vector<TableStatement> out_;
};

std::vector<Token> tokens(std::string_view sql, const binlog::StatementContext& context) {
  std::vector<Token> out;
  binlog::Lexer lexer(sql, context.quoting, context.charset, &context.to_utf8);
  for (auto token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next()) out.push_back(token);
  return out;
}

const Token& at(const std::vector<Token>& words, std::size_t i) noexcept {
  static const Token kEnd;
  return i < words.size() ? words[i] : kEnd;
}

}  // namespace

std::vector<TableStatement> concerned(const binlog::Judgement& judgement, const Selection& selection,
                                      const std::vector<const TableChoice*>& uncertain) {
  Folder folder(selection);
  for (const auto& effect : judgement.effects) folder.take(effect);
  for (const auto* table : uncertain) {
    auto& s = folder.of(*table);
    s.rows = true;
    s.gone = false;
    s.by_text = s.by_text || judgement.by_statement;
  }
  return folder.all();
}

bool may_hide_changes(std::string_view sql, const binlog::StatementContext& context, bool cascades_allowed) {
  const auto words = tokens(sql, context);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word.is("VERSIONING")) return true;
    if (!cascades_allowed && word.is("ON") && (at(words, i + 1).is("DELETE") || at(words, i + 1).is("UPDATE")) &&
        (at(words, i + 2).is("CASCADE") || at(words, i + 2).is("SET")))
      return true;
    if (!word.is("ENGINE")) continue;
    const auto& name = at(words, i + 1).is('=') ? at(words, i + 2) : at(words, i + 1);
    const bool named = name.can_be_name() || name.kind == Token::Kind::String;
    if (named && base::fold_identifier(name.raw).find("innodb") == std::string::npos) return true;
  }
  return false;
}

std::vector<std::pair<std::string, std::string>> renamed_columns(std::string_view sql,
                                                                 const binlog::StatementContext& context) {
  const auto words = tokens(sql, context);
  std::vector<std::pair<std::string, std::string>> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool change = words[i].is("CHANGE"), rename = words[i].is("RENAME") && at(words, i + 1).is("COLUMN");
    if (!change && !rename) continue;
    auto next = i + 1;
    if (at(words, next).is("COLUMN")) ++next;
    if (at(words, next).is("IF") && at(words, next + 1).is("EXISTS")) next += 2;
    const auto to = rename ? next + 2 : next + 1;
    if (!at(words, next).can_be_name() || !at(words, to).can_be_name()) continue;
    if (rename && !at(words, next + 1).is("TO")) continue;
    out.emplace_back(at(words, next).name, at(words, to).name);
  }
  return out;
}

std::vector<std::string> dropped_columns(std::string_view sql, const binlog::StatementContext& context) {
  static constexpr std::string_view kOthers[] = {"INDEX", "KEY",       "PRIMARY", "FOREIGN", "CONSTRAINT",
                                                 "CHECK", "PARTITION", "PERIOD",  "SYSTEM",  "DEFAULT"};
  const auto words = tokens(sql, context);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].is("DROP")) continue;
    auto next = i + 1;
    if (at(words, next).is("COLUMN"))
      ++next;
    else if (std::ranges::any_of(kOthers, [&](auto word) { return at(words, next).is(word); }))
      continue;
    if (at(words, next).is("IF") && at(words, next + 1).is("EXISTS")) next += 2;
    if (at(words, next).can_be_name()) out.push_back(at(words, next).name);
  }
  return out;
}

std::vector<NamedTable> parents_concerned(const binlog::Judgement& judgement,
                                          const std::function<bool(const NamedTable&)>& is_gone) {
  std::vector<NamedTable> out;
  for (const auto& effect : judgement.effects) {
    if (effect.what != What::Moved && effect.what != What::Dropped && effect.what != What::Created) continue;
    if (effect.what == What::Created && effect.if_missing && !effect.replaced && !is_gone(effect.name)) continue;
    out.push_back(effect.name);
    if (effect.what == What::Moved) out.push_back(effect.was);
  }
  return out;
}

}  // namespace datasync::capture
