#include "agents/base/text.hpp"

#include <string_view>

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

}  // namespace datasync::base
