#pragma once
// What a server has of the source's history, and whether a position is in it.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agents/message/gtid.hpp"

namespace datasync::source {

/// What a server says about its history.
struct HistoryFacts {
  message::GtidSet executed;  ///< everything, whether or not it is in its log
  message::GtidSet binlog;    ///< the end of its log
  message::GtidSet oldest;    ///< what is before the beginning of its log
  bool ever_replicated = false;
  message::GtidSet replicated = {};  ///< of what it executed, what another server wrote
  std::uint32_t server_id = 0;       ///< in the GTIDs of its own writes; 0: not known
  /// It replicates now, and in a way that its primary would have sent it every domain that it has. So a domain that it
  /// has written and not replicated is of no other server.
  bool replicates_all_domains = false;
};

/// What a server must have to continue.
struct Needed {
  message::GtidSet from;                 ///< changes are read from here
  message::GtidSet newest;               ///< everything that was published, on whatever stream
  std::set<std::uint32_t> domains = {};  ///< the source's: some replica has replicated them
};

enum class Fitness : std::uint8_t {
  Good,
  Behind,    ///< has not executed all of the position yet
  Purged,    ///< no longer has what comes after the position
  Diverged,  ///< another history
};

/// Whether a server can continue from what is needed.
struct Continuity {
  Fitness fitness = Fitness::Good;
  /// Good only if what is needed in these domains (see message::Gtid) are writes of another replica of its own, which
  /// this server never gets. Empty: everything is needed of this server.
  std::vector<std::uint32_t> without = {};
  /// Good only: domains that nobody but this server has written, and of which nothing is needed. Its writes in them are
  /// none of the source's, and are not read from before now.
  std::vector<std::uint32_t> own = {};
  /// Behind only: it has nothing of these domains of the source, and lacks nothing else.
  std::vector<std::uint32_t> lacking = {};
};

/// Where a new stream begins. Every prepared transaction that is not decided at `position` and is committed after it
/// was prepared after `dump_from`.
struct StartPosition {
  message::GtidSet dump_from, position;
};

/// How far a server is behind its primary.
struct ReplicationLag {
  bool replicates = true;         ///< false: a thread of its replication does not run
  std::optional<double> seconds;  ///< nothing: it has no primary, or it is not known
  std::string why = {};           ///< it does not replicate
  bool has_primary = false;
  /// It has a primary, and how far it is behind is not known. Never to be shown as 0.
  [[nodiscard]] bool unknown() const noexcept { return (has_primary || !replicates) && !seconds; }
};

}  // namespace datasync::source
