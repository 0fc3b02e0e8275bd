#include "agents/protocol/stream_check.hpp"

#include <optional>

#include <fmt/format.h>

#include "agents/protocol/mark.hpp"

namespace datasync::protocol {
namespace {

using base::Error;
using base::Reason;

constexpr const char* kWayOn =
    "Records that were acknowledged are lost, and who has read them is not known. Make sure that the brokers keep what "
    "they acknowledge, empty the tables at the destination, then begin again with another channel.topic: everything is "
    "copied again";

Error lost(std::int32_t stream, const std::string& why) {
  return {Reason::LogTruncated, fmt::format("stream {}: {}; its end was cut off, or the topic was deleted and made "
                                            "again. {}",
                                            stream, why, kWayOn)};
}

/// Returns the mark of the record at this offset; nullopt when there is none.
base::Result<std::optional<std::uint64_t>> mark_at(StreamLog& streams, std::int32_t stream, Offset offset,
                                                   std::stop_token stop) {
  std::optional<std::uint64_t> found;
  DS_TRY(
      streams.read(stream, offset, offset + 1, std::move(stop), [&](const StreamRecord& record) -> base::Result<void> {
        if (record.offset == offset) found = mark_of(record.headers, record.value);
        return {};
      }));
  return found;
}

base::Result<void> check_stream(StreamLog& streams, const StateView& view, std::int32_t stream,
                                const std::stop_token& stop) {
  DS_ASSIGN(const auto ends, streams.ends(stream));
  const auto furthest = view.furthest(stream);
  if (furthest && furthest->offset > ends.next)
    return lost(stream,
                fmt::format("a checkpoint is at offset {}, but the stream ends at {}", furthest->offset, ends.next));
  const auto certain = view.checkpoint(stream);
  const auto needed = certain ? certain->offset : 0;
  if (ends.first > needed)
    return Error(Reason::PositionUnknown,
                 fmt::format("stream {}: recovery must read from offset {}, retention has removed everything before {}",
                             stream, needed, ends.first));
  if (!furthest || furthest->last_record == 0 || furthest->offset <= ends.first) return {};
  const auto found = mark_at(streams, stream, furthest->offset - 1, stop);
  if (!found && found.error().is(Reason::OffsetExpired)) return {};  // retention removed it in the meantime
  if (!found) return found.error();
  if (!*found)
    return lost(stream, fmt::format("the record at offset {}, before the newest checkpoint, no longer exists",
                                    furthest->offset - 1));
  if (**found != furthest->last_record)
    return lost(stream, fmt::format("the record at offset {}, before the newest checkpoint, is not the one that was "
                                    "there",
                                    furthest->offset - 1));
  return {};
}

}  // namespace

base::Result<void> check_streams(StreamLog& streams, const StateView& view, std::int32_t count, std::stop_token stop) {
  if (view.highest_claim() == message::Epoch{}) return {};  // claim_epoch checks this case
  for (std::int32_t i = 0; i < count; ++i) DS_TRY(check_stream(streams, view, i, stop));
  return {};
}

}  // namespace datasync::protocol
