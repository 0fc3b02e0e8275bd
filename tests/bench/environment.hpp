#pragma once
// The servers of a benchmark and the agents between them.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/agents.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::bench {

/// A source, a durable destination, a durable native replica of the source, and a broker; database `bench` everywhere.
class Environment {
  test::TempDir folder_;  // first: the servers live in it

 public:
  Environment();

  test::MariaDbServer source;
  test::MariaDbServer destination;
  test::MariaDbServer native;
  test::KafkaBroker broker;

  /// Agents that are not started yet. One type, "rows", of `tables`; snapshot off: a capture of a new topic begins
  /// where the source stands when it first runs.
  test::Agent capture(const std::string& topic, const std::vector<std::string>& tables);
  test::Agent apply(const std::string& topic);
  /// Runs a capture of a new topic just long enough to fix where it begins.
  void fix_start(const std::string& topic, const std::vector<std::string>& tables);

 private:
  config::Credentials user_;
  int agents_ = 0;
  config::Common common(const std::string& topic) const;
};

/// The gate of every score: throws when a table differs between two servers (rows and CHECKSUM TABLE; both are MariaDB
/// with the same definition).
void expect_equal(test::MariaDbServer& a, test::MariaDbServer& b, const std::string& table);

/// Waits until a capture agent's published position, or every stream of an apply agent, has `gtid`.
void wait_captured(test::Agent& agent, const std::string& gtid);
void wait_applied(test::Agent& agent, const std::string& gtid);
/// Waits until the agent has moved its first row; returns how many it has moved by then.
double wait_first_row(test::Agent& agent);

}  // namespace datasync::bench
