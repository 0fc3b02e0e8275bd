#include "agents/apply/session.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using std::chrono::milliseconds;

constexpr milliseconds kPoll{100};                     ///< how soon a stop is noticed
constexpr auto kKnownEvery = std::chrono::seconds(1);  ///< so often it is checked that the tables are there,
constexpr int kKnownShare = 20;                        ///< and so much longer than the check takes
constexpr std::chrono::seconds kReadTimeout{60};
constexpr std::chrono::seconds kDdlTimeout{3600};
/// A large transaction whose end does not come for so long gives its locks back: capture may be away for days.
constexpr unsigned kMostHalvings = 7;

/// The offsets of "partition:offset" entries that name this stream.
std::set<std::int64_t> offsets_to_skip(const std::vector<std::string>& entries, std::int32_t stream) {
  std::set<std::int64_t> out;
  const auto prefix = std::to_string(stream) + ":";
  for (const std::string_view entry : entries) {
    if (!entry.starts_with(prefix)) continue;
    std::int64_t offset = -1;
    const auto digits = entry.substr(prefix.size());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    if (error == std::errc{} && end == digits.data() + digits.size()) out.insert(offset);
  }
  return out;
}

LedgerKey key_of(const StreamContext& context) {
  return {context.config.common.name, context.config.common.channel.topic, context.stream};
}

/// `config` must outlive it.
HeldTables::TargetOf target_of(const config::Apply& config) {
  return [&config](const std::string& source) { return target_name(config, source).qualified(); };
}

}  // namespace

IntakeLimits limits_of(const StreamContext& context) {
  const auto halvings = std::min(context.busy / 2, kMostHalvings);
  return {std::max<std::size_t>(1, context.config.batch_rows >> halvings),
          std::max<std::size_t>(1, context.config.batch_bytes >> halvings), context.rows_alone > 0};
}

base::Result<void> run_stream(StreamContext& context, std::stop_token stop) {
  while (true) {
    const bool alone = context.rows_alone > 0;
    Session session(context, stop);
    auto done = session.run();
    if (done) return done;
    if (std::exchange(context.rolled_back, false)) continue;
    if (Executor::row_by_row_may_help(done.error())) {
      context.rows_alone = context.config.batch_rows;
      if (!alone) continue;
    }
    if (!session.await_refused() && !session.hold_refused(done.error())) return done;
  }
}

Session::Session(StreamContext& context, std::stop_token stop)
    : context_(context),
      stop_(std::move(stop)),
      skip_(offsets_to_skip(context.config.skip_offsets, context.stream)),
      copies_(context.config, context.book, context.stream, context.streams),
      gaps_(context.config.common.channel.topic, context.stream),
      held_(context.config.ledger_database, key_of(context), target_of(context.config)) {
  context_.report.forget_session();
}

Session::Session(StreamContext& context, std::stop_token stop, Session& main, std::vector<std::string> tables)
    : context_(context),
      stop_(std::move(stop)),
      skip_(offsets_to_skip(context.config.skip_offsets, context.stream)),
      copies_(context.config, context.book, context.stream, context.streams),
      gaps_(context.config.common.channel.topic, context.stream),
      main_(&main),
      tables_(std::move(tables)),
      held_(context.config.ledger_database, key_of(context), target_of(context.config)) {}

Session::~Session() = default;

base::Result<void> Session::run() {
  auto done = open();
  if (done && std::exchange(context_.await_end, false)) done = await_end();
  if (done) done = read();
  while (!done && done.error().is(Reason::DestinationBusy) && assembler_) {
    done = begin_again(Error(done.error()));
    if (!done) break;
    done = read();
  }
  if (!done) done = blamed(std::move(done).error());
  if (assembler_ && writer_) context_.report.counted(assembler_->counts(), writer_->counts());
  if (!done && writer_) return with_token(std::move(done).error(), copy_token());
  return done;
}

/// A statement failed because a table or column does not exist: where one that was written before is missing, the error
/// says so and names the ways on.
Error Session::blamed(Error error) {
  const bool missing = error.is(Reason::DestinationTableMissing) || error.is(Reason::DestinationSchemaMismatch);
  if (!missing || main_ != nullptr || !writer_ || error.what.find(kCopyTables) != std::string::npos) return error;
  writer_->rollback();
  auto known = check_known_but(held_.names(), writer_->ledger().awaited);
  return known ? std::move(error) : std::move(known).error();
}

