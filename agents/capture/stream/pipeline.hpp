#pragma once
// One stream of changes, from its first event to its end: the dump thread's work.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "agents/base/clock.hpp"
#include "agents/base/result.hpp"
#include "agents/capture/plan/due.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/plan/snapshot_plan.hpp"
#include "agents/capture/plan/statement_effects.hpp"
#include "agents/capture/stream/catalog.hpp"
#include "agents/capture/stream/gate.hpp"
#include "agents/capture/stream/passing.hpp"
#include "agents/capture/stream/writer.hpp"
#include "agents/capture/stream/xa.hpp"
#include "agents/health/status.hpp"
#include "agents/source/change_stream.hpp"

namespace datasync::capture {

struct TableStatement;

/// The source's clock as last asked, carried on by the steady clock: what "now" is for lags. Thread-safe.
class SourceClock {
 public:
  void set(std::uint64_t source_us) noexcept;
  [[nodiscard]] std::uint64_t now_us() const noexcept;  ///< 0: never asked

 private:
  std::atomic<std::int64_t> offset_us_ = 0;  ///< source minus steady
  std::atomic<bool> known_ = false;
};

/// How fresh what was read is; told by the dump thread, asked by others.
struct Freshness {
  std::atomic<bool> caught_up = false;          ///< the replica had nothing more when it last spoke
  std::atomic<std::int64_t> heard_us = 0;       ///< steady clock, when it last spoke
  std::atomic<std::uint64_t> read_time_us = 0;  ///< source's time of the newest transaction read
};

/// What the parts of one epoch share with the dump thread.
struct PipelineParts {
  const Selection& selection;
  StreamWriter& writer;
  PreparedTransactions& prepared;
  ChunkGate& gate;
  SourceClock& clock;
  health::Status& status;
  Freshness& freshness;
  std::mutex& between;  ///< held while several records that belong together go out between two transactions
  std::function<void()> on_first_event;
  std::function<void()> on_tick;  ///< about once a second while events come
  /// A statement changes rows that are there already and tells none of them; called before the position moves past it.
  std::function<base::Result<void>(const Outdated&, const std::string& statement)> on_outdated;
  /// After the transaction in which `on_outdated` was called, and about once a second: readers may ask for copies.
  std::function<base::Result<void>()> on_between;
  std::function<bool(const TableChoice&, const std::string& column)> had_column;  ///< it was published once
  std::function<bool(const message::Gtid&)> may_pass;  ///< a user lets this transaction pass without its rows
  /// Before the position moves past such a transaction, or past an incident at `at`: what it may have changed is
  /// written down as due for a copy. False: at this place nobody lets anything pass.
  std::function<base::Result<bool>(const std::string& gtid, const std::string& at, const Passed& passed)> on_passed;
  /// Before the position moves past an XA PREPARE that is passed: its commit finds what it may have changed.
  std::function<base::Result<void>(const std::string& gtid, const std::string& xid, const Passed& passed)>
      on_passed_prepare;
  std::function<std::optional<Passed>(const std::string& xid)> passed_prepare;  ///< nothing: it was not passed
  DueDefinitions& due;
  std::function<base::Result<void>(const message::Gtid&)> on_gtid = {};  ///< a transaction begins; may be empty
};

/// Handles the changes of one connection, on one thread.
class Pipeline final : public source::ChangeHandler {
 public:
  /// `max_value`: bytes of the largest value, inflated.
  Pipeline(const PipelineParts& parts, Catalog& catalog, std::stop_token stop,
           std::uint64_t max_value = binlog::kMaxInflated);

  /// Before `run`: readers may lack the definition that the table has now, because a connection or a process ended
  /// before the place where it was to be announced. It is announced once the dump has come to what the server has
  /// executed. Errors: those of the server and of the state topic.
  base::Result<void> announce_again(const TableChoice& table);
  /// Reads until an error, which is returned; Stopping when `stop` was requested. What was sent of an unfinished
  /// transaction is voided before it returns (unless the streams themselves failed).
  base::Result<void> run(source::ChangeStream& stream);

