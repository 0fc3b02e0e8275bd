#pragma once
// Splits SQL into tokens: just enough to tell what kind of statement it is and which names stand in it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace datasync::binlog {

/// How the session that ran a statement quoted (bits of its sql_mode).
struct Quoting {
  bool ansi_quotes = false;           ///< "x" is a name, not a string
  bool no_backslash_escapes = false;  ///< \ is an ordinary character in strings
  static Quoting of(std::uint64_t sql_mode) noexcept { return {(sql_mode & 0x4U) != 0, (sql_mode & 0x100000U) != 0}; }
};

struct Token {
  enum class Kind : std::uint8_t { End, Word, Name, String, Symbol };
  Kind kind = Kind::End;
  std::string_view raw;  ///< as it stands in the text
  std::string name;      ///< Word: as it stands; Name: without its quotes

  /// An unquoted word, whatever its case; `word` in capitals.
  [[nodiscard]] bool is(std::string_view word) const noexcept;
  [[nodiscard]] bool is(char symbol) const noexcept {
    return kind == Kind::Symbol && raw.size() == 1 && raw.front() == symbol;
  }
  [[nodiscard]] bool can_be_name() const noexcept { return kind == Kind::Word || kind == Kind::Name; }
};

/// Comments are skipped; what stands in executable ones (/*! */ and /*M! */) counts as text, whatever version they
/// name. Anything is accepted: an open quote or comment ends with the text.
class Lexer {
 public:
  Lexer(std::string_view text, Quoting quoting) : text_(text), quoting_(quoting) {}
  Token next();
  /// The token after the current one, without taking it.
  [[nodiscard]] Token peek() const { return Lexer(*this).next(); }

 private:
  void skip_space();
  bool skip_comment();
  Token quoted(char quote, Token::Kind kind);
  [[nodiscard]] char at(std::size_t i) const noexcept { return i < text_.size() ? text_[i] : '\0'; }

  std::string_view text_;
  Quoting quoting_;
  std::size_t pos_ = 0;
  bool executable_ = false;  ///< inside /*! ... */
};

/// Equal when ASCII letters are compared without case.
bool same_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace datasync::binlog
