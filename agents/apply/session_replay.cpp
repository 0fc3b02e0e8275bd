// Held tables are applied between two batches of the stream, from the place where each of them waits
// (docs/decisions/0026-held-tables.md).

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/apply/session.hpp"
#include "agents/base/backoff.hpp"
#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Millis;
using base::Reason;

constexpr Millis kSlice{200};  ///< of held tables, before the stream continues
constexpr Millis kPoll{100};
constexpr Millis kPause{1'000};

}  // namespace

/// Between two records of the stream; `idle`: there is none.
base::Result<void> Session::work_on_held(bool idle) {
  if (held_.empty()) return {};
  if (base::steady_now() < held_due_ && !(idle && replay_)) return {};
  if (assembler_->in_transaction() || writer_->streaming()) return {};
  // Everything of the stream up to here is committed: what is held can reach this place, and no other.
  DS_TRY(assembler_->pause(true));
  if (!replay_) {
    DS_ASSIGN(const bool due, begin_replay());
    if (!due) return {};
  }
  const auto begun = base::steady_now();
  auto& replay = *replay_->session;
  base::Result<void> reached;
  if (!replay.writer_) {
    reached = replay.open();
    if (reached) reached = replay.look_at_replayed();
  }
  bool all = false;
  if (reached) {
    auto done = replay.replay(writer_->ledger().next_offset);
    if (done) {
      all = *done;
    } else {
      reached = std::move(done).error();
    }
  }
  if (!reached) return replay_refused(std::move(reached).error());
  if (replay.replayed_rows_ > 0)
    for (const auto& table : replay_->tables) context_.retries[table].tries = 0;
  const auto now = base::steady_now();
  held_due_ = now + (now - begun);  // as much time for the stream
  DS_ASSIGN(const bool awaited, await_skipped());
  context_.report.held(held_.all());
  if (awaited) return {};
  return all ? release_replayed() : base::Result<void>{};
}

/// False when no held table is due; then `held_due_` says when one is.
base::Result<bool> Session::begin_replay() {
  const auto now = base::steady_now();
  std::string first;
  auto due = base::SteadyTime::max();
  for (const auto& name : held_.names()) {
    const auto retry = context_.retries.find(name);
    const auto when = retry == context_.retries.end() ? now : retry->second.due;
    if (when < due) {
      due = when;
      first = name;
    }
  }
  held_due_ = due;
  if (due > now) return false;
  DS_ASSIGN(graph_, ForeignKeyGraph::read(*connection_));
  auto tables = connected_held(*graph_, held_.find(first)->table, held_.all());
  tables.push_back(first);
  DS_TRY(open_replay(tables, true));
  return true;
}

base::Result<void> Session::open_replay(const std::vector<std::string>& tables, bool alone) {
  replay_.reset();
  replay_.reset(new Replay{context_, tables, alone, nullptr});
  replay_->context.rows_alone = alone ? context_.config.batch_rows : 0;
  replay_->context.busy = 0;
  replay_->session.reset(new Session(replay_->context, stop_, *this, tables));
  return {};
}

/// What users do to held tables is noted for each of them, also for those behind the first one that is refused. A table
/// that is refused here is refused again when its rows come.
base::Result<void> Session::look_at_replayed() {
  std::set<std::string> left_out;
  for (const auto& [target, known] : known_->all()) {
    const auto* held = main_->held_.find(known.source);
    const bool mine = std::ranges::find(tables_, known.source) != tables_.end();
    if (!mine || held == nullptr || held->begins_empty()) left_out.insert(known.source);
  }
  for (const auto& [name, request] : main_->writer_->ledger().awaited) left_out.insert(name);
  auto done = catalog_->check_known(*connection_, left_out);
  return done || may_hold(done.error()) ? base::Result<void>{} : done;
}

LedgerState Session::replay_start() const {
  const HeldTable* first = nullptr;
  for (const auto& name : tables_) {
    const auto* held = main_->held_.find(name);
    if (held != nullptr && (first == nullptr || held->at.next_offset < first->at.next_offset)) first = held;
  }
  return first == nullptr ? LedgerState{} : first->at;
}

/// Of a replay, before the record at `offset`: rows of tables that continue behind it, where they are emptied, are
/// missing here, and so are those of tables of which the stream awaits a copy. Rows that foreign keys connect to them
/// could never be stored before that place, and the tables behind are never reached without them. At the end all have
/// the stream's place.
base::Result<void> Session::mark_incomplete(std::int64_t offset) {
  if (assembler_->in_transaction() || writer_->streaming()) return {};
  std::set<std::string> incomplete;
  for (const auto& name : tables_) {
    const auto* held = main_->held_.find(name);
    if (held != nullptr && held->at.next_offset > offset && held->begins_empty()) incomplete.insert(name);
  }
  for (const auto& [name, request] : main_->writer_->ledger().awaited)
    if (std::ranges::find(tables_, name) == tables_.end()) incomplete.insert(name);
  if (incomplete == catalog_->left_out()) return {};
  DS_TRY(assembler_->pause(true));  // what came before is executed as it was there
  catalog_->set_left_out(std::move(incomplete));
  return {};
}

