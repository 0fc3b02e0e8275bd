#pragma once
// Can a MariaDB server continue from a position? Pure.

#include <cstdint>
#include <vector>

#include "agents/message/gtid.hpp"
#include "agents/source/history.hpp"

namespace datasync::source::mariadb {

/// Behind wins over nothing: a server that has executed less and never was a replica has lost its history (reset,
/// restored from a backup): Diverged.
Fitness judge(const HistoryFacts& facts, const Needed& needed);

/// Domains of what is needed that this server has not replicated, although it replicates: writes of another replica of
/// its own (a heartbeat table in a domain of its own), unless they are known to be the source's. They are none of the
/// source's, if the server lacks nothing else.
std::vector<std::uint32_t> local_elsewhere(const HistoryFacts& facts, const Needed& needed);
/// Domains in which only this server has written, and of which nothing is needed: while it replicates, they are none of
/// the source's.
std::vector<std::uint32_t> local_here(const HistoryFacts& facts, const Needed& needed);
/// The set without these domains.
message::GtidSet without(const message::GtidSet& set, const std::vector<std::uint32_t>& domains);
/// Where to read a server's binlog from: `position`, except that in the domains that are local here or elsewhere the
/// server's own writes begin now.
message::GtidSet dump_position_at(const HistoryFacts& facts, const message::GtidSet& position,
                                  const std::vector<std::uint32_t>& local);

/// All of it: `judge` without the domains that are local here, and when something is lacking, whether that may be local
/// elsewhere.
Continuity continuity(const HistoryFacts& facts, const Needed& needed);

}  // namespace datasync::source::mariadb
