#include "agents/apply/report.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "agents/base/text.hpp"

namespace datasync::apply {
namespace {

constexpr std::size_t kMostSkipped = 100;
// Of the messages of all held tables together, unless they are very many: the operator reads a status of 1 MiB.
constexpr std::size_t kMostMessages = 512U << 10U;
constexpr std::size_t kLeastMessage = 2048;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<base::Millis>(base::wall_now().time_since_epoch()).count();
}

health::Labels label(std::int32_t stream) {
  return {{"stream", std::to_string(stream)}};
}

/// Clocks differ: a lag below zero is shown as zero.
std::int64_t since(std::int64_t now, std::int64_t then) {
  return then == 0 ? 0 : std::max<std::int64_t>(0, now - then);
}

std::int64_t source_ms(const BatchTimes& times) {
  return static_cast<std::int64_t>(times.source_us / 1000);
}

}  // namespace

StreamReport::StreamReport(health::Metrics& m, std::int32_t stream)
    : metrics_(m),
      stream_(stream),
      rows_(m.counter("datasync_apply_rows_total", "Row changes committed at the destination.", label(stream))),
      transactions_(m.counter("datasync_apply_transactions_total", "Source transactions taken.", label(stream))),
      commits_(m.counter("datasync_apply_commits_total", "Commits at the destination.", label(stream))),
      statement_rows_(m.counter("datasync_apply_statement_rows_total", "Rows sent to the destination after folding.",
                                label(stream))),
      other_types_(
          m.counter("datasync_apply_other_type_records_total", "Records skipped by their header.", label(stream))),
      lower_epochs_(
          m.counter("datasync_apply_lower_epoch_records_total", "Records of replaced capture agents.", label(stream))),
      discarded_(m.counter("datasync_apply_discarded_transactions_total", "Unfinished transactions that were voided.",
                           label(stream))),
      duplicates_(m.counter("datasync_apply_duplicates_refused_total",
                            "Transactions refused because the ledger has them; must stay 0.", label(stream))),
      overwritten_(m.counter("datasync_apply_overwritten_rows_total", "Conflicts settled by onConflict: Overwrite.",
                             label(stream))),
      row_by_row_(m.counter("datasync_apply_row_by_row_total", "Batches run row by row.", label(stream))),
      skipped_(m.counter("datasync_apply_skipped_offsets_total", "Records skipped because skipOffsets names them.",
                         label(stream))),
      retries_(m.counter("datasync_apply_busy_retries_total",
                         "Batches tried again because of a deadlock or a lock at the destination.", label(stream))),
      commit_seconds_(m.histogram("datasync_apply_commit_seconds", "Time to execute and commit a batch.",
                                  health::latency_bounds(), label(stream))),
      batch_lag_seconds_(m.histogram("datasync_apply_batch_lag_seconds",
                                     "From the commit at the source to the commit at the destination, per batch.",
                                     health::latency_bounds(), label(stream))),
      next_offset_(m.gauge("datasync_apply_next_offset", "The first record not yet applied.", label(stream))),
      held_tables_(m.gauge("datasync_apply_held_tables", "Tables that wait while the rest of the stream is applied.",
                           label(stream))) {
  m.sampled(
      "datasync_apply_lag_seconds", "Now minus the commit at the source of the newest stored; grows while rows wait.",
      [this] { return static_cast<double>(total_lag_ms()) / 1000.0; }, label(stream));
}

StreamReport::~StreamReport() {
  metrics_.forget("datasync_apply_lag_seconds", label(stream_));
}

std::int64_t StreamReport::total_lag_ms() const {
  const std::lock_guard lock(mutex_);
  return since(wall_ms(), source_ms(times_));
}

void StreamReport::opened(const LedgerState& ledger, std::uint64_t token) {
  const std::lock_guard lock(mutex_);
  ledger_ = ledger;
  token_ = token;
  next_offset_.set(static_cast<double>(ledger.next_offset));
}

void StreamReport::committed(const LedgerState& ledger, const BatchTimes& times, std::size_t rows,
                             base::SteadyTime begun) {
  const auto now = wall_ms();
  commits_.add();
  rows_.add(rows);
  next_offset_.set(static_cast<double>(ledger.next_offset));
  if (rows > 0) {
    commit_seconds_.observe(std::chrono::duration<double>(base::steady_now() - begun).count());
    if (const auto then = source_ms(times); then > 0)
      batch_lag_seconds_.observe(static_cast<double>(since(now, then)) / 1000.0);
  }
  const std::lock_guard lock(mutex_);
  ledger_ = ledger;
  times_ = times;
  committed_ms_ = now;
}

void StreamReport::counted(const Assembler::Counts& intake, const Executor::Counts& executor) {
  const std::lock_guard lock(mutex_);
  transactions_.add(intake.transactions - intake_.transactions);
  other_types_.add(intake.other_types - intake_.other_types);
  lower_epochs_.add(intake.lower_epochs - intake_.lower_epochs);
  discarded_.add(intake.discarded - intake_.discarded);
  duplicates_.add(intake.duplicates_refused - intake_.duplicates_refused);
  statement_rows_.add(executor.statements - executor_.statements);
  overwritten_.add(executor.overwritten - executor_.overwritten);
  row_by_row_.add(executor.row_by_row - executor_.row_by_row);
  snapshot_rows_ += intake.snapshot_rows - intake_.snapshot_rows;
  intake_ = intake;
  executor_ = executor;
}

