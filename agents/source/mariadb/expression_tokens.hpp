#pragma once
// The tokens of an expression of a column, as the server prints it.

#include <string_view>
#include <vector>

#include "agents/binlog/lexer.hpp"

namespace datasync::source::mariadb {

/// One expression, read from its beginning to its end.
class ExpressionTokens {
 public:
  using Token = binlog::Token;

  explicit ExpressionTokens(std::string_view text) {
    binlog::Lexer lexer(text, {});
    for (auto token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next()) all_.push_back(token);
    whole_ = lexer.whole();
  }

  /// False: a quote or a comment has no end.
  [[nodiscard]] bool whole() const noexcept { return whole_; }
  [[nodiscard]] bool at_end() const noexcept { return i_ >= all_.size(); }
  [[nodiscard]] const Token& at(std::size_t ahead = 0) const noexcept {
    static const Token kEnd;
    return i_ + ahead < all_.size() ? all_[i_ + ahead] : kEnd;
  }
  void advance(std::size_t by = 1) noexcept { i_ += by; }
  void to_end() noexcept { i_ = all_.size(); }
  bool take(char symbol) { return at().is(symbol) && ++i_ != 0; }
  bool take(std::string_view word) { return at().is(word) && ++i_ != 0; }
  /// The token begins where the one before it ends.
  [[nodiscard]] bool touches(std::size_t ahead) const noexcept {
    const auto before = at(ahead - 1).raw;
    return before.data() + before.size() == at(ahead).raw.data();
  }
  /// An operator of several symbols is here.
  [[nodiscard]] bool are(std::string_view symbols) const noexcept {
    for (std::size_t k = 0; k < symbols.size(); ++k)
      if (!at(k).is(symbols[k]) || (k > 0 && !touches(k))) return false;
    return true;
  }
  /// Moves past a number, of which the first digits are here: 12, 1.5, 1.5e-10. Returns false for 0x4142, a text.
  bool number() {
    const bool hex = at().raw.starts_with("0x");
    auto last = at().raw.back();
    advance();
    if (hex) return false;
    if (take('.') && at().kind == Token::Kind::Word) {
      last = at().raw.back();
      advance();
    }
    if ((last == 'e' || last == 'E') && (take('-') || take('+'))) advance();
    return true;
  }

 private:
  std::vector<Token> all_;
  std::size_t i_ = 0;
  bool whole_ = true;
};

}  // namespace datasync::source::mariadb
