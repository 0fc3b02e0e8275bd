#include "agents/capture/session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "agents/capture/plan/before_start.hpp"
#include "agents/capture/plan/memory.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kDuplicateIdQuietTime{
    60000};  ///< a dump this long ends the row; a first event comes before every cut

/// Only the dump reads all binlogs: it may find a position lost on a replica that seemed to have it. It is lost when no
/// other replica has it either.
bool history_refused(const Error& e) {
  return e.is(Reason::BinlogPurged) || e.is(Reason::GtidDiverged);
}

}  // namespace

Session::Session(const Context& around, Selection selection, Claimed claimed, std::stop_token stop)
    : around_(around),
      selection_(std::move(selection)),
      claimed_(std::move(claimed)),
      linked_(std::move(stop), [this] { stop_.request_stop(); }) {}

Session::~Session() {
  stop_.request_stop();
  drop_runner();
  if (output_) output_->forget_waiting();  // the producer lives on for a moment after the keeper, which they call
}

base::Result<std::unique_ptr<Session>> Session::open(const Context& around, Selection selection, Claimed claimed,
                                                     const ChosenReplica& pick, std::stop_token stop) {
  std::unique_ptr<Session> session(new Session(around, std::move(selection), std::move(claimed), std::move(stop)));
  if (auto begun = session->begin(pick); !begun) {
    const std::scoped_lock lock(session->mutex_);
    if (session->failure_) return *session->failure_;  // it is what stopped the beginning
    return std::move(begun).error();
  }
  return session;
}

ConnectTo Session::connect_to() const {
  return [this](const std::string& replica) { return around_.replicas.connect(replica); };
}

std::string Session::name_row(message::SchemaId schema) const {
  const auto* known = catalog_ == nullptr ? nullptr : catalog_->known(schema);
  return known == nullptr ? "a row" : around_.replicas.engine().name_row(*known);
}

void Session::fail(Error error) {
  {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::move(error);
  }
  stop_.request_stop();
}

void Session::make_writer(std::vector<message::GtidSet> sent, message::GtidSet position) {
  const WriterLimits limits{around_.config.record_bytes, claimed_.max_message_bytes};
  writer_ = std::make_unique<StreamWriter>(*output_, std::move(sent), std::move(position), limits,
                                           [this](message::SchemaId schema) { return name_row(schema); });
}

