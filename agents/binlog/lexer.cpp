#include "agents/binlog/lexer.hpp"

#include <algorithm>
#include <utility>

namespace datasync::binlog {
namespace {

char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
bool is_ascii(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x80;
}
constexpr char kHardSpace = static_cast<char>(0xA0);
constexpr unsigned char kFirstOfFour = 0xF0;  // UTF-8

}  // namespace

bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return upper(x) == upper(y); });
}

bool Token::is(std::string_view word) const noexcept {
  return kind == Kind::Word && same_ignoring_case(raw, word);
}

Lexer::Lexer(std::string_view text, Quoting quoting, std::string_view charset, const ToUtf8* other)
    : text_(text),
      quoting_(quoting),
      charset_(charset),
      other_(other),
      bytes_(character_bytes(charset)),
      utf8_(charset.starts_with("utf8")),
      hard_space_(has_hard_space(charset)) {
  // If the client's character set is not known, only pure ASCII text can be read reliably.
  if (bytes_ == CharacterBytes::Foreign) whole_ = charset.empty() && std::ranges::all_of(text, is_ascii);
}

bool Lexer::is_space(std::size_t i) const noexcept {
  const char c = at(i);
  return c == ' ' || (c >= '\t' && c <= '\r') || (hard_space_ && c == kHardSpace);
}

bool Lexer::in_word(std::size_t i) const noexcept {
  const char c = at(i);
  return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'Z') || c == '_' || c == '$' || (!is_ascii(c) && !is_space(i));
}

/// Returns the number of bytes of the character at `i`; UTF-8 is read byte by byte.
std::size_t Lexer::step(std::size_t i) const noexcept {
  if (bytes_ == CharacterBytes::Plain || i + 1 >= text_.size()) return 1;
  return character_length(bytes_, static_cast<unsigned char>(text_[i]), static_cast<unsigned char>(text_[i + 1]));
}

/// A comment for servers of other versions may contain ordinary comments, one level deep.
void Lexer::skip_disabled() {
  for (; pos_ < text_.size(); ++pos_) {
    if (at(pos_) == '/' && at(pos_ + 1) == '*') {
      const auto end = text_.find("*/", pos_ + 2);
      pos_ = end == std::string_view::npos ? text_.size() : end + 1;
    } else if (at(pos_) == '*' && at(pos_ + 1) == '/') {
      pos_ += 2;
      return;
    }
  }
  whole_ = false;
}

bool Lexer::skip_comment() {
  const char c = at(pos_);
  const bool dashes = c == '-' && at(pos_ + 1) == '-' && (is_space(pos_ + 2) || is_control(at(pos_ + 2)));
  if (c == '#' || dashes) {
    pos_ = std::min(text_.find('\n', pos_), text_.size());
    return true;
  }
  if (executable_ && c == '*' && at(pos_ + 1) == '/') {
    executable_ = false;
    pos_ += 2;
    return true;
  }
  if (c != '/' || at(pos_ + 1) != '*') return false;
  const bool maria = at(pos_ + 2) == 'M';
  const std::size_t mark = maria ? 3 : 2;
  if (at(pos_ + mark) != '!') {
    const auto end = text_.find("*/", pos_ + 2);
    const bool open = end == std::string_view::npos;
    whole_ = whole_ && !open;
    pos_ = open ? text_.size() : end + 2;
    return true;
  }
  pos_ += mark + 1;
  constexpr std::size_t kVersion = 5, kLongVersion = 6;
  std::size_t digits = 0;
  unsigned version = 0;
  while (digits < kLongVersion && is_digit(at(pos_ + digits)))
    version = version * 10 + static_cast<unsigned>(at(pos_ + digits++) - '0');
  if (digits < kVersion) digits = 0;  // no version: the digits are part of the text
  pos_ += digits;
  constexpr unsigned kMySql57 = 50700, kMySqlLast = 99999;
  if (!maria && digits != 0 && version >= kMySql57 && version <= kMySqlLast) {
    whole_ = false;  // MySQL executes it; MariaDB does not, and removes the comment's marker
    skip_disabled();
    return true;
  }
  executable_ = true;
  return true;
}

