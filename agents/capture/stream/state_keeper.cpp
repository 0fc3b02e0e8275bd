#include "agents/capture/stream/state_keeper.hpp"

#include <algorithm>
#include <utility>

#include "agents/base/backoff.hpp"
#include "agents/base/identifier.hpp"
#include "agents/base/log.hpp"
#include "agents/capture/stream/definitions.hpp"

namespace datasync::capture {
namespace {

std::set<message::SchemaId> schemas_on_topic(const protocol::StateView& view) {
  std::set<message::SchemaId> out;
  for (const auto& [id, schema] : view.schemas())
    if (view.on_topic(id)) out.insert(id);
  return out;
}

}  // namespace

StateKeeper::StateKeeper(protocol::StateLog& state, protocol::StateView view, message::Epoch epoch,
                         protocol::AckTracker& acks, PreparedTransactions& prepared, health::Status& status,
                         std::function<std::uint64_t()> bytes, KeeperOptions options, KeeperCallbacks callbacks)
    : view_(std::move(view)),
      acks_(acks),
      prepared_(prepared),
      status_(status),
      bytes_(std::move(bytes)),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      writer_(state, view_, epoch),
      known_(view_.schemas()),
      on_topic_(schemas_on_topic(view_)),
      written_(static_cast<std::size_t>(options_.streams)),
      seen_(static_cast<std::size_t>(options_.streams)),
      tidy_schemas_(options_.now() + options_.tidy_every),
      written_at_(base::steady_now()),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

StateKeeper::~StateKeeper() = default;

void StateKeeper::run(std::stop_token stop) {
  while (base::sleep_for(stop, options_.look_every)) {
    callbacks_.look();
    auto looked = look(stop);
    if (looked) {
      kept_again();
    } else if (looked.error().outcome() == base::Outcome::Retry) {
      tell_trouble(std::move(looked).error());
    } else if (!looked.error().is(base::Reason::Stopping)) {
      callbacks_.failure(std::move(looked).error());
      return;
    }
  }
}

/// The position does not advance, and nothing is lost. A moment of it is no news, and when all brokers stay away the
/// producer tells that.
void StateKeeper::tell_trouble(base::Error error) {
  if (!failing_since_) {
    failing_since_ = options_.now();
    base::log::warn("the state topic cannot be kept for the moment", {{"error", error.what}});
  }
  if (options_.now() - *failing_since_ < options_.patience) return;
  trouble_told_ = true;
  callbacks_.trouble(std::move(error).context("claims and checkpoints on the state topic cannot be kept"));
}

void StateKeeper::kept_again() {
  failing_since_.reset();
  if (std::exchange(trouble_told_, false)) callbacks_.trouble(std::nullopt);
}

base::Result<void> StateKeeper::look(std::stop_token stop) {
  {
    const std::scoped_lock lock(state_mutex_);
    DS_TRY(writer_.check(stop));
    has_requests_.store(!view_.requests().empty(), std::memory_order_relaxed);
    DS_TRY(learn_schemas(stop));
  }
  if (!tidied_) tidy(stop);
  if (options_.now() >= tidy_schemas_) tidy_schemas(stop);
  bool moved = false;
  for (std::int32_t i = 0; i < options_.streams; ++i) {
    const auto sequence = acks_.progress(i).sequence;
    moved = moved || sequence != seen_[static_cast<std::size_t>(i)];
    seen_[static_cast<std::size_t>(i)] = sequence;
  }
  if (moved) status_.advance();
  DS_TRY(write_waiting(stop));
  return checkpoint_due() ? write_checkpoints(stop) : base::Result<void>();
}

bool StateKeeper::checkpoint_due() {
  const std::scoped_lock lock(checkpoint_mutex_);
  return checkpoint_owed_ || base::steady_now() - written_at_ >= options_.checkpoint_every ||
         bytes_() - written_bytes_ >= options_.checkpoint_bytes;
}

base::Result<void> StateKeeper::write_waiting(std::stop_token stop) {
  while (true) {
    message::SnapshotProgress next;
    {
      const std::scoped_lock lock(waiting_mutex_);
      if (waiting_.empty()) return {};
      next = waiting_.front();
    }
    DS_TRY(write_progress(next, stop));
    const std::scoped_lock lock(waiting_mutex_);
    waiting_.erase(waiting_.begin());
  }
}

base::Result<void> StateKeeper::write_checkpoints(std::stop_token stop) {
  const std::scoped_lock one_at_a_time(checkpoint_mutex_);
  written_at_ = base::steady_now();
  written_bytes_ = bytes_();
  checkpoint_owed_ = true;
  message::GtidSet everywhere;
  for (std::int32_t i = 0; i < options_.streams; ++i) {
    const auto progress = acks_.progress(i);
    everywhere = i == 0 ? progress.published : message::GtidSet::intersection(everywhere, progress.published);
    if (progress.sequence == written_[static_cast<std::size_t>(i)]) continue;
    message::Checkpoint c;
    c.stream = i;
    c.offset = progress.next_offset;
    c.dump_from = prepared_.dump_from(progress.published);
    c.published = progress.published;
    c.last_record = progress.last_record;
    const std::scoped_lock lock(state_mutex_);
    DS_TRY(writer_.write(std::move(c), stop));
    written_[static_cast<std::size_t>(i)] = progress.sequence;
    checkpoints_.fetch_add(1, std::memory_order_relaxed);
  }
  prepared_.settle(everywhere);
  checkpoint_owed_ = false;
  return {};
}

base::Result<void> StateKeeper::schema(const message::TableSchema& schema, std::stop_token stop) {
  {
    const std::scoped_lock lock(known_mutex_);
    used_.insert(schema.id());
    if (on_topic_.contains(schema.id())) return {};
  }
  const std::scoped_lock lock(state_mutex_);
  DS_TRY(writer_.write(schema, std::move(stop)));
  const std::scoped_lock known(known_mutex_);
  known_.try_emplace(schema.id(), schema);
  on_topic_.insert(schema.id());
  return {};
}

base::Result<void> StateKeeper::write_progress(const message::SnapshotProgress& progress, std::stop_token stop) {
  const std::scoped_lock lock(state_mutex_);
  return writer_.write(progress, std::move(stop));
}

base::Result<KnownSnapshot> StateKeeper::revise(const Selection& selection, const std::vector<Outdated>& outdated,
                                                std::stop_token stop) {
  const std::scoped_lock lock(state_mutex_);
  DS_TRY(writer_.check(stop));
  for (const auto& record : capture::revise(view_.snapshot(), selection, outdated, make_snapshot_id()))
    DS_TRY(writer_.write(record, stop));
  DS_TRY(writer_.check(stop));
  return view_.snapshot();
}

std::vector<message::Request> StateKeeper::requests() {
  const std::scoped_lock lock(state_mutex_);
  std::vector<message::Request> out;
  for (const auto& [id, request] : view_.requests()) out.push_back(request);
  has_requests_.store(!out.empty(), std::memory_order_relaxed);
  return out;
}

bool StateKeeper::is_served(const std::string& request) {
  const std::scoped_lock lock(state_mutex_);
  return view_.served(request);
}

base::Result<void> StateKeeper::served(const message::Request& request, std::stop_token stop) {
  const std::scoped_lock lock(state_mutex_);
  DS_TRY(writer_.write(request, stop));
  DS_TRY(writer_.check(stop));  // the view has it from here on
  has_requests_.store(!view_.requests().empty(), std::memory_order_relaxed);
  return {};
}

bool StateKeeper::had_column(const TableChoice& table, std::string_view column) {
  const std::scoped_lock lock(known_mutex_);
  return std::ranges::any_of(known_, [&](const auto& entry) {
    const auto& schema = entry.second;
    return schema.qualified() == table.qualified() &&
           std::ranges::any_of(schema.columns, [&](const auto& c) { return base::same_column(c.name, column); });
  });
}

bool StateKeeper::had_several_schemas(const TableChoice& table) {
  const std::scoped_lock lock(known_mutex_);
  return std::ranges::count_if(known_,
                               [&](const auto& entry) { return entry.second.qualified() == table.qualified(); }) > 1;
}

std::optional<message::Definition> StateKeeper::definition(const std::string& table, const message::GtidSet& place) {
  const std::scoped_lock lock(state_mutex_);
  return newest_at(view_.definitions(table), place);
}

base::Result<void> StateKeeper::learn(const message::Definition& definition, std::stop_token stop) {
  const std::scoped_lock lock(state_mutex_);
  // While capture stops at a statement and tries again, the ring must not lose what is valid before that statement.
  if (auto known = newest_at(view_.definitions(definition.qualified()), definition.position)) {
    known->sequence = definition.sequence;
    if (message::encode(*known) == message::encode(definition)) return {};
  }
  DS_TRY(writer_.write(definition, std::move(stop)));
  learnt_.fetch_add(1, std::memory_order_release);
  return {};
}

std::optional<message::TableSchema> StateKeeper::published(const TableChoice& table,
                                                           const std::vector<std::string>& columns) {
  const std::scoped_lock lock(state_mutex_);
  std::optional<message::TableSchema> best;
  std::ptrdiff_t most = 0;
  for (const auto& [id, schema] : view_.schemas()) {
    if (schema.qualified() != table.qualified() || schema.key.empty()) continue;
    const auto same = std::ranges::count_if(schema.columns, [&](const auto& c) {
      return std::ranges::any_of(columns, [&](const auto& name) { return base::same_column(name, c.name); });
    });
    if (same <= most) continue;
    most = same;
    best = schema;
  }
  return best;
}

void StateKeeper::progress(message::SnapshotProgress progress) {
  const std::scoped_lock lock(waiting_mutex_);
  // Of one table only the newest matters.
  for (auto& w : waiting_)
    if (w.id == progress.id && w.database == progress.database && w.table == progress.table &&
        &w != &waiting_.front()) {
      w = std::move(progress);
      return;
    }
  waiting_.push_back(std::move(progress));
}

void StateKeeper::finish() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  auto done = write_waiting({});
  if (done) done = write_checkpoints({});
  if (!done) base::log::warn("the last checkpoint could not be written", {{"error", done.error().what}});
}

}  // namespace datasync::capture
