#pragma once
// For the files that encode and decode records.

#include <cstdint>

namespace datasync::message {

/// The version that records are written with, and the newest one that is read.
inline constexpr std::uint32_t kRecordVersion = 1;

}  // namespace datasync::message
