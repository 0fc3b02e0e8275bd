#pragma once
// Tells a record on a stream from another that stands at the same offset of another log.

#include <cstdint>

#include "agents/base/bytes.hpp"
#include "agents/message/record.hpp"

namespace datasync::protocol {

/// A hash of what the record says; never 0, which means "not known". Two records of one stream differ in it: they hold
/// an epoch, a transaction or a time.
std::uint64_t mark_of(const message::Headers& headers, base::Bytes value) noexcept;

}  // namespace datasync::protocol
