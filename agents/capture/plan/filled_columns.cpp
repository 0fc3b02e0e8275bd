#include "agents/capture/plan/filled_columns.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "agents/base/identifier.hpp"
#include "agents/binlog/judge.hpp"
#include "agents/binlog/lexer.hpp"
#include "agents/binlog/token_reader.hpp"
#include "agents/capture/plan/statement_effects.hpp"

namespace datasync::capture {
namespace {

using binlog::NamedTable;
using binlog::StatementContext;
using binlog::Token;

constexpr std::size_t kMostBefore = 1000;  ///< words before ALTER or CREATE: SET STATEMENT with many variables

/// The columns of one statement. What is no ALTER TABLE or CREATE TABLE has none.
class ColumnReader {
 public:
  ColumnReader(std::string_view sql, const StatementContext& context, std::string_view charset) : context_(context) {
    binlog::Lexer lexer(sql, context.quoting, charset, &context.to_utf8);
    bool defines = false;
    for (auto token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next()) {
      defines = defines || token.is("ALTER") || token.is("CREATE");
      // Rows of an INSERT may be as many as the memory takes.
      if (!defines && words_.size() >= kMostBefore) return;
      words_.push_back(std::move(token));
    }
    statement();
  }

  std::vector<FilledColumn> filled;
  std::vector<std::string> added;
  std::optional<NamedTable> like;

 private:
  [[nodiscard]] const Token& at(std::size_t ahead = 0) const noexcept {
    static const Token kEnd;
    return i_ + ahead < words_.size() ? words_[i_ + ahead] : kEnd;
  }
  [[nodiscard]] bool at_end() const noexcept { return i_ >= words_.size(); }
  bool take(std::string_view word) {
    if (!at().is(word)) return false;
    ++i_;
    return true;
  }
  bool take(char symbol) {
    if (!at().is(symbol)) return false;
    ++i_;
    return true;
  }
  /// True when IF [NOT] EXISTS was there.
  bool take_if() {
    if (!take("IF")) return false;
    take("NOT");
    take("EXISTS");
    return true;
  }
  std::optional<NamedTable> table() {
    NamedTable out{std::string(context_.database), ""};
    if (take('.'))
      return at().can_be_name() ? std::optional(NamedTable{out.database, words_[i_++].name}) : std::nullopt;
    if (!at().can_be_name()) return std::nullopt;
    out.table = words_[i_++].name;
    if (take('.') && at().can_be_name()) out.database = std::exchange(out.table, words_[i_++].name);
    return out;
  }

  void statement() {
    while (!at_end() && !at().is("ALTER") && !at().is("CREATE")) ++i_;  // SET STATEMENT ... FOR
    const bool create = at().is("CREATE");
    while (!at_end() && !at().is("TABLE")) ++i_;
    ++i_;
    take_if();
    if (!table()) return;
    if (create) return created();
    if (!take("NOWAIT") && take("WAIT")) ++i_;
    while (!at_end()) {
      action();
      while (!at_end() && !at().is(',')) at().is('(') ? brackets() : void(++i_);
      ++i_;
    }
  }

  void created() {
    const bool open = take('(');
    if (take("LIKE"))
      like = table();
    else if (open)
      columns(false);
  }

  void action() {
    if (take("ADD")) {
      take("COLUMN");
      const bool perhaps = take_if();
      if (take('(')) return columns(!perhaps);
      return column(!perhaps);
    }
    const bool changes = at().is("CHANGE"), modifies = at().is("MODIFY"), alters = at().is("ALTER");
    if (!changes && !modifies && !alters) return;
    ++i_;
    take("COLUMN");
    take_if();
    if (changes) {  // the name of before
      skip_table();
      ++i_;
    }
    column(false);
  }

  /// The name of a column may have that of its table before it.
  void skip_table() {
    take('.');
    while (at().can_be_name() && at(1).is('.')) i_ += 2;
  }

  void columns(bool adds) {
    do column(adds);
    while (take(','));
  }

  /// Its name and its definition.
  void column(bool adds) {
    static constexpr auto kOthers =
        std::to_array<std::string_view>({"INDEX", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL", "PRIMARY", "CONSTRAINT",
                                         "FOREIGN", "CHECK", "PARTITION", "PERIOD", "SYSTEM"});
    skip_table();
    if (!at().can_be_name()) return;
    if (adds && !is_any(at(), kOthers)) added.push_back(at().name);
    FilledColumn out{words_[i_++].name, {}};
    definition(out.names);
    if (!out.names.empty()) filled.push_back(std::move(out));
  }

  void brackets() {
    int depth = 0;
    do {
      if (at().is('(')) ++depth;
      if (at().is(')')) --depth;
      ++i_;
    } while (depth > 0 && !at_end());
  }