void StreamReport::replayed(std::size_t rows) {
  commits_.add();
  rows_.add(rows);
}

void StreamReport::held(std::vector<HeldTable> tables) {
  held_tables_.set(static_cast<double>(tables.size()));
  const std::lock_guard lock(mutex_);
  held_ = std::move(tables);
}

void StreamReport::forget_session() {
  const std::lock_guard lock(mutex_);
  intake_ = {};
  executor_ = {};
}

void StreamReport::skipped(std::int64_t offset) {
  skipped_.add();
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(skipped_offsets_, offset) == skipped_offsets_.end() && skipped_offsets_.size() < kMostSkipped)
    skipped_offsets_.push_back(offset);
}

void StreamReport::verified(const std::string& id, Verified result) {
  const std::lock_guard lock(mutex_);
  if (id != verify_id_) verified_.clear();
  verify_id_ = id;
  verify_done_ = false;
  std::erase_if(verified_, [&](const auto& v) { return v.table == result.table; });
  verified_.push_back(std::move(result));
}

void StreamReport::verification_done() {
  const std::lock_guard lock(mutex_);
  verify_done_ = true;
}

struct StreamReport::Parts {
  std::uint64_t rows = 0, transactions = 0, duplicates = 0, overwritten = 0, snapshot_rows = 0;
  std::int64_t topic_ms = 0, apply_ms = 0, total_ms = 0;
  nlohmann::ordered_json streams = nlohmann::ordered_json::array();
  nlohmann::ordered_json verified = nlohmann::ordered_json::array();
  nlohmann::ordered_json held = nlohmann::ordered_json::array();
  std::string verify_id;
  bool verify_done = true;
};

void StreamReport::add_to(Parts& parts) const {
  parts.total_ms = std::max(parts.total_ms, total_lag_ms());
  const std::lock_guard lock(mutex_);
  parts.rows += rows_.value();
  parts.transactions += transactions_.value();
  parts.duplicates += duplicates_.value();
  parts.overwritten += overwritten_.value();
  parts.snapshot_rows += snapshot_rows_;
  if (times_.record_ms > 0) {
    parts.topic_ms = std::max(parts.topic_ms, since(times_.record_ms, source_ms(times_)));
    parts.apply_ms = std::max(parts.apply_ms, since(committed_ms_, times_.record_ms));
  }
  nlohmann::ordered_json stream{{"stream", stream_},
                                {"offset", ledger_.next_offset},
                                {"epoch", ledger_.epoch.value()},
                                {"gtids", ledger_.gtids.text()},
                                {"token", token_},
                                {"rows", rows_.value()},
                                {"commits", commits_.value()},
                                {"busyRetries", retries_.value()},
                                {"skippedOffsets", skipped_offsets_}};
  if (ledger_.snapshot.active())
    stream["snapshot"] = {{"id", ledger_.snapshot.id}, {"tables", ledger_.snapshot.tables}};
  parts.streams.push_back(std::move(stream));
  for (const auto& table : held_)
    parts.held.push_back({{"table", table.table},
                          {"sourceTable", table.source},
                          {"reason", base::to_string(table.reason)},
                          {"message", table.message},
                          {"stream", stream_},
                          {"offset", std::max<std::int64_t>(0, table.at.next_offset)},
                          {"refusedOffset", table.refused_at},
                          {"gtids", table.at.gtids.text()},
                          {"since", table.since},
                          {"tries", table.tries}});
  if (!verify_id_.empty()) parts.verify_id = verify_id_;
  parts.verify_done = parts.verify_done && verify_done_;
  for (const auto& v : verified_)
    parts.verified.push_back({{"table", v.table},
                              {"equal", v.equal},
                              {"sourceRows", v.source_rows},
                              {"destinationRows", v.destination_rows}});
}

std::string StreamReport::json(const std::string& destination, const std::vector<const StreamReport*>& streams) {
  Parts parts;
  for (const auto* stream : streams) stream->add_to(parts);
  const auto longest = std::max(kLeastMessage, kMostMessages / std::max<std::size_t>(parts.held.size(), 1));
  for (auto& table : parts.held) table["message"] = base::cut_middle(table["message"].get<std::string>(), longest);
  const auto seconds = [](std::int64_t ms) { return static_cast<double>(ms) / 1000.0; };
  nlohmann::ordered_json out{{"destination", destination},
                             {"rows", parts.rows},
                             {"transactions", parts.transactions},
                             {"snapshotRows", parts.snapshot_rows},
                             {"duplicatesRefused", parts.duplicates},
                             {"conflicts", parts.overwritten},
                             {"lag",
                              {{"topicSeconds", seconds(parts.topic_ms)},
                               {"applySeconds", seconds(parts.apply_ms)},
                               {"totalSeconds", seconds(parts.total_ms)}}},
                             {"held", std::move(parts.held)},
                             {"streams", std::move(parts.streams)}};
  if (!parts.verified.empty() || (parts.verify_done && !streams.empty()))
    out["verify"] = {{"id", parts.verify_id}, {"done", parts.verify_done}, {"tables", std::move(parts.verified)}};
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace datasync::apply
