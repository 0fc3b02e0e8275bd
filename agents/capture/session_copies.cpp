// The part of a session that copies tables: at its beginning, and again when a copy does not hold any more.

#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/log.hpp"
#include "agents/capture/replica/cascades.hpp"
#include "agents/capture/session.hpp"

namespace datasync::capture {

using base::Error;
using base::Reason;

namespace {

constexpr base::Millis kSearchEvery{5000};

}  // namespace

void Session::drop_runner() {
  std::unique_ptr<SnapshotRunner> runner;  // ends after the lock: its threads take the lock on their way out
  const std::scoped_lock lock(runner_mutex_);
  std::swap(runner, runner_);
}

/// The state topic, as the catalog of one connection uses it.
DefinitionStore Session::definition_store() {
  return {[this] { return writer_->position(); },
          [this](const TableChoice& table, const message::GtidSet& place) {
            return keeper_->definition(table.qualified(), place);
          },
          [this](const message::Definition& definition) { return keeper_->learn(definition, stop_.get_token()); },
          [this](const TableChoice& table, const std::vector<std::string>& columns) {
            return keeper_->published(table, columns);
          },
          [this] { return keeper_->learnt(); }};
}

void Session::plan() {
  plan_ = plan_snapshot(selection_, around_.config.snapshot_mode, known_, make_snapshot_id);
  plan_started_ = false;
  outdated_.clear();
}

/// A copy that makes up for it is waiting already: what it reads is of a later place than this one. Until then, one
/// cause may leave out many rows.
bool Session::is_due(const Outdated& table) const {
  if (!is_noted(known_, table)) return false;
  if (outdated_.contains(table.table)) return true;
  const std::scoped_lock lock(runner_mutex_);
  return runner_ && runner_->has_before_it(table.table);
}

/// Rows of a captured table may have changed without row events. Written down before the position moves past it.
base::Result<void> Session::on_outdated(const Outdated& table, const std::string& statement) {
  if (around_.config.snapshot_mode == config::SnapshotMode::Never)
    return Error(Reason::SchemaChanged,
                 fmt::format("rows of {} may have changed without row events, and snapshot.mode is Never: set it to "
                             "Initial, and the table is copied again. {}",
                             table.table, statement));
  if (is_due(table)) return {};
  base::log::warn("a table is copied again: its rows may have changed without row events",
                  {{"table", table.table}, {"emptied", table.rows_missed}, {"why", statement}});
  DS_ASSIGN(const auto all, with_children(table));
  DS_ASSIGN(known_, keeper_->revise(selection_, all, stop_.get_token()));
  for (const auto& each : all) outdated_.insert(each.table);
  return {};
}

/// A replica before this one wrote to captured tables in a GTID domain of its own. Readers have these rows, and the
/// source has not: the tables are copied again.
base::Result<void> Session::undo_writes_elsewhere(const Selection& selection, Catalog& catalog,
                                                  const ChosenReplica& pick) {
  if (pick.without.empty()) return {};
  for (const auto& table : selection.tables()) {
    if (!catalog.has_rows_of(table, pick.without)) continue;
    DS_TRY(on_outdated({table.qualified(), true},
                       fmt::format("a replica wrote to it in a GTID domain that {} has not replicated: {}",
                                   pick.server.text(), fmt::join(pick.without, ", "))));
    DS_TRY(catalog.forget_rows_of(table, pick.without));
  }
  return {};
}

/// Tables that are due and that the server did not have when they were to be copied: it may have them again, and not
/// every way back is a statement in the binlog.
base::Result<void> Session::find_returned() {
  const bool never = around_.config.snapshot_mode == config::SnapshotMode::Never;
  if (never || catalog_ == nullptr || base::steady_now() < next_search_) return {};
  next_search_ = base::steady_now() + kSearchEvery;
  std::set<std::string> missing;
  {
    const std::scoped_lock lock(runner_mutex_);
    if (runner_) missing = runner_->left_out();
  }
  for (const auto& name : missing) {
    const auto* table = selection_.find(name);
    if (table == nullptr) continue;
    DS_ASSIGN(const bool there, catalog_->exists(*table));
    if (there) DS_TRY(on_outdated({name, true}, "its copy is due, and the server has it again"));
  }
  return {};
}

/// Between two transactions, on the dump thread.
base::Result<void> Session::copy_outdated() {
  DS_TRY(serve_requests());
  DS_TRY(find_returned());
  if (outdated_.empty()) return {};
  drop_runner();
  plan();
  DS_TRY(start_snapshot());
  show_state();
  return {};
}

base::Result<void> Session::start_snapshot() {
  const bool once = around_.config.common.mode == config::Mode::Once;
  if (plan_started_ || (!plan_ && !once)) return {};
  SnapshotParts parts{selection_,
                      gate_,
                      *output_,
                      *writer_,
                      *keeper_,
                      between_,
                      around_.status,
                      connect_to(),
                      [this] { return output_->flush(); },
                      [this](Error e) { fail(std::move(e)); },
                      [this, once] {
                        complete_ = once;
                        if (once) stop_.request_stop();
                        show_state();
                      },
                      [this](const Error* trouble) { show_trouble(trouble); },
                      [this](const auto& schema) { return around_.replicas.engine().name_row(schema); }};
  SnapshotSettings settings{around_.config.parallelism, around_.config.chunk_rows, around_.config.record_bytes,
                            claimed_.max_message_bytes, once};
  auto plan = plan_;
  if (plan && around_.config.allow_cascades) {
    DS_ASSIGN(const auto server, around_.replicas.connect(gate_.replica()));
    DS_ASSIGN(const auto parents, cascading_parents(*server, selection_, plan->tasks));
    if (!parents.empty()) {
      parents_first(plan->tasks, parents);
      settings.parallelism = 1;
    }
  }
  auto runner = std::make_unique<SnapshotRunner>(std::move(parts), settings);
  auto* started = runner.get();
  {
    const std::scoped_lock lock(runner_mutex_);
    runner_ = std::move(runner);
  }
  DS_TRY(started->start(std::move(plan), stop_.get_token()));
  plan_started_ = true;
  return {};
}

}  // namespace datasync::capture