void Lexer::skip_space() {
  while (pos_ < text_.size()) {
    if (is_space(pos_) || text_[pos_] == '\0') {
      ++pos_;
    } else if (!skip_comment()) {
      return;
    }
  }
  if (executable_) whole_ = false;
}

void Lexer::convert(Token& token) const {
  if (std::ranges::all_of(token.name, is_ascii)) {
    token.known = bytes_ != CharacterBytes::Foreign || charset_.empty();
    return;
  }
  static const ToUtf8 kNone;
  auto text = to_utf8(charset_, token.name, other_ == nullptr ? kNone : *other_);
  token.known = text.has_value();
  if (text) token.name = std::move(*text);
  // Names contain only characters of up to three bytes; how the server handles longer ones depends on its version.
  if (std::ranges::any_of(token.name, [](char c) { return static_cast<unsigned char>(c) >= kFirstOfFour; }))
    token.known = false;
}

Token Lexer::quoted(char quote, Token::Kind kind) {
  Token out;
  out.kind = kind;
  const auto start = pos_++;
  const bool escapes = kind == Token::Kind::String && !quoting_.no_backslash_escapes;
  bool closed = false;
  while (pos_ < text_.size()) {
    const auto length = step(pos_);
    const char c = text_[pos_];
    if (length == 1 && c == quote && at(pos_ + 1) != quote) {
      closed = true;
      break;
    }
    if (length == 1 && (c == quote || (escapes && c == '\\'))) ++pos_;
    const auto taken = length == 1 ? step(std::min(pos_, text_.size())) : length;
    if (pos_ < text_.size() && kind == Token::Kind::Name) out.name.append(text_.substr(pos_, taken));
    pos_ += taken;
  }
  if (!closed) whole_ = false;
  pos_ = std::min(pos_ + 1, text_.size());
  out.raw = text_.substr(start, pos_ - start);
  if (kind == Token::Kind::Name) convert(out);
  return out;
}

Token Lexer::next() {
  skip_space();
  if (pos_ >= text_.size()) return {};
  const char c = text_[pos_];
  if (c == '`') return quoted(c, Token::Kind::Name);
  if (c == '"') return quoted(c, quoting_.ansi_quotes ? Token::Kind::Name : Token::Kind::String);
  if (c == '\'') return quoted(c, Token::Kind::String);
  if (c == '[' && quoting_.brackets) return quoted(']', Token::Kind::Name);
  Token out;
  const auto start = pos_;
  if (in_word(pos_)) {
    while (pos_ < text_.size() && in_word(pos_)) pos_ = std::min(pos_ + step(pos_), text_.size());
    out.kind = Token::Kind::Word;
    out.name = text_.substr(start, pos_ - start);
  } else {
    ++pos_;
    out.kind = Token::Kind::Symbol;
  }
  out.raw = text_.substr(start, pos_ - start);
  if (out.kind == Token::Kind::Word) convert(out);
  return out;
}

std::string first_words(std::string_view sql) {
  constexpr std::size_t kMost = 80;
  const auto part =
      sql.substr(0, std::min(sql.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_. "), kMost));
  const auto end = part.find_last_not_of(' ');
  return end == std::string_view::npos ? "..." : std::string(part.substr(0, end + 1)) + " ...";
}

std::string without_values(std::string_view sql, Quoting quoting, std::string_view charset, const ToUtf8* other,
                           std::size_t most) {
  std::string out;
  Lexer lexer(sql, quoting, charset, other);
  for (auto token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next()) {
    if (out.size() >= most) continue;
    const bool number = token.kind == Token::Kind::Word && token.raw.front() >= '0' && token.raw.front() <= '9';
    const bool value = number || token.kind == Token::Kind::String;
    const bool joined = token.is('.') || token.is(',') || token.is(')') || out.ends_with('.') || out.ends_with('(');
    if (!out.empty() && !joined) out.push_back(' ');
    out.append(value ? std::string_view("?") : token.raw.substr(0, most));
  }
  if (!lexer.whole()) return first_words(sql);  // tokens that were read as names may be values
  if (is_utf8(out)) return out;
  for (char& c : out)
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  return out;
}

}  // namespace datasync::binlog
