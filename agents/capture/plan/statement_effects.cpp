#include "agents/capture/plan/statement_effects.hpp"

#include <algorithm>
#include <array>

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

/// The words of a statement, one after the other, and those that follow. A statement with rows may have millions.
class Words {
 public:
  Words(std::string_view sql, const binlog::StatementContext& context)
      : lexer_(sql, context.quoting, context.charset, &context.to_utf8) {
    for (auto& word : window_) word = lexer_.next();
  }
  [[nodiscard]] bool at_end() const noexcept { return at(0).kind == Token::Kind::End; }
  [[nodiscard]] const Token& at(std::size_t ahead) const noexcept { return window_[(first_ + ahead) % kAhead]; }
  void next() {
    if (!at_end()) window_[std::exchange(first_, (first_ + 1) % kAhead)] = lexer_.next();
  }

 private:
  static constexpr std::size_t kAhead = 7;  ///< RENAME COLUMN IF EXISTS a TO b
  binlog::Lexer lexer_;
  std::array<Token, kAhead> window_;
  std::size_t first_ = 0;
};

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
  for (Words words(sql, context); !words.at_end(); words.next()) {
    const auto& word = words.at(0);
    if (word.is("VERSIONING")) return true;
    if (!cascades_allowed && word.is("ON") && (words.at(1).is("DELETE") || words.at(1).is("UPDATE")) &&
        (words.at(2).is("CASCADE") || words.at(2).is("SET")))
      return true;
    if (!word.is("ENGINE")) continue;
    const auto& name = words.at(1).is('=') ? words.at(2) : words.at(1);
    const bool named = name.can_be_name() || name.kind == Token::Kind::String;
    if (named && base::fold_identifier(name.raw).find("innodb") == std::string::npos) return true;
  }
  return false;
}

std::vector<std::pair<std::string, std::string>> renamed_columns(std::string_view sql,
                                                                 const binlog::StatementContext& context) {
  std::vector<std::pair<std::string, std::string>> out;
  for (Words words(sql, context); !words.at_end(); words.next()) {
    const bool change = words.at(0).is("CHANGE"), rename = words.at(0).is("RENAME") && words.at(1).is("COLUMN");
    if (!change && !rename) continue;
    std::size_t next = 1;
    if (words.at(next).is("COLUMN")) ++next;
    if (words.at(next).is("IF") && words.at(next + 1).is("EXISTS")) next += 2;
    const auto to = rename ? next + 2 : next + 1;
    if (!words.at(next).can_be_name() || !words.at(to).can_be_name()) continue;
    if (rename && !words.at(next + 1).is("TO")) continue;
    out.emplace_back(words.at(next).name, words.at(to).name);
  }
  return out;
}

std::vector<std::string> dropped_columns(std::string_view sql, const binlog::StatementContext& context) {
  static constexpr std::string_view kOthers[] = {"INDEX", "KEY",       "PRIMARY", "FOREIGN", "CONSTRAINT",
                                                 "CHECK", "PARTITION", "PERIOD",  "SYSTEM",  "DEFAULT"};
  std::vector<std::string> out;
  for (Words words(sql, context); !words.at_end(); words.next()) {
    if (!words.at(0).is("DROP")) continue;
    std::size_t next = 1;
    if (words.at(next).is("COLUMN"))
      ++next;
    else if (std::ranges::any_of(kOthers, [&](auto word) { return words.at(next).is(word); }))
      continue;
    if (words.at(next).is("IF") && words.at(next + 1).is("EXISTS")) next += 2;
    if (words.at(next).can_be_name()) out.push_back(words.at(next).name);
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
