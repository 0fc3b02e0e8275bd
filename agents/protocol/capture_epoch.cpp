#include "agents/protocol/capture_epoch.hpp"

#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "agents/protocol/mark.hpp"
#include "agents/protocol/reader_rule.hpp"
#include "agents/protocol/stream_check.hpp"

namespace datasync::protocol {
namespace {

using base::Error;
using base::Reason;

constexpr int kAppendTries = 5;
constexpr base::Millis kAppendFirstWait{10};
constexpr base::Millis kAppendLongestWait{2000};

/// Instance names may repeat (a pod's name, a second claim by this process), but the name in a claim must be unique.
std::string claimant(const std::string& instance) {
  std::random_device random;
  const auto bits = std::uint64_t{random()} << 32U | random();
  return fmt::format("{}/{:016x}", instance, bits);
}

std::uint64_t wall_us() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(base::wall_now().time_since_epoch()).count());
}

/// Retries an append. Use it only for records that may be stored more than once.
template <class Append>
base::Result<Offset> append_again(std::stop_token stop, Append append) {
  base::Backoff backoff(kAppendFirstWait, kAppendLongestWait);
  for (int tries = 1;; ++tries) {
    auto offset = append();
    if (offset || tries == kAppendTries || offset.error().outcome() != base::Outcome::Retry) return offset;
    base::log::warn("an append to the topic failed, trying again", {{"error", offset.error().what}});
    if (!base::sleep_for(stop, backoff.next())) return Error(Reason::Stopping, "stopped between two appends");
  }
}

Error position_unknown(std::int32_t stream, Offset from, Offset first) {
  return {Reason::PositionUnknown,
          fmt::format("stream {}: recovery must read from offset {}, retention has removed everything before {}",
                      stream, from, first)};
}

Error truncated(std::int32_t stream, Offset checkpoint, Offset end) {
  return {Reason::LogTruncated, fmt::format("stream {}: the newest checkpoint is at offset {}, but the stream ended "
                                            "at {}",
                                            stream, checkpoint, end)};
}

/// Where to start reading a stream, and what was published before that offset.
struct Origin {
  Offset offset = 0;
  message::Epoch epoch;
  message::GtidSet published, dump_from;
};

base::Result<Origin> origin_of(StreamLog& streams, const StateView& view, std::int32_t stream, Offset start) {
  DS_ASSIGN(const auto ends, streams.ends(stream));
  Origin origin;
  if (auto c = view.checkpoint(stream)) {
    origin = {c->offset, c->epoch, std::move(c->published), std::move(c->dump_from)};
    if (origin.offset > start) return truncated(stream, origin.offset, start);
  }
  if (ends.first > origin.offset) return position_unknown(stream, origin.offset, ends.first);
  return origin;
}

/// One stream after the epoch has started on it.
struct Started {
  std::int32_t stream = 0;
  Offset before = 0;  ///< end of the stream before any append of this epoch
  Offset start = 0;
  std::uint64_t mark = 0;  ///< of the start record
};

base::Result<StreamState> recover(StreamLog& streams, StateView& view, const Started& here, message::Epoch mine,
                                  std::stop_token stop) {
  const auto stream = here.stream;
  DS_ASSIGN(const auto origin, origin_of(streams, view, stream, here.start));
  ReaderRule rule(origin.epoch);
  PublishedFold fold(origin.published, origin.dump_from);
  const auto take = [&](const StreamRecord& record) -> base::Result<void> {
    switch (rule.see(record.headers)) {
      case ReaderRule::Verdict::Take:
        return fold.take(record.headers, record.value);
      case ReaderRule::Verdict::Ignore:
        return {};
      case ReaderRule::Verdict::NewEpoch:
        if (rule.epoch() < mine || (rule.epoch() == mine && record.offset >= here.before)) return {};
        view.started(rule.epoch());
        return Error(Reason::Superseded, fmt::format("stream {}, offset {}: epoch {} was started by another instance, "
                                                     "this one has epoch {}",
                                                     stream, record.offset, rule.epoch().value(), mine.value()));
      case ReaderRule::Verdict::Foreign:
        break;
    }
    return Error(Reason::ForeignMessage, fmt::format("stream {}, offset {}: a {} record of epoch {} in epoch {}",
                                                     stream, record.offset, message::to_string(record.headers.kind),
                                                     record.headers.epoch.value(), rule.epoch().value()));
  };
  if (auto read = streams.read(stream, origin.offset, here.start, stop, take); !read) {
    if (!read.error().is(Reason::OffsetExpired)) return Error(std::move(read).error());
    DS_ASSIGN(const auto ends, streams.ends(stream));
    return position_unknown(stream, origin.offset, ends.first);
  }
  return StreamState{here.start, fold.fresh(), fold.published(), fold.dump_from(), here.mark};
}

/// Returns a stream that has had records, if there is one.
base::Result<std::optional<std::int32_t>> used_stream(StreamLog& streams, std::int32_t count) {
  for (std::int32_t i = 0; i < count; ++i) {
    DS_ASSIGN(const auto ends, streams.ends(i));
    if (ends.next > 0) return std::optional(i);
  }
  return std::optional<std::int32_t>();
}

}  // namespace

