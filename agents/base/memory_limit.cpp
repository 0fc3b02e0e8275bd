#include "agents/base/memory_limit.hpp"

#include <charconv>
#include <fstream>
#include <string>

namespace datasync::base {
namespace {

constexpr std::uint64_t kNone = std::uint64_t{1} << 60U;  // cgroup v1 reports "no limit" as the largest number of pages

std::optional<std::uint64_t> read_number(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text;
  if (!std::getline(in, text)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value >= kNone) return std::nullopt;  // "max"
  return value;
}

}  // namespace

std::optional<std::uint64_t> memory_limit(const std::filesystem::path& cgroup) {
  if (auto limit = read_number(cgroup / "memory.max")) return limit;
  return read_number(cgroup / "memory" / "memory.limit_in_bytes");
}

}  // namespace datasync::base
