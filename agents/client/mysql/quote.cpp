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

// NO_BACKSLASH_ESCAPES is set in every session of this layer: only the quote itself needs care.
std::string quote_text(std::string_view text) {
  return doubled(text, '\'');
}

}  // namespace datasync::sql
