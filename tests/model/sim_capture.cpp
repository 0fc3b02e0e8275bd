#include "tests/model/sim_capture.hpp"

#include <algorithm>
#include <deque>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agents/protocol/acks.hpp"
#include "agents/protocol/capture_epoch.hpp"
#include "agents/protocol/mark.hpp"
#include "agents/protocol/state_writer.hpp"

namespace datasync::model {
namespace {

using base::Error;
using base::Reason;
using message::End;
using message::Kind;

/// One epoch from its claim to its end.
class Run {
 public:
  Run(Simulation& simulation, Process& process, protocol::StateLog& state, protocol::StateView& view)
      : simulation_(simulation), process_(process), state_(state), view_(view) {}

  base::Result<void> operator()() {
    base::Backoff backoff(base::Millis(1), base::Millis(1), simulation_.random());
    const auto stop = process_.stop.get_token();
    SimStreamLog logs(simulation_, process_);
    auto instance = process_.name;
    if (simulation_.ranks_ignored) instance += fmt::format("-{}", process_.start);
    if (simulation_.starts_before_comparing) {
      DS_ASSIGN(epoch_, protocol::claim_epoch(state_, logs, view_, instance, simulation_.streams, backoff, stop));
      auto recovered = protocol::start_and_recover(state_, logs, view_, epoch_, instance, simulation_.streams, stop);
      if (!recovered && recovered.error().is(Reason::LogTruncated)) DS_TRY(append_starts(logs, instance));
      DS_ASSIGN(recovered_, std::move(recovered));
    } else {
      DS_ASSIGN(recovered_,
                protocol::begin_epoch(state_, logs, view_, epoch_, instance, simulation_.streams, backoff, stop));
    }
    from_ = protocol::dump_position(recovered_);
    if (std::ranges::all_of(recovered_, &protocol::StreamState::fresh))
      from_ = random_beginning(simulation_.random, simulation_.source);
    std::vector<message::GtidSet> published;
    std::vector<protocol::Offset> next;
    std::vector<std::uint64_t> marks;
    for (auto& r : recovered_) {
      any_fresh_ = any_fresh_ || r.fresh;
      if (r.fresh) r.published = from_;
      published.push_back(r.published);
      next.push_back(r.start + 1);
      marks.push_back(r.start_mark);
      channels_.push_back(simulation_.open_channel(process_));
    }
    protocol::AckTracker acks(published, next, marks);
    protocol::StateWriter writer(state_, view_, epoch_);
    acks_ = &acks;
    writer_ = &writer;
    return dump();
  }
  [[nodiscard]] bool claimed() const { return epoch_ != message::Epoch{}; }
  /// What an agent did that compared behind the start: one try that is refused.
  base::Result<void> try_and_leave_a_trace() {
    base::Backoff backoff(base::Millis(1), base::Millis(1), simulation_.random());
    SimStreamLog logs(simulation_, process_);
    DS_ASSIGN(epoch_, protocol::claim_epoch(state_, logs, view_, process_.name, simulation_.streams, backoff,
                                            process_.stop.get_token()));
    return append_starts(logs, process_.name);
  }

 private:
  base::Result<void> append_starts(protocol::StreamLog& logs, const std::string& instance) {
    const message::Headers headers{Kind::Start, "", epoch_, End::None};
    const auto value = message::encode(message::Start{epoch_, instance});
    for (std::int32_t s = 0; s < simulation_.streams; ++s) DS_TRY(logs.append(s, headers, value));
    return {};
  }

  base::Result<void> pause() {
    if (!simulation_.turn(process_)) return Error(Reason::Stopping, "killed");
    receive_reports();
    if (simulation_.calm) return {};
    if (chance(simulation_.random, 1)) return Error(Reason::ProducerFailed, "the producer gave up");
    if (chance(simulation_.random, 15)) DS_TRY(checkpoint());
    if (chance(simulation_.random, 3)) DS_TRY(tidy());
    return {};
  }

  /// Delivery reports, in any order across the streams.
  void receive_reports() {
    for (auto& [token, parcel] : waiting_) {
      if (!parcel->landed || (!simulation_.calm && chance(simulation_.random, 50))) continue;
      acks_->acknowledged(token, parcel->offset);
      parcel.reset();
    }
    std::erase_if(waiting_, [](const auto& entry) { return entry.second == nullptr; });
  }

  base::Result<void> checkpoint() {
    const auto stream =
        static_cast<std::int32_t>(below(simulation_.random, static_cast<std::size_t>(simulation_.streams)));
    auto written = checkpoint(stream);
    // An append with a lost acknowledgement changes nothing for a running epoch.
    if (!written && written.error().is(Reason::BrokerUnreachable)) return {};
    return written;
  }

  base::Result<void> tidy() {
    auto tidied = writer_->tidy(simulation_.streams, process_.stop.get_token());
    if (tidied || tidied.error().is(Reason::BrokerUnreachable)) return {};
    return std::move(tidied).error();
  }

  base::Result<void> checkpoint(std::int32_t stream) {
    const auto progress = acks_->progress(stream);
    return writer_->write(message::Checkpoint{epoch_, stream, progress.next_offset, progress.published,
                                              dump_from(progress.published), progress.last_record},
                          process_.stop.get_token());
  }

