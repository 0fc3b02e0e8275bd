#pragma once
// Which stream the rows of a type go to. See docs/decisions/0006-partition-routing.md.

#include <cstdint>
#include <string_view>

namespace datasync::capture {

/// XXH3-64 of the type's name modulo the number of streams: depends on nothing that a restart or another agent could
/// see differently, keeps a type's part of a transaction on one stream.
std::int32_t stream_of(std::string_view type, std::int32_t streams) noexcept;

/// The server id of a task that declares none: from its name, above 2^30 where people do not number their servers.
std::uint32_t derived_server_id(std::string_view task) noexcept;

}  // namespace datasync::capture
