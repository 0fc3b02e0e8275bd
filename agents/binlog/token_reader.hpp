#pragma once
// Reads the tokens of a statement one after another, with one token of lookahead. The grammar in judge_*.cpp uses it.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "agents/binlog/judgement.hpp"
#include "agents/binlog/lexer.hpp"

namespace datasync::binlog {

/// Returns true when the token is one of `words`.
template <std::size_t N>
bool is_any(const Token& token, const std::array<std::string_view, N>& words) noexcept {
  return std::ranges::any_of(words, [&](auto w) { return token.is(w); });
}

class TokenReader {
 public:
  /// Both arguments must outlive the reader.
  TokenReader(std::string_view sql, const StatementContext& context);

  [[nodiscard]] const Token& now() const noexcept { return now_; }
  [[nodiscard]] const Token& after() const noexcept { return after_; }
  [[nodiscard]] bool is(std::string_view word) const noexcept { return now_.is(word); }
  [[nodiscard]] bool is(char symbol) const noexcept { return now_.is(symbol); }
  /// Returns true when these are the current token and the one after it.
  [[nodiscard]] bool are(std::string_view first, std::string_view second) const noexcept {
    return now_.is(first) && after_.is(second);
  }
  [[nodiscard]] bool at_end() const noexcept { return now_.kind == Token::Kind::End; }
  /// Moves to the next token.
  void advance();
  /// Moves past the token or tokens if they are the current ones; otherwise returns false and does not move.
  bool take(std::string_view word);
  bool take(char symbol);
  bool take(std::string_view first, std::string_view second);

  /// Skips IF [NOT] EXISTS, if present. Returns false when IF is not followed by the rest.
  bool if_exists();
  /// Skips WAIT n or NOWAIT, if present.
  void wait();
  /// Reads a name: any word or quoted name.
  std::optional<std::string> ident();
  /// Reads `t`, `db.t` or `.t`; the default database is the session's. Returns nullopt when there is no name, or when
  /// the name cannot be converted.
  std::optional<NamedTable> table();
  /// Skips from an opening bracket past its closing one. Returns false when there is none.
  bool brackets();
  /// Skips to the end of the statement, whatever it contains. Returns false when a second statement follows.
  bool rest();
  /// Returns true at the end of a text that was understood: only semicolons follow and every token was complete.
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
