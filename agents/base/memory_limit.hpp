#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace datasync::base {

/// Returns the memory in bytes that the system allows this process; nullopt when there is no limit. Source: the files
/// memory.max (cgroup v2) and memory.limit_in_bytes (v1), as a container sees its own group below /sys/fs/cgroup.
std::optional<std::uint64_t> memory_limit(const std::filesystem::path& cgroup = "/sys/fs/cgroup");

}  // namespace datasync::base
