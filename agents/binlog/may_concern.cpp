// Finds the tables that a statement may name when judge() did not understand it.

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "agents/binlog/judge.hpp"
#include "agents/binlog/judgement.hpp"

namespace datasync::binlog {
namespace {

bool is_ascii(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

class Finder {
 public:
  /// `only_rows`: the name of a database alone is not a match.
  Finder(const StatementContext& context, std::span<const NamedTable> tables, bool only_rows)
      : context_(context),
        tables_(tables),
        only_rows_(only_rows),
        found_(tables.size(), false),
        home_(base::fold_identifier(context.database)) {
    for (std::size_t i = 0; i < tables.size(); ++i) {
      databases_.push_back(base::fold_identifier(tables[i].database));
      by_table_[base::fold_identifier(tables[i].table)].push_back(i);
      by_database_[databases_.back()].push_back(i);
    }
  }

  /// Searches the tokens for names. Returns false when the tokens are not reliable.
  bool tokens(std::string_view sql, std::string_view charset) {
    Lexer lexer(sql, context_.quoting, charset, &context_.to_utf8);
    std::string qualifier;
    bool qualified = false;  // the current token follows a name and a dot
    for (Token token = lexer.next(); token.kind != Token::Kind::End;) {
      Token after = lexer.next();
      if (token.can_be_name()) {
        if (!token.known) return false;
        auto name = base::fold_identifier(token.name);
        table(name, qualified ? qualifier : home_);
        if (!qualified && !after.is('.')) database(name);
        qualifier = std::move(name);
        // `TABLE .t` is the table t of the session's database; `db.t` and `db . t` are not.
        const bool touches = token.raw.data() + token.raw.size() == after.raw.data();
        may_be_word_ = token.kind == Token::Kind::Word && !touches;
        qualified = after.is('.');
      } else if (!token.is('.')) {
        qualified = false;
      }
      token = std::move(after);
    }
    return lexer.whole() && context_.quoting_known;
  }

  /// Searches for the bytes of names in any context: used when quotes and characters are in doubt.
  void bytes(std::string_view sql) {
    const auto text = base::fold_identifier(sql);
    const bool foreign = !is_ascii(sql);
    const bool unknown =
        character_bytes(context_.charset) == CharacterBytes::Foreign && (foreign || !context_.charset.empty());
    constexpr std::size_t kMostCompared = std::size_t{1} << 28U;
    const bool too_much = sql.size() > kMostCompared / (tables_.size() + 1);
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      const auto may_be = [&](const std::string& name) {
        if (unknown || too_much) return true;
        return is_ascii(name) ? contains(text, base::fold_identifier(name)) : foreign;
      };
      if (may_be(tables_[i].table) || (!only_rows_ && may_be(tables_[i].database))) found_[i] = true;
    }
  }

  [[nodiscard]] std::vector<std::size_t> found() const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < found_.size(); ++i)
      if (found_[i]) out.push_back(i);
    return out;
  }

 private:
  /// A quote in a name is written twice, so a name with a quote counts as found.
  static bool contains(std::string_view text, std::string_view name) {
    if (name.find_first_of("`\"]\\") != std::string_view::npos) return true;
    return text.find(name) != std::string_view::npos;
  }
  void table(const std::string& name, const std::string& database) {
    const auto at = by_table_.find(name);
    if (at == by_table_.end()) return;
    for (const auto i : at->second) {
      const bool at_home = home_.empty() || databases_[i] == home_;
      if (databases_[i] == database || (at_home && (&database == &home_ || may_be_word_))) found_[i] = true;
    }
  }
  void database(const std::string& name) {
    const auto at = by_database_.find(name);
    if (at == by_database_.end() || only_rows_) return;
    for (const auto i : at->second) found_[i] = true;
  }

  const StatementContext& context_;
  std::span<const NamedTable> tables_;
  bool only_rows_;
  bool may_be_word_ = false;  ///< the name before the dot may be a keyword of the statement
  std::vector<bool> found_;
  std::string home_;
  std::vector<std::string> databases_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_table_, by_database_;
};

}  // namespace

std::vector<std::size_t> may_concern(std::string_view sql, const StatementContext& context,
                                     std::span<const NamedTable> tables) {
  const auto judgement = judge(sql, context);
  if (judgement.any_table) {
    std::vector<std::size_t> all(tables.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }
  Finder finder(context, tables, judgement.by_statement);
  if (!finder.tokens(sql, context.charset)) finder.bytes(sql);
  if (may_be_made_by_server(sql, context)) (void)finder.tokens(sql, "utf8mb4");
  return finder.found();
}

}  // namespace datasync::binlog
