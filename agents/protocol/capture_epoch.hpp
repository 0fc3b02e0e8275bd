#pragma once
// Steps 1 to 3 of a capture agent's life: claim, start, recover.

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/base/backoff.hpp"
#include "agents/message/record.hpp"
#include "agents/protocol/log.hpp"
#include "agents/protocol/state_view.hpp"

namespace datasync::protocol {

/// A restart of an instance that was replaced claims nothing, so that two that are restarted all the time do not
/// replace each other for ever. Errors: Superseded naming the newer instance.
base::Result<void> may_claim(const StateView& view, const std::string& instance);

/// Claims the next epoch: reads the state topic to its end, appends a claim one above the highest, reads to the end
/// again. A lost race is tried again with a higher epoch after a random wait. `view` is left at the end of the state
/// topic. Each claim stands under a name of its own made from `instance`: two claims never share a key, so that
/// compaction cannot change which came first. Errors: Superseded when a newer instance has claimed (see
/// StateView::newer_than); LogTruncated when one of the `stream_count` streams has had
/// records and the state topic has no claim, before anything is written: an epoch that readers know already would be
/// ignored or taken for the old one; those of the logs (call again: nothing is owed); Stopping.
base::Result<message::Epoch> claim_epoch(StateLog& state, StreamLog& streams, StateView& view,
                                         const std::string& instance, std::int32_t stream_count, base::Backoff& backoff,
                                         std::stop_token stop);

/// What one stream held when the epoch began.
struct StreamState {
  Offset start = 0;              ///< offset of this epoch's start record
  bool fresh = false;            ///< no transaction, watermark or snapshot stood before it: a new stream
  message::GtidSet published;    ///< every reader will have applied exactly this at `start`
  message::GtidSet dump_from;    ///< read the binlog from here; a subset of published
  std::uint64_t start_mark = 0;  ///< mark_of the start record
};

/// Appends `start` to every stream and reads each from its newest certain checkpoint (or its first offset) up to it.
/// Writes the first checkpoint of the new epoch. An append that fails for a while is repeated a few times: repeated
/// starts and checkpoints are harmless. Errors: PositionUnknown when retention took what is needed; LogTruncated when
/// the stream ends before its checkpoint; Superseded when a higher claim is known, or another instance's start of this
/// epoch or a higher one was read, which `view` is told of; those of the logs.
base::Result<std::vector<StreamState>> start_and_recover(StateLog& state, StreamLog& streams, StateView& view,
                                                         message::Epoch epoch, const std::string& instance,
                                                         std::int32_t stream_count, std::stop_token stop);

/// check_streams and both of the above, again above an epoch that has started and that nobody claimed: the state topic
/// has lost its newest records. `epoch` is the one claimed last, also after an error. `may_give_up` is asked, when
/// retention took what recovery needs, whether the position may be given up: the epoch then begins, and ends here with
/// PositionUnknown. Errors: those of all three, and when check_streams finds one nothing has been written; Superseded
/// only when a higher epoch was claimed.
base::Result<std::vector<StreamState>> begin_epoch(StateLog& state, StreamLog& streams, StateView& view,
                                                   message::Epoch& epoch, const std::string& instance,
                                                   std::int32_t stream_count, base::Backoff& backoff,
                                                   std::stop_token stop, const std::function<bool()>& may_give_up = {});

/// Where one dump feeds all streams from: the intersection over the streams that are not fresh. Empty when all are
/// fresh. Right only because an epoch begins with a watermark on every stream, at a position that is not empty, and
/// waits for their acknowledgement before any other record goes to any stream: so a fresh stream beside others was left
/// by a crash between these watermarks, and joins at this position.
message::GtidSet dump_position(const std::vector<StreamState>& streams);

/// Folds what a stream's records publish; used by the recovery above and by `datasync tail`. Begin at a checkpoint, or
/// at the stream's beginning with empty sets. An unfinished transaction publishes nothing, so a new epoch has nothing
/// to undo.
class PublishedFold {
 public:
  explicit PublishedFold(message::GtidSet published, message::GtidSet dump_from = {})
      : published_(std::move(published)), dump_from_(std::move(dump_from)) {}
  /// `headers`/`value` of a record that the reader's rule takes. Errors: ForeignMessage.
  base::Result<void> take(const message::Headers& headers, base::Bytes value);
  [[nodiscard]] const message::GtidSet& published() const noexcept { return published_; }
  /// As given; on a new stream the position of its first watermark, which is where its first dump began.
  [[nodiscard]] const message::GtidSet& dump_from() const noexcept { return dump_from_; }
  /// Nothing was published from the beginning on.
  [[nodiscard]] bool fresh() const noexcept { return !seen_ && published_.empty(); }

 private:
  message::GtidSet published_;
  message::GtidSet dump_from_;
  bool seen_ = false;
};

}  // namespace datasync::protocol
