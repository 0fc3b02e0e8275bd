#pragma once
// Distinguishes a record on a stream from another record at the same offset of another log.

#include <cstdint>

#include "agents/base/bytes.hpp"
#include "agents/message/record.hpp"

namespace datasync::protocol {

/// Returns a hash of the record's content; never 0, which means "not known". Two records of one stream have different
/// marks, because they contain an epoch, a transaction or a time.
std::uint64_t mark_of(const message::Headers& headers, base::Bytes value) noexcept;

}  // namespace datasync::protocol