  /// To the comma or bracket that ends it. Types, positions, checks and references give a column no values.
  void definition(std::vector<std::string>& names) {
    bool expression = false;
    while (!at_end() && !at().is(',') && !at().is(')') && !(at().is("PARTITION") && at(1).is("BY"))) {
      if (at().is("DEFAULT") || at().is("AS")) {
        expression = true;
        ++i_;
        // A column may have the name of an attribute. ON DELETE SET DEFAULT has nothing after it.
        if (!at().is('(') && !at().is(',') && !at().is(')')) value(names);
      } else if (attribute()) {
        continue;
      } else if (expression) {
        value(names);
      } else {
        at().is('(') ? brackets() : void(++i_);
      }
    }
  }

  /// Skips an attribute of a column.
  bool attribute() {
    static constexpr auto kWords = std::to_array<std::string_view>(
        {"NOT", "NULL", "UNIQUE", "KEY", "PRIMARY", "AUTO_INCREMENT", "INVISIBLE", "STORED", "PERSISTENT", "VIRTUAL",
         "COMPRESSED", "FIRST", "WITH", "WITHOUT", "SYSTEM", "VERSIONING", "ON", "UPDATE", "COMMENT"});
    static constexpr auto kNamed = std::to_array<std::string_view>({"AFTER", "COLLATE", "CHARSET", "CONSTRAINT"});
    if (is_any(at(), kWords)) {
      ++i_;
      return true;
    }
    if (is_any(at(), kNamed)) {
      if (!at(1).is('(')) ++i_;
      ++i_;
      return true;
    }
    if (take("CHECK")) {
      if (at().is('(')) brackets();
      return true;
    }
    if (!take("REFERENCES")) return false;
    table();
    if (at().is('(')) brackets();
    return true;
  }

  /// One token of an expression, or all in its brackets, or a whole CASE.
  void value(std::vector<std::string>& names) {
    int depth = 0, cases = 0;
    do {
      if (at_end()) return;
      if (at().is('(')) ++depth;
      if (at().is(')')) --depth;
      // In brackets, which end it in any case, a column may have the name END.
      if (depth == 0 && at().is("CASE")) ++cases;
      if (depth == 0 && at().is("END")) --cases;
      name(names);
      ++i_;
    } while (depth > 0 || cases > 0);
  }
  void name(std::vector<std::string>& names) const {
    // Before a bracket it is a function, before a string that it touches a character set.
    if (!at().can_be_name() || at(1).is('(')) return;
    const bool introduces = at().kind == Token::Kind::Word && at(1).kind == Token::Kind::String &&
                            at().raw.data() + at().raw.size() == at(1).raw.data();
    if (!introduces) names.push_back(at().name);
  }

  const StatementContext& context_;
  std::vector<Token> words_;
  std::size_t i_ = 0;
};

/// The server writes some statements itself, in UTF-8, whatever the character set of the client.
template <class Take>
void read_columns(std::string_view sql, const StatementContext& context, Take take) {
  take(ColumnReader(sql, context, context.charset));
  const bool ascii = std::ranges::all_of(sql, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii && !context.charset.starts_with("utf8")) take(ColumnReader(sql, context, "utf8mb4"));
}

}  // namespace

ColumnNames column_names_of(std::string_view sql, const StatementContext& context, bool certain) {
  return {renamed_columns(sql, context), dropped_columns(sql, context), filled_columns(sql, context),
          added_columns(sql, context), certain};
}

std::vector<FilledColumn> filled_columns(std::string_view sql, const StatementContext& context) {
  std::vector<FilledColumn> out;
  read_columns(sql, context, [&](ColumnReader reader) { std::ranges::move(reader.filled, std::back_inserter(out)); });
  return out;
}

std::vector<std::string> added_columns(std::string_view sql, const StatementContext& context) {
  return ColumnReader(sql, context, context.charset).added;
}

std::optional<NamedTable> like_table(std::string_view sql, const StatementContext& context) {
  return ColumnReader(sql, context, context.charset).like;
}

bool names_are_known(std::string_view sql, const StatementContext& context) {
  const auto known = [&](std::string_view charset) {
    binlog::Lexer lexer(sql, context.quoting, charset, &context.to_utf8);
    for (auto token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next())
      if (token.can_be_name() && !token.known) return false;
    return true;
  };
  return known(context.charset) || (binlog::may_be_made_by_server(sql, context) && known("utf8mb4"));
}

bool names_are_certain(std::string_view sql, const StatementContext& context) {
  binlog::Lexer lexer(sql, context.quoting, context.charset, &context.to_utf8);
  bool quoting = context.quoting_known, known = true;
  for (auto token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next()) {
    known = known && (!token.can_be_name() || token.known);
    quoting = quoting && !token.is("SQL_MODE");
  }
  return known && lexer.whole() && (quoting || sql.find_first_of("\"\\[") == std::string_view::npos);
}

bool names_any(std::string_view sql, const StatementContext& context, const std::vector<std::string>& columns) {
  binlog::Lexer lexer(sql, context.quoting, context.charset, &context.to_utf8);
  for (auto token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next())
    if (token.can_be_name() &&
        std::ranges::any_of(columns, [&](const auto& column) { return base::same_column(column, token.name); }))
      return true;
  return false;
}

}  // namespace datasync::capture
