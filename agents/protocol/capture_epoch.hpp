#pragma once
// The start of a capture epoch: check, claim, start, recover (docs/architecture.md).

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

/// Returns an error when a newer instance has replaced this one: a restart of a replaced instance must not claim again,
/// or two instances that keep restarting would replace each other forever. Errors: Superseded naming the newer
/// instance.
base::Result<void> may_claim(const StateView& view, const std::string& instance);

/// Claims the next epoch: reads the state topic to its end, appends a claim one above the highest, and reads to the end
/// again. When another claim wins the race, it retries with a higher epoch after a random wait. `view` is at the end of
/// the state topic afterwards. Each claim has a unique name that contains `instance`: two claims never share a key, so
/// compaction cannot change which one was first. Errors: Superseded when a newer instance has claimed (see
/// StateView::newer_than); LogTruncated, before anything is written, when one of the `stream_count` streams has had
/// records and the state topic has no claim, because readers would ignore an epoch that they have already read or
/// confuse it with the old one; those of the logs (call again: nothing needs to be undone); Stopping.
base::Result<message::Epoch> claim_epoch(StateLog& state, StreamLog& streams, StateView& view,
                                         const std::string& instance, std::int32_t stream_count, base::Backoff& backoff,
                                         std::stop_token stop);

/// The content of one stream when the epoch began.
struct StreamState {
  Offset start = 0;              ///< offset of this epoch's start record
  bool fresh = false;            ///< no transaction, watermark or snapshot was before it: a new stream
  message::GtidSet published;    ///< what every reader has applied at `start`
  message::GtidSet dump_from;    ///< the position from which to read the binlog; a subset of published
  std::uint64_t start_mark = 0;  ///< mark_of the start record
};

/// Appends `start` to every stream and reads each one from its newest certain checkpoint (or its first offset) up to
/// it. Writes the first checkpoint of the new epoch. A failed append is retried a few times, because repeated starts
/// and checkpoints are harmless. Errors: PositionUnknown when retention removed records that are needed; LogTruncated
/// when the stream ends before its checkpoint; Superseded when a higher claim is known, or when another instance's
/// start of this epoch or of a higher one was read, which is reported to `view`; those of the logs.
base::Result<std::vector<StreamState>> start_and_recover(StateLog& state, StreamLog& streams, StateView& view,
                                                         message::Epoch epoch, const std::string& instance,
                                                         std::int32_t stream_count, std::stop_token stop);

/// Runs check_streams and both functions above. When an epoch has started for which the state topic has no claim, it
/// lost its newest records, and a higher epoch is claimed. `epoch` is the last claimed one, also after an error. When
/// retention removed records that recovery needs, `may_give_up` decides whether to accept the loss of the position: the
/// epoch is then claimed and started, and the call returns PositionUnknown. Errors: those of all three (after an error
/// of check_streams nothing has been written); Superseded only when a higher epoch was claimed.
base::Result<std::vector<StreamState>> begin_epoch(StateLog& state, StreamLog& streams, StateView& view,
                                                   message::Epoch& epoch, const std::string& instance,
                                                   std::int32_t stream_count, base::Backoff& backoff,
                                                   std::stop_token stop, const std::function<bool()>& may_give_up = {});

/// Returns the position from which one binlog dump serves all streams: the intersection over the streams that are not
/// fresh. Empty when all are fresh. This is correct only because an epoch begins with a watermark on every stream, at a
/// position that is not empty, and waits for their acknowledgement before any other record is sent to any stream. So a
/// fresh stream beside others is the result of a crash between these watermarks, and starts at this position.
message::GtidSet dump_position(const std::vector<StreamState>& streams);

/// Computes what a stream's records publish; used by recovery and by `datasync tail`. Start at a checkpoint, or at the
/// beginning of the stream with empty sets. An unfinished transaction publishes nothing, so a new epoch has nothing to
/// undo.
class PublishedFold {
 public:
  explicit PublishedFold(message::GtidSet published, message::GtidSet dump_from = {})
      : published_(std::move(published)), dump_from_(std::move(dump_from)) {}
  /// Adds a record that ReaderRule accepts. Errors: ForeignMessage.
  base::Result<void> take(const message::Headers& headers, base::Bytes value);
  [[nodiscard]] const message::GtidSet& published() const noexcept { return published_; }
  /// The initial value; on a new stream the position of its first watermark, where its first dump began.
  [[nodiscard]] const message::GtidSet& dump_from() const noexcept { return dump_from_; }
  /// True when nothing has been published since the beginning of the stream.
  [[nodiscard]] bool fresh() const noexcept { return !seen_ && published_.empty(); }

 private:
  message::GtidSet published_;
  message::GtidSet dump_from_;
  bool seen_ = false;
};

}  // namespace datasync::protocol
