#pragma once
// What the machine and the servers can do at most, measured on the same bytes as the agents beside it.

#include <cstdint>
#include <string>
#include <vector>

#include "agents/message/record.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/mariadb_server.hpp"

namespace datasync::bench {

struct Run {
  double seconds = 0;
  double bytes = 0;
};

/// Reads the dump connection from one GTID position to another and throws the events away. Ends at the commit of `to`.
Run raw_dump(const test::MariaDbServer& server, const std::string& from, const std::string& to);

/// The records of a topic, in memory.
struct Record {
  message::Headers headers;
  std::string value;
};
std::vector<Record> read_topic(const test::KafkaBroker& broker, const std::string& topic);

/// Produces the records to a new topic: idempotent, acks=all, as fast as the client goes. Ends with the last
/// acknowledgement.
Run raw_produce(test::KafkaBroker& broker, const std::string& topic, const std::vector<Record>& records);

/// One connection, array-bound `INSERT ... ON DUPLICATE KEY UPDATE` of `rows` benchmark rows into `table`, a durable
/// commit every 1000, no ledger.
Run raw_upserts(const test::MariaDbServer& server, const std::string& table, std::uint64_t rows);

/// Native replication: the relay log fetched before, then the SQL thread alone drains it to the primary's position.
/// `replica` must be stopped at the position where the backlog begins.
Run native_drain(test::MariaDbServer& replica, const std::string& to);

}  // namespace datasync::bench
