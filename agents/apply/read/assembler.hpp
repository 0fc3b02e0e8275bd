#pragma once
// From records of a stream to whole transactions for the destination. No Kafka, no server, no clock: records come in by
// `take`, what must happen goes out to a Sink.

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "agents/apply/read/row_buffer.hpp"
#include "agents/base/result.hpp"
#include "agents/destination/ledger.hpp"
#include "agents/message/record.hpp"
#include "agents/protocol/reader_rule.hpp"

namespace datasync::apply {

/// Times of the newest transaction of a batch, for lag only.
struct BatchTimes {
  std::uint64_t source_us = 0;  ///< its commit at the source, or the time of a watermark
  std::int64_t record_ms = 0;   ///< when it was put on the stream
};

/// A note of a table that is gone, and where it stands.
struct GoneTable {
  message::SchemaNote note;
  std::int64_t offset = 0;
};

/// The destination as the assembler sees it. Any error ends the assembler: begin again from the ledger.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// The schema if it is the version its table's rows have now.
  virtual const message::TableSchema* active(message::SchemaId id, TableIndex& index) = 0;
  /// The qualified source name of the schema's table; asked only while tables are awaited, and of emptied ones.
  virtual base::Result<std::string> source_table(message::SchemaId id) = 0;
  /// True for rows that are not to be applied now; asked only when their schema is not active. `before`: the position
  /// before the transaction or the copy they are part of.
  virtual base::Result<bool> skips(const message::TableRows& /*rows*/, const LedgerState& /*before*/) { return false; }
  /// True when `rows` has rows of another version of the schema's table.
  virtual base::Result<bool> has_other_version(std::span<const RowChange> rows, message::SchemaId id) = 0;
  /// Makes it so. All rows of other versions of its table are executed.
  virtual base::Result<void> activate(message::SchemaId id) = 0;
  /// The same for rows that begin with the order to empty their table.
  virtual base::Result<void> activate_emptied(message::SchemaId id) { return activate(id); }
  /// Commits `rows` and everything streamed before, with the ledger.
  virtual base::Result<void> commit(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState& next,
                                    const BatchTimes& times) = 0;
  /// Executes rows of a transaction that is not whole yet.
  virtual base::Result<void> stream(const RowBuffer& buffer, std::span<const RowChange> rows) = 0;
  /// Commits `rows`, which do nothing but empty tables, without the ledger: they come again if what follows them fails.
  virtual base::Result<void> empty(std::span<const RowChange> rows) = 0;
  virtual bool streaming() = 0;
  virtual void rollback() = 0;
  /// The open transaction, all records from this offset on, is void.
  virtual void voided(std::int64_t /*from*/) {}
  /// Tables of the source are gone, by one statement. Everything before is committed.
  virtual base::Result<void> tables_gone(std::span<const GoneTable> gone) = 0;
  /// Everything before is committed. `verify` is nothing when the record is of a type that is not wanted.
  virtual base::Result<void> verify(const std::optional<message::Verify>& verify, bool last) = 0;
};

struct IntakeLimits {
  std::size_t rows = 1000;
  std::size_t bytes = 4U << 20U;
  bool each_transaction = false;  ///< commit every source transaction by itself
};

/// One record of a stream.
struct Incoming {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  message::Headers headers;
  base::Bytes value;
};
/// A hash that tells records of different topics apart; never 0.
std::uint64_t mark_of(const Incoming& record) noexcept;

/// Not thread-safe.
class Assembler {
 public:
  /// `types`: the wanted ones; empty: all. `start`: what the ledger holds.
  Assembler(Sink& sink, std::set<std::string> types, const IntakeLimits& limits, LedgerState start)
      : sink_(sink), types_(std::move(types)), limits_(limits), rule_(start.epoch), state_(std::move(start)) {}

