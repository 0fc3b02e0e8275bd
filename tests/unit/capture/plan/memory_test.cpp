#include "agents/capture/plan/memory.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "agents/base/memory_limit.hpp"

namespace datasync::capture {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;

TEST(LargestEvent, is_a_quarter_of_the_memory_that_is_left_for_rows) {
  EXPECT_EQ(largest_event(256 * kMiB), 40 * kMiB);
  EXPECT_EQ(largest_event(512 * kMiB), 104 * kMiB);
  EXPECT_EQ(largest_event(64 * kMiB), 4 * kMiB) << "never less than ordinary rows need";
  EXPECT_EQ(largest_event(std::uint64_t{0}), 1024 * kMiB) << "without a limit: what a packet can hold";
}

TEST(MemoryLimit, is_read_from_either_version_of_the_control_group) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("memory-limit" + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder / "memory");
  EXPECT_EQ(base::memory_limit(folder), std::nullopt);
  std::ofstream(folder / "memory" / "memory.limit_in_bytes") << "9223372036854771712\n";
  EXPECT_EQ(base::memory_limit(folder), std::nullopt) << "that is no limit";
  std::ofstream(folder / "memory" / "memory.limit_in_bytes") << "268435456\n";
  EXPECT_EQ(base::memory_limit(folder), 256 * kMiB);
  std::ofstream(folder / "memory.max") << "max\n";
  EXPECT_EQ(base::memory_limit(folder), 256 * kMiB);
  std::ofstream(folder / "memory.max") << "134217728\n";
  EXPECT_EQ(base::memory_limit(folder), 128 * kMiB);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace datasync::capture
