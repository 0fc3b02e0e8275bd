#include "agents/config/orders.hpp"

#include <charconv>

#include <fmt/format.h>

namespace datasync::config {
namespace {

constexpr std::string_view kEscaped = "%#,; \n\t\"'";

std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (kEscaped.find(c) == kEscaped.npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string unescaped(std::string_view text) {
  constexpr std::size_t kDigits = 2;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const auto digits = text.substr(i + 1, kDigits);
    if (text[i] != '%' || digits.size() != kDigits ||
        std::from_chars(digits.data(), digits.data() + kDigits, code, 16).ptr != digits.data() + kDigits) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(code);
    i += kDigits;
  }
  return out;
}

std::vector<std::string> unescaped_names(std::string_view text) {
  auto names = names_by_comma(text);
  for (auto& name : names) name = unescaped(name);
  return names;
}

}  // namespace

std::vector<std::string> names_by_comma(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  while (true) {
    const auto comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == text.npos) return out;
    text.remove_prefix(comma + 1);
  }
}

CopyOrder copy_order(std::string_view value) {
  const auto hash = value.rfind('#');
  if (hash == value.npos) return {unescaped_names(value), {}};
  return {unescaped_names(value.substr(0, hash)), std::string(value.substr(hash + 1))};
}

std::string copy_value(const std::vector<std::string>& tables) {
  std::string out;
  for (const auto& table : tables) out += (out.empty() ? "" : ",") + escaped(table);
  return out;
}

}  // namespace datasync::config
