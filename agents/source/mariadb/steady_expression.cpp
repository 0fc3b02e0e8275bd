#include "agents/source/mariadb/steady_expression.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "agents/base/identifier.hpp"
#include "agents/source/mariadb/expression_tokens.hpp"
#include "agents/source/mariadb/steady_functions.hpp"
#include "agents/source/mariadb/steady_value.hpp"

namespace datasync::source::mariadb {
namespace {

using binlog::Token;
using Value = SteadyValue;
using Kind = SteadyValue::Kind;

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

/// Binding strength of operators: https://mariadb.com/kb/en/operator-precedence/
enum Level : int { kAny, kOr, kXor, kAnd, kNot, kCompare, kBitOr, kBitAnd, kShift, kSum, kProduct, kPower, kUnary };

struct Operator {
  std::string_view text;
  Level level;
};
constexpr auto kOperators = std::to_array<Operator>(
    {{"<=>", kCompare},  {"<<", kShift},        {">>", kShift},    {"<=", kCompare},   {">=", kCompare},
     {"<>", kCompare},   {"!=", kCompare},      {"=", kCompare},   {"<", kCompare},    {">", kCompare},
     {"|", kBitOr},      {"&", kBitAnd},        {"+", kSum},       {"-", kSum},        {"*", kProduct},
     {"%", kProduct},    {"/", kProduct},       {"^", kPower},     {"OR", kOr},        {"XOR", kXor},
     {"AND", kAnd},      {"MOD", kProduct},     {"DIV", kProduct}, {"IS", kCompare},   {"IN", kCompare},
     {"LIKE", kCompare}, {"BETWEEN", kCompare}, {"NOT", kCompare}, {"COLLATE", kUnary}});

bool is_word(std::string_view text) noexcept {
  return std::isalpha(static_cast<unsigned char>(text.front())) != 0;
}

/// Reads an expression once. After the first thing that is not steady nothing more is read.
class Reader {
 public:
  Reader(std::string_view text, const message::TableSchema& table) : in_(text), table_(table) {
    if (!in_.whole()) fail("an expression that cannot be read");
  }

  std::string run(const message::Column& column) {
    const auto value = expression(kAny);
    if (why_.empty() && !in_.at_end()) fail(std::string(in_.at().raw));
    if (why_.empty()) fail(stored_in(value, column));
    return why_;
  }

 private:
  Value fail(std::string why) {
    if (why_.empty() && !why.empty()) {
      why_ = std::move(why);
      in_.to_end();
    }
    return {};
  }
  void need(char symbol) {
    if (!in_.take(symbol)) fail("a form that is not known");
  }
  void need(std::string_view word) {
    if (!in_.take(word)) fail("a form that is not known");
  }
  Value number(std::initializer_list<Value> operands) {
    for (const auto& v : operands) fail(as_number(v));
    return {Kind::Number};
  }

  [[nodiscard]] std::optional<Operator> infix() const {
    for (const auto& op : kOperators)
      if (is_word(op.text) ? in_.at().is(op.text) : in_.are(op.text)) return op;
    return std::nullopt;
  }
  /// Operators that bind tighter than `level`.
  Value expression(int level) {
    constexpr std::size_t kDeepest = 64;
    if (++depth_ > kDeepest) return fail("an expression that is nested too deeply");
    auto left = prefix();
    for (auto op = infix(); why_.empty() && op && op->level > level; op = infix()) {
      in_.advance(is_word(op->text) ? 1 : op->text.size());
      left = apply(*op, left);
    }
    --depth_;
    return left;
  }

  Value apply(const Operator& op, const Value& left) {
    if (op.text == "/") return fail("a division by /, which depends on div_precision_increment");
    if (op.text == "COLLATE") return collate(left);
    if (op.text == "IS") return is(left);
    if (op.text == "NOT" || op.text == "IN" || op.text == "LIKE" || op.text == "BETWEEN") return range(op.text, left);
    if ((op.text == "+" || op.text == "-") && in_.take("INTERVAL")) return interval(left);
    const auto right = expression(op.level);
    if (op.level != kCompare) return number({left, right});
    fail(comparable(left, right));
    return {Kind::Number};
  }

  Value collate(Value left) {
    fail(as_text(left));
    left.no_pad = upper(in_.at().name).find("NOPAD") != std::string::npos;
    left.kind = Kind::Text;
    if (!in_.at().can_be_name()) return fail("a form that is not known");
    in_.advance();
    return left;
  }
  Value is(const Value& left) {
    in_.take("NOT");
    if (in_.take("NULL")) return {Kind::Number};
    if (!in_.take("TRUE") && !in_.take("FALSE") && !in_.take("UNKNOWN")) return fail("a form that is not known");
    return number({left});
  }
  Value range(std::string_view word, const Value& left) {
    if (word == "NOT") {
      for (const auto* next : {"IN", "LIKE", "BETWEEN"})
        if (in_.take(next)) return range(next, left);
      return fail(upper(in_.at().raw));
    }
    if (word == "LIKE") {
      fail(as_text(left));
      fail(as_text(expression(kCompare)));
      if (in_.take("ESCAPE")) expression(kCompare);
    } else if (word == "BETWEEN") {
      fail(comparable(left, expression(kCompare)));
      need("AND");
      fail(comparable(left, expression(kCompare)));
    } else {
      need('(');
      do {
        fail(comparable(left, expression(kAny)));
      } while (in_.take(','));
      need(')');
    }
    return {Kind::Number};
  }
  Value interval(const Value& left) {
    fail(as_date(left));
    fail(as_number(expression(kAny)));
    unit();
    return {Kind::Date};
  }
  /// YEAR_MONTH, DAY, ...
  void unit() {
    if (!is_date_unit(upper(in_.at().raw))) fail("a form that is not known");
    in_.advance();
  }

