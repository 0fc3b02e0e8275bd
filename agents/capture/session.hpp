#pragma once
// One epoch of a capture agent, from its claim to its end; binlog connections come and go within it.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/plan/position_loss.hpp"
#include "agents/capture/replica/replica_set.hpp"
#include "agents/capture/snapshot/snapshot.hpp"
#include "agents/capture/stream/catalog.hpp"
#include "agents/capture/stream/gate.hpp"
#include "agents/capture/stream/monitor.hpp"
#include "agents/capture/stream/output.hpp"
#include "agents/capture/stream/passing.hpp"
#include "agents/capture/stream/pipeline.hpp"
#include "agents/capture/stream/state_keeper.hpp"
#include "agents/capture/stream/writer.hpp"
#include "agents/capture/stream/xa.hpp"
#include "agents/config/config.hpp"
#include "agents/health/status.hpp"
#include "agents/kafka/client.hpp"
#include "agents/protocol/acks.hpp"
#include "agents/protocol/capture_epoch.hpp"

namespace datasync::capture {

/// What a session needs from the process; all must outlive it.
struct Context {
  const config::Capture& config;
  std::string instance;
  std::uint32_t server_id = 0;
  ReplicaSet& replicas;
  health::Status& status;
  PositionLoss& loss;
};

/// What was found on Kafka when the epoch began.
struct Claimed {
  kafka::Access access;
  std::unique_ptr<protocol::StateLog> state;
  protocol::StateView view;
  message::Epoch epoch;
  std::vector<protocol::StreamState> streams;  ///< empty when the position is lost and may be given up
  std::uint32_t max_message_bytes = 1'000'000;
};

/// The state topic, read to its end, before anything is claimed.
struct Claims {
  std::unique_ptr<protocol::StateLog> state;
  protocol::StateView view;
};
/// Errors: those of kafka::open_state_log and of protocol::catch_up.
base::Result<Claims> read_claims(const kafka::Access& access, const config::Capture& config, std::stop_token stop);

/// Checks the topics, with `create` makes those that never were; returns the largest record the topic takes.
/// Errors: those of kafka::ensure_topics.
base::Result<std::uint32_t> prepare_topics(const config::Capture& config, const kafka::Access& access, bool create);
/// Steps 1 to 3 of the protocol. `held` is set as soon as a claim of this process may be on its way. Errors: those of
/// begin_epoch.
base::Result<Claimed> claim(const Context& around, kafka::Access access, Claims claims, std::uint32_t max_message_bytes,
                            bool& held, std::stop_token stop);

/// Figures for status and metrics. Copyable, from any thread.
struct SessionFigures {
  StreamWriter::Counts counts;
  message::GtidSet position;  ///< acknowledged on every stream
  std::optional<double> capture_lag_seconds;
  ReplicaFigures replica_figures;
  std::string replica;
  std::uint64_t failovers = 0, in_flight_bytes = 0, acked_records = 0, produced_bytes = 0, checkpoints = 0;
  std::size_t prepared_xa = 0;
  std::optional<SnapshotFigures> snapshot;
  std::string lost_position, accepted_position;  ///< see PositionLoss
};

class Session {
 public:
  /// `pick` is a replica that meets the requirements; a fresh stream takes its position from it.
  static base::Result<std::unique_ptr<Session>> open(const Context& around, Selection selection, Claimed claimed,
                                                     const ChosenReplica& pick, std::stop_token stop);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Reads the binlog of a fit replica until something is wrong. No error: the work of mode Once is complete.
  base::Result<void> run();
  /// False when nothing more can be done in this epoch.
  [[nodiscard]] bool usable() const;
  /// Rows of XA transactions that only another session can read again.
  [[nodiscard]] bool has_pending_xa() const { return prepared_.pending(); }
  /// Ends all work, voids a transaction that is open, waits a moment for acknowledgements and writes a last checkpoint,
  /// as far as that works.
  void close();

  /// The largest record that the topic took when the epoch began.
  [[nodiscard]] std::uint32_t max_message_bytes() const noexcept { return claimed_.max_message_bytes; }

  [[nodiscard]] SessionFigures figures() const;

