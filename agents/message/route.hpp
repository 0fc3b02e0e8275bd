#pragma once
// Which stream the rows of a type go to. See docs/decisions/0006-partition-routing.md.

#include <cstdint>
#include <string_view>

namespace datasync::message {

/// XXH3-64 of the type's name modulo the number of streams: depends on nothing that a restart or another agent could
/// see differently, keeps a type's part of a transaction on one stream.
std::int32_t stream_of(std::string_view type, std::int32_t streams) noexcept;

}  // namespace datasync::message
