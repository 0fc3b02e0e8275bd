// The part of a session that skips records and waits for copies of tables.

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/apply/session.hpp"
#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

constexpr auto kWatchEvery = std::chrono::seconds(1);

}  // namespace

/// The rows of the record never come: its tables differ from the source's from here on, until they are copied again.
base::Result<void> Session::pass_by(const Incoming& incoming) {
  const auto& types = context_.config.types;
  const bool stored =
      types.empty() || incoming.headers.type.empty() || std::ranges::find(types, incoming.headers.type) != types.end();
  const bool counts = incoming.headers.epoch >= assembler_->position().epoch;  // else readers ignore it
  std::vector<std::string> tables;
  if (stored && counts) {
    DS_ASSIGN(tables, tables_of(incoming, assembler_->position().snapshot, context_.book, stop_));
  }
  return assembler_->skip(incoming, copies_.skipped(incoming.offset, tables));
}

/// Its headers cannot be read: it may have changed rows of every table that comes on this stream.
base::Result<void> Session::pass_by_unreadable(std::int64_t offset) {
  DS_ASSIGN(const auto tables, copies_.all_here(stop_));
  assembler_->await(copies_.skipped(offset, tables));
  return {};
}

/// That copies are awaited is committed before they are asked for: the first record of each stands behind this place.
base::Result<void> Session::begin_copies() {
  DS_ASSIGN(const auto ordered, copies_.ordered(stop_));
  assembler_->await(ordered);
  return ordered.empty() ? base::Result<void>() : assembler_->pause(true);
}

bool Session::await_refused() {
  if (main_ != nullptr || !writer_ || !catalog_->needs_copy()) return false;
  const auto& table = *catalog_->needs_copy();
  // It would end here again.
  if (writer_->ledger().awaited.contains(table)) return false;
  writer_->rollback();
  auto next = writer_->ledger();
  for (const auto& [name, request] : copies_.unaltered(next.next_offset, table))
    next.awaited.insert_or_assign(name, request);
  if (auto written = writer_->commit(RowBuffer(), {}, next); !written) {
    base::log::warn("a copy could not be awaited", {{"message", std::string_view(written.error().what)}});
    return false;
  }
  base::log::warn("a table has rows that are in the way of its new definition: it is copied again",
                  {{"table", std::string_view(table)}, {"stream", context_.stream}});
  return true;
}

/// The same while the stream stands at this place, so that the message does not change, and another one later.
std::string Session::copy_token() const {
  return fmt::format("{}-{}", context_.stream, writer_->ledger().next_offset);
}

/// Rows that the destination refuses: whoever made its rows differ may have changed others, too. Copied again, all rows
/// of the tables are the source's.
base::Error Session::with_copy(base::Error error, std::span<const RowChange> rows) const {
  using base::Reason;
  if (!error.is(Reason::RowConflict) && !error.is(Reason::ConstraintViolated) && !error.is(Reason::ValueNotStorable))
    return error;
  std::set<std::string> tables;
  for (const auto& row : rows) tables.insert(catalog_->table(row.table).schema->qualified());
  error.what = fmt::format(
      "{}; the row is in partition {}, offsets {} to {}, of topic {} (datasync tail shows it); where more may differ, "
      "have the table copied again: {}",
      error.what, context_.stream, std::max<std::int64_t>(0, writer_->ledger().next_offset), offset_,
      context_.config.common.channel.topic, copy_hint({tables.begin(), tables.end()}));
  return error;
}

base::Result<void> Session::watch_copies() {
  const auto& awaited = writer_->ledger().awaited;
  const auto now = base::steady_now();
  if (awaited.empty() || now - copies_watched_ < kWatchEvery) return {};
  copies_watched_ = now;
  auto others = copies_.look(awaited, stop_);
  if (!others.empty() && !assembler_->in_transaction() && !writer_->streaming()) {
    // Not one of which a copy has begun after all.
    DS_TRY(assembler_->pause(true));
    std::erase_if(others, [this](const auto& table) { return !writer_->ledger().awaited.contains(table); });
    DS_TRY(forget_tables(others));
    for (const auto& table : others) assembler_->await_no_more(table);
    DS_TRY(assembler_->pause(true));
  }
  show_state();
  return {};
}

/// No copy of these tables comes on this stream: the source does not have them, capture does not read them any more, or
/// this task does not store their type. So a user may drop or rename what the destination has of them, and a held one
/// has nothing to wait for. Should one come later, its rows begin with the order to empty it. Outside of a transaction.
base::Result<void> Session::forget_tables(const std::vector<std::string>& sources) {
  std::vector<std::string> held;
  std::ranges::copy_if(sources, std::back_inserter(held),
                       [this](const auto& name) { return held_.find(name) != nullptr; });
  const bool known =
      std::ranges::any_of(sources, [this](const auto& name) { return !known_->targets_of(name).empty(); });
  if (held.empty() && !known) return {};
  replay_.reset();  // its transaction holds the ledger's row, and its tables may be held no longer
  const auto forget = [&]() -> base::Result<void> {
    for (const auto& source : sources) DS_TRY(catalog_->forget(*connection_, source));
    return held_.remove(*connection_, held);
  };
  DS_TRY(fenced(forget));
  for (const auto& name : held) context_.retries.erase(name);
  held_due_ = base::steady_now();
  context_.report.held(held_.all());
  return {};
}

}  // namespace datasync::apply
