#include "agents/source/mariadb/start_position.hpp"

#include <fmt/format.h>

#include "agents/source/mariadb/server_facts.hpp"

namespace datasync::source::mariadb {

base::Result<StartPosition> start_position(sql::Connection& connection) {
  // A server rebuilt from a backup has executed transactions that its binlog lacks, also in domains that its binlog
  // does not have at all: without them the position would be before everything in such a domain.
  const auto position = [&]() -> base::Result<message::GtidSet> {
    DS_ASSIGN(const auto executed, gather_executed(connection));
    return executed.all();
  };
  // What is prepared at the second reading was prepared after the first, because nothing is in between; what was
  // prepared before the first, and is not prepared any more, was decided before the second.
  StartPosition start;
  DS_ASSIGN(start.dump_from, position());
  DS_ASSIGN(const auto prepared, connection.query("XA RECOVER"));
  if (!prepared.empty())
    return base::Error(
        base::Reason::WaitingForReplica,
        fmt::format("{} XA transactions are prepared; a new stream begins when they are decided", prepared.size()));
  DS_ASSIGN(start.position, position());
  if (start.dump_from.empty())
    return base::Error(base::Reason::WaitingForReplica, "the replica's binlog holds no transaction yet");
  return start;
}

}  // namespace datasync::source::mariadb
