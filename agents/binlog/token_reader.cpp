#include "agents/binlog/token_reader.hpp"

#include <utility>

namespace datasync::binlog {

TokenReader::TokenReader(std::string_view sql, const StatementContext& context)
    : context_(context), lexer_(sql, context.quoting, context.charset, &context.to_utf8) {
  now_ = lexer_.next();
  after_ = lexer_.next();
}

void TokenReader::advance() {
  now_ = std::move(after_);
  after_ = lexer_.next();
}

bool TokenReader::take(std::string_view word) {
  if (!now_.is(word)) return false;
  advance();
  return true;
}

bool TokenReader::take(char symbol) {
  if (!now_.is(symbol)) return false;
  advance();
  return true;
}

bool TokenReader::take(std::string_view first, std::string_view second) {
  if (!are(first, second)) return false;
  advance();
  advance();
  return true;
}

bool TokenReader::if_exists() {
  if (!take("IF")) return true;
  take("NOT");
  return take("EXISTS");
}

void TokenReader::wait() {
  if (take("NOWAIT")) return;
  if (take("WAIT")) advance();
}

std::optional<std::string> TokenReader::ident() {
  if (!now_.can_be_name()) return std::nullopt;
  if (!now_.known) {
    whole_ = false;
    return std::nullopt;
  }
  std::string out = std::move(now_.name);
  advance();
  return out;
}

std::optional<NamedTable> TokenReader::table() {
  const bool at_home = take('.');
  auto first = ident();
  if (!first) return std::nullopt;
  NamedTable out{std::string(context_.database), std::move(*first)};
  if (!at_home && take('.')) {
    auto second = ident();
    if (!second) return std::nullopt;
    out.database = std::exchange(out.table, std::move(*second));
  }
  if (out.database.empty() || out.table.empty()) return std::nullopt;
  return out;
}

bool TokenReader::brackets() {
  std::size_t depth = 0;
  do {
    if (at_end()) return false;
    if (is('(')) ++depth;
    if (is(')')) --depth;
    advance();
  } while (depth > 0);
  return true;
}

bool TokenReader::rest() {
  while (!at_end() && !is(';')) advance();
  return finished();
}

bool TokenReader::finished() {
  while (take(';')) {
  }
  return at_end() && whole();
}

}  // namespace datasync::binlog
