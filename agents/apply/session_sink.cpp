// What a session does with whole transactions.

#include <algorithm>

#include <fmt/format.h>

#include "agents/apply/session.hpp"
#include "agents/apply/write/verify.hpp"
#include "agents/base/log.hpp"
#include "agents/config/orders.hpp"

namespace datasync::apply {

using base::Error;
using base::Reason;

const message::TableSchema* Session::active(message::SchemaId id, TableIndex& index) {
  const auto* table = catalog_->active(id, index);
  return table == nullptr ? nullptr : table->schema.get();
}

base::Result<std::string> Session::source_table(message::SchemaId id) {
  DS_ASSIGN(const auto schema, context_.book.find(id, stop_));
  return schema->qualified();
}

base::Result<bool> Session::has_other_version(std::span<const RowChange> rows, message::SchemaId id) {
  DS_ASSIGN(const auto schema, context_.book.find(id, stop_));
  return std::ranges::any_of(rows, [&](const RowChange& row) {
    const auto& table = *catalog_->table(row.table).schema;
    return table.database == schema->database && table.table == schema->table;
  });
}

base::Result<void> Session::activate(message::SchemaId id) {
  auto done = catalog_->activate(id, stop_);
  if (!done) refuse_activated(id, done.error());
  return done;
}

base::Result<void> Session::activate_emptied(message::SchemaId id) {
  auto done = catalog_->activate(id, stop_, true);
  if (!done) refuse_activated(id, done.error());
  return done;
}

/// What the writer made of `rows`: its error says how to go on, and is noted for tables that may be held.
base::Result<void> Session::executed(base::Result<void> done, std::span<const RowChange> rows) {
  sink_failed_ = !done;
  if (done) return {};
  auto error = std::move(done).error();
  const auto& refused = writer_->refused();
  const auto way_on =
      error.is(Reason::ValueNotStorable) && refused ? catalog_->table(refused->table).way_on_for_values : std::string();
  error.what += way_on;
  error = with_copy(std::move(error), rows);
  refuse_executed(error, way_on);
  return error;
}

base::Result<void> Session::commit(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState& next,
                                   const BatchTimes& times) {
  // After a table that differs the position stays before its record, so that a restart verifies again; the tables after
  // it are verified all the same, and all that differ are reported at the end.
  if (!verify_failures_.empty() && rows.empty()) return {};
  if (!verify_failures_.empty()) return verify_failed();  // rows after a verification
  // Before rows hide that a table was made again; what is noted here as awaited is not missed.
  if (!rows.empty()) DS_TRY(check_known(next.awaited));
  const auto begun = base::steady_now();
  const bool was_blocked = context_.blocked;
  const bool snapshot_before = writer_->ledger().snapshot.active();
  const bool waits = writer_->ledger().awaited != next.awaited;
  DS_TRY(executed(writer_->commit(buffer, rows, next), rows));
  last_commit_ = base::steady_now();
  grow_batches(rows.size());
  context_.status.advance();
  if (main_ != nullptr) {
    replayed_rows_ += rows.size() + streamed_rows_;
    context_.report.replayed(rows.size() + streamed_rows_);
    streamed_rows_ = 0;
    return {};
  }
  try_emptied_again();
  context_.status.set_epoch(next.epoch.value());
  context_.report.committed(next, times, rows.size() + streamed_rows_, begun);
  context_.report.counted(assembler_->counts(), writer_->counts());
  streamed_rows_ = 0;
  if (was_blocked || snapshot_before != next.snapshot.active() || waits) show_state();
  return {};
}

base::Result<void> Session::stream(const RowBuffer& buffer, std::span<const RowChange> rows) {
  DS_TRY(executed(writer_->stream(buffer, rows), rows));
  streamed_rows_ += rows.size();
  context_.status.beat();
  return {};
}

base::Result<void> Session::empty(std::span<const RowChange> rows) {
  DS_TRY(executed(writer_->empty(rows), rows));
  context_.status.beat();
  return {};
}

bool Session::streaming() {
  return writer_->streaming();
}

void Session::rollback() {
  writer_->rollback();
  streamed_rows_ = 0;
}

/// Nobody can take over while the ledger's row is held. A process that is frozen loses that hold after some seconds:
/// hence the look at the token right before the statement, which a process that wakes up later does not pass.
base::Result<void> Session::define(DestinationServer& own, const std::function<base::Result<void>()>& work) {
  const auto checked = [&]() -> base::Result<void> {
    DS_TRY(ledger_->check(own));
    return work();
  };
  // An open transaction with rows holds it.
  return writer_->streaming() ? checked() : fenced(checked);
}

/// One statement may drop or rename several tables: all are told at once, with one annotation for all of them.
base::Result<void> Session::tables_gone(std::span<const GoneTable> gone) {
  std::vector<std::string> tables, targets, offsets;
  std::vector<DroppedTable> to_drop;
  std::vector<TargetName> left;
  bool dropped = false;
  for (const auto& [note, offset] : gone) {
    const auto target = target_name(context_.config, note.database, note.table);
    if (!mine(note.database + "." + note.table)) continue;
    dropped = note.what == message::SchemaNote::What::Dropped;
    if (dropped && context_.config.schema_changes == config::SchemaChanges::ApplyAll) {
      to_drop.push_back({target, note.database + "." + note.table});
      continue;
    }
    left.push_back(target);
    tables.push_back(note.database + "." + note.table);
    targets.push_back(target.qualified());
    offsets.push_back(fmt::format("{}:{}", context_.stream, offset));
  }
  auto done = to_drop.empty() ? base::Result<void>{} : catalog_->drop(to_drop);
  if (!done) {
    for (const auto& [table, source] : to_drop)
      refusals_.push_back({table, source, done.error().reason, done.error().what});
    return done;
  }
  if (tables.empty()) return {};
  const auto& note = gone.back().note;
  const bool several = tables.size() > 1;
  const std::string what = dropped                              ? "dropped"
                           : several || note.renamed_to.empty() ? "renamed"
                                                                : "renamed to " + note.renamed_to;
  const Error error(
      Reason::TableDropped,
      fmt::format(
          "{} {} {} at the source by {} ({});{} annotate the DataSync with datasync.dev/skip-offsets={} to continue: "
          "{} stay{} as {} while the source has no table of {}, and {} copied again once it has",
          fmt::join(tables, ", "), several ? "were" : "was", what, note.gtid.text(), note.statement,
          dropped ? " set schemaChanges: ApplyAll to drop at the destination too, or" : "", fmt::join(offsets, ","),
          fmt::join(targets, ", "), several ? "" : "s", several ? "they are" : "it is",
          several ? "these names" : "this name", several ? "are" : "is"));
  for (std::size_t i = 0; i < left.size(); ++i) refusals_.push_back({left[i], tables[i], error.reason, error.what});
  return error;
}

Error Session::verify_failed() const {
  return {Reason::VerifyFailed,
          fmt::format("source and destination differ: {}; to copy again what differs annotate the DataSync with "
                      "datasync.dev/copy-tables={}#{}",
                      fmt::join(verify_failures_, "; "), config::copy_value(verify_differ_), verify_id_)};
}

base::Result<void> Session::verify(const std::optional<message::Verify>& verify, bool last) {
  // The end of a copy is not passed while a table waits: another session must find it again.
  if (main_ == nullptr && last && context_.config.common.mode == config::Mode::Once) DS_TRY(wait_for_held());
  const auto& awaited = writer_->ledger().awaited;
  // A stream without tables has only the mark of the end.
  const bool named = verify && !verify->table.empty() && !awaited.contains(verify->database + "." + verify->table);
  const auto target = named ? target_name(context_.config, verify->database, verify->table) : TargetName{};
  if (named && !mine(verify->database + "." + verify->table)) {
    // A held table is verified at its own place.
    if (main_ == nullptr) context_.report.verified(verify->id, {target.qualified(), verify->rows, 0, false});
  } else if (named) {
    if (!held_.empty()) DS_TRY(check_connected(target, verify->database + "." + verify->table));
    DS_TRY(activate(verify->schema));
    TableIndex index = 0;
    const auto* table = catalog_->active(verify->schema, index);
    if (table == nullptr) return Error(Reason::Internal, "a table is not active after it was made so");
    DS_ASSIGN(const auto digest, digest_table(writer_->connection(), *table->schema, table->names.database,
                                              table->names.table, [this]() -> base::Result<void> {
                                                context_.status.beat();
                                                if (stop_.stop_requested()) return Error(Reason::Stopping, "stopped");
                                                return {};
                                              }));
    const bool equal = digest == message::TableDigest{verify->rows, verify->checksum_low, verify->checksum_high};
    context_.report.verified(verify->id, {table->qualified(), verify->rows, digest.rows, equal});
    base::log::write(equal ? base::log::Level::Info : base::log::Level::Error, "verified a table",
                     {{"table", std::string_view(table->qualified())},
                      {"equal", equal},
                      {"source_rows", verify->rows},
                      {"destination_rows", digest.rows}});
    if (!equal && main_ != nullptr) {
      Error error(Reason::VerifyFailed,
                  fmt::format("{} rows at the source, {} at the destination at this place. Have the table copied "
                              "again: {}",
                              verify->rows, digest.rows, copy_hint({table->schema->qualified()})));
      refuse(*table->schema, error);
      return error;
    }
    if (!equal) {
      verify_id_ = verify->id;
      verify_differ_.push_back(verify->database + "." + verify->table);
      verify_failures_.push_back(fmt::format("{} ({} rows at the source, {} at the destination{})", table->qualified(),
                                             verify->rows, digest.rows,
                                             verify->rows == digest.rows ? ", other content" : ""));
    }
  }
  if (!last || main_ != nullptr) return {};
  context_.report.verification_done();
  if (!verify_failures_.empty()) return verify_failed();
  completed_ = context_.config.common.mode == config::Mode::Once && !copies_.state(awaited);
  return {};
}

}  // namespace datasync::apply
