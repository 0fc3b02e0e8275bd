#include "agents/client/mysql/create_table.hpp"

#include <cctype>

namespace datasync::sql {
namespace {

enum class Kind : std::uint8_t { Identifier, String, Word, Sign, End };

struct Token {
  Kind kind = Kind::End;
  std::string text;
};

bool of_word(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return std::isalnum(u) != 0 || c == '_' || c == '$' || u >= 0x80;
}

/// Splits the text into tokens. `broken` when a quoted part is not terminated.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  Token next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    if (at_ == text_.size()) return {};
    const char c = text_[at_];
    if (c == '`') return quoted(Kind::Identifier);
    if (c == '\'' || c == '"') return quoted(Kind::String);
    if (!of_word(c)) return {Kind::Sign, std::string(1, text_[at_++])};
    const auto begin = at_;
    while (at_ < text_.size() && of_word(text_[at_])) ++at_;
    return {Kind::Word, std::string(text_.substr(begin, at_ - begin))};
  }
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  Token quoted(Kind kind) {
    const char quote = text_[at_++];
    Token token{kind, {}};
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\' && kind == Kind::String && at_ + 1 < text_.size()) {
        token.text += text_[++at_];
      } else if (text_[at_] != quote) {
        token.text += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        token.text += text_[++at_];
      } else {
        ++at_;
        return token;
      }
    }
    broken_ = true;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool broken_ = false;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(text) { advance(); }

  std::optional<CreateTable> parse() {
    if (!word("CREATE")) return std::nullopt;
    while (now_.kind == Kind::Word) advance();  // TEMPORARY, TABLE
    if (now_.kind != Kind::Identifier) return std::nullopt;
    advance();
    if (!sign("(")) return std::nullopt;
    do {
      if (!element()) return std::nullopt;
    } while (sign(","));
    return sign(")") && !tokens_.broken() ? std::optional(std::move(out_)) : std::nullopt;
  }

 private:
  void advance() { now_ = tokens_.next(); }
  bool take(Kind kind, std::string_view text) {
    if (now_.kind != kind || now_.text != text) return false;
    advance();
    return true;
  }
  bool word(std::string_view text) { return take(Kind::Word, text); }
  bool sign(std::string_view text) { return take(Kind::Sign, text); }

  std::optional<std::string> identifier() {
    if (now_.kind != Kind::Identifier) return std::nullopt;
    auto text = std::move(now_.text);
    advance();
    return text;
  }

  /// Reads a column, a key or a constraint.
  bool element() {
    if (auto column = identifier()) {
      out_.columns.push_back(std::move(*column));
      return skip();
    }
    if (now_.kind != Kind::Word) return false;
    std::string name;
    if (word("CONSTRAINT"))
      if (auto given = identifier()) name = std::move(*given);
    if (word("FOREIGN")) return foreign_key(std::move(name));
    if (now_.kind == Kind::Word && (now_.text == "PRIMARY" || now_.text == "UNIQUE")) ++out_.unique_keys;
    return skip();
  }

  bool foreign_key(std::string name) {
    TableInfo::ForeignKey key;
    key.name = std::move(name);
    key.on_update = key.on_delete = "RESTRICT";  // the default, which the server does not print
    if (!word("KEY")) return false;
    (void)identifier();  // the name of the index
    if (!identifiers(key.columns) || !word("REFERENCES")) return false;
    auto parent = identifier();
    if (!parent) return false;
    if (sign(".")) {
      key.parent_database = std::move(*parent);
      parent = identifier();
      if (!parent) return false;
    }
    key.parent_table = std::move(*parent);
    if (!identifiers(key.parent_columns) || key.parent_columns.size() != key.columns.size()) return false;
    while (word("ON")) {
      const bool deletes = word("DELETE");
      if (!deletes && !word("UPDATE")) return false;
      auto action = this->action();
      if (!action) return false;
      (deletes ? key.on_delete : key.on_update) = std::move(*action);
    }
    out_.foreign_keys.push_back(std::move(key));
    return now_.kind == Kind::Sign && (now_.text == "," || now_.text == ")");
  }

  bool identifiers(std::vector<std::string>& out) {
    if (!sign("(")) return false;
    do {
      auto name = identifier();
      if (!name) return false;
      out.push_back(std::move(*name));
    } while (sign(","));
    return sign(")");
  }

  std::optional<std::string> action() {
    if (word("CASCADE")) return "CASCADE";
    if (word("RESTRICT")) return "RESTRICT";
    if (word("NO")) return word("ACTION") ? std::optional<std::string>("NO ACTION") : std::nullopt;
    if (!word("SET")) return std::nullopt;
    if (word("NULL")) return "SET NULL";
    return word("DEFAULT") ? std::optional<std::string>("SET DEFAULT") : std::nullopt;
  }

  /// Skips to the comma or the parenthesis that ends the element.
  bool skip() {
    for (int depth = 0; now_.kind != Kind::End; advance()) {
      if (now_.kind != Kind::Sign) continue;
      if (depth == 0 && (now_.text == "," || now_.text == ")")) return true;
      if (now_.text == "(") ++depth;
      if (now_.text == ")") --depth;
    }
    return false;
  }

  Tokens tokens_;
  Token now_;
  CreateTable out_;
};

}  // namespace

std::optional<CreateTable> parse_create_table(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace datasync::sql
