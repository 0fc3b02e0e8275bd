#include "agents/capture/plan/memory.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "agents/base/memory_limit.hpp"

namespace datasync::capture {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kWithoutRows = 96 * kMiB;  // program, queues, chunks of ordinary rows
constexpr std::uint64_t kHeld = 4;                 // so often an event is held at once
constexpr std::uint64_t kLeast = 4 * kMiB, kMost = 1024 * kMiB;

}  // namespace

std::uint64_t largest_event(std::uint64_t memory_limit) {
  if (memory_limit == 0) return kMost;
  return std::clamp(memory_limit > kWithoutRows ? (memory_limit - kWithoutRows) / kHeld : 0, kLeast, kMost);
}

std::uint64_t largest_event() {
  std::uint64_t limit = 0;
  if (const char* text = std::getenv("DATASYNC_MEMORY_LIMIT_BYTES"); text != nullptr)
    std::from_chars(text, text + std::strlen(text), limit);
  return largest_event(limit != 0 ? limit : base::memory_limit().value_or(0));
}

}  // namespace datasync::capture
