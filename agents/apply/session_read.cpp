// The part of a session that reads the stream: records in order, and what to do when none comes.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/apply/session.hpp"
#include "agents/base/log.hpp"

namespace datasync::apply {

using base::Error;
using base::Reason;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kPoll{100};                        ///< how soon a stop is noticed
constexpr auto kPositionEvery = std::chrono::seconds(1);  ///< a position that moved without rows is written so often
constexpr std::chrono::seconds kOpenTransaction{20};

/// The record ends a chunk of a copy, or stands outside of one.
bool ends_chunk(base::Bytes value) {
  const auto snapshot = message::decode<message::Snapshot>(value);
  return !snapshot || snapshot->phase != message::Snapshot::Phase::Rows || snapshot->last;
}

}  // namespace

base::Result<void> Session::read() {
  DS_TRY(check_known(writer_->ledger().awaited));
  // After a lock that was not free in time it is not Streaming before something was written.
  if (!context_.blocked) show_state();
  while (!stop_.stop_requested()) {
    context_.status.beat();
    DS_ASSIGN(auto record, consumer_->next(poll_timeout()));
    if (record) {
      DS_TRY(take(*record));
    } else {
      DS_TRY(on_idle());
    }
    DS_TRY(watch_copies());
    DS_TRY(work_on_held(!record.has_value()));
    if (completed_) return assembler_->pause(true);
  }
  return Error(Reason::Stopping, "stopped");
}

/// How long to wait for the next record: not at all when rows are ready to be committed, unless batches are meant to
/// fill.
milliseconds Session::poll_timeout() {
  if (!assembler_->has_whole_rows()) {
    batch_since_.reset();
    return kPoll;
  }
  if (context_.config.batch_time.count() == 0) return milliseconds(0);
  const auto now = base::steady_now();
  if (!batch_since_) batch_since_ = now;
  const auto age = std::chrono::duration_cast<milliseconds>(now - *batch_since_);
  return std::max(milliseconds(0), context_.config.batch_time - age);
}

base::Result<void> Session::on_idle() {
  DS_TRY(gaps_.end(consumer_->position()));
  const bool position_due = base::steady_now() - last_commit_ >= kPositionEvery;
  DS_TRY(assembler_->pause(position_due));
  context_.report.counted(assembler_->counts(), writer_->counts());
  DS_TRY(check_known(writer_->ledger().awaited));
  if (main_ == nullptr && writer_->streaming() && base::steady_now() - last_record_ >= kOpenTransaction) {
    context_.await_end = context_.rolled_back = true;  // the destructor rolls back
    return Error(Reason::BrokerUnreachable, "the end of a large transaction does not come");
  }
  return writer_->idle();
}

/// A large transaction was rolled back because its end did not come. Reads past it until its end, or the start of an
/// epoch that voids it, is on the topic, and begins again before it.
base::Result<void> Session::await_end() {
  show_state();
  base::log::warn(
      "the end of a large transaction does not come: it is rolled back, and applied again when its end is "
      "on the topic",
      {{"stream", context_.stream}, {"offset", assembler_->position().next_offset}});
  while (!stop_.stop_requested()) {
    context_.status.beat();
    DS_ASSIGN(const auto record, consumer_->next(kPoll));
    if (!record) {
      DS_TRY(check_known(writer_->ledger().awaited));
      DS_TRY(writer_->idle());
      continue;
    }
    const auto headers = record->headers();
    // A chunk of a copy ends without a mark in its headers. Whatever is no part of a transaction or chunk follows one.
    using message::Kind;
    const bool ends = !headers || headers->kind == Kind::Start || headers->kind == Kind::Watermark ||
                      headers->kind == Kind::Verify || headers->end == message::End::Transaction ||
                      headers->end == message::End::Abort ||
                      (headers->kind == Kind::Snapshot && ends_chunk(record->value()));
    if (ends) return consumer_->seek(assembler_->position().next_offset);
  }
  return Error(Reason::Stopping, "stopped");
}

base::Result<void> Session::take(const kafka::Record& record) {
  const auto offset = record.offset();
  offset_ = offset;
  last_record_ = base::steady_now();
  if (auto whole = gaps_.see(offset); !whole) {
    commit_complete();
    return whole;
  }
  const bool skip = skip_.contains(offset);
  auto headers = record.headers();
  if (skip) {
    base::log::warn("skips a record that skipOffsets names", {{"stream", context_.stream}, {"offset", offset}});
    context_.report.skipped(offset);
    if (!headers) return record.may_be_ours() ? pass_by_unreadable(offset) : base::Result<void>{};
  } else if (headers && record.tombstone()) {
    headers = Error(Reason::ForeignMessage, "a record without a value");
  }
  if (!headers) {
    commit_complete();
    return foreign(std::move(headers).error(), offset);
  }
  const Incoming incoming{offset, record.timestamp_ms(), std::move(*headers), record.value()};
  auto taken = skip ? pass_by(incoming) : assembler_->take(incoming);
  if (!taken) {
    commit_complete();
    return foreign(std::move(taken).error(), offset);
  }
  if (base::steady_now() - last_commit_ < kPositionEvery) return {};
  DS_TRY(assembler_->pause(true));
  // A large transaction may hold many records of other types: meanwhile nothing is executed.
  return writer_->idle();
}

/// A record that cannot be taken does not hold back what came before it.
void Session::commit_complete() {
  if (sink_failed_) return;
  if (auto saved = assembler_->pause(true); !saved)
    base::log::debug("not committed", {{"message", std::string_view(saved.error().what)}});
}

/// Is the topic still the one that the ledger speaks of? It may have lost its end and grown back while brokers were
/// away.
base::Result<void> Session::same_topic() {
  const auto next = writer_->ledger().next_offset;
  if (next <= 0 || writer_->ledger().last_record == 0) return {};
  const auto& channel = context_.config.common.channel;
  DS_ASSIGN(const auto access, kafka::access(channel, context_.config.common.secrets_dir));
  auto consumer = kafka::Consumer::open(access, channel.topic, context_.stream, next - 1);
  if (!consumer && consumer.error().is(Reason::OffsetExpired)) return {};
  if (!consumer) return std::move(consumer).error();
  return check_identity(**consumer);
}

/// Names the place, and the way on that a user may choose. To skip what another log holds would not be one.
Error Session::foreign(Error error, std::int64_t offset) {
  if (!error.is(Reason::ForeignMessage) && !error.is(Reason::GtidDiverged)) return error;
  if (auto same = same_topic(); !same) return std::move(same).error();
  error.what = fmt::format(
      "topic {}, partition {}, offset {}: {}; to continue without this record annotate the DataSync with "
      "datasync.dev/skip-offsets={}:{} and the tables that it is about are copied again",
      context_.config.common.channel.topic, context_.stream, offset, error.what, context_.stream, offset);
  return error;
}

}  // namespace datasync::apply