base::Result<void> Session::begin(const ChosenReplica& pick) {
  const auto n = static_cast<std::size_t>(selection_.streams());
  const auto& streams = claimed_.streams;
  const bool lost = streams.empty();
  before_start_ = kept_before_start(claimed_.view.served_requests());
  around_.replicas.domains().load(claimed_.view.served_requests());
  const bool fresh = std::ranges::all_of(streams, &protocol::StreamState::fresh);
  std::vector<message::GtidSet> published, sent;
  std::vector<protocol::Offset> offsets(n, 0);
  for (std::size_t i = 0; i < streams.size(); ++i) offsets[i] = streams[i].start + 1;
  auto from = protocol::dump_position(streams);
  if (fresh) {
    DS_ASSIGN(const auto server, around_.replicas.connect(pick.server.text()));
    DS_ASSIGN(auto position, server->start_position());
    for (std::size_t i = 0; lost && i < n; ++i) {
      const auto known = claimed_.view.checkpoint(static_cast<std::int32_t>(i));
      if (!known || position.dump_from.contains(known->published)) continue;
      around_.replicas.prefer_after(pick.index);  // see give_up_position
      return Error(Reason::WaitingForReplica, fmt::format("{} has executed {}, published is {}", pick.server.text(),
                                                          position.dump_from.text(), known->published.text()));
    }
    from = position.dump_from;
    DS_TRY(find_before_start(pick, from));
    published.assign(n, position.dump_from);
    sent.assign(n, position.position);
  } else {
    for (const auto& s : streams) published.push_back(s.fresh ? from : s.published);
    sent = published;
  }
  accepted_.emplace(around_.config, claimed_.view);
  std::vector<std::uint64_t> marks;
  for (const auto& s : streams) marks.push_back(s.start_mark);
  const auto begins = offsets;
  acks_ = std::make_unique<protocol::AckTracker>(std::move(published), std::move(offsets), marks);
  kafka::ProducerOptions options;
  options.max_in_flight_bytes = around_.config.max_in_flight_bytes;
  options.compression = around_.config.compression;
  options.max_message_bytes = claimed_.max_message_bytes;
  DS_ASSIGN(output_, KafkaOutput::open(claimed_.access, around_.config.common.channel.topic, options, claimed_.epoch,
                                       *acks_, stop_.get_token()));
  make_writer(std::move(sent), from);
  KeeperOptions keep;
  keep.streams = selection_.streams();
  keep.checkpoint_every = around_.config.checkpoint_every;
  keep.look_every = std::min(keep.look_every, around_.config.checkpoint_every);
  keep.former_are_gone = [this, begins] { return former_are_gone(begins); };
  keeper_ = std::make_unique<StateKeeper>(
      *claimed_.state, claimed_.view, claimed_.epoch, *acks_, prepared_, around_.status,
      [this] { return output_->produced_bytes(); }, keep,
      KeeperCallbacks{[this](Error e) { fail(std::move(e)); }, [this] { pulse(); },
                      [this](std::optional<Error> e) { state_topic_trouble(std::move(e)); }});
  DS_ASSIGN(auto outdated, outdated_by(selection_, claimed_.view.snapshot()));
  if (lost)
    for (auto& table : everything(selection_)) outdated.push_back(std::move(table));
  DS_ASSIGN(known_, keeper_->revise(selection_, outdated, stop_.get_token()));
  if (fresh) DS_TRY(keep_before_start());
  // Where a stream begins stands on it before anything else does, so that no restart takes another beginning.
  DS_TRY(writer_->watermark(0));
  DS_TRY(output_->flush());
  // A stream of which the brokers lose this beginning must not look like a new one next time.
  if (lost || std::ranges::any_of(streams, &protocol::StreamState::fresh))
    DS_TRY(keeper_->write_checkpoints(stop_.get_token()));
  plan();
  watch();
  around_.status.set_epoch(claimed_.epoch.value());
  base::log::info(
      "an epoch begins",
      {{"epoch", claimed_.epoch.value()}, {"position", from.text()}, {"fresh", fresh}, {"instance", around_.instance}});
  return {};
}

base::Result<void> Session::run() {
  while (true) {
    auto pick = find_replica();
    if (!pick) return outcome(Error(std::move(pick).error()), {});
    const auto began = base::steady_now();
    auto dumped = dump(*pick);
    if (base::steady_now() - began >= kDuplicateIdQuietTime) cut_by_twin_ = 0;
    connected_ = false;
    if (const auto unfit = take_unfit(); unfit && !stop_.stop_requested()) {
      base::log::warn("the replica in use is not read on", {{"replica", pick->server.text()}, {"error", unfit->what}});
      around_.status.set(health::State::Retrying, unfit->reason, unfit->what);
      if (!unfit->is(Reason::SourceMoved)) around_.replicas.prefer_after(pick->index);
      continue;
    }
    if (dumped || !history_refused(dumped.error())) return outcome(std::move(dumped), *pick);
    base::log::warn("a replica cannot continue from the position; trying the others",
                    {{"replica", pick->server.text()}, {"error", dumped.error().what}});
    around_.replicas.dump_refused(pick->index, writer_->position(), std::move(dumped).error());
  }
}

base::Result<void> Session::dump(const ChosenReplica& pick) {
  bool in_hole = false;
  auto dumped = dump(pick, true, in_hole);
  if (!in_hole) return dumped;
  // The replica lacks the transaction at the position, which is published. If its numbers go on unbroken after it,
  // nothing else is missing.
  base::log::warn("the position is in a gap of the replica's binlog; continuing if the next number follows",
                  {{"replica", pick.server.text()}, {"error", dumped.error().what}});
  return dump(pick, false, in_hole);
}