  /// Takes the next record. Errors: ForeignMessage saying what is wrong (the caller knows where), and those of the
  /// sink.
  base::Result<void> take(const Incoming& record);
  /// Passes over the next record, which a person has declared void: nothing of it counts but what it ends, so that what
  /// came before it is whole and what follows is not taken for its continuation. A start does not start anything.
  /// `differ`: the tables of which this record may have changed rows; from here on their rows are left out. Errors:
  /// those of the sink.
  base::Result<void> skip(const Incoming& record, const Awaited& differ);
  /// Leaves out the rows of these tables from here on, until they are emptied in the stream. Counts with the next
  /// commit.
  void await(const Awaited& tables);
  /// No longer: no copy of these tables comes on this stream.
  void await_no_more(const std::string& table);
  /// No further record is there: commits whole transactions. `position_too`: also when only the position moved.
  base::Result<void> pause(bool position_too);

  /// Forgets everything that is not committed: the next record is the one at `start.next_offset`, which the ledger
  /// holds. Counts stay.
  void begin_again(LedgerState start, const IntakeLimits& limits);

  /// From the next transaction on.
  void set_limits(const IntakeLimits& limits) noexcept { limits_ = limits; }

  [[nodiscard]] bool has_whole_rows() const noexcept { return complete_rows_ > 0; }
  [[nodiscard]] bool has_moved() const noexcept { return dirty_; }
  /// A transaction or a chunk of a copy is not whole yet.
  [[nodiscard]] bool in_transaction() const noexcept { return open_.active; }
  /// Up to where everything is taken; what the next commit writes.
  [[nodiscard]] const LedgerState& position() const noexcept { return state_; }

  struct Counts {
    std::uint64_t transactions = 0;
    std::uint64_t rows = 0;
    std::uint64_t snapshot_rows = 0;
    std::uint64_t other_types = 0;         ///< records skipped by their header
    std::uint64_t lower_epochs = 0;        ///< records of replaced writers
    std::uint64_t discarded = 0;           ///< unfinished transactions that were voided
    std::uint64_t duplicates_refused = 0;  ///< transactions the ledger has already; must stay 0
    std::uint64_t left_out = 0;            ///< rows of awaited tables
  };
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
  [[nodiscard]] const BatchTimes& times() const noexcept { return times_; }

 private:
  struct Open {
    bool active = false;
    bool refused = false;
    bool snapshot = false;
    std::optional<message::Gtid> gtid;
    std::uint64_t commit_time_us = 0;
    std::uint32_t fragment = 0;
    std::optional<Awaited> awaited;  ///< after it, where it changes them
  };
  [[nodiscard]] bool wanted(const message::Headers& headers) const;
  [[nodiscard]] std::uint64_t rows_open() const noexcept { return buffer_.size() - complete_rows_; }
  [[nodiscard]] bool belongs(const Incoming& record) const;
  base::Result<void> dispatch(const Incoming& record);
  base::Result<void> change(const Incoming& record);
  base::Result<void> note(const Incoming& record);
  base::Result<void> snapshot(const Incoming& record);
  base::Result<void> snapshot_bounds(const message::Snapshot& value, const Incoming& record);
  base::Result<void> watermark(const Incoming& record);
  base::Result<void> verify(const Incoming& record);
  base::Result<void> join(const message::Gtid& gtid);
  base::Result<void> end(message::End how, const Incoming& record);
  base::Result<void> finish(const Incoming& record);
  base::Result<void> between(std::string_view what) const;
  base::Result<void> append_group();
  base::Result<void> join_emptied();
  base::Result<void> before_version(message::SchemaId id);
  base::Result<void> append(message::TableRows rows);
  base::Result<bool> left_out(const message::TableRows& rows);
  [[nodiscard]] Awaited& awaited_within();
  base::Result<void> commit_complete();
  base::Result<void> bound_memory();
  void discard();
  void moved(const Incoming& record);

  Sink& sink_;
  std::set<std::string> types_;
  IntakeLimits limits_;
  protocol::ReaderRule rule_;
  LedgerState state_;   ///< after the last whole transaction
  bool dirty_ = false;  ///< state_ differs from what was committed
  RowBuffer buffer_;    ///< rows of whole transactions, then rows of the open one
  std::size_t complete_rows_ = 0;
  Open open_;
  std::vector<message::TableRows> group_;
  std::vector<GoneTable> notes_;
  BatchTimes times_;
  Counts counts_;
};

}  // namespace datasync::apply
