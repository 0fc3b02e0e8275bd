#pragma once
// Before anything is claimed or written: are the streams still the logs that the state topic speaks of?

#include <cstdint>
#include <stop_token>

#include "agents/protocol/log.hpp"
#include "agents/protocol/state_view.hpp"

namespace datasync::protocol {

/// Compares each of the streams with the checkpoint that stands furthest in it: it must reach that far, and the record
/// before the checkpoint must be the one that stood there. Appends nothing: what a refused try writes would be taken
/// for the records that were lost. Errors: LogTruncated when a stream has lost records or is another one;
/// PositionUnknown when retention took what recovery needs; those of the log.
base::Result<void> check_streams(StreamLog& streams, const StateView& view, std::int32_t count, std::stop_token stop);

}  // namespace datasync::protocol
