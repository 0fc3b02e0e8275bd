#pragma once
// Checks, before anything is claimed or written, whether the streams are still the logs that the state topic describes.

#include <cstdint>
#include <stop_token>

#include "agents/protocol/log.hpp"
#include "agents/protocol/state_view.hpp"

namespace datasync::protocol {

/// Compares each stream with its checkpoint of the highest offset: the stream must reach that offset, and the record
/// before it must be the one with the checkpoint's mark. Appends nothing, because records written by a refused attempt
/// would be mistaken for the lost ones. Errors: LogTruncated when a stream has lost records or is another one;
/// PositionUnknown when retention removed records that recovery needs; those of the log.
base::Result<void> check_streams(StreamLog& streams, const StateView& view, std::int32_t count, std::stop_token stop);

}  // namespace datasync::protocol