base::Result<void> may_claim(const StateView& view, const std::string& instance) {
  const auto newer = view.newer_than(instance);
  if (newer.empty()) return {};
  return Error(
      Reason::Superseded,
      fmt::format("instance {} is newer than this one ({}) and has taken over. This one claims nothing any more "
                  "and waits. If the newer one no longer exists, replace this one: delete its pod, or start "
                  "datasync run again",
                  newer, instance));
}

base::Result<message::Epoch> claim_epoch(StateLog& state, StreamLog& streams, StateView& view,
                                         const std::string& instance, std::int32_t stream_count, base::Backoff& backoff,
                                         std::stop_token stop) {
  // The order matters: every epoch on a stream was claimed earlier, and the newest claim of each task is never removed.
  // The epochs on the stream itself are not sufficient: retention removes start records, and the remaining records may
  // be from a zombie.
  DS_ASSIGN(const auto used, used_stream(streams, stream_count));
  DS_TRY(catch_up(state, view, stop));
  if (used && view.highest_claim() == message::Epoch{})
    return Error(Reason::LogTruncated,
                 fmt::format("stream {} has had records, but the state topic holds no claim: it was emptied or "
                             "recreated (or another program wrote to the stream). Who writes and up to where is lost "
                             "with it; start again with another channel.topic",
                             *used));
  for (;;) {
    DS_TRY(may_claim(view, instance));
    const message::Epoch wanted(view.highest_claim().value() + 1);
    const message::Claim claim{wanted, claimant(instance), wall_us(), instance, view.rank_for(instance)};
    DS_TRY(state.append(message::Kind::Claim, message::claim_key(wanted, claim.instance), message::encode(claim)));
    DS_TRY(catch_up(state, view, stop));
    DS_TRY(may_claim(view, instance));
    if (view.owner(wanted) == claim.instance) return wanted;
    if (!base::sleep_for(stop, backoff.next())) return Error(Reason::Stopping, "stopped while claiming an epoch");
    DS_TRY(catch_up(state, view, stop));
  }
}

base::Result<std::vector<StreamState>> start_and_recover(StateLog& state, StreamLog& streams, StateView& view,
                                                         message::Epoch epoch, const std::string& instance,
                                                         std::int32_t stream_count, std::stop_token stop) {
  if (view.highest_claim() > epoch)
    return Error(Reason::Superseded, fmt::format("epoch {} is claimed, this instance has epoch {}",
                                                 view.highest_claim().value(), epoch.value()));
  const message::Headers headers{message::Kind::Start, "", epoch, message::End::None};
  const auto value = message::encode(message::Start{epoch, instance});
  const auto mark = mark_of(headers, base::as_bytes(value));
  std::vector<Started> started;
  for (std::int32_t i = 0; i < stream_count; ++i) {
    DS_ASSIGN(const auto ends, streams.ends(i));
    if (const auto checkpoint = view.checkpoint(i); checkpoint && checkpoint->offset > ends.next)
      return truncated(i, checkpoint->offset, ends.next);
    DS_ASSIGN(const auto offset, append_again(stop, [&] { return streams.append(i, headers, value); }));
    started.push_back({i, ends.next, offset, mark});
  }
  std::vector<StreamState> out;
  for (const auto& here : started) {
    DS_ASSIGN(auto recovered, recover(streams, view, here, epoch, stop));
    out.push_back(std::move(recovered));
  }
  for (std::int32_t i = 0; i < stream_count; ++i) {
    const auto& s = out[static_cast<std::size_t>(i)];
    const message::Checkpoint checkpoint{epoch, i, s.start + 1, s.published, s.dump_from, s.start_mark};
    const auto key = message::checkpoint_key(checkpoint, 0);
    const auto body = message::encode(checkpoint);
    DS_TRY(append_again(stop, [&] { return state.append(message::Kind::Checkpoint, key, body); }));
  }
  return out;
}

base::Result<std::vector<StreamState>> begin_epoch(StateLog& state, StreamLog& streams, StateView& view,
                                                   message::Epoch& epoch, const std::string& instance,
                                                   std::int32_t stream_count, base::Backoff& backoff,
                                                   std::stop_token stop, const std::function<bool()>& may_give_up) {
  for (;;) {
    DS_TRY(catch_up(state, view, stop));
    // A restarted instance that was replaced must not report anything about the streams.
    DS_TRY(may_claim(view, instance));
    if (auto seen = check_streams(streams, view, stream_count, stop); !seen) {
      const bool give_up = seen.error().is(Reason::PositionUnknown) && may_give_up && may_give_up();
      if (!give_up) return std::move(seen).error();
    }
    DS_ASSIGN(epoch, claim_epoch(state, streams, view, instance, stream_count, backoff, stop));
    auto begun = start_and_recover(state, streams, view, epoch, instance, stream_count, stop);
    if (begun || !begun.error().is(Reason::Superseded)) return begun;
    // An instance claims an epoch before it starts it, so the claim must be on the state topic.
    DS_TRY(catch_up(state, view, stop));
    if (view.claimed_above(epoch)) return begun;
    base::log::warn("the state topic has lost claims; claims above what has started",
                    {{"claimed", epoch.value()}, {"started", view.highest_claim().value()}});
  }
}

message::GtidSet dump_position(const std::vector<StreamState>& streams) {
  message::GtidSet position;
  bool first = true;
  for (const auto& s : streams) {
    if (s.fresh) continue;
    position = first ? s.dump_from : message::GtidSet::intersection(position, s.dump_from);
    first = false;
  }
  return position;
}

}  // namespace datasync::protocol
