#include "agents/binlog/lexer.hpp"

#include <algorithm>

namespace datasync::binlog {
namespace {

char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool in_word(char c) noexcept {
  return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return upper(x) == upper(y); });
}

bool Token::is(std::string_view word) const noexcept {
  return kind == Kind::Word && same_ignoring_case(raw, word);
}

bool Lexer::skip_comment() {
  const auto to = [this](std::string_view end) {
    const auto found = text_.find(end, pos_);
    pos_ = found == std::string_view::npos ? text_.size() : found + end.size();
  };
  const char c = at(pos_);
  const bool dashes = c == '-' && at(pos_ + 1) == '-' && (pos_ + 2 >= text_.size() || is_space(at(pos_ + 2)));
  if (c == '#' || dashes) {
    to("\n");
    return true;
  }
  if (executable_ && c == '*' && at(pos_ + 1) == '/') {
    executable_ = false;
    pos_ += 2;
    return true;
  }
  if (c != '/' || at(pos_ + 1) != '*') return false;
  const std::size_t mark = at(pos_ + 2) == 'M' ? 3 : 2;
  if (at(pos_ + mark) == '!') {
    executable_ = true;
    pos_ += mark + 1;
    while (is_digit(at(pos_))) ++pos_;
    return true;
  }
  pos_ += 2;
  to("*/");
  return true;
}

void Lexer::skip_space() {
  while (pos_ < text_.size()) {
    if (is_space(text_[pos_]) || text_[pos_] == '\0') {
      ++pos_;
    } else if (!skip_comment()) {
      return;
    }
  }
}

Token Lexer::quoted(char quote, Token::Kind kind) {
  Token out;
  out.kind = kind;
  const auto start = pos_++;
  const bool escapes = kind == Token::Kind::String && !quoting_.no_backslash_escapes;
  while (pos_ < text_.size()) {
    const char c = text_[pos_];
    if (c == quote && at(pos_ + 1) != quote) break;
    if (c == quote || (escapes && c == '\\')) ++pos_;
    if (pos_ < text_.size() && kind == Token::Kind::Name) out.name.push_back(text_[pos_]);
    ++pos_;
  }
  pos_ = std::min(pos_ + 1, text_.size());
  out.raw = text_.substr(start, pos_ - start);
  return out;
}

Token Lexer::next() {
  skip_space();
  if (pos_ >= text_.size()) return {};
  const char c = text_[pos_];
  if (c == '`') return quoted(c, Token::Kind::Name);
  if (c == '"') return quoted(c, quoting_.ansi_quotes ? Token::Kind::Name : Token::Kind::String);
  if (c == '\'') return quoted(c, Token::Kind::String);
  Token out;
  const auto start = pos_++;
  if (in_word(c)) {
    while (in_word(at(pos_))) ++pos_;
    out.kind = Token::Kind::Word;
    out.name = text_.substr(start, pos_ - start);
  } else {
    out.kind = Token::Kind::Symbol;
  }
  out.raw = text_.substr(start, pos_ - start);
  return out;
}

}  // namespace datasync::binlog
