#include "tests/support/ddl_writer.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>

#include <iconv.h>

namespace datasync::test {
namespace {

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// A name that needs no quotes.
bool is_bare(std::string_view name) {
  static constexpr std::array<std::string_view, 2> kReserved{"select", "key"};
  return std::ranges::all_of(name, in_word) && std::ranges::find(kReserved, name) == kReserved.end() &&
         !std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out.push_back(quote);
    out.push_back(c);
  }
  out.push_back(quote);
  return out;
}

}  // namespace

std::string to_charset(std::string_view charset, std::string_view text) {
  if (charset.starts_with("utf8")) return std::string(text);
  const auto converter = iconv_open(charset == "latin1" ? "CP1252" : std::string(charset).c_str(), "UTF-8");
  if (converter == reinterpret_cast<iconv_t>(-1)) return {};
  std::string in(text);
  std::string out(text.size() * 2 + 8, '\0');
  char* from = in.data();
  char* to = out.data();
  std::size_t left = in.size();
  std::size_t room = out.size();
  const auto lost = iconv(converter, &from, &left, &to, &room);
  iconv_close(converter);
  if (lost != 0 || left != 0) return {};
  out.resize(out.size() - room);
  return out;
}

DdlWriter::DdlWriter(std::mt19937_64& random, DdlStatement& out, bool noise)
    : random_(random),
      out_(out),
      noise_(noise),
      ansi_(out.sql_mode.find("ANSI_QUOTES") != std::string::npos),
      backslashes_(out.sql_mode.find("NO_BACKSLASH") == std::string::npos) {}

void DdlWriter::space(bool needed) {
  auto& text = out_.text;
  if (text.empty()) return;
  if (!noise_ || !chance(12)) {
    if (needed) text += ' ';
    return;
  }
  static constexpr std::array<std::string_view, 9> kSpaces{
      "  ", "\n", "\t", " /* x */ ", "/**/", " -- drop table `orders`\n", " # it's\n", " /* ` ' \" */ ", "\r\n"};
  text += kSpaces.at(below(kSpaces.size()));
}

DdlWriter& DdlWriter::words(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    std::string word(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (noise_ && chance(10))
      std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
    space(true);
    const bool plain = std::ranges::all_of(word, [](unsigned char c) { return std::isalpha(c) != 0; });
    if (noise_ && plain && chance(3)) word = (chance(50) ? "/*!50000 " : "/*M!100100 ") + word + " */";
    out_.text += word;
  }
  return *this;
}

std::string DdlWriter::quoted(std::string_view name) {
  if (is_bare(name) && chance(50)) return std::string(name);
  return doubled(name, ansi_ && chance(50) ? '"' : '`');
}

DdlWriter& DdlWriter::name(std::string_view name) {
  space(true);
  out_.text += quoted(name);
  return *this;
}

DdlWriter& DdlWriter::table(const std::string& database, const std::string& name) {
  out_.tables.emplace_back(database, name);
  space(true);
  if (database == out_.database && chance(70)) {
    if (chance(15)) {
      out_.text += ".";
      // A word right after the dot may begin with a digit; a number after a dot alone is a fraction.
      out_.text += name.front() >= '0' && name.front() <= '9' ? doubled(name, '`') : quoted(name);
      return *this;
    }
    out_.text += quoted(name);
    return *this;
  }
  out_.text += quoted(database);
  if (chance(15)) {
    space(true);
    out_.text += '.';
    space(true);
    out_.text += doubled(name, '`');
    return *this;
  }
  out_.text += '.' + quoted(name);
  return *this;
}

DdlWriter& DdlWriter::string(std::string_view value) {
  space(true);
  std::string text;
  for (const char c : value) {
    if (c == '\\' && backslashes_) text += '\\';
    if (c == '\'') text += backslashes_ && chance(50) ? '\\' : '\'';
    text += c;
  }
  out_.text += '\'' + text + '\'';
  return *this;
}

DdlWriter& DdlWriter::raw(std::string_view text) {
  out_.text += text;
  return *this;
}

}  // namespace datasync::test
