#pragma once
// Can a replica continue from a position? Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/message/gtid.hpp"

namespace datasync::capture {

/// What a server says about its history.
struct HistoryFacts {
  message::GtidSet executed;  ///< gtid_binlog_pos and gtid_slave_pos, per domain the higher
  message::GtidSet binlog;    ///< gtid_binlog_pos: the end of its binlog
  message::GtidSet oldest;    ///< what stands before its first binlog
  bool ever_replicated = false;
  message::GtidSet replicated = {};  ///< gtid_slave_pos
};

/// What a replica must have to continue.
struct Needed {
  message::GtidSet from;    ///< the binlog is read from here
  message::GtidSet newest;  ///< everything that was published, on whatever stream
};

enum class Fitness : std::uint8_t {
  Good,
  Behind,    ///< has not executed all of the position yet
  Purged,    ///< no longer has what comes after the position
  Diverged,  ///< another history
};

/// Behind wins over nothing: a server that has executed less and never was a replica has lost its history (reset,
/// restored from a backup): Diverged.
Fitness judge(const HistoryFacts& facts, const Needed& needed);

/// Domains of what is needed that this server has not replicated, although it replicates: writes of another replica of
/// its own (a heartbeat table in a domain of its own). They are none of the source's, if the server lacks nothing else.
std::vector<std::uint32_t> local_elsewhere(const HistoryFacts& facts, const Needed& needed);
/// The set without these domains.
message::GtidSet without(const message::GtidSet& set, const std::vector<std::uint32_t>& domains);
/// Where to read a server's binlog from: `position`, except that in the domains that are local elsewhere the server's
/// own writes begin now.
message::GtidSet dump_position_at(const HistoryFacts& facts, const message::GtidSet& position,
                                  const std::vector<std::uint32_t>& local);

/// How far a server is behind its primary.
struct ReplicationLag {
  bool replicates = true;         ///< false: a thread of its replication does not run
  std::optional<double> seconds;  ///< nothing: it has no primary, or it is not known
  std::string why = {};           ///< it does not replicate
  bool has_primary = false;
  /// It has a primary, and how far it is behind is not known. Never to be shown as 0.
  [[nodiscard]] bool unknown() const noexcept { return (has_primary || !replicates) && !seconds; }
};

/// Replicas of one primary are some seconds apart at any time; that is no difference.
inline constexpr double kLateSeconds = 60;
/// Unknown is not late.
bool late(const ReplicationLag& replication_lag) noexcept;
/// Which of the fit candidates, in their order, to read: the first that is not late, else the least late one.
std::size_t choose(const std::vector<ReplicationLag>& fit) noexcept;

/// Why one candidate was not taken.
struct Refusal {
  std::string server;
  base::Error error;
};

/// One error for all refusals: waiting comes first, then what a person must mend, then what heals by
/// itself, and last a lost position: only when all have lost it.
base::Error combine(const std::vector<Refusal>& refusals);

}  // namespace datasync::capture