  /// Before the first XA transaction that is prepared and whose commit is not published.
  message::GtidSet dump_from(const message::GtidSet& published) const {
    auto position = from_;
    for (const auto& t : simulation_.source) {
      if (!published.contains(t.gtid)) continue;
      if (t.what == Transaction::What::Prepare) {
        const auto commit = std::ranges::find_if(simulation_.source, [&](const Transaction& other) {
          return other.what == Transaction::What::Commit && other.xa == t.xa;
        });
        if (!published.contains(commit->gtid)) break;
      }
      position.add(t.gtid);
    }
    return position;
  }

  base::Result<void> send(std::int32_t stream, const message::Headers& headers, std::string value,
                          std::uint64_t token) {
    Parcel parcel;
    parcel.stream = stream;
    parcel.headers = headers;
    parcel.value = std::move(value);
    waiting_.emplace_back(token, simulation_.post(channels_[static_cast<std::size_t>(stream)], std::move(parcel)));
    return pause();
  }

  base::Result<void> send_fragment(std::int32_t stream, const Transaction& t, std::uint32_t fragment, End end) {
    const message::Headers headers{Kind::Change, "t", epoch_, end};
    auto value = message::encode(message::Change{t.gtid, 0, fragment, end == End::Transaction, {}});
    const auto token = acks_->sent(stream, end, t.gtid, protocol::mark_of(headers, base::as_bytes(value)));
    return send(stream, headers, std::move(value), token);
  }

  base::Result<void> send_rows(std::int32_t stream, const Transaction& t) {
    const auto count = t.fragments[static_cast<std::size_t>(stream)];
    if (count > 0 && !simulation_.calm &&
        chance(simulation_.random, 5)) {  // the connection to the replica broke in the middle
      if (count > 1) DS_TRY(send_fragment(stream, t, 0, End::Group));
      DS_TRY(send_fragment(stream, t, count > 1 ? 1 : 0, End::Abort));
    }
    for (std::uint32_t f = 0; f < count; ++f)
      DS_TRY(send_fragment(stream, t, f, f + 1 == count ? End::Transaction : End::None));
    return {};
  }

  base::Result<void> send_watermark(std::int32_t stream, const message::GtidSet& position) {
    const message::Headers headers{Kind::Watermark, "", epoch_, End::None};
    auto value = message::encode(message::Watermark{position, 0});
    const auto token = acks_->sent_between(stream, protocol::mark_of(headers, base::as_bytes(value)));
    return send(stream, headers, std::move(value), token);
  }

  /// Reads the source from where recovery says, skipping per stream what that has.
  base::Result<void> dump() {
    // Where a stream begins stands on it before anything else does, on any stream.
    for (std::int32_t s = 0; s < simulation_.streams; ++s) DS_TRY(send_watermark(s, from_));
    DS_TRY(flush());
    // A stream that loses this beginning must not look like a new one.
    for (std::int32_t s = 0; any_fresh_ && s < simulation_.streams; ++s) DS_TRY(checkpoint(s));
    auto position = from_;
    for (const auto& t : simulation_.source) {
      if (from_.contains(t.gtid)) continue;
      if (t.what == Transaction::What::Prepare) prepared_.push_back(t.xa);
      const bool rows_known = t.what != Transaction::What::Commit || std::ranges::count(prepared_, t.xa) > 0;
      for (std::int32_t s = 0; s < simulation_.streams; ++s) {
        const auto& has = recovered_[static_cast<std::size_t>(s)].published;
        if (has.contains(t.gtid) || t.fragments[static_cast<std::size_t>(s)] == 0) continue;
        if (!rows_known) return Error(Reason::Internal, "the dump began behind the prepare of " + t.gtid.text());
        DS_TRY(send_rows(s, t));
      }
      acks_->finished(t.gtid);
      position.add(t.gtid);
      if (chance(simulation_.random, 10)) DS_TRY(send_watermark(0, position));
      DS_TRY(pause());
    }
    return flush();
  }

  base::Result<void> flush() {
    while (acks_->in_flight() > 0) DS_TRY(pause());
    return {};
  }

  Simulation& simulation_;
  Process& process_;
  protocol::StateLog& state_;
  protocol::StateView& view_;
  message::Epoch epoch_;
  std::vector<protocol::StreamState> recovered_;
  message::GtidSet from_;                ///< where the dump begins
  std::vector<std::uint64_t> channels_;  ///< one per stream: order is kept
  std::vector<std::pair<std::uint64_t, ParcelPtr>> waiting_;
  std::vector<std::uint64_t> prepared_;
  protocol::AckTracker* acks_ = nullptr;
  protocol::StateWriter* writer_ = nullptr;
  bool any_fresh_ = false;
};

}  // namespace

void leave_a_trace(Simulation& simulation, Process& process) {
  SimStateLog state(simulation, process);
  protocol::StateView view;
  std::ignore = Run(simulation, process, state, view).try_and_leave_a_trace();
}

Life live(Simulation& simulation, Process& process) {
  SimStateLog state(simulation, process);
  protocol::StateView view;
  bool claimed = false;
  for (;;) {
    Run run(simulation, process, state, view);
    const auto ended = run();
    claimed = claimed || run.claimed();
    if (ended) return {true, claimed, {}};
    switch (ended.error().reason) {
      case Reason::Stopping:
      case Reason::Superseded:
        return {false, claimed, {}};
      case Reason::BrokerUnreachable:
      case Reason::ProducerFailed:
        break;  // a new epoch
      default:
        return {false, claimed, ended.error().what};
    }
  }
}

}  // namespace datasync::model
