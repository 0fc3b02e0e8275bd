#pragma once
// How large an event or a row may be, so that the agent stays within its memory (docs/operate.md).

#include <cstdint>

namespace datasync::capture {

/// Bytes of the largest event of a captured table, and of the largest row of a copy. Each is held a few times at once:
/// as it comes, decoded, and while the brokers have not acknowledged it. The limit is DATASYNC_MEMORY_LIMIT_BYTES in
/// the environment, else that of the control group; without one it is what a server's packet can hold.
std::uint64_t largest_event();
/// The same for a known limit; 0: none.
std::uint64_t largest_event(std::uint64_t memory_limit);

}  // namespace datasync::capture
