#pragma once
// What follows from names alone, so that every restart and every instance says the same.

#include <cstdint>
#include <string_view>

#include "agents/message/route.hpp"

namespace datasync::capture {

using message::stream_of;

/// The server id of a task that declares none: from its name, above 2^30 where people do not number their servers.
std::uint32_t derived_server_id(std::string_view task) noexcept;

}  // namespace datasync::capture