base::Result<void> Session::open() {
  const auto& config = context_.config;
  DS_ASSIGN(connection_, context_.engine.connect(config, kReadTimeout));
  wake_.emplace(stop_, [this] { connection_->abort(); });
  DS_TRY(connection_->prepare_to_write());
  DS_TRY(Ledger::create(*connection_, config.ledger_database));
  DS_TRY(KnownTables::create(*connection_, config.ledger_database));
  known_.emplace(config.ledger_database, key_of(context_));
  catalog_.emplace(
      config, context_.engine.dialect(), context_.book, *known_,
      [this] { return context_.engine.connect(context_.config, kDdlTimeout); },
      [this]() -> base::Result<void> {
        context_.status.beat();
        if (stop_.stop_requested()) return Error(Reason::Stopping, "stopped");
        // An open transaction, or the lock on the ledger's row, must not end by its idle time.
        return writer_ ? writer_->idle() : base::Result<void>{};
      });
  if (main_ != nullptr) {
    ledger_ = std::make_unique<HeldLedger>(*main_->ledger_, main_->held_, tables_, replay_start());
  } else {
    auto ledger = std::make_unique<StreamLedger>(
        Ledger(config.ledger_database, key_of(context_), {config.types.begin(), config.types.end()}, context_.instance),
        held_);
    stream_ledger_ = ledger.get();
    ledger_ = std::move(ledger);
  }
  DS_ASSIGN(writer_, Writer::open(*connection_, context_.engine.dialect(), *catalog_, config, *ledger_,
                                  [this] { context_.status.beat(); }));
  catalog_->set_token(writer_->token());
  catalog_->set_stop(stop_);
  catalog_->set_fence([this](DestinationServer& connection) { return ledger_->hold(connection); });
  catalog_->set_guard([this](DestinationServer& own, const auto& work) { return define(own, work); });
  DS_TRY(known_->read(*connection_));
  if (main_ == nullptr && config.on_table_error == config::OnTableError::HoldTable)
    DS_TRY(HeldTables::create(*connection_, config.ledger_database));
  DS_TRY(open_consumer());
  auto start = writer_->ledger();
  start.next_offset = std::max<std::int64_t>(0, start.next_offset);
  gaps_.start(start.next_offset);
  if (main_ == nullptr) {
    context_.status.set_epoch(start.epoch.value());
    context_.report.opened(start, writer_->token());
  }
  assembler_.emplace(static_cast<Sink&>(*this), std::set<std::string>(config.types.begin(), config.types.end()),
                     limits_of(context_), std::move(start));
  base::log::write(
      main_ == nullptr ? base::log::Level::Info : base::log::Level::Debug,
      main_ == nullptr ? "took over a stream" : "applies held tables",
      {{"stream", context_.stream}, {"token", writer_->token()}, {"next_offset", writer_->ledger().next_offset}});
  if (main_ != nullptr) return {};
  DS_TRY(begin_copies());
  DS_TRY(load_held());
  return forget_tables(copies_.ordered_elsewhere());
}

base::Result<void> Session::open_consumer() {
  const auto& channel = context_.config.common.channel;
  DS_ASSIGN(const auto access, kafka::access(channel, context_.config.common.secrets_dir));
  const auto next = writer_->ledger().next_offset;
  // One record back: it tells whether this is still the topic the ledger speaks of.
  const bool look_back = next > 0 && writer_->ledger().last_record != 0;
  if (look_back) {
    auto opened = kafka::Consumer::open(access, channel.topic, context_.stream, next - 1);
    if (opened) {
      consumer_ = std::move(*opened);
      return check_identity(*consumer_);
    }
    if (!opened.error().is(Reason::OffsetExpired)) return std::move(opened).error();
  }
  DS_ASSIGN(consumer_, kafka::Consumer::open(access, channel.topic, context_.stream, std::max<std::int64_t>(0, next)));
  return {};
}

base::Result<void> Session::check_identity(kafka::Consumer& consumer) {
  const auto& ledger = writer_->ledger();
  const auto deadline = base::steady_now() + std::chrono::seconds(10);
  while (!stop_.stop_requested()) {
    DS_ASSIGN(const auto record, consumer.next(kPoll));
    context_.status.beat();
    if (!record) {
      if (base::steady_now() < deadline) continue;
      DS_ASSIGN(const auto ends, consumer.watermarks());
      if (ends.high < ledger.next_offset)
        return Error(Reason::LogTruncated,
                     fmt::format("partition {} ends at offset {}, but everything before {} was applied",
                                 context_.stream, ends.high, ledger.next_offset));
      return Error(Reason::BrokerUnreachable, "the last applied record could not be read back");
    }
    // A record that was skipped has no headers that can be read.
    auto headers = record->headers();
    const Incoming seen{record->offset(), record->timestamp_ms(), headers ? *headers : message::Headers{},
                        record->value()};
    if (seen.offset >= ledger.next_offset) return consumer.seek(ledger.next_offset);  // it is compacted away
    if (mark_of(seen) == ledger.last_record) return {};
    return Error(
        Reason::LedgerInvalid,
        fmt::format("the record at {}:{} is not the one that was applied: topic {} was recreated or changed. To "
                    "store the new topic from its start: pause the DataSync, empty the tables that it stores, run "
                    "{} at the destination, and resume",
                    context_.stream, seen.offset, context_.config.common.channel.topic,
                    context_.engine.dialect().forget_topic(context_.config.ledger_database, context_.config.common.name,
                                                           context_.config.common.channel.topic)));
  }
  return Error(Reason::Stopping, "stopped");
}

/// Tables of which a copy is awaited are not missed until it begins.
base::Result<void> Session::check_known(const Awaited& awaited) {
  const auto begun = base::steady_now();
  if (main_ != nullptr || begun < known_due_ || writer_->streaming()) return {};
  DS_TRY(check_known_but(held_.names(), awaited));
  const auto ended = base::steady_now();
  known_due_ = ended + std::max<base::SteadyTime::duration>(kKnownEvery, kKnownShare * (ended - begun));
  return {};
}

void Session::show_state() {
  if (const auto waits = copies_.state(writer_->ledger().awaited)) {
    const bool user = waits->outcome() == base::Outcome::Halt;
    return context_.status.set(user ? health::State::Stalled : health::State::Retrying, waits->reason, waits->what);
  }
  const bool snapshot = writer_->ledger().snapshot.active();
  context_.status.set(snapshot ? health::State::Snapshotting : health::State::Streaming);
}

}  // namespace datasync::apply
