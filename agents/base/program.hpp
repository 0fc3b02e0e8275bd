#pragma once
// The first steps of every program of the project.

#include <string>
#include <string_view>

namespace datasync::base {

/// Exit status of a program whose command line or configuration is not usable.
inline constexpr int kBadConfiguration = 2;

/// Starts the log. `level` and `format` are the names used on command lines and in configuration files: debug, info,
/// warn or error; auto, json or text. Any other name counts as info or auto. Call once in main, before any thread
/// starts.
void init_log(std::string_view component, std::string_view level, std::string_view format);

/// Makes the C library keep little freed memory, because a pod has a memory limit. Call once in main. `blocks_too`:
/// large blocks are returned to the system at once, which costs a page fault for each page of the next large block.
void limit_freed_memory(bool blocks_too);

/// Returns "HOST-PID-RANDOM", unique to each process. Used to name claims and holders of a Lease.
std::string process_name();

}  // namespace datasync::base
