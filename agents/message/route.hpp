#pragma once
// Selects the stream for the rows of a type. See docs/decisions/0006-partition-routing.md.

#include <cstdint>
#include <string_view>

namespace datasync::message {

/// Returns XXH3-64 of the type's name modulo the number of streams. The result is the same after a restart and in every
/// agent, and a type's part of a transaction stays on one stream.
std::int32_t stream_of(std::string_view type, std::int32_t streams) noexcept;

}  // namespace datasync::message
