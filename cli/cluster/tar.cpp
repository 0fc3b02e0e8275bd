#include "cli/cluster/tar.hpp"

#include <array>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

namespace datasync::cli {
namespace {

constexpr std::size_t kBlock = 512;

// POSIX.1-1988 ustar: fields at fixed offsets, numbers as octal text.
std::string header(const std::string& name, std::size_t size, std::time_t time) {
  std::array<char, kBlock> h{};
  const auto put = [&h](std::size_t at, std::string_view text) {
    std::memcpy(h.data() + at, text.data(), text.size());
  };
  put(0, std::string_view(name).substr(0, 99));
  put(100, "0000600");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, fmt::format("{:011o}", time));
  put(148, "        ");  // for the checksum, its own field counts as spaces
  put(156, "0");
  put(257, std::string_view("ustar\0"
                            "00",
                            8));
  const auto sum =
      std::accumulate(h.begin(), h.end(), 0U, [](unsigned n, char c) { return n + static_cast<unsigned char>(c); });
  put(148, fmt::format("{:06o}", sum));
  h[154] = '\0';
  return {h.data(), h.size()};
}

}  // namespace

std::string tar(const std::map<std::string, std::string>& files, base::WallTime time) {
  std::string out;
  for (const auto& [name, text] : files) {
    out += header(name, text.size(), std::chrono::system_clock::to_time_t(time));
    out += text;
    out.append((kBlock - text.size() % kBlock) % kBlock, '\0');
  }
  out.append(2 * kBlock, '\0');
  return out;
}

}  // namespace datasync::cli
