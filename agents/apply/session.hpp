#pragma once
// One run of one stream: takes over the ledger, reads the topic from there, applies until something ends it.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/apply/plan/copies.hpp"
#include "agents/apply/read/assembler.hpp"
#include "agents/apply/read/gap_watch.hpp"
#include "agents/apply/read/schema_book.hpp"
#include "agents/apply/report.hpp"
#include "agents/apply/write/catalog.hpp"
#include "agents/apply/write/writer.hpp"
#include "agents/base/backoff.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/destination.hpp"
#include "agents/destination/held_tables.hpp"
#include "agents/health/status.hpp"
#include "agents/kafka/consumer.hpp"

namespace datasync::apply {

/// When a held table is tried again.
struct HeldRetry {
  base::SteadyTime due;
  unsigned tries = 0;  ///< without progress
};

/// What the sessions of one stream share.
struct StreamContext {
  const config::Apply& config;
  const DestinationEngine& engine;
  SchemaBook& book;
  health::Status& status;  ///< of this stream
  StreamReport& report;
  std::string instance;
  std::int32_t stream = 0;
  std::int32_t streams = 1;   ///< of the topic
  unsigned busy = 0;          ///< grows with every failure by DestinationBusy; every second one halves the batches
  unsigned calm_commits = 0;  ///< since the last such failure, or since batches grew
  bool blocked = false;       ///< by a lock at the destination, and nothing was committed since
  /// After a row was refused: so many rows are committed transaction by transaction, so that all before the bad one
  /// count.
  std::uint64_t rows_alone = 0;
  std::map<std::string, HeldRetry> retries;  ///< by held table's source name; one that is not in it is tried at once
  bool await_end = false;                    ///< a large transaction was rolled back because its end did not come
  bool rolled_back = false;                  ///< by the session that ended just now
};

/// The size of batches now.
IntakeLimits limits_of(const StreamContext& context);

/// Runs sessions: when a row is refused, once more with every transaction by itself; when a table is held, once more
/// without it. Errors: those of Session::run.
base::Result<void> run_stream(StreamContext& context, std::stop_token stop);

/// Not thread-safe; one per run.
class Session final : private Sink {
 public:
  Session(StreamContext& context, std::stop_token stop);
  ~Session() override;

  /// Runs until an error, a stop (Stopping), or until all is copied and verified (mode Once: returns success).
  base::Result<void> run();

  /// After `run` failed: where a table cannot be altered while it has rows, awaits a copy that empties it, from the
  /// place on that is written. True: run another session, which leaves its rows out until then.
  bool await_refused();
  /// After `run` failed: holds the tables that it failed with, if the configuration wants that and their place is
  /// written. True: run another session, which passes them over.
  bool hold_refused(const base::Error& error);

 private:
  /// A table that could not be applied, and why.
  struct Refusal {
    TargetName target;
    std::string source;
    base::Reason reason;
    std::string message;  ///< without values of rows
  };
  /// Held tables that are applied from their own place on, between the batches of the stream.
  struct Replay {
    StreamContext context;
    std::vector<std::string> tables;  ///< names at the source
    bool alone = true;                ///< has begun with each transaction by itself
    std::unique_ptr<Session> session;
  };
  /// Applies `tables`, which `main` holds.
  Session(StreamContext& context, std::stop_token stop, Session& main, std::vector<std::string> tables);

  [[nodiscard]] base::Error blamed(base::Error error);
  base::Result<void> open();
  base::Result<void> open_consumer();
  base::Result<void> check_identity(kafka::Consumer& consumer);
  base::Result<void> read();
  std::chrono::milliseconds poll_timeout();
  base::Result<void> on_idle();
  base::Result<void> check_known(const Awaited& awaited);
  base::Result<void> pass_by(const Incoming& incoming);
  base::Result<void> pass_by_unreadable(std::int64_t offset);
  base::Result<void> begin_copies();
  [[nodiscard]] base::Error with_copy(base::Error error, std::span<const RowChange> rows) const;
  [[nodiscard]] std::string copy_token() const;
  base::Result<void> watch_copies();
  base::Result<void> forget_tables(const std::vector<std::string>& sources);
  base::Result<void> await_end();
  base::Result<void> begin_again(const base::Error& error);
  base::Result<void> forget_uncommitted();
  void grow_batches(std::size_t rows);
  base::Result<void> take(const kafka::Record& record);
  base::Result<void> same_topic();
  base::Error foreign(base::Error error, std::int64_t offset);
  void commit_complete();
  void show_state();

