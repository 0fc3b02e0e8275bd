#pragma once
// Source transactions on their way to the streams: grouped, cut at a size, numbered, ended on every stream they
// touched.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/stream/change_encoder.hpp"
#include "agents/capture/stream/output.hpp"
#include "agents/message/record.hpp"

namespace datasync::capture {

/// Headers and framing of a record: what the topic's limit counts besides the rows.
inline constexpr std::uint64_t kRecordOverhead = 512;

/// The target size of a record that the topic surely takes: the configured one, less where the topic takes less.
std::uint64_t target_bytes(std::uint64_t record_bytes, std::uint64_t max_record_bytes) noexcept;

struct WriterLimits {
  std::uint64_t record_bytes = 256ULL << 10U;  ///< a group is sent when it would grow beyond this
  std::uint64_t max_record_bytes = 1'000'000;  ///< what the topic takes, headers included
};

/// Rows of one transaction on one stream that a reader takes together.
struct Group {
  std::vector<TypeRows> parts;
  [[nodiscard]] std::size_t bytes() const noexcept;
  [[nodiscard]] bool empty() const noexcept;
};

/// A transaction kept back until it is decided (XA): its groups by stream.
struct HeldTransaction {
  std::vector<std::vector<Group>> streams;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
};

/// What a row of a schema is called in messages, see source::Engine::name_row.
using RowNamer = std::function<std::string(message::SchemaId schema)>;

/// Takes rows from one thread and hands records to an Output. `position` and `counts` may be called from any thread.
class StreamWriter {
 public:
  /// `sent`: per stream the transactions it has already; `position`: where the binlog will be read from.
  StreamWriter(Output& out, std::vector<message::GtidSet> sent, message::GtidSet position, const WriterLimits& limits,
               RowNamer name_row);

  void begin(const message::Gtid& gtid, std::uint64_t commit_time_us);
  /// The same, but its groups are kept back, at most `max_bytes` of them, until `take_held` gives them.
  void begin_held(const message::Gtid& gtid, std::uint64_t commit_time_us, std::uint64_t max_bytes);
  /// A transaction that is before the beginning of every stream: nothing of it is wanted, and it moves nothing.
  void begin_before_start(const message::Gtid& gtid, std::uint64_t commit_time_us);
  [[nodiscard]] std::uint64_t record_bytes() const noexcept { return limits_.record_bytes; }
  /// False when the stream has the open transaction from an earlier epoch: its rows need not be decoded. A held one is
  /// always wanted: the transaction that will publish it is not known yet.
  [[nodiscard]] bool wants(std::int32_t stream) const noexcept;

  /// Where to append rows of the table, in the compact layout. `expected` is about how many bytes will come: a group
  /// that would grow too large is sent first. Then call `added`, also with 0 when the next row is larger than expected
  /// and wants a record of its own.
  base::Result<base::Buffer*> rows(const TableChoice& table, message::SchemaId schema, std::size_t expected);
  /// `count` rows were appended to what `rows` gave. Errors: RowTooLarge naming the table; XaTooLarge; those of the
  /// output.
  base::Result<void> added(std::uint32_t count);

  /// Tells readers the schema that a table has from here on, as rows of none.
  void announce(const TableChoice& table, message::SchemaId schema);

  /// Ends the transaction on every stream it touched. Nothing happens when none is open, as for the next two.
  base::Result<void> commit();
  /// The transaction was rolled back at the source: what was sent is voided, and it is over.
  base::Result<void> rollback();
  /// The dump broke off: what was sent is voided; the transaction will come again.
  base::Result<void> discard();
  /// What a transaction begun with `begin_held` gathered; then `commit` ends it, with nothing on a stream.
  HeldTransaction take_held();
  /// Sends held groups as rows of the open transaction.
  base::Result<void> put_held(HeldTransaction held);
  /// A captured table is gone; the record is sent when the open transaction is committed.
  void note(const TableChoice& table, const message::SchemaNote& note);
  /// Everything up to `position` stands before this record, on every stream. Not inside a transaction.
  base::Result<void> watermark(std::uint64_t source_time_us);

  /// All transactions that are over, whether or not they put something on a stream.
  [[nodiscard]] message::GtidSet position() const;

  /// The position was given up: everything up to `position` counts as seen.
  void reset_position(const message::GtidSet& dump_from, const message::GtidSet& sent);
  /// Everything some stream has. Owner thread.
  [[nodiscard]] message::GtidSet newest() const;

  struct Counts {
    std::uint64_t transactions = 0;  ///< that put something on a stream
    std::uint64_t filtered = 0;      ///< that did not
    std::uint64_t rows = 0;
    std::uint64_t commit_time_us = 0;  ///< of the newest transaction, by the source's clock
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Note {
    std::string type, value;
  };
  struct Stream {
    message::GtidSet sent;
    std::vector<Note> notes;
    Group group;
    std::uint32_t next_order = 0;
    std::uint32_t fragment = 0;
    bool skip = false;        ///< the open transaction is already on this stream
    std::vector<Group> kept;  ///< of a held transaction
  };
  static TypeRows& part(Stream& stream, const std::string& type);
  void open(const message::Gtid& gtid, std::uint64_t commit_time_us);
  base::Result<void> close_group(std::int32_t index, message::End end);
  base::Result<void> send(std::int32_t index, Group& group, message::End end);
  base::Result<void> send_part(std::int32_t index, TypeRows& part, message::End end);
  base::Result<void> send_end(std::int32_t index, message::End end);
  base::Result<void> send_notes(std::int32_t index);
  base::Result<void> void_sent();
  void finish(bool over);

  Output& out_;
  WriterLimits limits_;
  RowNamer name_row_;
  std::vector<Stream> streams_;
  mutable std::mutex mutex_;  ///< position_, counts_
  message::GtidSet position_;
  Counts counts_;

  message::Gtid gtid_;  ///< of the open transaction, as everything below
  std::uint64_t commit_time_us_ = 0;
  bool open_ = false;
  bool before_start_ = false;
  std::optional<std::uint64_t> hold_limit_;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t rows_ = 0;
  bool touched_ = false;             ///< a record was sent
  std::int32_t current_stream_ = 0;  ///< of the last call of `rows`
  TypeRows* current_ = nullptr;
  Run* current_run_ = nullptr;
};

}  // namespace datasync::capture
