#pragma once
// A broker and a network for the random histories: records land late, in the order of their channel or never, and
// acknowledgements get lost. The state topic is compacted at any time.

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/protocol/log.hpp"
#include "tests/model/fiber.hpp"
#include "tests/model/sim_source.hpp"

namespace datasync::model {

/// A record between its sender and its log.
struct Parcel {
  bool to_state = false;
  std::int32_t stream = 0;
  message::Headers headers;  ///< state topic: kind only
  std::string key, value;
  bool removed = false;  ///< a tombstone
  bool landed = false;
  protocol::Offset offset = -1;
};
using ParcelPtr = std::shared_ptr<Parcel>;

/// A process: something that runs in turns and can be killed at each.
struct Process {
  std::string name;       ///< of the instance: the same over restarts
  std::size_t start = 0;  ///< which start of all this is
  std::stop_source stop;
  bool killed = false;
  std::set<std::uint64_t> channels;  ///< its ways into the broker
  std::unique_ptr<Fiber> fiber;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, std::int32_t streams);

  Random random;
  const std::int32_t streams;
  const std::vector<Transaction> source;
  bool calm = false;  ///< no faults any more: everything lands at once and is heard
  // Mutations.
  bool ranks_ignored = false;            ///< every restart is an instance of its own
  bool starts_before_comparing = false;  ///< the streams are compared with the checkpoints behind the start
  bool marks_ignored = false;            ///< only the lengths are compared

  /// Lets others run. False: the process was killed.
  bool turn(Process& p);
  std::uint64_t open_channel(Process& p);
  ParcelPtr post(std::uint64_t channel, Parcel parcel);
  /// Posts on a channel of its own and waits. Unknown outcome: BrokerUnreachable. Killed: Stopping.
  base::Result<protocol::Offset> post_and_wait(Process& p, Parcel parcel);

  void land_some();
  void land_all();
  void lose_all();
  /// What a killed process has on its way is lost.
  void lose(const Process& p);
  void compact();
  /// The state topic loses its newest records, or all.
  void cut_state();
  /// Brokers lose the newest records of some streams, or all: the topic was recreated. True when anything was lost.
  bool cut_streams();
  [[nodiscard]] bool has_claims() const { return claims() > 0; }
  [[nodiscard]] std::size_t claims() const;

  [[nodiscard]] const std::vector<Landed>& stream(std::int32_t number) const {
    return logs_[static_cast<std::size_t>(number)];
  }
  [[nodiscard]] std::vector<protocol::StateRecord> state_from(std::size_t from) const;
  [[nodiscard]] std::size_t state_end() const noexcept { return state_.size(); }

 private:
  void land(std::deque<ParcelPtr>& channel);

  std::map<std::uint64_t, std::deque<ParcelPtr>> channels_;
  std::uint64_t next_channel_ = 0;
  std::vector<std::vector<Landed>> logs_;
  std::vector<std::optional<protocol::StateRecord>> state_;  ///< nullopt: compaction took it
};

class SimStateLog final : public protocol::StateLog {
 public:
  SimStateLog(Simulation& simulation, Process& process) : simulation_(simulation), process_(process) {}
  base::Result<protocol::Offset> append(message::Kind kind, const std::string& key, const std::string& value) override;
  base::Result<protocol::Offset> remove(message::Kind kind, const std::string& key) override;
  base::Result<std::vector<protocol::StateRecord>> read_to_end(std::stop_token stop) override;

 private:
  Simulation& simulation_;
  Process& process_;
  std::size_t next_ = 0;
};

class SimStreamLog final : public protocol::StreamLog {
 public:
  SimStreamLog(Simulation& simulation, Process& process) : simulation_(simulation), process_(process) {}
  base::Result<protocol::Offset> append(std::int32_t stream, const message::Headers& headers,
                                        const std::string& value) override;
  base::Result<void> read(std::int32_t stream, protocol::Offset from, protocol::Offset to, std::stop_token stop,
                          const std::function<base::Result<void>(const protocol::StreamRecord&)>& take) override;
  base::Result<Ends> ends(std::int32_t stream) override;

 private:
  Simulation& simulation_;
  Process& process_;
};

}  // namespace datasync::model
