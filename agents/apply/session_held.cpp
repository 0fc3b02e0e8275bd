// Which tables a session holds, and whose rows it passes over (docs/decisions/0026-held-tables.md).

#include <algorithm>
#include <random>
#include <set>

#include <fmt/format.h>

#include "agents/apply/session.hpp"
#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Millis;
using base::Reason;

constexpr Millis kFirstTry{1'000};
constexpr Millis kLongestWait{15'000};
constexpr unsigned kMostDoublings = 4;

/// Half of the wait to all of it.
Millis jittered(Millis wait) {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  return Millis(std::uniform_int_distribution<Millis::rep>(wait.count() / 2, wait.count())(random));
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

/// Does this session apply the table, at the record being taken?
bool Session::mine(const std::string& source) const {
  if (main_ == nullptr) return held_.find(source) == nullptr;
  const auto* held = main_->held_.find(source);
  return held != nullptr && contains(tables_, source) && offset_ >= held->at.next_offset;
}

base::Result<bool> Session::skips(const message::TableRows& rows, const LedgerState& before) {
  if (main_ == nullptr && held_.empty()) return false;
  DS_ASSIGN(const auto schema, context_.book.find(rows.schema, stop_));
  const auto source = schema->qualified();
  const bool skip = !mine(source);
  if (main_ != nullptr) return skip;
  if (!skip) DS_TRY(check_connected(target_name(context_.config, schema->database, schema->table), source));
  if (skip && empties_table(rows)) stream_ledger_->emptied(source, offset_, before);
  return skip;
}

void Session::voided(std::int64_t from) {
  if (stream_ledger_ != nullptr) stream_ledger_->forget_from(from);
}

/// A table that foreign keys connect to a held one waits with it: its rows would be refused, or rows of the held one
/// could never be stored after them.
base::Result<void> Session::check_connected(const TargetName& target, const std::string& source) {
  if (!graph_) {
    DS_ASSIGN(graph_, ForeignKeyGraph::read(*connection_));
  }
  const auto others = connected_held(*graph_, target.qualified(), held_.all());
  if (others.empty()) return {};
  const auto* held = held_.find(others.front());
  auto message = fmt::format("waits for {}, which is held: foreign keys connect the two", held->table);
  refusals_.push_back({target, source, held->reason, message});
  waits_for_held_ = true;
  return Error(held->reason, fmt::format("{} {}", target.qualified(), message));
}

void Session::refuse(const message::TableSchema& schema, const Error& error) {
  refusals_.push_back(
      {target_name(context_.config, schema.database, schema.table), schema.qualified(), error.reason, error.what});
}

void Session::refuse_activated(message::SchemaId id, const Error& error) {
  if (!may_hold(error) || error.is(Reason::ForeignMessage)) return;  // not for the schema that is not there
  if (const auto schema = context_.book.find(id, stop_)) refuse(**schema, error);
}

/// `held`: tables of the source that are held, of which nothing is expected.
base::Result<void> Session::check_known_but(const std::vector<std::string>& held, const Awaited& awaited) {
  std::set<std::string> left_out(held.begin(), held.end());
  for (const auto& [table, request] : awaited) left_out.insert(table);
  auto done = catalog_->check_known(*connection_, left_out);
  const auto& failed = catalog_->failed_known();
  if (done || !failed) return done;
  // Held by the name that the configuration gives it, as every record is judged; the server may store another case.
  refusals_.push_back(
      {target_name(context_.config, failed->source), failed->source, done.error().reason, done.error().what});
  return done;
}

/// `way_on`: that of the table, which `error` has already.
void Session::refuse_executed(const Error& error, const std::string& way_on) {
  const auto& refused = writer_->refused();
  if (!refused) return;
  const auto& schema = *catalog_->table(refused->table).schema;
  auto what = refused->what.empty() ? error.what : refused->what + way_on;
  // As for a stream that halts, see with_copy().
  if (error.what.find(kCopyTables) != std::string::npos && what.find(kCopyTables) == std::string::npos)
    what += fmt::format("; where more may differ, have the table copied again: {}", copy_hint({schema.qualified()}));
  refusals_.push_back(
      {target_name(context_.config, schema.database, schema.table), schema.qualified(), error.reason, std::move(what)});
}

/// Writes what is about held tables, in a transaction that only the holder of the stream can commit.
base::Result<void> Session::fenced(const std::function<base::Result<void>()>& write) {
  DS_TRY(connection_->begin());
  auto done = ledger_->hold(*connection_);
  if (done) done = write();
  if (done) done = connection_->commit();
  if (!done) connection_->rollback();
  return done;
}

/// Outside of a transaction.
base::Result<void> Session::load_held() {
  DS_TRY(held_.load(*connection_, writer_->ledger().awaited));
  context_.report.held(held_.all());
  if (!held_.needs_record()) return {};
  return fenced([&] { return held_.record(*connection_); });
}

bool Session::hold_refused(const Error& error) {
  const bool wanted =
      waits_for_held_ || (context_.config.on_table_error == config::OnTableError::HoldTable && may_hold(error));
  if (!wanted || refusals_.empty() || !writer_) return false;
  // A table that is held is not applied here: what is refused of it all the same would be refused for ever.
  const auto is_held = [&](const Refusal& refusal) { return held_.find(refusal.source) != nullptr; };
  if (main_ == nullptr && std::ranges::all_of(refusals_, is_held)) return false;
  writer_->rollback();
  const auto held = fenced([&]() -> base::Result<void> {
    for (const auto& refusal : refusals_) {
      HeldTable table{refusal.target.qualified(), refusal.source, refusal.reason, refusal.message,
                      writer_->ledger(),          offset_};
      DS_TRY(held_.put(*connection_, std::move(table)));
    }
    return {};
  });
  if (!held) {
    base::log::warn("a table could not be held", {{"message", std::string_view(held.error().what)}});
    return false;
  }
  for (const auto& refusal : refusals_) {
    const auto name = refusal.target.qualified();
    put_off({refusal.source});
    base::log::error("holds a table: its rows wait, the others are applied",
                     {{"table", std::string_view(name)},
                      {"stream", context_.stream},
                      {"offset", writer_->ledger().next_offset},
                      {"reason", base::to_string(refusal.reason)},
                      {"message", std::string_view(refusal.message)}});
  }
  context_.report.held(held_.all());
  return true;
}

/// What a table waited for does not matter once it is emptied in the stream.
void Session::try_emptied_again() {
  if (stream_ledger_ == nullptr) return;
  for (const auto& table : stream_ledger_->take_moved()) {
    context_.retries.erase(table);
    replay_.reset();
    held_due_ = base::steady_now();
  }
}

void Session::put_off(const std::vector<std::string>& tables) {
  for (const auto& table : tables) {
    auto& retry = context_.retries[table];
    const auto wait = std::min(kLongestWait, kFirstTry * (1U << std::min(retry.tries, kMostDoublings)));
    retry.due = base::steady_now() + jittered(wait);
    ++retry.tries;
  }
}

}  // namespace datasync::apply