source::StreamOptions Session::stream_options(const std::string& replica) {
  source::StreamOptions options;
  options.server_id = around_.server_id;
  options.heartbeat = around_.config.heartbeat;
  options.watchdog = around_.config.watchdog;
  options.max_event_bytes = largest_event();
  options.on_search = [this, replica](base::Millis silent) {
    return searching(replica, silent, writer_ ? writer_->position().text() : "a new stream's position");
  };
  return options;
}

base::Result<void> Session::dump(const ChosenReplica& pick, bool strict, bool& in_hole) {
  DS_ASSIGN(const auto selection, selection_.as_on(pick.names));  // a copy: other threads read the session's
  const auto name = pick.server.text();
  const auto& engine = around_.replicas.engine();
  auto options = stream_options(name);
  options.position = engine.stream_position(pick.history, writer_->position(), pick.left_out());
  options.strict = strict;
  options.before_start = before_start_;
  DS_ASSIGN(const auto stream, engine.open_stream(pick.server, options));
  const auto& history = stream->history();
  base::log::info("reading the binlog",
                  {{"replica", name}, {"server", history}, {"position", options.position.text()}});
  gate_.connected(name, history, stream->end());
  Catalog catalog(
      selection, around_.replicas.rules(), [this, name] { return around_.replicas.connect(name); },
      [this](const message::TableSchema& schema) { return keeper_->schema(schema, stop_.get_token()); },
      definition_store());
  catalog_ = &catalog;
  {
    const std::scoped_lock lock(mutex_);
    dumping_ = stream.get();
    left_out_ = pick.left_out();
    watch_trouble_.reset();
    if (!pick.lag.replicates)
      watch_trouble_ = Error(Reason::ReplicationStopped, fmt::format("{} does not replicate: {}", name, pick.lag.why));
  }
  Pipeline pipeline(
      {selection, *writer_, prepared_, gate_, clock_, around_.status, freshness_, between_,
       [this, &name] {
         if (!replica_.empty() && replica_ != name) failovers_.fetch_add(1, std::memory_order_relaxed);
         replica_ = name;
         connected_ = true;
         around_.loss.regained();
         show_state();
       },
       [this] {
         if (searching_.exchange(false)) show_state();
         pulse();
       },
       [this](const Outdated& table, const std::string& statement) { return on_outdated(table, statement); },
       [this] { return copy_outdated(); },
       [this](const TableChoice& table, const std::string& column) { return keeper_->had_column(table, column); },
       [this](const message::Gtid& gtid) { return accepted_->accepts(gtid); },
       [this](const std::string& gtid, const std::string& at, const Passed& passed) { return pass(gtid, at, passed); },
       [this](const std::string& gtid, const std::string& xid, const Passed& passed) {
         return pass_prepare(gtid, xid, passed);
       },
       [this](const std::string& xid) { return accepted_->of_prepare(xid); }, due_,
       [this, &pick](const message::Gtid& gtid) { return on_gtid(pick, gtid); }},
      catalog, stop_.get_token(), options.max_event_bytes);
  auto result = [&]() -> base::Result<void> {
    if (plan_) {
      for (auto& task : plan_->tasks)
        for (const auto& t : pick.tables)
          if (t.info && t.choice != nullptr && t.choice->qualified() == task.table->qualified())
            task.rows_estimate = std::max(task.rows_estimate, t.info->rows_estimate);
    }
    std::vector<std::uint32_t> replicated;
    for (const auto& [domain, gtid] : pick.history.replicated.domains()) replicated.push_back(domain);
    DS_TRY(catalog.begun(pick.tables, std::move(replicated), [&](const TableChoice& table) {
      return on_outdated({table.qualified(), true}, "its foreign keys are not the ones that were known");
    }));
    DS_TRY(settle_domains(pick));
    DS_TRY(undo_writes_elsewhere(selection, catalog, pick));
    for (const auto& table : selection_.tables())
      if (keeper_->had_several_schemas(table)) DS_TRY(pipeline.announce_again(table));
    DS_TRY(copy_outdated());
    DS_TRY(start_snapshot());
    return pipeline.run(*stream);
  }();
  catalog_ = nullptr;
  in_hole = stream->in_hole();
  const std::scoped_lock lock(mutex_);
  dumping_ = nullptr;
  left_out_.clear();
  return result;
}

}  // namespace datasync::capture
