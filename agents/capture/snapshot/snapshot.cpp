#include "agents/capture/snapshot/snapshot.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/base/backoff.hpp"
#include "agents/base/log.hpp"
#include "agents/capture/plan/exclusions.hpp"
#include "agents/capture/stream/definitions.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;
using Phase = message::Snapshot::Phase;

constexpr base::Millis kFirstWait{50}, kLongestWait{5000};
/// So long a table that is missing may be one that the server replaces at this moment.
constexpr base::Millis kBackSoon{3000};

}  // namespace

SnapshotRunner::SnapshotRunner(SnapshotParts parts, SnapshotSettings settings)
    : parts_(std::move(parts)), settings_(settings) {}

SnapshotRunner::~SnapshotRunner() {
  for (auto& t : threads_) t.request_stop();
}

base::Result<void> SnapshotRunner::start(std::optional<SnapshotPlan> plan, std::stop_token stop) {
  if (plan) {
    plan_ = std::move(*plan);
    DS_TRY(begin(stop));
  }
  {
    const std::scoped_lock lock(mutex_);
    queue_.assign(plan_.tasks.begin(), plan_.tasks.end());
    unfinished_ = plan_.tasks.size();
    figures_.id = plan_.id;
    figures_.running = true;
    for (const auto* t : plan_.done) figures_.tables[t->qualified()] = true;
    for (const auto& t : plan_.tasks) {
      figures_.rows += t.rows_done;
      if (t.after_key.empty() && t.rows_done == 0) before_them_.insert(t.table->qualified());
      figures_.tables[t.table->qualified()] = false;
      estimates_[t.table->qualified()] = t.rows_estimate;
    }
    rows_at_start_ = figures_.rows;
    started_ = base::steady_now();
  }
  const auto workers = std::clamp<std::size_t>(settings_.parallelism, 1, std::max<std::size_t>(1, plan_.tasks.size()));
  for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this](std::stop_token s) { work(std::move(s)); });
  return {};
}

base::Result<void> SnapshotRunner::to_all_streams(Phase phase) {
  message::Snapshot record;
  record.id = plan_.id;
  record.phase = phase;
  record.position = parts_.writer.position();
  record.last = true;
  if (phase == Phase::Begin)
    for (const auto& t : plan_.tasks) record.tables.push_back(t.table->qualified());
  const auto value = message::encode(record);
  const std::scoped_lock lock(parts_.between);
  for (std::int32_t i = 0; i < parts_.selection.streams(); ++i)
    DS_TRY(parts_.output.between(i, {message::Kind::Snapshot, "", {}, message::End::None}, value, {}));
  return {};
}

/// The snapshot counts as begun when every stream has its Begin: only then the state topic hears of it. One that goes
/// on says Begin again: its End may stand on the streams already, put there just before a crash, while the state topic
/// lacks a table's last progress; without a Begin readers would not expect the rows that come again.
base::Result<void> SnapshotRunner::begin(std::stop_token stop) {
  if (!plan_.fresh && plan_.tasks.empty()) return {};
  DS_TRY(to_all_streams(Phase::Begin));
  DS_TRY(parts_.flush());
  if (!plan_.fresh) return {};
  // The whole first: without it a crash would lose which tables must be emptied.
  base::log::info("a snapshot begins", {{"id", plan_.id}, {"tables", plan_.tasks.size()}});
  DS_TRY(parts_.keeper.write_progress(plan_.whole(false), stop));
  for (const auto* table : plan_.done) {
    auto p = progress_of(*table);
    p.done = true;
    DS_TRY(parts_.keeper.write_progress(p, stop));
  }
  for (const auto& task : plan_.tasks) {
    if (task.after_key.empty()) continue;
    auto p = progress_of(*task.table);
    p.last_key = task.after_key;
    p.rows_done = task.rows_done;
    DS_TRY(parts_.keeper.write_progress(p, stop));
  }
  return {};
}

message::SnapshotProgress SnapshotRunner::progress_of(const TableChoice& table) const {
  message::SnapshotProgress p;
  p.id = plan_.id;
  p.database = table.database;
  p.table = table.table;
  return p;
}