  base::Result<void> work_on_held(bool idle);
  base::Result<bool> begin_replay();
  base::Result<void> open_replay(const std::vector<std::string>& tables, bool alone);
  base::Result<bool> replay(std::int64_t end);
  base::Result<void> mark_incomplete(std::int64_t offset);
  base::Result<void> replay_refused(base::Error error);
  base::Result<void> release_replayed();
  base::Result<void> check_known_but(const std::vector<std::string>& held, const Awaited& awaited);
  base::Result<bool> await_skipped();
  base::Result<void> load_held();
  base::Result<void> fenced(const std::function<base::Result<void>()>& write);
  base::Result<void> wait_for_held();
  void try_emptied_again();
  void put_off(const std::vector<std::string>& tables);
  [[nodiscard]] LedgerState replay_start() const;
  base::Result<void> look_at_replayed();
  [[nodiscard]] bool mine(const std::string& source) const;
  base::Result<void> check_connected(const TargetName& target, const std::string& source);
  void refuse(const message::TableSchema& schema, const base::Error& error);
  void refuse_activated(message::SchemaId id, const base::Error& error);
  void refuse_executed(const base::Error& error, const std::string& way_on);
  base::Result<void> executed(base::Result<void> done, std::span<const RowChange> rows);

  const message::TableSchema* active(message::SchemaId id, TableIndex& index) override;
  base::Result<std::string> source_table(message::SchemaId id) override;
  base::Result<bool> skips(const message::TableRows& rows, const LedgerState& before) override;
  base::Result<bool> has_other_version(std::span<const RowChange> rows, message::SchemaId id) override;
  base::Result<void> activate(message::SchemaId id) override;
  base::Result<void> activate_emptied(message::SchemaId id) override;
  base::Result<void> commit(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState& next,
                            const BatchTimes& times) override;
  base::Result<void> empty(std::span<const RowChange> rows) override;
  base::Result<void> stream(const RowBuffer& buffer, std::span<const RowChange> rows) override;
  bool streaming() override;
  void rollback() override;
  void voided(std::int64_t from) override;
  base::Result<void> tables_gone(std::span<const GoneTable> gone) override;
  base::Result<void> define(DestinationServer& own, const std::function<base::Result<void>()>& work);
  base::Result<void> verify(const std::optional<message::Verify>& verify, bool last) override;

  StreamContext& context_;
  std::stop_token stop_;
  std::set<std::int64_t> skip_;
  std::optional<KnownTables> known_;
  std::optional<Catalog> catalog_;
  base::SteadyTime known_due_ = base::steady_now();  ///< the next check that known tables are there
  std::unique_ptr<DestinationServer> connection_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::optional<Assembler> assembler_;
  AwaitedCopies copies_;
  base::SteadyTime copies_watched_;  ///< when
  GapWatch gaps_;
  base::SteadyTime last_record_ = base::steady_now();
  std::size_t streamed_rows_ = 0;
  base::Backoff retry_wait_{base::Millis(50), base::Millis(5'000)};
  unsigned retries_ = 0;                         ///< since the last commit
  std::optional<base::SteadyTime> batch_since_;  ///< when the first whole rows of the batch were there
  base::SteadyTime last_commit_ = base::steady_now();
  [[nodiscard]] base::Error verify_failed() const;
  std::vector<std::string> verify_failures_;
  std::vector<std::string> verify_differ_;  ///< their tables, source names
  std::string verify_id_;
  bool completed_ = false;
  bool sink_failed_ = false;

  Session* main_ = nullptr;          ///< of a replay: the session whose held tables it applies
  std::vector<std::string> tables_;  ///< of a replay: these, names at the source
  HeldTables held_;                  ///< of this stream; a replay uses those of `main_`
  StreamLedger* stream_ledger_ = nullptr;
  std::optional<ForeignKeyGraph> graph_;
  std::vector<Refusal> refusals_;
  bool waits_for_held_ = false;  ///< the refusal is that of a table which foreign keys connect to a held one
  std::int64_t offset_ = -1;     ///< of the record being taken
  std::uint64_t replayed_rows_ = 0;
  std::unique_ptr<Replay> replay_;
  base::SteadyTime held_due_ = base::steady_now();
  /// A stop must not wait for a lock or a slow server: what is open is rolled back and done again next time.
  std::optional<std::stop_callback<std::function<void()>>> wake_;
};

}  // namespace datasync::apply
