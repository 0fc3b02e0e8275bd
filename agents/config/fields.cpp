#include "agents/config/fields.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace datasync::config {
namespace {

// Returns the Levenshtein distance; letters are compared without case.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replace = diagonal + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replace, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

std::string lower(std::string_view s) {
  std::string out(s);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::string to_text(const std::vector<Problem>& problems) {
  std::string out;
  for (const auto& p : problems) {
    if (!out.empty()) out += '\n';
    out += p.text();
  }
  return out;
}

base::Result<void> to_result(const std::vector<Problem>& problems) {
  if (problems.empty()) return {};
  return base::Error(base::Reason::ConfigInvalid, to_text(problems));
}

std::string_view nearest(std::string_view given, std::span<const std::string> known) {
  constexpr std::size_t kLongest = 64;
  if (given.size() > kLongest) return {};
  std::string_view best;
  auto best_distance = std::max<std::size_t>(1, given.size() / 3) + 1;
  for (const auto& name : known) {
    const auto d = distance(given, name);
    if (d < best_distance) {
      best = name;
      best_distance = d;
    }
  }
  if (!best.empty()) return best;
  // Suggests "bootstrapServers" for "servers", "secretName" for "secret": the text is part of only one name.
  constexpr std::size_t kShortest = 4;
  if (given.size() < kShortest) return {};
  for (const auto& name : known) {
    if (lower(name).find(lower(given)) == std::string::npos) continue;
    if (!best.empty()) return {};
    best = name;
  }
  return best;
}

}  // namespace datasync::config