void SnapshotRunner::fail(Error error) {
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(failed_, true)) return;
  }
  if (!error.is(Reason::Stopping)) parts_.on_failure(std::move(error));
}

void SnapshotRunner::work(std::stop_token stop) {
  ChunkReader reader(parts_.gate, parts_.connect);
  while (!stop.stop_requested()) {
    SnapshotTask task;
    {
      const std::scoped_lock lock(mutex_);
      if (queue_.empty()) break;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    const auto name = task.table->qualified();
    if (auto copied = copy(std::move(task), reader, stop); !copied) return fail(std::move(copied).error());
    const std::scoped_lock lock(mutex_);
    figures_.tables[name] = true;
    --unfinished_;
  }
  {
    const std::scoped_lock lock(mutex_);
    if (unfinished_ != 0 || !figures_.running || stop.stop_requested()) return;
    figures_.running = false;  // the last worker closes the snapshot
  }
  auto ended = end(stop);
  if (ended && settings_.verify) ended = verify(stop);
  if (!ended) return fail(std::move(ended).error());
  {
    const std::scoped_lock lock(mutex_);
    figures_.complete = true;
  }
  parts_.on_complete();
}

bool SnapshotRunner::was_there(const TableChoice& table) const {
  const auto name = table.qualified();
  return std::ranges::find(plan_.known.tables, name) != plan_.known.tables.end() ||
         parts_.keeper.definition(name, parts_.writer.position()).has_value();
}

/// The binlog has the statement that took it away, and that is what readers get. The other tables do not wait for it,
/// and it stays due: what comes back under its name is copied.
void SnapshotRunner::leave_out(const TableChoice& table) {
  base::log::warn("a table is not copied: the server does not have it any more", {{"table", table.qualified()}});
  const std::scoped_lock lock(mutex_);
  missing_.insert(table.qualified());
  before_them_.erase(table.qualified());
}

/// Reads one table to its end. What heals by itself is tried again; the rest is returned.
base::Result<void> SnapshotRunner::copy(SnapshotTask task, ChunkReader& reader, std::stop_token stop) {
  ReadRetry tries(parts_.gate, parts_.on_trouble);
  std::optional<base::SteadyTime> missing_since;
  while (true) {
    auto more = one_chunk(task, reader, stop);
    // Readers have it, and hear of its end. One that was never copied has to be there.
    const bool missing = !more && more.error().is(Reason::TableDropped) && was_there(*task.table);
    if (!missing) missing_since.reset();
    if (missing) {
      if (!missing_since) missing_since = base::steady_now();
      if (base::steady_now() - *missing_since >= kBackSoon) {
        leave_out(*task.table);
        return {};
      }
      if (!base::sleep_for(stop, kFirstWait)) return Error(Reason::Stopping, "stopped while reading rows");
      continue;
    }
    if (!more) {
      DS_TRY(tries.failed(task.table->qualified(), std::move(more).error(), stop));
      continue;
    }
    if (*more == Step::InDoubt) {
      DS_TRY(tries.in_doubt(stop));
      continue;
    }
    tries.succeeded();
    if (*more == Step::Done) return {};
  }
}

base::Result<SnapshotRunner::Step> SnapshotRunner::one_chunk(SnapshotTask& task, ChunkReader& reader,
                                                             std::stop_token stop) {
  ChunkLimits limits;
  limits.rows = task.next_rows == 0 ? settings_.chunk_rows : task.next_rows;
  limits.fragment_bytes = target_bytes(settings_.record_bytes, settings_.max_record_bytes - frame_bytes());
  DS_ASSIGN(auto chunk, reader.read(*task.table, task.after_key, limits, stop));
  task.next_rows = next_rows(chunk, limits.rows, settings_.chunk_rows);
  auto state = parts_.gate.wait(chunk.place, stop);
  base::Result<void> done;
  if (state && *state == ChunkGate::State::Reached) {
    done = check_moved(*task.table, chunk);
    if (done) done = parts_.keeper.schema(chunk.schema, stop);
    if (done && task.rows_done == 0 && !chunk.until) done = learn(*task.table, chunk, stop);
    if (chunk.until) newer_than_place(*chunk.until);
    if (done) done = emit(task, chunk, task.rows_done == 0);
    // Before the dump goes on: what failed half-way through a chunk has left it open, and no transaction may follow.
    if (!done && done.error().outcome() != base::Outcome::Retry) fail(done.error());
  }
  parts_.gate.done(chunk.place);
  if (!state) return Error(std::move(state).error());
  if (!done) return Error(std::move(done).error());
  if (*state == ChunkGate::State::Passed) return place_passed();
  if (*state == ChunkGate::State::InDoubt) return Step::InDoubt;
  task.after_key = chunk.after;
  task.rows_done += chunk.rows;
  parts_.status.advance();
  const std::scoped_lock lock(mutex_);
  figures_.rows += chunk.rows;
  auto& estimate = estimates_[task.table->qualified()];
  estimate = chunk.complete ? task.rows_done : std::max(task.rows_done, std::max(estimate, chunk.rows_estimate));
  return chunk.complete ? Step::Done : Step::More;
}

/// An excluded column may have been renamed to one that is carried, by statements that were passed.
base::Result<void> SnapshotRunner::check_moved(const TableChoice& table, const Chunk& chunk) const {
  if (table.exclude.empty()) return {};
  const auto known = parts_.keeper.definition(table.qualified(), parts_.writer.position());
  if (!known) return {};
  for (const auto& column : chunk.schema.columns)
    if (const auto* moved = shown_by_name(table, known->moved, column.name))
      return exclusion_moved(table, moved->was, moved->is);
  return {};
}

/// The dump stands at the chunk's place: this is the table's definition there.
base::Result<void> SnapshotRunner::learn(const TableChoice& table, const Chunk& chunk, std::stop_token stop) {
  message::Definition d;
  d.database = table.database;
  d.table = table.table;
  d.position = parts_.writer.position();
  d.schema = chunk.schema;
  d.acting_keys = chunk.acting_keys;
  const auto known = parts_.keeper.definition(table.qualified(), d.position);
  if (known) {
    d.moved = known->moved;
    d.domains = known->domains;
  }
  if (known && known->exists && known->complete && known->schema == d.schema && known->acting_keys == d.acting_keys)
    return {};
  d.complete = true;
  return parts_.keeper.learn(d, std::move(stop));
}

base::Result<void> SnapshotRunner::end(std::stop_token stop) {
  if (plan_.id.empty()) return {};
  DS_TRY(wait_for_changes(stop));
  {
    // The mark must not stand inside a transaction.
    const ChunkGate::Hold hold(parts_.gate);
    DS_TRY(parts_.gate.wait_outside(stop));
    DS_TRY(to_all_streams(Phase::End));
  }
  DS_TRY(parts_.flush());
  const auto whole = [this] {
    const std::scoped_lock lock(mutex_);
    return plan_.whole(true, missing_);
  }();
  base::log::info("the snapshot is complete", {{"id", plan_.id}, {"rows", figures().rows}});
  base::Backoff backoff(kFirstWait, kLongestWait);
  while (true) {
    auto written = parts_.keeper.write_progress(whole, stop);
    if (written || written.error().outcome() != base::Outcome::Retry) return written;
    if (!base::sleep_for(stop, backoff.next())) return Error(Reason::Stopping, "stopped at the end of a snapshot");
  }
}

std::set<std::string> SnapshotRunner::left_out() const {
  const std::scoped_lock lock(mutex_);
  return figures_.complete ? missing_ : std::set<std::string>();
}

bool SnapshotRunner::has_before_it(const std::string& table) const {
  const std::scoped_lock lock(mutex_);
  return before_them_.contains(table);
}

SnapshotFigures SnapshotRunner::figures() const {
  const std::scoped_lock lock(mutex_);
  auto f = figures_;
  for (const auto& [table, rows] : estimates_) f.rows_estimate += rows;
  f.rows_estimate = std::max(f.rows_estimate, f.rows);
  const std::chrono::duration<double> passed = base::steady_now() - started_;
  if (f.running && passed.count() > 0)
    f.rows_per_second = static_cast<double>(f.rows - rows_at_start_) / passed.count();
  return f;
}

}  // namespace datasync::capture
