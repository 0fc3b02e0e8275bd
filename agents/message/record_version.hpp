#pragma once
// Shared by the files that encode and decode records.

#include <cstdint>

namespace datasync::message {

/// The version with which records are written, and the newest version that is read.
inline constexpr std::uint32_t kRecordVersion = 1;

}  // namespace datasync::message
