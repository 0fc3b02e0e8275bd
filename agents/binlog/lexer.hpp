#pragma once
// Splits SQL into tokens as the server does: quotes, comments and the characters of the client's character set.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agents/binlog/charset.hpp"

namespace datasync::binlog {

/// The quoting rules of the session that ran a statement (bits of its sql_mode).
struct Quoting {
  bool ansi_quotes = false;           ///< "x" is a name, not a string
  bool no_backslash_escapes = false;  ///< \ is an ordinary character in strings
  bool brackets = false;              ///< [x] is a name (sql_mode MSSQL)
  static Quoting of(std::uint64_t sql_mode) noexcept {
    return {(sql_mode & 0x4U) != 0, (sql_mode & 0x100000U) != 0, (sql_mode & 0x400U) != 0};
  }
};

/// One token of a statement; `raw` points into the statement's text.
struct Token {
  enum class Kind : std::uint8_t { End, Word, Name, String, Symbol };
  Kind kind = Kind::End;
  bool known = true;     ///< false: `name` holds bytes that could not be converted to UTF-8
  std::string_view raw;  ///< as written in the text
  std::string name;      ///< Word, Name: in UTF-8, without quotes

  /// Returns true for an unquoted word, whatever its case; `word` must be in capitals.
  [[nodiscard]] bool is(std::string_view word) const noexcept;
  [[nodiscard]] bool is(char symbol) const noexcept {
    return kind == Kind::Symbol && raw.size() == 1 && raw.front() == symbol;
  }
  [[nodiscard]] bool can_be_name() const noexcept { return kind == Kind::Word || kind == Kind::Name; }
};

/// Splits a statement into tokens. Comments are skipped; the text in executable comments (/*! */ and /*M! */) is read,
/// because the server removes the marker of comments that it does not execute before it writes the statement. Any input
/// is accepted; see whole().
class Lexer {
 public:
  /// `charset` is the client's ("" when not known). `other` converts names of character sets that charset.hpp does not
  /// support and may be null. All arguments must outlive the lexer.
  Lexer(std::string_view text, Quoting quoting, std::string_view charset = "utf8mb4", const ToUtf8* other = nullptr);
  /// Returns the next token; Kind::End at the end of the text.
  Token next();
  /// Returns the token after the current one without consuming it.
  [[nodiscard]] Token peek() const { return Lexer(*this).next(); }
  /// Returns false when the tokens read so far prove nothing: an unterminated quote or comment, an executable comment
  /// that servers treat differently, or characters of an unknown encoding.
  [[nodiscard]] bool whole() const noexcept { return whole_; }

 private:
  void skip_space();
  bool skip_comment();
  void skip_disabled();
  Token quoted(char quote, Token::Kind kind);
  void convert(Token& token) const;
  [[nodiscard]] bool is_space(std::size_t i) const noexcept;
  [[nodiscard]] bool in_word(std::size_t i) const noexcept;
  [[nodiscard]] std::size_t step(std::size_t i) const noexcept;
  [[nodiscard]] char at(std::size_t i) const noexcept { return i < text_.size() ? text_[i] : '\0'; }

  std::string_view text_;
  Quoting quoting_;
  std::string_view charset_;
  const ToUtf8* other_;
  std::size_t pos_ = 0;
  CharacterBytes bytes_;
  bool utf8_;
  bool hard_space_;          ///< byte A0 is a space
  bool executable_ = false;  ///< inside /*! ... */
  bool whole_ = true;
};

/// Returns the statement without its values: each string and number is replaced with a question mark. For logs and
/// errors, because a value may be from a column that must not be disclosed. The result is UTF-8, whatever the client's
/// character set; see Lexer. For a statement that cannot be read to its end, only the first words are returned. The
/// result is about `most` bytes long; the whole text is read.
std::string without_values(std::string_view sql, Quoting quoting, std::string_view charset = "utf8mb4",
                           const ToUtf8* other = nullptr, std::size_t most = std::string_view::npos);
/// Returns the words before anything that could be a value in some reading: "UPDATE shop.orders SET name ...".
std::string first_words(std::string_view sql);

/// Returns true when the texts are equal and ASCII letters are compared without case.
bool same_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace datasync::binlog