/// Of a replay: reads on, but not past `end`, for a while. True when everything up to there is committed.
base::Result<bool> Session::replay(std::int64_t end) {
  const auto until = base::steady_now() + kSlice;
  while (consumer_->position() < end) {
    if (stop_.stop_requested()) return Error(Reason::Stopping, "stopped");
    context_.status.beat();
    // The stream waits meanwhile: what is open here holds the ledger's row.
    if (base::steady_now() >= until && !writer_->streaming()) {
      DS_TRY(assembler_->pause(true));
      return false;
    }
    DS_ASSIGN(auto record, consumer_->next(kPoll));
    if (!record) {
      DS_TRY(writer_->idle());
      continue;
    }
    if (record->offset() >= end) {
      DS_TRY(consumer_->seek(end));
      break;
    }
    DS_TRY(mark_incomplete(record->offset()));
    DS_TRY(take(*record));
  }
  DS_TRY(gaps_.end(end));  // records that are missing just before it
  DS_TRY(assembler_->pause(true));
  return !assembler_->in_transaction();
}

/// A record of a held table was skipped: its rows differ from here on, as in a stream that skips a record. The stream
/// waits for the copy of the table in its place. True when that was so.
base::Result<bool> Session::await_skipped() {
  std::vector<std::string> tables;
  Awaited awaited;
  for (const auto& name : replay_->tables) {
    const auto* held = held_.find(name);
    const auto request = held == nullptr ? Awaited::const_iterator{} : held->at.awaited.find(held->source);
    if (held == nullptr || request == held->at.awaited.end()) continue;
    // The copy is still ahead in the stream, and the table continues there.
    if (writer_->ledger().awaited.contains(name)) continue;
    tables.push_back(name);
    awaited.insert(*request);
  }
  if (tables.empty()) return false;
  assembler_->await(awaited);
  DS_TRY(assembler_->pause(true));
  DS_TRY(fenced([&] { return held_.remove(*connection_, tables); }));
  for (const auto& name : tables) context_.retries.erase(name);
  replay_.reset();
  return true;
}

/// They have reached the stream's place: from here on they are applied with it.
base::Result<void> Session::release_replayed() {
  const auto tables = replay_->tables;
  const auto position = writer_->ledger().next_offset;
  for (const auto& name : tables) {
    const auto* held = held_.find(name);
    // With the stream not yet past the refused record nothing has shown that the cause no longer exists.
    if (held != nullptr && held->refused_at >= position) {
      held_due_ = base::steady_now() + kPause;
      return {};
    }
  }
  // What they were when this session began is out of date; and one that no longer exists is not applied with the
  // others.
  DS_TRY(known_->read(*connection_));
  auto others = held_.names();
  std::erase_if(others, [&](const auto& name) { return std::ranges::find(tables, name) != tables.end(); });
  if (auto known = check_known_but(others, writer_->ledger().awaited); !known) {
    replay_->session->refusals_ = std::exchange(refusals_, {});
    return replay_refused(std::move(known).error());
  }
  DS_TRY(fenced([&] { return held_.remove(*connection_, tables); }));
  for (const auto& name : tables) {
    context_.retries.erase(name);
    base::log::info("a table is no longer held",
                    {{"source", std::string_view(name)}, {"stream", context_.stream}, {"offset", position}});
  }
  replay_.reset();
  graph_.reset();
  held_due_ = base::steady_now();
  context_.report.held(held_.all());
  return {};
}

base::Result<void> Session::replay_refused(Error error) {
  if (error.is(Reason::Stopping) || error.is(Reason::Superseded)) return error;
  const auto tables = replay_->tables;
  auto refusals = std::move(replay_->session->refusals_);
  const auto offset = replay_->session->offset_;
  const bool again = Executor::row_by_row_may_help(error) && !replay_->alone;
  const auto start = replay_->session->replay_start();
  replay_.reset();  // its transaction is over before anything is read
  if (!again) put_off(tables);
  if (error.is(Reason::OffsetExpired)) {
    std::vector<std::string> sources;
    for (const auto& name : tables)
      if (const auto* held = held_.find(name)) sources.push_back(held->source);
    error.what += fmt::format("; copy again what is held: {}", copy_hint(sources));
  }
  const bool report = !again && may_hold(error);
  const auto write = [&]() -> base::Result<void> {
    // What its last commit came to is known here only.
    DS_TRY(held_.load(*connection_, writer_->ledger().awaited));
    if (held_.needs_record()) DS_TRY(held_.record(*connection_));
    if (!report) return {};
    for (const auto& refusal : refusals)
      DS_TRY(held_.refused(*connection_, refusal.source, refusal.reason, refusal.message, offset));
    if (!refusals.empty()) return {};
    for (const auto& name : tables) {
      const auto* held = held_.find(name);
      if (held == nullptr || held->at.next_offset > start.next_offset) continue;
      DS_TRY(held_.refused(*connection_, name, error.reason, error.what, offset));
    }
    return {};
  };
  DS_TRY(fenced(write));
  base::log::debug("held tables were refused again", {{"message", std::string_view(error.what)}});
  if (again) DS_TRY(open_replay(tables, true));
  held_due_ = base::steady_now();
  context_.report.held(held_.all());
  return {};
}

/// Mode Once, at its end: there is nothing else to do, unless a copy is awaited. That comes behind this place.
base::Result<void> Session::wait_for_held() {
  const auto waits = [this]() -> std::optional<HeldTable> {
    for (const auto& table : held_.all())
      if (!writer_->ledger().awaited.contains(table.source)) return table;
    return std::nullopt;
  };
  while (verify_failures_.empty()) {
    const auto first = waits();
    if (!first) break;
    if (stop_.stop_requested()) return Error(Reason::Stopping, "stopped");
    context_.status.beat();
    context_.status.set(health::State::Stalled, first->reason,
                        fmt::format("{} is held: {}", first->table, first->message));
    DS_TRY(check_known(writer_->ledger().awaited));
    DS_TRY(writer_->idle());
    DS_TRY(work_on_held(true));
    if (waits()) base::sleep_for(stop_, kPoll);
  }
  show_state();
  return {};
}

}  // namespace datasync::apply