  Value prefix() {
    const auto& token = in_.at();
    if (token.is('(')) {
      in_.advance();
      const auto inner = expression(kAny);
      if (in_.at().is(',')) return fail("a comparison of rows");
      need(')');
      return inner;
    }
    for (const char sign : {'-', '+', '~', '!'})
      if (in_.take(sign)) return number({expression(kPower)});
    if (token.is('@')) return fail("a variable");
    if (token.kind == Token::Kind::String) return literal();
    if (token.kind == Token::Kind::Name) return name();
    if (token.kind == Token::Kind::Word) return word();
    return fail(token.kind == Token::Kind::End ? "an expression that cannot be read" : std::string(token.raw));
  }
  Value literal() {
    Value out{Kind::Text};
    out.date_literal = is_date_literal(in_.at().raw);
    in_.advance();
    return out;
  }
  Value name() {
    const auto& token = in_.at();
    if (in_.at(1).is('.') || in_.at(1).is('('))
      return fail("the stored function " + (in_.at(1).is('.') ? in_.at(2).name : token.name));
    const auto column =
        std::ranges::find_if(table_.columns, [&](const auto& c) { return base::same_column(c.name, token.name); });
    if (!token.known || column == table_.columns.end()) return fail("column " + token.name);
    in_.advance();
    return value_of(*column);
  }

  Value word() {
    const auto& token = in_.at();
    if (std::isdigit(static_cast<unsigned char>(token.raw.front())) != 0)
      return {in_.number() ? Kind::Number : Kind::Text};
    if (in_.at(1).kind == Token::Kind::String && in_.touches(1)) return marked(upper(token.raw));
    if (in_.at(1).is('(')) return call(upper(token.raw));
    if (in_.take("NULL")) return {};
    if (in_.take("TRUE") || in_.take("FALSE")) return {Kind::Number};
    if (in_.take("NOT")) return number({expression(kAnd)});
    if (in_.take("CASE")) return choose();
    return fail(upper(token.raw));
  }
  /// _utf8mb4'text', X'4142', DATE'2026-01-02'.
  Value marked(const std::string& mark) {
    in_.advance();
    auto out = literal();
    if (mark == "DATE" || mark == "TIMESTAMP") return out.date_literal ? Value{Kind::Date} : fail(mark + "'...'");
    if (mark == "X" || mark == "B" || mark == "N" || mark.starts_with('_')) return {Kind::Text};
    return fail(mark + "'...'");
  }

  Value choose() {
    std::optional<Value> base;
    if (!in_.at().is("WHEN")) base = expression(kAny);
    std::vector<Value> results;
    while (in_.take("WHEN")) {
      const auto when = expression(kAny);
      fail(base ? comparable(*base, when) : as_number(when));
      need("THEN");
      results.push_back(expression(kAny));
    }
    if (in_.take("ELSE")) results.push_back(expression(kAny));
    need("END");
    return one_of(results);
  }
  Value one_of(const std::vector<Value>& values) {
    Value out;
    fail(choice_of(values, out));
    return out;
  }

  Value call(const std::string& function) {
    in_.advance(2);
    if (function == "CAST" || function == "CONVERT") return cast();
    if (function == "EXTRACT") {
      unit();
      need("FROM");
      return finish(function, {expression(kAny)});
    }
    if (function == "TIMESTAMPDIFF") {
      unit();
      need(',');
    }
    std::vector<Value> arguments;
    std::vector<std::string_view> literals;
    const bool sided = function == "TRIM" && (in_.take("BOTH") || in_.take("LEADING") || in_.take("TRAILING"));
    while (why_.empty() && !in_.at().is(')')) {
      const auto& text = in_.at(in_.at().raw.starts_with('_') ? 1 : 0);  // _utf8mb4'...'
      literals.push_back(text.kind == Token::Kind::String ? text.raw : std::string_view());
      arguments.push_back(expression(kAny));
      if (!in_.take(',') && !(sided && in_.take("FROM"))) break;
    }
    const bool locale = arguments.size() == 3 && !literals[2].empty();
    if (function == "DATE_FORMAT" && why_.empty() && !locale &&
        (arguments.size() != 2 || !is_steady_format(literals[1])))
      return fail("DATE_FORMAT() with names of days or months");
    return finish(function, arguments);
  }
  Value finish(const std::string& function, const std::vector<Value>& arguments) {
    need(')');
    Value out;
    if (why_.empty()) fail(call_of(function, arguments, out));
    return out;
  }
  Value cast() {
    const auto value = expression(kAny);
    if (in_.take("USING")) {
      fail(as_text(value));
      in_.advance();
    } else {
      need("AS");
      const auto type = upper(in_.at().raw);
      in_.advance();
      for (int depth = 0; in_.at().kind != Token::Kind::End && (depth > 0 || !in_.at().is(')')); in_.advance())
        depth += in_.at().is('(') ? 1 : in_.at().is(')') ? -1 : 0;
      Value out;
      fail(cast_of(type, value, out));
      need(')');
      return out;
    }
    need(')');
    return {Kind::Text};
  }

  ExpressionTokens in_;
  const message::TableSchema& table_;
  std::size_t depth_ = 0;
  std::string why_;
};

}  // namespace

std::string unsteady_part(std::string_view expression, const message::Column& column,
                          const message::TableSchema& table) {
  return Reader(expression, table).run(column);
}

}  // namespace datasync::source::mariadb