 private:
  Session(const Context& around, Selection selection, Claimed claimed, std::stop_token stop);
  base::Result<void> begin(const ChosenReplica& pick);
  base::Result<void> give_up_position();
  base::Result<void> find_before_start(const ChosenReplica& pick, const message::GtidSet& position);
  base::Result<void> keep_before_start();
  base::Result<void> keep_facts(const std::vector<std::string>& facts);
  base::Result<void> on_gtid(const ChosenReplica& pick, const message::Gtid& gtid);
  base::Result<void> settle_domains(const ChosenReplica& pick);
  [[nodiscard]] bool former_are_gone(const std::vector<protocol::Offset>& begins) const;
  [[nodiscard]] message::GtidSet published() const;
  base::Result<ChosenReplica> find_replica();
  std::optional<ChosenReplica> after_published(const source::Needed& needed);
  base::Result<void> dump(const ChosenReplica& pick);
  DefinitionStore definition_store();
  base::Result<void> dump(const ChosenReplica& pick, bool strict, bool& in_hole);
  [[nodiscard]] source::StreamOptions stream_options(const std::string& replica);
  base::Result<void> searching(const std::string& replica, base::Millis silent, const std::string& position);
  void unfit(base::Error error);
  base::Result<void> replicates_what_is_left_out(const std::string& replica, const message::GtidSet& replicated) const;
  std::optional<base::Error> take_unfit();
  void watch();
  void drop_runner();
  void void_open_transaction();
  void plan();
  [[nodiscard]] bool is_due(const Outdated& table) const;
  base::Result<void> on_outdated(const Outdated& table, const std::string& statement);
  base::Result<void> find_returned();
  base::Result<void> copy_outdated();
  base::Result<void> serve_requests();
  base::Result<void> serve(message::Request request);
  base::Result<std::vector<Outdated>> with_children(const Outdated& table);
  base::Result<bool> pass(const std::string& gtid, const std::string& at, Passed passed);
  base::Result<void> pass_prepare(const std::string& gtid, const std::string& xid, const Passed& passed);
  base::Result<void> start_snapshot();
  base::Result<void> undo_writes_elsewhere(const Selection& selection, Catalog& catalog, const ChosenReplica& pick);
  base::Result<void> outcome(base::Result<void> dumped, const ChosenReplica& pick);
  void make_writer(std::vector<message::GtidSet> sent, message::GtidSet position);
  void fail(base::Error error);
  void state_topic_trouble(std::optional<base::Error> trouble);
  void show_state();
  void show_trouble(const base::Error* trouble);
  void pulse();
  [[nodiscard]] ConnectTo connect_to() const;
  [[nodiscard]] std::string name_row(message::SchemaId schema) const;

  Context around_;
  const Selection selection_;
  Claimed claimed_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> linked_;
  PreparedTransactions prepared_;
  ChunkGate gate_;
  SourceClock clock_;
  Freshness freshness_;
  std::mutex between_;
  std::unique_ptr<protocol::AckTracker> acks_;
  std::unique_ptr<KafkaOutput> output_;
  std::unique_ptr<StreamWriter> writer_;
  Catalog* catalog_ = nullptr;                    ///< of the open connection; dump thread
  std::string replica_;                           ///< whose dump worked last; dump thread
  std::optional<AcceptedTransactions> accepted_;  ///< dump thread
  DueDefinitions due_;                            ///< dump thread
  std::vector<std::string> before_start_;         ///< see source::Engine; dump thread
  // What is copied; dump thread.
  KnownSnapshot known_;                   ///< as the state topic had it when it was last brought in line
  std::set<std::string> outdated_;        ///< tables for which `known_` has changed since the plan was made
  std::set<std::uint32_t> kept_domains_;  ///< of the source, as the state topic has them
  bool asked_ = false;  ///< what the configuration and the state topic ask for at the beginning is served
  std::optional<SnapshotPlan> plan_;
  bool plan_started_ = false;
  base::SteadyTime next_search_;  ///< for tables that come back

  mutable std::mutex mutex_;  ///< failure_, trouble_, watch_trouble_, unfit_, dumping_, left_out_
  std::optional<base::Error> failure_;
  std::optional<base::Error> watch_trouble_;  ///< with the replica in use; the data goes on
  std::optional<base::Error> unfit_;          ///< why the dump was ended
  source::ChangeStream* dumping_ = nullptr;
  std::vector<std::uint32_t> left_out_;  ///< see ChosenReplica, of the replica in use
  std::optional<base::Error> trouble_;   ///< with the state topic, for longer than a moment; the data goes on
  std::atomic<std::uint64_t> failovers_ = 0;
  std::atomic<bool> complete_ = false;
  std::atomic<bool> connected_ = false;
  std::atomic<bool> brokers_down_ = false;
  std::atomic<bool> searching_ = false;  ///< the replica was last seen searching its binlog
  unsigned cut_by_twin_ = 0;             ///< dumps in a row that ended with DuplicateServerId

  mutable std::mutex runner_mutex_;         ///< the pointer
  std::unique_ptr<SnapshotRunner> runner_;  ///< dropped by the destructor before anything else; the keeper looks at it
  // Threads, last: they end before what they use.
  std::unique_ptr<StateKeeper> keeper_;
  std::unique_ptr<Monitor> monitor_;
};

}  // namespace datasync::capture
