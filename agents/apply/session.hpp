#pragma once
// One run of one stream: takes over the ledger, reads the topic from there, applies until something ends it.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/apply/assembler.hpp"
#include "agents/apply/catalog.hpp"
#include "agents/apply/copies.hpp"
#include "agents/apply/report.hpp"
#include "agents/apply/schema_book.hpp"
#include "agents/apply/writer.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/health/status.hpp"
#include "agents/kafka/consumer.hpp"

namespace datasync::apply {

/// What the sessions of one stream share.
struct StreamContext {
  const config::Apply& config;
  const Dialect& dialect;
  SchemaBook& book;
  health::Status& status;  ///< of this stream
  StreamReport& report;
  std::string instance;
  std::int32_t stream = 0;
  std::int32_t streams = 1;  ///< of the topic
  unsigned busy = 0;         ///< failures by DestinationBusy since the last commit; each halves the batches
  /// After a row was refused: so many rows are committed transaction by transaction, so that all before the bad one
  /// count.
  std::uint64_t rows_alone = 0;
  bool held = false;  ///< this instance has held the stream
};

/// The size of batches now.
IntakeLimits limits_of(const StreamContext& context);

/// Runs a session; when a row is refused, once more with every transaction by itself. Errors: those of Session::run.
base::Result<void> run_stream(StreamContext& context, std::stop_token stop);

/// Connects to the destination with the credentials as they are now.
base::Result<std::unique_ptr<sql::Connection>> connect_destination(const config::Apply& config,
                                                                   std::chrono::seconds read_timeout);

/// Not thread-safe; one per run.
class Session final : private Sink {
 public:
  Session(StreamContext& context, std::stop_token stop);
  ~Session() override;

  /// Runs until an error, a stop (Stopping), or until all is copied and verified (mode Once: returns success).
  base::Result<void> run();

 private:
  base::Result<void> open();
  base::Result<void> open_consumer();
  base::Result<void> check_identity();
  base::Result<void> read();
  std::chrono::milliseconds patience();
  base::Result<void> nothing_there();
  base::Result<void> check_known(const Awaited& awaited);
  base::Result<void> take(const kafka::Record& record);
  base::Result<void> pass_by(const Incoming& incoming);
  base::Result<void> begin_copies();
  [[nodiscard]] base::Error with_copy(base::Error error, std::span<const RowChange> rows) const;
  [[nodiscard]] std::string copy_token() const;
  base::Result<void> watch_copies();
  base::Error foreign(base::Error error, std::int64_t offset) const;
  void save_what_is_whole();
  void show_state();

  const message::TableSchema* active(message::SchemaId id, TableIndex& index) override;
  base::Result<std::string> source_table(message::SchemaId id) override;
  base::Result<void> activate(message::SchemaId id) override;
  base::Result<void> activate_emptied(message::SchemaId id) override;
  base::Result<void> commit(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState& next,
                            const BatchTimes& times) override;
  base::Result<void> stream(const RowBuffer& buffer, std::span<const RowChange> rows) override;
  bool streaming() override;
  void rollback() override;
  base::Result<void> tables_gone(std::span<const GoneTable> gone) override;
  base::Result<void> drop(const std::vector<TargetName>& tables);
  base::Result<void> verify(const std::optional<message::Verify>& verify, bool last) override;

  StreamContext& context_;
  std::stop_token stop_;
  std::set<std::int64_t> skip_;
  std::optional<KnownTables> known_;
  std::optional<Catalog> catalog_;
  base::SteadyTime known_due_ = base::steady_now();  ///< the next check that known tables are there
  std::unique_ptr<sql::Connection> connection_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::optional<Assembler> assembler_;
  AwaitedCopies copies_;
  base::SteadyTime copies_watched_;  ///< when
  std::size_t streamed_rows_ = 0;
  std::optional<base::SteadyTime> batch_since_;  ///< when the first whole rows of the batch were there
  base::SteadyTime last_commit_ = base::steady_now();
  [[nodiscard]] base::Error verify_failed() const;
  std::vector<std::string> verify_failures_;
  std::vector<std::string> verify_differ_;  ///< their tables, source names
  std::string verify_id_;
  bool completed_ = false;
  bool sink_failed_ = false;
  /// A stop must not wait for a lock or a slow server: what is open is rolled back and done again next time.
  std::optional<std::stop_callback<std::function<void()>>> wake_;
};

}  // namespace datasync::apply
