#include "agents/base/text.hpp"

#include <charconv>
#include <iterator>

#include <fmt/format.h>

namespace datasync::base {
namespace {

constexpr std::string_view kLeftOut = " ... ";

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

std::string cut_middle(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  if (most <= kLeftOut.size()) return {};
  const auto left = most - kLeftOut.size();
  auto begin = left / 4;
  auto end = text.size() - (left - begin);
  while (begin > 0 && continues(text[begin])) --begin;
  while (end < text.size() && continues(text[end])) ++end;
  return text.replace(begin, end - begin, kLeftOut);
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::optional<std::string> from_hex(std::string_view hex) {
  std::string out;
  if (hex.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned char value = 0;
    const auto* end = hex.data() + i + 2;
    if (const auto read = std::from_chars(hex.data() + i, end, value, 16); read.ec != std::errc{} || read.ptr != end)
      return std::nullopt;
    out += static_cast<char>(value);
  }
  return out;
}

}  // namespace datasync::base
