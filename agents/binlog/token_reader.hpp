#pragma once
// The tokens of a statement, one after another, with one token of preview: what the grammar in judge_*.cpp reads from.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "agents/binlog/judgement.hpp"
#include "agents/binlog/lexer.hpp"

namespace datasync::binlog {

template <std::size_t N>
bool is_any(const Token& token, const std::array<std::string_view, N>& words) noexcept {
  return std::ranges::any_of(words, [&](auto w) { return token.is(w); });
}

class TokenReader {
 public:
  /// Both must outlive the reader.
  TokenReader(std::string_view sql, const StatementContext& context);

  [[nodiscard]] const Token& now() const noexcept { return now_; }
  [[nodiscard]] const Token& after() const noexcept { return after_; }
  [[nodiscard]] bool is(std::string_view word) const noexcept { return now_.is(word); }
  [[nodiscard]] bool is(char symbol) const noexcept { return now_.is(symbol); }
  /// The current token and the one after it.
  [[nodiscard]] bool are(std::string_view first, std::string_view second) const noexcept {
    return now_.is(first) && after_.is(second);
  }
  [[nodiscard]] bool at_end() const noexcept { return now_.kind == Token::Kind::End; }
  void advance();
  bool take(std::string_view word);
  bool take(char symbol);
  bool take(std::string_view first, std::string_view second);

  /// Past IF [NOT] EXISTS, when it is there. False: there is an IF without the rest.
  bool if_exists();
  /// Past WAIT n and NOWAIT, when there is one.
  void wait();
  /// A name: any word or quoted name.
  std::optional<std::string> ident();
  /// `t`, `db.t` or `.t`. A database that is not written is the session's. Nothing: there is no name, or it is not
  /// known which one it is.
  std::optional<NamedTable> table();
  /// From an opening bracket past its closing one. False: it has none.
  bool brackets();
  /// To the end of the statement, whatever it holds. False: a second statement follows.
  bool rest();
  /// True at the end of a text that was understood: nothing but semicolons follows and every token was whole.
  bool finished();
  [[nodiscard]] bool whole() const noexcept { return whole_ && lexer_.whole(); }
  [[nodiscard]] const StatementContext& context() const noexcept { return context_; }

 private:
  const StatementContext& context_;
  Lexer lexer_;
  Token now_, after_;
  bool whole_ = true;  ///< false: a name could not be read
};

}  // namespace datasync::binlog
