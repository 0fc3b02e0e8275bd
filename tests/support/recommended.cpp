#include "tests/support/recommended.hpp"

#include <regex>

namespace datasync::test {

std::vector<std::string> recommended_statements(const std::string& message) {
  static const std::regex kBegin("\\b(ALTER TABLE|CREATE TABLE|DROP TABLE|DROP TRIGGER|DELETE FROM|UPDATE) `");
  std::vector<std::string> out;
  std::smatch found;
  for (auto from = message.cbegin(); std::regex_search(from, message.cend(), found, kBegin);) {
    auto at = found[0].first;
    char quote = '\0';
    for (; at != message.cend(); ++at) {
      if (quote != '\0') {
        if (*at == quote) quote = '\0';  // a doubled quote opens it again
        continue;
      }
      if (*at == '`' || *at == '\'') quote = *at;
      if (*at == ';' || (*at == '.' && (at + 1 == message.cend() || at[1] == ' '))) break;
    }
    std::string statement(found[0].first, at);
    if (const auto where = statement.find(" at the destination"); where != std::string::npos) statement.resize(where);
    out.push_back(std::move(statement));
    from = at;
  }
  return out;
}

std::string recommended_annotation(const std::string& message, const std::string& annotation) {
  std::smatch found;
  const std::regex regex("datasync\\.dev/" + annotation + "=([^ \n;]+)");
  return std::regex_search(message, found, regex) ? found[1].str() : "";
}

}  // namespace datasync::test
