#pragma once
// Steps 1 to 3 of a capture agent's life: claim, start, recover.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/base/backoff.hpp"
#include "agents/message/record.hpp"
#include "agents/protocol/log.hpp"
#include "agents/protocol/state_view.hpp"

namespace datasync::protocol {

/// Claims the next epoch: reads the state topic to its end, appends a claim one above the highest, reads to the end again.
/// A lost race is tried again with a higher epoch after a random wait. `view` is left at the end of the state topic.
/// Errors: those of the log; Stopping.
base::Result<message::Epoch> claim_epoch(StateLog& state, StateView& view, const std::string& instance,
                                         base::Backoff& backoff, std::stop_token stop);

/// What one stream held when the epoch began.
struct StreamState {
  Offset start = 0;              ///< offset of this epoch's start record
  bool fresh = false;            ///< nothing of any epoch stood before it: a new stream
  message::GtidSet published;    ///< every reader will have applied exactly this at `start`
  message::GtidSet dump_from;    ///< read the binlog from here; a subset of published
};

/// Appends `start` to every stream and reads each from its newest certain checkpoint (or its first offset) up to it.
/// Writes the first checkpoint of the new epoch. Errors: PositionUnknown when retention took what is needed; Superseded
/// when a higher start was read; those of the logs.
base::Result<std::vector<StreamState>> start_and_recover(StateLog& state, StreamLog& streams, const StateView& view,
                                                         message::Epoch epoch, const std::string& instance,
                                                         std::int32_t stream_count, std::stop_token stop);

/// Folds what a stream's records publish; used by the recovery above and by `datasync tail`.
class PublishedFold {
 public:
  explicit PublishedFold(message::GtidSet from) : published_(std::move(from)) {}
  /// `headers`/`value` of a record that the reader's rule takes. Errors: ForeignMessage.
  base::Result<void> take(const message::Headers& headers, base::Bytes value);
  void discard() noexcept { open_.reset(); }
  [[nodiscard]] const message::GtidSet& published() const noexcept { return published_; }

 private:
  message::GtidSet published_;
  std::optional<message::Gtid> open_;
};

}  // namespace datasync::protocol
