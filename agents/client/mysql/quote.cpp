#include "agents/client/mysql/connection.hpp"

namespace datasync::sql {
namespace {

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  out.reserve(text.size() + 2);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  return doubled(name, '`');
}

std::string quote_identifier(std::string_view database, std::string_view table) {
  return doubled(database, '`') + "." + doubled(table, '`');
}

// Every session of this layer sets NO_BACKSLASH_ESCAPES, so only the quote itself must be escaped.
std::string quote_text(std::string_view text) {
  return doubled(text, '\'');
}

}  // namespace datasync::sql
