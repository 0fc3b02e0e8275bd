#include "agents/apply/agent.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "agents/apply/session.hpp"
#include "agents/base/log.hpp"
#include "agents/destination/instances.hpp"
#include "agents/health/supervise.hpp"
#include "agents/kafka/client.hpp"
#include "agents/kafka/logs.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using health::State;

constexpr base::Millis kLook{100};
constexpr base::Millis kOlderLook{5'000};
constexpr base::Millis kTopicPoll{500};
constexpr base::Millis kTopicsMade{5'000};  ///< what capture of a new task may need for its topics
constexpr std::chrono::seconds kReadTimeout{60};

/// One stream with its thread, restarted as its errors ask for.
class Worker {
 public:
  Worker(const config::Apply& config, const DestinationEngine& engine, SchemaBook& book, health::Metrics& metrics,
         const std::string& instance, std::int32_t stream, std::int32_t streams)
      : status_({"apply", config.common.name, instance, fmt::format("stream {}", stream)}),
        report_(metrics, stream),
        context_{config, engine, book, status_, report_, instance, stream, streams} {
    if (streams == 1) status_.be_quiet();
  }

  void start() {
    thread_ = std::jthread([this](std::stop_token stop) {
      const auto code = health::supervise("apply", status_, stop, [this](std::stop_token s) {
        const auto done = run_stream(context_, s);
        if (done) completed_.store(true);
        return done;
      });
      superseded_.store(code == health::ExitCode::Superseded);
    });
  }
  void request_stop() { thread_.request_stop(); }

  [[nodiscard]] const health::Status& status() const noexcept { return status_; }
  [[nodiscard]] const StreamReport& report() const noexcept { return report_; }
  [[nodiscard]] bool completed() const noexcept { return completed_.load(); }
  [[nodiscard]] bool superseded() const noexcept { return superseded_.load(); }

 private:
  health::Status status_;
  StreamReport report_;
  StreamContext context_;
  std::atomic<bool> completed_ = false;
  std::atomic<bool> superseded_ = false;
  std::jthread thread_;  ///< last member: it is joined before anything it uses dies
};

using Workers = std::vector<std::unique_ptr<Worker>>;

/// The worse state stands for all.
int severity(State state) {
  static constexpr std::array kOrder{State::Completed, State::Streaming,         State::Snapshotting, State::Starting,
                                     State::Stopping,  State::WaitingForReplica, State::Retrying,     State::Stalled};
  return static_cast<int>(std::ranges::find(kOrder, state) - kOrder.begin());
}

/// Tells the streams' states as one and passes on progress and beats. Every change is logged once: by the streams, or
/// here when there is only one.
class StatusAggregator {
 public:
  StatusAggregator(health::Status& status, const Workers& workers) : status_(status), workers_(workers) {}

  void look() {
    const auto worst =
        std::ranges::max_element(workers_, {}, [](const auto& w) { return severity(w->status().state()); });
    const auto& of = (*worst)->status();
    const auto state = of.state();
    const auto reason = of.reason();
    const bool calm = state == State::Completed || state == State::Stopping;  // `supervise` tells of those
    if (reason && workers_.size() == 1) {
      status_.set(state, *reason, of.message());
    } else if (workers_.size() == 1) {
      if (!calm) status_.set(state);
    } else if (reason || !calm) {
      status_.follow(state, reason, reason ? fmt::format("stream {}: {}", worst - workers_.begin(), of.message()) : "");
    }
    std::uint64_t advances = 0;
    bool live = true;
    for (const auto& w : workers_) {
      advances += w->status().advances();
      live = live && w->status().live();
    }
    if (advances != advances_) status_.advance();
    if (live) status_.beat();
    advances_ = advances;
  }

 private:
  health::Status& status_;
  const Workers& workers_;
  std::uint64_t advances_ = 0;
};

std::string detail(const config::Apply& config, const Workers& workers) {
  std::vector<const StreamReport*> reports;
  for (const auto& w : workers) reports.push_back(&w->report());
  return StreamReport::json(config.destination.text(), reports);
}

Instances instances_of(const config::Apply& config, const Process& process) {
  return {config.ledger_database, {config.common.name, config.common.channel.topic, process.instance}};
}

/// Then waits while this is a restart of an instance that was replaced: ending would only make whatever restarts it do
/// so again.
base::Result<void> check(const config::Apply& config, const DestinationEngine& engine, const Process& process,
                         health::Status& status, std::stop_token stop) {
  for (;;) {
    DS_ASSIGN(const auto connection, engine.connect(config, kReadTimeout));
    DS_TRY(connection->preflight(config));
    auto may = instances_of(config, process).check(*connection);
    if (may || !may.error().is(Reason::Superseded) || process.claimed) return may;
    status.set(State::Stalled, Reason::Superseded, may.error().what);
    status.beat();
    if (!base::sleep_for(stop, kOlderLook)) return Error(Reason::Stopping, "stopped");
  }
}

base::Result<void> claim(const config::Apply& config, const DestinationEngine& engine, Process& process,
                         std::int32_t streams) {
  DS_ASSIGN(const auto connection, engine.connect(config, kReadTimeout));
  DS_TRY(connection->prepare_to_write());
  process.claimed = true;
  return instances_of(config, process).claim(*connection, streams, {config.types.begin(), config.types.end()});
}

/// Why another holder has a stream. One without a rank is of a version that had none: it takes streams over whenever it
/// is restarted, and so do we until it is gone.
Error superseded(const config::Apply& config, const DestinationEngine& engine, const Process& process) {
  const auto connection = engine.connect(config, kReadTimeout);
  if (!connection) return connection.error();
  if (auto may = instances_of(config, process).check(**connection); !may) return std::move(may).error();
  return {Reason::DestinationBusy, "an agent of an earlier version took over a stream; it is taken back"};
}

/// The number of streams; waits for a topic that capture has not made yet. Where both agents start at once, that is
/// told only when it lasts.
base::Result<std::int32_t> wait_for_topic(const config::Apply& config, health::Status& status, std::stop_token stop) {
  const auto& channel = config.common.channel;
  const auto since = base::steady_now();
  while (!stop.stop_requested()) {
    DS_ASSIGN(const auto access, kafka::access(channel, config.common.secrets_dir));
    DS_ASSIGN(const auto admin, kafka::Admin::open(access));
    DS_ASSIGN(const auto topic, admin->describe(channel.topic));
    DS_ASSIGN(const auto state, admin->describe(channel.state_topic()));
    if (topic.exists && state.exists) return topic.partitions;
    if (base::steady_now() - since >= kTopicsMade) {
      status.set(
          State::Retrying, Reason::TopicMissing,
          fmt::format("waits for the topics {} and {}, which capture makes", channel.topic, channel.state_topic()));
    }
    status.beat();
    base::sleep_for(stop, kTopicPoll);
  }
  return Error(Reason::Stopping, "stopped");
}

base::Result<void> watch(health::Status& status, const Workers& workers, std::stop_token stop) {
  StatusAggregator mirror(status, workers);
  while (base::sleep_for(stop, kLook)) {
    mirror.look();
    if (std::ranges::any_of(workers, [](const auto& w) { return w->superseded(); }))
      return Error(Reason::Superseded, "another instance has taken over");
    if (std::ranges::all_of(workers, [](const auto& w) { return w->completed(); })) return {};
  }
  return Error(Reason::Stopping, "stopped");
}

}  // namespace

base::Result<void> run_agent(const config::Apply& config, const DestinationEngine& engine, Process& process,
                             health::Status& status, health::Metrics& metrics, std::stop_token stop) {
  DS_TRY(check(config, engine, process, status, stop));
  DS_ASSIGN(const auto streams, wait_for_topic(config, status, stop));
  DS_TRY(claim(config, engine, process, streams));
  SchemaBook book([&config]() -> base::Result<std::unique_ptr<protocol::StateLog>> {
    DS_ASSIGN(const auto access, kafka::access(config.common.channel, config.common.secrets_dir));
    return kafka::open_state_log(access, config.common.channel.state_topic());
  });
  Workers workers;
  for (std::int32_t stream = 0; stream < streams; ++stream)
    workers.push_back(std::make_unique<Worker>(config, engine, book, metrics, process.instance, stream, streams));
  status.set_detail([&] { return detail(config, workers); });
  for (const auto& w : workers) w->start();
  auto done = watch(status, workers, stop);
  for (const auto& w : workers) w->request_stop();
  status.drop_detail();
  if (!done && done.error().is(Reason::Superseded)) return superseded(config, engine, process);
  return done;
}

}  // namespace datasync::apply