  void on_heard() override;
  base::Result<void> on_begin(const source::Transaction& transaction, const source::Place& first) override;
  bool wants(std::string_view database, std::string_view table) override;
  base::Result<source::TableToken> on_table(const binlog::TableMap& map, const binlog::Where& where) override;
  base::Result<void> on_rows(source::TableToken table, const binlog::RowsEvent& rows) override;
  base::Result<void> on_statement(const source::Statement& statement) override;
  std::optional<std::string> to_utf8(std::string_view charset, std::string_view text) override {
    return catalog_.to_utf8(charset, text);
  }
  [[nodiscard]] base::TableNames table_names() const override { return parts_.selection.names(); }
  base::Result<void> on_commit(const source::Place& end) override;
  base::Result<void> on_rollback(const source::Place& end) override;
  base::Result<void> on_broken_off(const source::Place& end) override;
  base::Result<void> on_xa_prepare(std::string_view xid, const source::Place& end) override;
  base::Result<void> on_xa_commit(std::string_view xid, const source::Place& end) override;
  base::Result<void> on_xa_rollback(std::string_view xid, const source::Place& end) override;
  base::Result<void> on_idle(const source::Place& here) override;
  base::Result<void> on_moved(const source::Place& here) override;
  base::Result<void> on_incident(std::string_view text, const binlog::Where& where) override;

  base::Result<void> on_unreadable(base::Error error) override;
  [[nodiscard]] base::Error too_large(base::Error error) const override;
  [[nodiscard]] bool skips() const override { return passing_.has_value(); }
  void on_skipped(bool rows) override;
  base::Result<void> on_end_unread(const source::Place& end) override;

 private:
  base::Result<void> read(source::ChangeStream& stream);
  base::Result<void> end_passing();
  base::Result<void> tick();
  void ended(const source::Place& end);
  base::Result<void> passed(const source::Statement& query);
  base::Result<void> learn_passed(const TableChoice& table, ColumnNames names);
  base::Result<void> left_out(const TableChoice& table, const binlog::RowsEvent& rows);
  base::Result<bool> stays_missing(const TableChoice& table, const std::string& why);
  base::Result<void> unchecked(const TableChoice& parent, const binlog::RowsEvent& rows);
  base::Result<void> on_parents(const std::vector<binlog::NamedTable>& parents,
                                const std::vector<TableStatement>& statements, const source::Statement& query);
  [[nodiscard]] ColumnNames column_names(const source::Statement& query) const;
  [[nodiscard]] bool moves_unjudged(const source::Statement& query,
                                    const std::vector<message::MovedColumn>& moved) const;
  base::Result<void> take_moves(const source::Statement& query);
  [[nodiscard]] std::vector<message::MovedColumn> taken_by(const TableChoice& table) const;
  base::Result<void> check_judged(const TableStatement& s, const source::Statement& query, const std::string& shown);
  [[nodiscard]] std::vector<TableStatement> concerned_by(const source::Statement& query) const;
  base::Result<void> on_effect(const TableStatement& s, const source::Statement& query);
  base::Result<void> disappeared(const TableStatement& s, const std::string& statement, bool known);
  base::Result<bool> comes_back(const TableChoice& table);
  base::Result<void> truncated(const TableChoice& table, std::optional<message::SchemaId> schema);
  base::Result<void> outdated(const TableChoice& table, bool rows_missed, const std::string& why);
  base::Result<void> announce_due();

  PipelineParts parts_;
  Catalog& catalog_;
  std::stop_token stop_;
  std::uint64_t max_value_;
  std::uint64_t commit_time_us_ = 0;
  message::Gtid gtid_;
  message::GtidSet before_prepare_;
  bool held_ = false;  ///< the open transaction is to end prepared, under xid_
  std::string xid_;
  std::uint32_t rows_in_transaction_ = 0;
  /// Parents in the open transaction, of rows without foreign key checks, and what happened to these rows: a foreign
  /// key may act on one of both only.
  std::set<std::pair<const TableChoice*, message::Op>> unchecked_;
  std::set<const TableChoice*> missing_;  ///< tables that the server lacks, of which rows were left out
  std::vector<TakenMoves> taken_;         ///< by captured tables, by the statement that is handled
  bool outdated_ = false;                 ///< `on_between` is due
  bool in_transaction_ = false;           ///< from its GTID until it is over for the writer
  bool before_start_ = false;             ///< the open transaction is before the beginning of the streams
  std::optional<Passed> passing_;         ///< the open transaction is passed
  bool unread_ = false;                   ///< and an event of it could not be read: perhaps the one that ends it
  base::SteadyTime back_soon_;            ///< so long a table that disappeared by the open statement may come back
  base::SteadyTime next_tick_;
};

}  // namespace datasync::capture
