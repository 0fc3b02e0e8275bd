#pragma once
// What every program of the project does first.

#include <string>
#include <string_view>

namespace datasync::base {

/// Exit status of a program whose command line or configuration cannot be used.
inline constexpr int kBadConfiguration = 2;

/// Starts the log by the names that command lines and configuration files have: debug, info, warn or error, and auto,
/// json or text. Another name counts as info or auto. Once in main, before any thread starts.
void init_log(std::string_view component, std::string_view level, std::string_view format);

/// Makes the C library keep little freed memory: a pod has a limit. Once in main. `blocks_too`: large blocks go back to
/// the system at once, which costs a page fault for each page of the next one.
void limit_freed_memory(bool blocks_too);

/// "HOST-PID-RANDOM": another one for each process. For names of claims and of holders of a Lease.
std::string process_name();

}  // namespace datasync::base
